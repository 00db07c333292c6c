"""Listening to an alerts' bot that is none of ours, for as long as a code is open.

Triggered by the poller process. One poller at a time holds the lease of bot 0. A webhook that the
bot has stays: whoever asked for the code was told of it (application/alert_setup.py).
"""

import asyncio
from contextlib import suppress

import structlog

from application.alert_link import NO_BOT_OF_OURS, AlertLinks, LinkCodes, OpenLink
from application.intake import incoming_update, speaker
from application.jobs import Unavailable
from application.polling import PolledBots, PollLease, run_until
from application.ports import Clock, Failed, Telegram, TelegramAccess
from application.refusals import SessionsAway
from application.settings import SettingsReader
from domain.telegram import NotAnUpdate

LOOK_EVERY = 1.0
"""Seconds between two looks at whether a code is open."""
LONG_POLL = 5
"""Seconds of one getUpdates: a code that is closed meanwhile is polled for no longer."""
AFTER_A_FAILURE = 5.0

log = structlog.get_logger("alerts")


class AlertLinkPolling:
    """The use case."""

    def __init__(
        self,
        codes: LinkCodes,
        links: AlertLinks,
        settings: SettingsReader,
        bots: PolledBots,
        telegram: Telegram,
        clock: Clock,
        telegram_api_url: str,
    ) -> None:
        self._codes = codes
        self._links = links
        self._settings = settings
        self._bots = bots
        self._telegram = telegram
        self._clock = clock
        self._telegram_api_url = telegram_api_url

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen until `stopping`."""
        await run_until(stopping, self._look())

    async def _look(self) -> None:
        while True:
            try:
                await self._listen()
            except Failed as failed:
                log.warning("alerts.not_listening", failure=repr(failed.failure))
                await asyncio.sleep(AFTER_A_FAILURE)
            except (SessionsAway, Unavailable) as error:
                log.info("alerts.not_listening", error=str(error))
            await asyncio.sleep(LOOK_EVERY)

    async def _listen(self) -> None:
        """Poll while a code is open for a bot that is not ours. Raises Failed, Unavailable."""
        if await self._heard() is None:
            return
        async with self._bots.lease(NO_BOT_OF_OURS) as lease:
            if lease is None:
                return
            offset: int | None = None
            polled: TelegramAccess | None = None
            while (heard := await self._heard()) is not None:
                link, access = heard
                if access != polled:
                    polled, offset = access, None
                offset = await self._poll(access, offset, link, lease) or offset
            if polled is not None and offset is not None:
                # Confirm what was read, or the next code would read it again.
                await self._telegram.get_updates(polled, offset, 0)

    async def _heard(self) -> tuple[OpenLink, TelegramAccess] | None:
        """The open code and the bot that hears it, where that is none of ours."""
        link = await self._codes.current()
        if link is None or link.bot_id != NO_BOT_OF_OURS:
            return None
        token = (await self._settings.current()).alerts_bot_token
        if token is None or token.partition(":")[0] != link.token_id:
            return None
        return link, TelegramAccess(0, token, self._telegram_api_url)

    async def _poll(
        self, access: TelegramAccess, offset: int | None, link: OpenLink, lease: PollLease
    ) -> int | None:
        """One getUpdates; the next one's offset. Raises Failed, Unavailable, SessionsAway."""
        left = (link.expires_at - self._clock.now()).total_seconds()
        wait = max(0, min(LONG_POLL, int(left)))
        poll = asyncio.create_task(self._telegram.get_updates(access, offset, wait))
        lost = asyncio.create_task(lease.lost())
        try:
            await asyncio.wait({poll, lost}, return_when=asyncio.FIRST_COMPLETED)
            if lost.done():
                raise Unavailable("the poller's connection is gone")
            updates = poll.result()
        finally:
            for task in (poll, lost):
                task.cancel()
            await asyncio.gather(poll, lost, return_exceptions=True)
        after: int | None = None
        for body in updates:
            with suppress(NotAnUpdate):
                update = incoming_update(NO_BOT_OF_OURS, body)
                if update.link_code is not None:
                    by = speaker(update)
                    await self._links.accept(NO_BOT_OF_OURS, update.link_code, by)
                after = max(after or 0, update.update_id + 1)
        return after
