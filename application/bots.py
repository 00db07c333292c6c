"""Bots: make, see, change, delete, enable, disable. What a person may ask of one.

Triggered by the HTTP API. A bot's life (enabled, active, in error) changes only through BotLife,
whose effects are jobs, so no request waits for Telegram; only a new token is checked at once.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from msgspec import to_builtins

from application.audit import changed
from application.bot_deletion import Contents, ErasedBot, erased_bot
from application.bot_forms import (
    BotPatch,
    BotView,
    CheckedToken,
    NewBot,
    TelegramView,
    TokenToCheck,
    WebhookView,
    checked,
)
from application.bot_life import BotLife
from application.paging import Page, known_id, page, read_cursor
from application.ports import BotCard, Failed, Telegram, TelegramAccess, WebhookStatus
from application.refusals import (
    Conflict,
    FieldError,
    Invalid,
    NotFound,
    UpstreamFailed,
    require,
)
from domain.access import Action, Actor, owner_filter
from domain.bot import TelegramMode
from domain.events import (
    BotEdited,
    BotEvent,
    DisableAsked,
    EnableAsked,
    WebhookAsked,
    WebhookRemovalAsked,
)
from domain.failures import Fatal

FAREWELL_SECONDS = 5.0
"""How long a request waits for Telegram to remove a webhook that nobody will listen to."""

_NO_PUBLIC_URL = (
    "needs PUBLIC_URL: set that environment variable to this server's public https address, "
    "or choose POLLING"
)


class BotRepository(Protocol):
    """Where bots are kept, tokens and keys encrypted. `owner` narrows to one user's bots.

    Every method raises Unavailable where the database is away.
    """

    async def page(self, owner: str | None, before: int | None, limit: int) -> list[BotView]:
        """At most `limit` bots, newest first, with ids below `before`."""
        ...

    async def get(self, bot_id: int, owner: str | None) -> BotView | None: ...

    async def access(self, bot_id: int) -> TelegramAccess | None:
        """The token and its server; None where it is gone or cannot be decrypted."""
        ...

    async def token_holder(self, token: str) -> int | None:
        """The bot that has the token."""
        ...

    async def insert(self, values: dict[str, Any], owner_user_id: str) -> BotView | None:
        """None: another bot has the token."""
        ...

    async def update(self, bot_id: int, values: dict[str, Any], *, other_bot: bool) -> bool:
        """Set columns; False: another bot has the token.

        `other_bot`: the token is another Telegram bot's, whose updates are numbered anew.
        """
        ...

    async def contents(self, bot_id: int) -> Contents:
        """What is its own."""
        ...

    async def delete(self, bot_id: int, owner: str | None) -> bool:
        """At once; what is its own is erased afterwards. False: somebody was quicker."""
        ...


class Bots:
    """The use case. `public_url` and `telegram_api_url` are the environment's."""

    def __init__(
        self,
        bots: BotRepository,
        life: BotLife,
        telegram: Telegram,
        public_url: str | None,
        telegram_api_url: str,
    ) -> None:
        self._bots = bots
        self._life = life
        self._telegram = telegram
        self._public_url = public_url
        self._telegram_api_url = telegram_api_url

    async def browse(self, actor: Actor, limit: int, cursor: str | None) -> Page[BotView]:
        """Newest first. Raises Malformed."""
        before = read_cursor(cursor, int)
        if before is not None and not known_id(before):
            return Page([], None)
        rows = await self._bots.page(owner_filter(actor), before, limit + 1)
        return page(rows, limit, key=lambda bot: bot.id)

    async def get(self, actor: Actor, bot_id: int) -> BotView:
        """Raises NotFound."""
        known = known_id(bot_id)
        bot = await self._bots.get(bot_id, owner_filter(actor)) if known else None
        if bot is None:
            raise NotFound("bot")
        return bot

    async def create(self, actor: Actor, form: NewBot) -> BotView:
        """A new bot, not enabled. Raises Invalid, Forbidden, Conflict, UpstreamFailed."""
        require(actor, Action.MAKE_BOTS)
        values, errors = checked(form)
        if any(values.get(name) is not None for name in ("telegram_api_url", "base_url")):
            require(actor, Action.NAME_SERVERS)
        errors += self._mode_errors(values.get("telegram_mode"))
        if errors:
            raise Invalid(errors)
        if values["telegram_mode"] is None:
            mode = TelegramMode.WEBHOOK if self._public_url else TelegramMode.POLLING
            values["telegram_mode"] = mode
        if await self._bots.token_holder(values["token"]) is not None:
            raise _taken()
        card = await self._check(values["token"], values["telegram_api_url"])
        bot = await self._bots.insert(values | {"username": card.username}, actor.id)
        if bot is None:
            raise _taken()
        changed(_target(bot.id), None, _kept(bot))
        return bot

    async def change(self, actor: Actor, bot_id: int, form: BotPatch) -> BotView:
        """Raises NotFound, Invalid, Forbidden, Conflict, UpstreamFailed."""
        bot = await self.get(actor, bot_id)
        values, errors = checked(form)
        moved = values.get("telegram_api_url", bot.telegram_api_url) != bot.telegram_api_url
        if moved or values.get("base_url", bot.base_url) != bot.base_url:
            require(actor, Action.NAME_SERVERS)
        mode = values.pop("telegram_mode", bot.telegram_mode)
        if mode is not bot.telegram_mode:
            errors += self._mode_errors(mode)
        if errors:
            raise Invalid(errors)
        former = await self._bots.access(bot_id)
        other_bot = await self._check_change(bot, values, former)
        if values and not await self._bots.update(bot_id, values, other_bot=other_bot):
            raise _taken()
        if former is not None and (other_bot or moved):
            await self._say_farewell(former)
        # A token that is sent again is connected again: the former attempt may have died halfway.
        reconnect = "token" in values or moved or mode is not bot.telegram_mode
        if reconnect:
            await self._life.put(bot_id, BotEdited(mode, reconnect=True))
        return await self._changed(actor, bot)

    async def delete(self, actor: Actor, bot_id: int) -> ErasedBot:
        """Delete the bot; what it says is its own is erased afterwards. Raises NotFound."""
        bot = await self.get(actor, bot_id)
        access = await self._bots.access(bot_id)
        if access is not None:
            await self._say_farewell(access)
        erased = erased_bot(bot_id, await self._bots.contents(bot_id))
        if not await self._bots.delete(bot_id, owner_filter(actor)):
            raise NotFound("bot")
        changed(_target(bot_id), _kept(bot) | {"erased": to_builtins(erased)}, None)
        return erased

    async def enable(self, actor: Actor, bot_id: int) -> BotView:
        """Raises NotFound; Conflict where its updates could not reach us."""
        bot = await self.get(actor, bot_id)
        self._need_public_url(bot)
        return await self._ask(actor, bot_id, EnableAsked())

    async def disable(self, actor: Actor, bot_id: int) -> BotView:
        """Raises NotFound."""
        return await self._ask(actor, bot_id, DisableAsked())

    async def ensure_webhook(self, actor: Actor, bot_id: int) -> BotView:
        """Set the webhook again. Raises NotFound; Conflict where the bot has none."""
        bot = await self.get(actor, bot_id)
        if bot.telegram_mode is TelegramMode.POLLING:
            raise Conflict("The bot is polled: set its telegramMode to WEBHOOK first.")
        self._need_public_url(bot)
        return await self._ask(actor, bot_id, WebhookAsked())

    async def remove_webhook(self, actor: Actor, bot_id: int) -> BotView:
        """Raises NotFound."""
        return await self._ask(actor, bot_id, WebhookRemovalAsked())

    async def check_token(self, actor: Actor, form: TokenToCheck) -> CheckedToken:
        """Whose token it is. Raises Invalid, Forbidden, UpstreamFailed."""
        asked = NewBot(name="-", token=form.token, telegram_api_url=form.telegram_api_url)
        values, errors = checked(asked)
        if errors:
            raise Invalid(errors)
        if values["telegram_api_url"] is not None:
            require(actor, Action.NAME_SERVERS)
        card = await self._check(values["token"], values["telegram_api_url"])
        return CheckedToken(
            id=card.id,
            name=card.name,
            username=card.username,
            can_read_all_group_messages=card.can_read_all_group_messages,
            taken=await self._bots.token_holder(values["token"]) is not None,
        )

    async def telegram(self, actor: Actor, bot_id: int) -> TelegramView:
        """What Telegram says of the bot now. Raises NotFound."""
        await self.get(actor, bot_id)
        access = await self._bots.access(bot_id)
        if access is None:
            return TelegramView(error="The bot's token cannot be decrypted: SECRET_KEY has changed")
        try:
            card = await self._telegram.get_me(access)
            webhook = await self._telegram.get_webhook_info(access)
        except Failed as failed:
            return TelegramView(error=_reason(failed))
        return TelegramView(card.username, card.name, _webhook(webhook))

    async def _ask(self, actor: Actor, bot_id: int, event: BotEvent) -> BotView:
        bot = await self.get(actor, bot_id)
        await self._life.put(bot_id, event)
        return await self._changed(actor, bot)

    async def _changed(self, actor: Actor, before: BotView) -> BotView:
        """The bot as it is by now, for the answer and for the audit log."""
        after = await self.get(actor, before.id)
        changed(_target(before.id), _kept(before), _kept(after))
        return after

    async def _check_change(
        self, bot: BotView, values: dict[str, Any], former: TelegramAccess | None
    ) -> bool:
        """Check a token that is new; whether it is another Telegram bot's."""
        token = values.get("token")
        if token is None or (former is not None and former.token == token):
            return False
        if await self._bots.token_holder(token) not in (None, bot.id):
            raise _taken()
        card = await self._check(token, values.get("telegram_api_url", bot.telegram_api_url))
        values["username"] = card.username
        return former is None or former.token.partition(":")[0] != token.partition(":")[0]

    async def _check(self, token: str, api_url: str | None) -> BotCard:
        """Who Telegram says the token's bot is. Raises Invalid, UpstreamFailed."""
        access = TelegramAccess(0, token, api_url or self._telegram_api_url)
        try:
            return await self._telegram.get_me(access)
        except Failed as failed:
            if isinstance(failed.failure, Fatal) and failed.failure.token_dead:
                refused = FieldError("token", f"Telegram refuses it: {_reason(failed)}")
                raise Invalid([refused]) from failed
            raise UpstreamFailed(
                f"Telegram could not be asked whether the token is right: {_reason(failed)}"
            ) from failed

    async def _say_farewell(self, access: TelegramAccess) -> None:
        """Best effort: a webhook that stays is answered 401 or 404, and does no harm."""
        with suppress(Failed, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._telegram.delete_webhook(access)

    def _mode_errors(self, mode: TelegramMode | None) -> list[FieldError]:
        if mode is TelegramMode.WEBHOOK and self._public_url is None:
            return [FieldError("telegramMode", _NO_PUBLIC_URL)]
        return []

    def _need_public_url(self, bot: BotView) -> None:
        if self._mode_errors(bot.telegram_mode):
            raise Conflict(f"The bot's telegramMode, WEBHOOK, {_NO_PUBLIC_URL}.")


def _target(bot_id: int) -> str:
    return f"bot:{bot_id}"


def _kept(bot: BotView) -> dict[str, Any]:
    """The bot for the audit log: its health is nobody's change."""
    return {name: value for name, value in to_builtins(bot).items() if name != "health"}


def _taken() -> Conflict:
    return Conflict("Another bot has this token.")


def _reason(failed: Failed) -> str:
    return str(getattr(failed.failure, "reason", failed.failure))


def _webhook(status: WebhookStatus) -> WebhookView:
    at = status.last_error_date
    return WebhookView(
        url=status.url,
        pending_update_count=status.pending_update_count,
        last_error_at=datetime.fromtimestamp(at, UTC) if at is not None else None,
        last_error_message=status.last_error_message,
    )
