"""The chat that alerts go to, found by a code: whoever writes `/link CODE` there is heard.

Triggered by an update that holds a code (application/intake.py), where the alerts' bot is one of
ours, and by the poller (application/alert_link_polling.py), where it is not. One code is open at a
time, for 15 minutes; the first chat that says it gets the alerts, and the code is used up. It is a
change by whoever made the code, and stands in the audit log with the chat and person who said it.
"""

import asyncio
from datetime import datetime
from typing import Protocol

import structlog
from msgspec import Struct

from application.audit import Asker, Audit, Ended, change
from application.jobs import StatementFailed, Unavailable
from application.live import Changed, Live
from application.ports import Failed, Telegram, TelegramAccess
from application.refusals import SessionsAway
from application.settings import SettingsReader, SettingsStore

LINK_SECONDS = 15 * 60
"""How long a code is open."""
NO_BOT_OF_OURS = 0
LINKED_BY_CODE = "link_alerts_by_code"
"""The action of a chat's linking in the audit log."""

_CHAT = "alerts.chatId"
_LINKED = "This chat gets the alerts of Kotodom GPT from now on."

log = structlog.get_logger("alerts")


class OpenLink(Struct, frozen=True):
    """A code that is open. `token_id`: Telegram's id of the alerts' bot; `bot_id`: ours, or 0.

    `maker`: the id of the user who asked for it.
    """

    code: str
    token_id: str
    bot_id: int
    expires_at: datetime
    maker: str | None = None


class Speaker(Struct, frozen=True):
    """Who said a code, and where: Telegram's ids."""

    chat_id: int
    user_id: int | None

    def __str__(self) -> str:
        whom = f"Telegram user {self.user_id}" if self.user_id is not None else "Telegram"
        return f"{whom} in chat {self.chat_id}"


class LinkCodes(Protocol):
    """The one open code. Every method raises SessionsAway where Valkey is away."""

    async def open(self, token_id: str, bot_id: int, maker: str) -> OpenLink:
        """A new code, in the place of whichever was open."""
        ...

    async def current(self) -> OpenLink | None:
        """The open one."""
        ...

    async def use_up(self, link: OpenLink) -> bool:
        """Close it; False: it is closed already, or another is open."""
        ...

    async def give_back(self, link: OpenLink) -> None:
        """Open it again, for what is left of its time, where no other is open."""
        ...


class AlertLinks:
    """The use case."""

    def __init__(
        self,
        codes: LinkCodes,
        store: SettingsStore,
        settings: SettingsReader,
        audit: Audit,
        telegram: Telegram,
        live: Live,
        telegram_api_url: str,
    ) -> None:
        self._codes = codes
        self._store = store
        self._settings = settings
        self._audit = audit
        self._telegram = telegram
        self._live = live
        self._telegram_api_url = telegram_api_url
        self._tasks: set[asyncio.Task[None]] = set()

    async def opens(self, bot_id: int, code: str) -> bool:
        """Whether the code is the open one of this bot; where Valkey is away none is."""
        try:
            link = await self._codes.current()
        except SessionsAway:
            return False
        return link is not None and (link.bot_id, link.code) == (bot_id, code)

    def accept_soon(self, bot_id: int, code: str, by: Speaker) -> None:
        """Accept it, and let nobody wait. A person who hears nothing writes it again."""
        task = asyncio.create_task(self._accept_quietly(bot_id, code, by))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def accept(self, bot_id: int, code: str, by: Speaker) -> bool:
        """Let the alerts go to the speaker's chat, and say so there; False: the code is not open.

        Raises SessionsAway, Unavailable; the code is open then as before.
        """
        link = await self._codes.current()
        if link is None or (link.bot_id, link.code) != (bot_id, code):
            return False
        settings = await self._settings.latest()
        token = settings.alerts_bot_token
        if token is None or token.partition(":")[0] != link.token_id:
            return False  # another bot was set meanwhile
        if not await self._codes.use_up(link):
            return False
        try:
            async with self._store.transaction() as transaction:
                former = (await transaction.read()).get(_CHAT)
                await transaction.write({_CHAT: str(by.chat_id)})
        except Unavailable:
            await self._codes.give_back(link)
            raise
        log.info("alerts.linked", chat=by.chat_id)
        await self._keep(link, former, by)
        self._live.tell([Changed("settings", None)])
        try:
            access = TelegramAccess(0, token, self._telegram_api_url)
            await self._telegram.send_message(access, by.chat_id, _LINKED)
        except Failed as failed:
            log.warning("alerts.link_not_told", failure=repr(failed.failure))
        return True

    async def _keep(self, link: OpenLink, former: str | None, by: Speaker) -> None:
        """Write the change into the audit log; where that cannot be, it is told to the log."""
        ended = Ended(Asker(link.maker), LINKED_BY_CODE, "settings", None, str(by))
        noted = change("settings", {_CHAT: former}, {_CHAT: str(by.chat_id)})
        try:
            await self._audit.record(ended, [noted])
        except (Unavailable, StatementFailed) as error:
            log.error("audit.not_written", action=ended.action, user=link.maker, error=str(error))

    async def _accept_quietly(self, bot_id: int, code: str, by: Speaker) -> None:
        try:
            await self.accept(bot_id, code, by)
        except (SessionsAway, Unavailable) as error:
            log.warning("alerts.not_linked", error=str(error))
