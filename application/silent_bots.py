"""The look at silent bots, each minute: a bot whose updates do not come is found, told and shown.

Triggered by each worker; a bot is claimed before it is looked at, so that several workers share
them. Telegram is asked gently: not about bots whose updates come, about the others every five
minutes, about those in trouble each minute, ten at a time. An alert goes out at each look while a
bot is silent; application/alerts.py makes one an hour of them. A bot whose token turns out to be
dead ends like everywhere (domain.events.BotFailed).
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Protocol

import structlog
from msgspec import Struct

from application.alerts import Alerts
from application.bot_life import BotLife
from application.live import Changed, Live
from application.ports import Clock, Failed, Telegram, TelegramAccess
from domain.bot import TelegramMode, webhook_path
from domain.effects import AdminAlert
from domain.events import BotFailed
from domain.failures import Fatal
from domain.silence import Cause, Seen, Verdict, Webhook, heard_lately, judge

log = structlog.get_logger("silent_bots")

EVERY = 60.0
"""Seconds between two rounds."""
AT_ONCE = 10
MOST = 300
"""Bots of one round; a thousand are looked at in five."""
ROUND_SECONDS = 50.0
LOOK_SECONDS = 5.0
"""How long Telegram may take; whom it keeps waiting is looked at again a minute later."""
AGAIN = timedelta(seconds=60)
AGAIN_AT_PEACE = timedelta(minutes=5)
TOLD_SINGLY = 3
"""Of more bots that are silent for one cause, one alert tells."""


class WatchedBot(Struct, frozen=True):
    """An active bot as it is known before a look.

    `since` is the last look's verdict, `silent` whether it was silent then. `version` changes with
    every step of the bot's life. `polled`: a poller holds its lease.
    """

    id: int
    name: str
    mode: TelegramMode
    since: datetime | None
    silent: bool
    heard_at: datetime | None
    polled: bool
    version: datetime


class WatchedBots(Protocol):
    """Where the looks are kept. Every method raises Unavailable."""

    async def claim(self, now: datetime, again: datetime, limit: int) -> Sequence[WatchedBot]:
        """Active bots that are due for a look; for others they are due `again` only then."""
        ...

    async def access(self, bot_id: int) -> TelegramAccess:
        """Raises Failed as well."""
        ...

    async def keep(
        self, bot: WatchedBot, verdict: Verdict, looked_at: datetime, again: datetime
    ) -> bool:
        """What a look found; False: the bot is not as it was when it was claimed."""
        ...


class Silent(Struct, frozen=True):
    """A bot that a look found to be silent."""

    bot: WatchedBot
    cause: Cause
    reason: str


class SilentBots:
    """The use case. `public_url` is the environment's."""

    def __init__(
        self,
        bots: WatchedBots,
        telegram: Telegram,
        life: BotLife,
        alerts: Alerts,
        live: Live,
        clock: Clock,
        public_url: str | None,
    ) -> None:
        self._bots = bots
        self._telegram = telegram
        self._life = life
        self._alerts = alerts
        self._live = live
        self._clock = clock
        self._public_url = public_url

    async def run(self) -> None:
        """One round. Raises Unavailable."""
        now = self._clock.now()
        found: list[Silent] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(ROUND_SECONDS):
                for _ in range(MOST // AT_ONCE):
                    bots = await self._bots.claim(now, now + AGAIN, AT_ONCE)
                    looks = await asyncio.gather(*(self._look(bot, now) for bot in bots))
                    found += [silent for silent in looks if silent is not None]
                    if len(bots) < AT_ONCE:
                        break
        await self._tell(found, now)

    async def _look(self, bot: WatchedBot, now: datetime) -> Silent | None:
        try:
            webhook = None if heard_lately(bot.heard_at, now) else await self._webhook(bot)
        except Failed as failed:
            if isinstance(failed.failure, Fatal):
                event = BotFailed(failed.failure.reason, failed.failure.token_dead)
                await self._life.put(bot.id, event)
            log.info("bot.not_looked_at", bot=bot.id, failure=repr(failed.failure))
            return None
        except TimeoutError:
            log.info("bot.not_looked_at", bot=bot.id, failure="Telegram did not answer in time")
            return None
        verdict = judge(bot.since, self._seen(bot, webhook), now)
        quiet = AGAIN if verdict.since is not None else AGAIN_AT_PEACE
        # Spread, or all that began together would always be asked about together.
        again = now + quiet * (1 if quiet is AGAIN else 0.9 + 0.2 * self._clock.jitter())
        if not await self._bots.keep(bot, verdict, now, again):
            return None
        if bot.silent != (verdict.cause is not None):
            self._live.tell([Changed("bot", bot.id, bot.id)])
            log.warning("bot.silent" if verdict.cause else "bot.heard_again", bot=bot.id)
        if verdict.cause is None or verdict.reason is None:
            return None
        return Silent(bot, verdict.cause, verdict.reason)

    async def _webhook(self, bot: WatchedBot) -> Webhook:
        async with asyncio.timeout(LOOK_SECONDS):
            access = await self._bots.access(bot.id)
            told = await self._telegram.get_webhook_info(access)
        at = told.last_error_date
        return Webhook(
            url=told.url,
            pending=told.pending_update_count,
            error_at=datetime.fromtimestamp(at, UTC) if at is not None else None,
            error=told.last_error_message,
        )

    def _seen(self, bot: WatchedBot, webhook: Webhook | None) -> Seen:
        ours = f"{self._public_url}{webhook_path(bot.id)}" if self._public_url else None
        return Seen(bot.mode, ours, bot.heard_at, bot.polled, webhook)

    async def _tell(self, found: Sequence[Silent], now: datetime) -> None:
        for cause, group in groupby(sorted(found, key=_order), key=lambda silent: silent.cause):
            for alert in _alerts(cause, list(group)):
                await self._alerts.send(alert, now)


def _order(silent: Silent) -> tuple[Cause, int]:
    return silent.cause, silent.bot.id


def _alerts(cause: Cause, found: Sequence[Silent]) -> list[AdminAlert]:
    """One for each bot; one for all where the cause is hardly theirs."""
    kind = f"silent: {cause}"
    if len(found) <= TOLD_SINGLY:
        return [
            AdminAlert(
                silent.bot.id, kind, f"{silent.bot.name}: no update reaches it. {silent.reason}"
            )
            for silent in found
        ]
    names = ", ".join(silent.bot.name for silent in found[:TOLD_SINGLY])
    text = f"No update reaches {len(found)} bots ({names}, …). Of the first: {found[0].reason}"
    return [AdminAlert(0, kind, text)]
