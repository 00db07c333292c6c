"""The chat that alerts go to, found by a code: whoever writes `/link CODE` there is heard.

Triggered by an update that holds a code (application/intake.py), where the alerts' bot is one of
ours, and by the poller (application/alert_link_polling.py), where it is not. One code is open at a
time, for 15 minutes; the first chat that says it gets the alerts, and the code is used up.
"""

import asyncio
from datetime import datetime
from typing import Protocol

import structlog
from msgspec import Struct

from application.jobs import Unavailable
from application.live import Changed, Live
from application.ports import Failed, Telegram, TelegramAccess
from application.refusals import SessionsAway
from application.settings import SettingsReader, SettingsStore

LINK_SECONDS = 15 * 60
"""How long a code is open."""
NO_BOT_OF_OURS = 0

_LINKED = "This chat gets the alerts of Kotodom GPT from now on."

log = structlog.get_logger("alerts")


class OpenLink(Struct, frozen=True):
    """A code that is open. `token_id`: Telegram's id of the alerts' bot; `bot_id`: ours, or 0."""

    code: str
    token_id: str
    bot_id: int
    expires_at: datetime


class LinkCodes(Protocol):
    """The one open code. Every method raises SessionsAway where Valkey is away."""

    async def open(self, token_id: str, bot_id: int) -> OpenLink:
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
        telegram: Telegram,
        live: Live,
        telegram_api_url: str,
    ) -> None:
        self._codes = codes
        self._store = store
        self._settings = settings
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

    def accept_soon(self, bot_id: int, code: str, telegram_chat_id: int) -> None:
        """Accept it, and let nobody wait. A person who hears nothing writes it again."""
        task = asyncio.create_task(self._accept_quietly(bot_id, code, telegram_chat_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def accept(self, bot_id: int, code: str, telegram_chat_id: int) -> bool:
        """Let the alerts go to the chat, and say so there; False where the code is not open.

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
            await self._store.write({"alerts.chatId": str(telegram_chat_id)})
        except Unavailable:
            await self._codes.give_back(link)
            raise
        log.info("alerts.linked", chat=telegram_chat_id)
        self._live.tell([Changed("settings", None)])
        try:
            access = TelegramAccess(0, token, self._telegram_api_url)
            await self._telegram.send_message(access, telegram_chat_id, _LINKED)
        except Failed as failed:
            log.warning("alerts.link_not_told", failure=repr(failed.failure))
        return True

    async def _accept_quietly(self, bot_id: int, code: str, telegram_chat_id: int) -> None:
        try:
            await self.accept(bot_id, code, telegram_chat_id)
        except (SessionsAway, Unavailable) as error:
            log.warning("alerts.not_linked", error=str(error))
