"""Bots: make, see, change, delete, enable, disable. What a person may ask of one.

Triggered by the HTTP API. A bot's life (enabled, active, in error) changes only through BotLife,
whose effects are jobs, so no request waits for Telegram; only a new token is checked at once. A
change and its consequences are one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from msgspec import Struct, to_builtins

from application.audit import changed
from application.bot_deletion import Contents, ErasedBot, erased_bot
from application.bot_forms import (
    BotPatch,
    BotView,
    CheckedToken,
    NewBot,
    TelegramView,
    TokenToCheck,
    checked,
)
from application.bot_life import BotLife, BotTransaction
from application.bot_tokens import BotTokens
from application.paging import Page, known_id, page, read_cursor
from application.ports import TelegramAccess
from application.refusals import (
    Conflict,
    FieldError,
    Invalid,
    NotFound,
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

_NO_PUBLIC_URL = (
    "PUBLIC_URL is not set, and a webhook needs a public https address: set it, or let the bot poll"
)


class BotChange(BotTransaction, Protocol):
    """One transaction over one bot that a person changes; it is committed when its context is left.

    What is read, written and noted in the audit log is of this change alone.
    """

    async def lock(self, bot_id: int, owner: str | None) -> BotView | None:
        """The bot, which nobody else changes until the end; None where it is not to be seen."""
        ...

    async def view(self, bot_id: int) -> BotView:
        """The bot as it is by now."""
        ...

    async def access(self, bot_id: int) -> TelegramAccess | None:
        """As BotRepository.access."""
        ...

    async def update(self, bot_id: int, values: dict[str, Any], *, other_bot: bool) -> bool:
        """Set columns; False: another bot has the token.

        `other_bot`: the token is another Telegram bot's, whose updates are numbered anew.
        """
        ...

    async def say_farewell(self, former: TelegramAccess) -> None:
        """Publish the job that removes the webhook of a token that is the bot's no more."""
        ...

    async def contents(self, bot_id: int) -> Contents:
        """What is its own."""
        ...

    async def delete(self, bot_id: int) -> None:
        """Its row; what is its own is erased afterwards, its conversations at the model's server
        among it.
        """
        ...


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

    def transaction(self) -> AbstractAsyncContextManager[BotChange]: ...


class _Checked(Struct, frozen=True):
    """On which server Telegram was asked of a token, and its own id of the token's bot."""

    api_url: str
    telegrams_id: str


class Bots:
    """The use case. `public_url` is the environment's."""

    def __init__(
        self,
        bots: BotRepository,
        life: BotLife,
        tokens: BotTokens,
        public_url: str | None,
    ) -> None:
        self._bots = bots
        self._life = life
        self._tokens = tokens
        self._public_url = public_url

    async def browse(self, actor: Actor, limit: int, cursor: str | None) -> Page[BotView]:
        """Newest first. Raises Malformed."""
        before = read_cursor(cursor, int)
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
        card = await self._tokens.check(values["token"], values["telegram_api_url"])
        bot = await self._bots.insert(values | {"username": card.username}, actor.id)
        if bot is None:
            raise _taken()
        changed(_target(bot.id), None, _kept(bot))
        return bot

    async def change(self, actor: Actor, bot_id: int, form: BotPatch) -> BotView:
        """Raises NotFound, Invalid, Forbidden, Conflict, UpstreamFailed."""
        values, errors = checked(form)
        mode: TelegramMode | None = values.pop("telegram_mode", None)
        bot = await self.get(actor, bot_id)
        self._may_change(actor, bot, values, mode, errors)
        checked_on = await self._check_change(bot, values)
        async with self._bots.transaction() as transaction:
            before = await transaction.lock(bot_id, owner_filter(actor))
            if before is None:
                raise NotFound("bot")
            self._may_change(actor, before, values, mode, errors)
            former = await transaction.access(bot_id)
            moved = _differs(before, values, "telegram_api_url")
            other_bot = False
            if _is_new_token(values, former):
                if checked_on is None or checked_on.api_url != self._server(before, values):
                    raise Conflict("The bot has been changed meanwhile. Try again.")
                other_bot = former is None or _telegrams_id(former.token) != checked_on.telegrams_id
            if values and not await transaction.update(bot_id, values, other_bot=other_bot):
                raise _taken()
            if former is not None and (other_bot or moved):
                await transaction.say_farewell(former)
            mode = mode or before.telegram_mode
            # A token that is sent again is connected again: the former attempt may have failed.
            if "token" in values or moved or mode is not before.telegram_mode:
                await self._life.step(transaction, bot_id, BotEdited(mode, reconnect=True))
            after = await transaction.view(bot_id)
        changed(_target(bot_id), _kept(before), _kept(after))
        return after

    async def delete(self, actor: Actor, bot_id: int) -> ErasedBot:
        """Delete the bot; what it says is its own is erased afterwards. Raises NotFound."""
        async with self._bots.transaction() as transaction:
            known = known_id(bot_id)
            bot = await transaction.lock(bot_id, owner_filter(actor)) if known else None
            if bot is None:
                raise NotFound("bot")
            erased = erased_bot(bot_id, await transaction.contents(bot_id))
            former = await transaction.access(bot_id)
            await transaction.delete(bot_id)
            if former is not None:
                await transaction.say_farewell(former)
        changed(_target(bot_id), _kept(bot) | {"erased": to_builtins(erased)}, None)
        return erased

    async def enable(self, actor: Actor, bot_id: int) -> BotView:
        """Raises NotFound; Conflict where its updates could not reach us."""
        return await self._ask(actor, bot_id, EnableAsked(), self._need_public_url)

    async def disable(self, actor: Actor, bot_id: int) -> BotView:
        """Raises NotFound."""
        return await self._ask(actor, bot_id, DisableAsked())

    async def ensure_webhook(self, actor: Actor, bot_id: int) -> BotView:
        """Set the webhook again. Raises NotFound; Conflict where the bot has none."""
        return await self._ask(actor, bot_id, WebhookAsked(), self._need_webhook)

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
        card = await self._tokens.check(values["token"], values["telegram_api_url"])
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
        return await self._tokens.look(access)

    async def _ask(
        self,
        actor: Actor,
        bot_id: int,
        event: BotEvent,
        need: Callable[[BotView], None] = lambda _: None,
    ) -> BotView:
        """A step of the bot that a person asks for. `need` raises Conflict."""
        async with self._bots.transaction() as transaction:
            known = known_id(bot_id)
            before = await transaction.lock(bot_id, owner_filter(actor)) if known else None
            if before is None:
                raise NotFound("bot")
            need(before)
            await self._life.step(transaction, bot_id, event)
            after = await transaction.view(bot_id)
        changed(_target(bot_id), _kept(before), _kept(after))
        return after

    def _may_change(
        self,
        actor: Actor,
        bot: BotView,
        values: Mapping[str, Any],
        mode: TelegramMode | None,
        errors: Sequence[FieldError],
    ) -> None:
        """Raises Forbidden, Invalid."""
        if any(_differs(bot, values, name) for name in ("telegram_api_url", "base_url")):
            require(actor, Action.NAME_SERVERS)
        wrong_mode = self._mode_errors(mode) if mode is not bot.telegram_mode else []
        if errors or wrong_mode:
            raise Invalid([*errors, *wrong_mode])

    async def _check_change(self, bot: BotView, values: dict[str, Any]) -> _Checked | None:
        """Ask Telegram of a token that is new; where it was asked, and whose the token is."""
        if not _is_new_token(values, await self._bots.access(bot.id)):
            return None
        token = values["token"]
        if await self._bots.token_holder(token) not in (None, bot.id):
            raise _taken()
        api_url = self._server(bot, values)
        values["username"] = (await self._tokens.check(token, api_url)).username
        return _Checked(api_url, _telegrams_id(token))

    def _server(self, bot: BotView, values: Mapping[str, Any]) -> str:
        return self._tokens.server(values.get("telegram_api_url", bot.telegram_api_url))

    def _mode_errors(self, mode: TelegramMode | None) -> list[FieldError]:
        if mode is TelegramMode.WEBHOOK and self._public_url is None:
            return [FieldError("telegramMode", _NO_PUBLIC_URL)]
        return []

    def _need_webhook(self, bot: BotView) -> None:
        if bot.telegram_mode is TelegramMode.POLLING:
            raise Conflict("The bot polls Telegram: let its updates come by webhook first.")
        self._need_public_url(bot)

    def _need_public_url(self, bot: BotView) -> None:
        if self._mode_errors(bot.telegram_mode):
            raise Conflict(f"{_NO_PUBLIC_URL}.")


def _is_new_token(values: Mapping[str, Any], former: TelegramAccess | None) -> bool:
    token = values.get("token")
    return token is not None and (former is None or former.token != token)


def _telegrams_id(token: str) -> str:
    return token.partition(":")[0]


def _differs(bot: BotView, values: Mapping[str, Any], name: str) -> bool:
    """Whether a column is to become another one than the bot has."""
    return name in values and values[name] != getattr(bot, name)


def _target(bot_id: int) -> str:
    return f"bot:{bot_id}"


def _kept(bot: BotView) -> dict[str, Any]:
    """The bot for the audit log: its health is nobody's change."""
    return {name: value for name, value in to_builtins(bot).items() if name != "health"}


def _taken() -> Conflict:
    return Conflict("Another bot has this token.")
