"""What the use cases need from the world, as protocols that adapters fulfil."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from domain.effects import Entity, Part
from domain.failures import Failure


class Failed(Exception):  # noqa: N818 - it says what happened, the failure says why
    """An effect did not succeed for a documented reason."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(repr(failure))
        self.failure = failure


class PollConflict(Failed):
    """getUpdates is refused, for somebody else has the bot's updates: another program that polls
    with its token, or (`webhook`) a webhook.
    """

    def __init__(self, failure: Failure, *, webhook: bool) -> None:
        super().__init__(failure)
        self.webhook = webhook


class Clock(Protocol):
    """Time and chance, drawn outside of the pure layers."""

    def now(self) -> datetime:
        """UTC, with a time zone."""
        ...

    def jitter(self) -> float:
        """A random number in [0, 1)."""
        ...


class TelegramAccess(Struct, frozen=True):
    """A bot's token and the Bot API server it lives on (no trailing slash)."""

    bot_id: int
    token: str
    api_url: str


class BotCard(Struct, frozen=True):
    """getMe: who Telegram says the bot is (`id` is Telegram's, not ours)."""

    id: int
    name: str
    username: str
    can_read_all_group_messages: bool = False


class WebhookStatus(Struct, frozen=True, omit_defaults=True):
    """Bot API 10.3, WebhookInfo; dates are Unix seconds."""

    url: str
    pending_update_count: int
    last_error_date: int | None = None
    last_error_message: str | None = None
    max_connections: int | None = None
    ip_address: str | None = None


class Telegram(Protocol):
    """The Bot API. Every method raises Failed for a documented error."""

    async def get_me(self, access: TelegramAccess) -> BotCard: ...

    async def send_message(
        self,
        access: TelegramAccess,
        chat_id: int | str,
        text: str,
        entities: Sequence[Entity] = (),
        topic_id: int | None = None,
        reply_to: int | None = None,
    ) -> int:
        """Send one message (1-4096 UTF-16 units); its message_id in the chat."""
        ...

    async def send_chat_action(
        self, access: TelegramAccess, chat_id: int, action: str, topic_id: int | None = None
    ) -> None: ...

    async def set_webhook(self, access: TelegramAccess, url: str, secret: str) -> None: ...

    async def delete_webhook(self, access: TelegramAccess) -> None: ...

    async def get_webhook_info(self, access: TelegramAccess) -> WebhookStatus: ...

    async def get_updates(
        self, access: TelegramAccess, offset: int | None, timeout: int
    ) -> list[bytes]:
        """Long-poll for `timeout` seconds; each update as its own raw JSON, at most 100.

        Raises PollConflict.
        """
        ...

    async def set_my_commands(
        self, access: TelegramAccess, commands: Sequence[tuple[str, str]], language: str | None
    ) -> None:
        """Commands (name without slash, description) for users of a language, None for all."""
        ...


class Markdown(Protocol):
    """The model's Markdown as Telegram takes it."""

    def render(self, text: str) -> tuple[Part, ...]:
        """Parts of at most 4096 UTF-16 units, cut at lines and spaces; () for blank text."""
        ...


class Prices(Protocol):
    """What a model's tokens cost."""

    def price(self, model: str, input_tokens: int | None, output_tokens: int | None) -> str | None:
        """US dollars as a decimal number in text; None where model or tokens are unknown."""
        ...
