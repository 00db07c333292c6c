"""The polling worker: getUpdates for every bot that polls, and nothing lost between.

One long poll runs for each enabled bot in POLLING mode. The offset moves only after the updates are
kept (Intake), and a lease for each bot keeps two pollers apart: a second one would make Telegram
answer 409, as a program of somebody else's does (application/poll_conflicts.py).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import Any, Protocol

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars

from application.bot_life import BotLife
from application.intake import Intake, incoming_update
from application.jobs import LeaseLost, Unavailable
from application.poll_conflicts import BotErrors, PollConflicts
from application.ports import Clock, Failed, PollConflict, Telegram, TelegramAccess
from domain.events import BotFailed
from domain.failures import Failure, Fatal, Retryable, backoff

log = structlog.get_logger("poller")

LONG_POLL = 25
"""Seconds that Telegram holds a getUpdates without updates."""
LOOK_EVERY = 1.0
"""Seconds between two looks at which bots are to be polled."""
MAX_DELAY = 30.0
LAST_LEASES = 2.0
"""Seconds to let go of the leases when the poller stops; they end with its connection anyway."""


class PolledBots(BotErrors, Protocol):
    """Which bots poll, and the right to be the one who does."""

    async def enabled(self) -> Sequence[int]:
        """Ids of the enabled bots in POLLING mode. Raises Unavailable."""
        ...

    async def access(self, bot_id: int) -> TelegramAccess:
        """The bot's token and server. Raises Failed, Unavailable."""
        ...

    def lease(self, bot_id: int) -> AbstractAsyncContextManager["PollLease | None"]:
        """Hold the bot's lease for as long as the context lasts; None: another poller has it."""
        ...


class PollLease(Protocol):
    """The right to poll a bot."""

    async def lost(self) -> None:
        """Return when the lease is not ours any more."""
        ...


async def run_until(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Work, which ends by a bug alone, until `stopping`."""
    working = asyncio.create_task(work)
    asked = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        await end([working, asked])


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel them; they have two seconds to let go of their leases."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=LAST_LEASES)


class Polling:
    """The use case."""

    def __init__(
        self, bots: PolledBots, telegram: Telegram, intake: Intake, life: BotLife, clock: Clock
    ) -> None:
        self._bots = bots
        self._telegram = telegram
        self._intake = intake
        self._life = life
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Poll until `stopping`, and two seconds at most to let go of the leases.

        A bot that is enabled is polled within a second.
        """
        polls: dict[int, asyncio.Task[None]] = {}
        try:
            await run_until(stopping, self._look(polls))
        finally:
            await end(polls.values())

    async def _look(self, polls: dict[int, asyncio.Task[None]]) -> None:
        while True:
            with suppress(Unavailable):
                self._follow(polls, set(await self._bots.enabled()))
            await asyncio.sleep(LOOK_EVERY)

    def _follow(self, polls: dict[int, asyncio.Task[None]], wanted: set[int]) -> None:
        for bot_id in [bot_id for bot_id in polls if bot_id not in wanted]:
            polls.pop(bot_id).cancel()
        for bot_id in wanted:
            if bot_id not in polls or polls[bot_id].done():
                polls[bot_id] = asyncio.create_task(self._poll(bot_id))

    async def _poll(self, bot_id: int) -> None:
        """One bot, until cancelled. The poller's supervised loop (STYLE, rule 7)."""
        bind_contextvars(bot=bot_id)
        failures = 0
        conflicts = PollConflicts(bot_id, self._bots, self._life, self._clock)
        while True:
            try:
                async with self._bots.lease(bot_id) as lease:
                    if lease is None:
                        await asyncio.sleep(LOOK_EVERY)
                        continue
                    async for began in self._rounds(bot_id, lease):
                        failures = 0
                        await conflicts.polled(began)
            except Failed as told:
                failure: Failure | None = told.failure
                with suppress(Unavailable):
                    if isinstance(told, PollConflict):
                        await conflicts.met(told)
                    elif isinstance(failure, Fatal):
                        event = BotFailed(failure.reason, failure.token_dead)
                        await self._life.put(bot_id, event)
                log.warning("poller.failed", failure=repr(failure))
            except Exception as error:  # noqa: BLE001 - a supervised loop: whatever ended a round, there is another
                log.warning("poller.round_ended", error=str(error) or repr(error))
                failure = None
            failures += 1
            await asyncio.sleep(self._delay(failure, failures))

    def _delay(self, failure: Failure | None, failures: int) -> float:
        if isinstance(failure, Retryable) and failure.after:
            return failure.after
        return min(backoff(failures, self._clock.jitter()), MAX_DELAY)

    async def _rounds(self, bot_id: int, lease: PollLease) -> AsyncIterator[datetime]:
        """Poll and keep, again and again; what we have not kept, Telegram keeps.

        Yields when each poll that succeeded began.
        """
        access = await self._bots.access(bot_id)
        offset: int | None = None
        while True:
            if access != (current := await self._bots.access(bot_id)):
                access, offset = current, None  # another bot's token: its updates count anew
            began = self._clock.now()
            updates = await self._poll_held(access, offset, lease)
            kept = await self._keep(bot_id, updates)
            # An offset confirms what was kept, once. Held on to through a week of silence, it would
            # confirm what comes next as well: ids may restart lower then (Bot API 10.3, Update).
            offset = max(kept) + 1 if kept else None
            yield began

    async def _poll_held(
        self, access: TelegramAccess, offset: int | None, lease: PollLease
    ) -> list[bytes]:
        """One long poll; it ends with the lease, which another poller may have by then."""
        poll = asyncio.create_task(self._telegram.get_updates(access, offset, LONG_POLL))
        lost = asyncio.create_task(lease.lost())
        try:
            await asyncio.wait({poll, lost}, return_when=asyncio.FIRST_COMPLETED)
            if lost.done():
                raise LeaseLost("the poller's connection is gone")
            return poll.result()
        finally:
            for task in (poll, lost):
                task.cancel()
            await asyncio.gather(poll, lost, return_exceptions=True)

    async def _keep(self, bot_id: int, updates: Sequence[bytes]) -> list[int]:
        """The updates' ids, once they are kept."""
        incoming = [incoming_update(bot_id, update) for update in updates]
        if incoming:
            with bound_contextvars(update=[update.update_id for update in incoming]):
                await self._intake.keep(incoming)
        return [update.update_id for update in incoming]
