"""Setting the alerts up: a test alert now, and a code that finds the chat they go to.

Triggered by the HTTP API (POST /api/settings/alerts/test and /link). A person tries and waits, so
both ask Telegram at once and answer in its words; application/alerts.py uses what they set up.
"""

from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from application.alert_link import NO_BOT_OF_OURS, LinkCodes
from application.alerts import destination
from application.audit import changed
from application.bot_forms import BotView
from application.ports import Failed, Telegram, TelegramAccess
from application.refusals import Conflict, Refusal, UpstreamFailed, require
from application.settings import SettingsReader
from domain.access import Action, Actor
from domain.failures import Ambiguous, Retryable

_NO_BOT = "Set the token of the alerts' bot in the settings first."
_NO_CHAT = "Set the chat that gets the alerts in the settings first."
TEST = "This is a test alert of Kotodom GPT. Alerts arrive in this chat."


class OurBots(Protocol):
    """Whether the alerts' bot is one of ours. Raises Unavailable."""

    async def token_holder(self, token: str) -> int | None: ...

    async def get(self, bot_id: int, owner: str | None) -> BotView | None: ...


class TestSent(Struct, frozen=True):
    """Telegram has taken the test alert."""

    delivered: bool


class LinkView(Struct, frozen=True, rename="camel"):
    """What to do: open `link`, or write `/link CODE` to the bot in the chat that is to get alerts.

    `problem`: why the bot may not hear it, in words.
    """

    code: str
    expires_at: datetime
    bot_username: str
    link: str
    problem: str | None


class _Changed(Struct, frozen=True, rename="camel"):
    chat_id: str | None = None
    expires_at: datetime | None = None


class AlertSetup:
    """The use case."""

    def __init__(
        self,
        settings: SettingsReader,
        telegram: Telegram,
        bots: OurBots,
        codes: LinkCodes,
        telegram_api_url: str,
    ) -> None:
        self._settings = settings
        self._telegram = telegram
        self._bots = bots
        self._codes = codes
        self._telegram_api_url = telegram_api_url

    async def test(self, actor: Actor) -> TestSent:
        """Send a test alert. Raises Forbidden; Conflict where something is not set, or Telegram
        refuses; UpstreamFailed where it may do so later.
        """
        require(actor, Action.MANAGE_SETTINGS)
        settings = await self._settings.latest()
        to = destination(settings, self._telegram_api_url)
        if to is None:
            raise Conflict(_NO_CHAT if settings.alerts_bot_token else _NO_BOT)
        access, chat_id = to
        try:
            await self._telegram.send_message(access, chat_id, TEST)
        except Failed as failed:
            why = _reason(failed)
            raise _refusal(f"Telegram did not take the test alert: {why}", failed) from failed
        changed("alerts:test", None, _Changed(chat_id=str(chat_id)))
        return TestSent(delivered=True)

    async def link(self, actor: Actor) -> LinkView:
        """Open a code, in the place of any other. Raises Forbidden, Conflict, UpstreamFailed,
        SessionsAway.
        """
        require(actor, Action.MANAGE_SETTINGS)
        token = (await self._settings.latest()).alerts_bot_token
        if not token:
            raise Conflict(_NO_BOT)
        holder = await self._bots.token_holder(token)
        ours = await self._bots.get(holder, None) if holder is not None else None
        if ours is not None and not ours.enabled:
            raise Conflict(
                f"The alerts' bot is your bot {ours.name}, which is disabled: enable it first, "
                "so that it hears /link."
            )
        access = TelegramAccess(0, token, self._telegram_api_url)
        try:
            card = await self._telegram.get_me(access)
            problem = ours.error if ours is not None else await self._foreign_webhook(access)
        except Failed as failed:
            sentence = f"Telegram could not be asked about the alerts' bot: {_reason(failed)}"
            raise _refusal(sentence, failed) from failed
        token_id = token.partition(":")[0]
        bot_id = ours.id if ours is not None else NO_BOT_OF_OURS
        link = await self._codes.open(token_id, bot_id, actor.id)
        changed("alerts:link", None, _Changed(expires_at=link.expires_at))
        address = f"https://t.me/{card.username}?start={link.code}"
        return LinkView(link.code, link.expires_at, card.username, address, problem)

    async def _foreign_webhook(self, access: TelegramAccess) -> str | None:
        """What is against polling the bot. Raises Failed."""
        webhook = await self._telegram.get_webhook_info(access)
        if not webhook.url:
            return None
        host = urlsplit(webhook.url).hostname or "another server"
        return (
            f"Another program has the bot's updates: its webhook is at {host}. It stays there; "
            "write the chat into the settings yourself, or remove that webhook and write the code "
            "again."
        )


def _reason(failed: Failed) -> str:
    return str(getattr(failed.failure, "reason", failed.failure))


def _refusal(sentence: str, failed: Failed) -> Refusal:
    if isinstance(failed.failure, Retryable | Ambiguous):
        return UpstreamFailed(sentence)
    return Conflict(sentence)
