"""A chat's turn, run by its job: take it, perform what it wishes for, bring back the outcomes.

Triggered by the worker with each bot.handle_update job (BOT_HANDLE_UPDATE); it ends when there are
no more effects, and the job has been acknowledged by then, in the transaction of the last state.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from structlog.contextvars import bind_contextvars, unbind_contextvars

from application.jobs import Lease, LeaseLost, StatementFailed, Unavailable
from application.moves import (
    BeginningBroke,
    Bug,
    Done,
    Ended,
    NeedsAlone,
    Outcome,
    Proceed,
    Result,
    Running,
    Take,
)
from application.ports import Clock
from application.react import React
from domain.effects import (
    GenerateReply,
    ResumeReply,
    SendChatAction,
    SendMessage,
    TurnEffect,
    TurnToken,
)
from domain.events import ReplyStarted, TurnBroke, TurnEvent

log = structlog.get_logger("turns")

SHOWN_AFTER = 0.4
"""Seconds that a model may think before "typing" is shown: a quick answer needs none."""
STATEMENT_WAITS = (0.1, 1.0)
"""Seconds before a beginning that PostgreSQL refused is tried again: it may be nobody's fault."""
MAX_TRACEBACK = 8000
"""Characters; the end of a longer one is kept, where the bug is."""

Emit = Callable[[ReplyStarted], Awaitable[None]]


class TurnRunner(Protocol):
    """Performs a turn's effects against the world (adapters/effect_runner.py)."""

    async def perform(
        self, effect: GenerateReply | ResumeReply | SendMessage, lease: Lease, emit: Emit
    ) -> TurnEvent:
        """The effect's outcome. `emit` saves the run's id while the stream goes on."""
        ...

    async def show(self, effect: SendChatAction, lease: Lease) -> None:
        """Show the action again and again, until cancelled."""
        ...


class Gate:
    """Shared by the turns of a worker; held alone by one whose worker was killed under it."""

    def __init__(self) -> None:
        self._running = 0
        self._alone = asyncio.Lock()
        self._free = asyncio.Event()
        self._free.set()

    async def enter(self) -> None:
        """Wait while a turn runs alone."""
        async with self._alone:
            self._running += 1
            self._free.clear()

    def leave(self) -> None:
        self._running -= 1
        if self._running == 0:
            self._free.set()

    async def alone(self, run: Callable[[], Awaitable[None]]) -> None:
        """Run when nothing else does; nothing else begins meanwhile."""
        async with self._alone:
            await self._free.wait()
            await run()


class Turns:
    """The use case."""

    def __init__(self, react: React, runner: TurnRunner, clock: Clock) -> None:
        self._react = react
        self._runner = runner
        self._clock = clock
        self._gate = Gate()

    async def run(self, chat: str, lease: Lease) -> None:
        """Run the chat's turns until its line is empty, or a retry has to wait.

        Raises LeaseLost, Unavailable: the job was not acknowledged, and is picked again.
        """
        bot, _, _ = chat.partition(":")
        bind_contextvars(bot=int(bot) if bot.isdecimal() else bot, chat=chat)
        await self._gate.enter()
        try:
            result = await self._take(chat, lease, alone=False)
            if not isinstance(result, NeedsAlone):
                await self._follow(chat, lease, result)
                return
        finally:
            self._gate.leave()

        async def run_alone() -> None:
            nonlocal result
            taken = await self._take(chat, lease, alone=True)
            result = await self._follow(chat, lease, taken, one=True)

        await self._gate.alone(run_alone)
        await self._gate.enter()
        try:
            await self._follow(chat, lease, result)
        finally:
            self._gate.leave()

    async def _take(self, chat: str, lease: Lease, *, alone: bool) -> Result:
        return await self._begin(lease, Take(chat, lease.pick, alone, lease.again))

    async def _follow(
        self, chat: str, lease: Lease, result: Result, *, one: bool = False
    ) -> Result:
        """Run on; with `one` no further than the end of the message that runs now."""
        first = result.token.id if isinstance(result, Running) else None
        told_of: int | None = None
        while True:
            match result:
                case Done() | NeedsAlone():
                    return result
                case Ended(epoch=epoch):
                    if one:
                        return result
                    unbind_contextvars("processing", "update")
                    result = await self._begin(lease, Proceed(chat, lease.pick, epoch))
                case Running(token=token, effects=effects, update_id=update_id):
                    if one and token.id != first:
                        return result
                    if token.id != told_of:
                        told_of = token.id
                        bind_contextvars(processing=token.id, update=update_id)
                    result = await self._step(chat, lease, token, effects)

    async def _begin(self, lease: Lease, item: Take | Proceed) -> Result:
        """Take what is next; what breaks as it begins ends, and blames nobody else."""
        waits = iter(STATEMENT_WAITS)
        while True:
            lease.check()
            try:
                return await self._react.put(item)
            except (LeaseLost, Unavailable):
                raise
            except Exception as bug:  # noqa: BLE001 - a bug never escapes a turn
                wait = next(waits, None) if isinstance(bug, StatementFailed) else None
                if wait is None:
                    log.error("turn.broke", **_where(bug))
                    alone = isinstance(item, Take) and item.alone
                    taken = Take(item.chat, lease.pick, alone, lease.again, describe(bug))
                    return await self._react.put(taken)
                log.warning("turn.statement_failed", error=str(bug))
                await asyncio.sleep(wait)

    async def _step(
        self, chat: str, lease: Lease, token: TurnToken, effects: tuple[TurnEffect, ...]
    ) -> Result:
        try:
            event = await self._perform(chat, lease, effects)
            return await self._react.put(Outcome(chat, lease.pick, event))
        except (LeaseLost, Unavailable):
            raise
        except Exception as bug:  # noqa: BLE001 - it is counted in a transaction of its own
            log.error("turn.broke", **_where(bug))
            told = describe(bug)
            jitter = self._clock.jitter()
            broke = TurnBroke(token, told.error, jitter, traceback=told.traceback)
            return await self._react.put(Outcome(chat, lease.pick, broke))

    async def _perform(self, chat: str, lease: Lease, effects: tuple[TurnEffect, ...]) -> TurnEvent:
        """Perform the one effect that has an outcome; show the others while it lasts."""

        async def emit(event: ReplyStarted) -> None:
            if isinstance(await self._react.put(Outcome(chat, lease.pick, event)), Done):
                raise LeaseLost(f"chat {chat}")

        shown = _Shown(self._runner, lease)
        try:
            for effect in effects:
                if isinstance(effect, SendChatAction):
                    shown.later(effect)
                else:
                    return await self._runner.perform(effect, lease, emit)
        finally:
            await shown.end()
        raise RuntimeError(f"a turn goes on without an effect that has an outcome: {effects}")


class _Shown:
    """What is shown in the chat while an effect lasts for longer than a moment."""

    def __init__(self, runner: TurnRunner, lease: Lease) -> None:
        self._runner = runner
        self._lease = lease
        self._timers: list[asyncio.TimerHandle] = []
        self._tasks: list[asyncio.Task[None]] = []

    def later(self, effect: SendChatAction) -> None:
        """Show it if the effect lasts. A timer costs a tenth of a task, and most end unused."""
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(SHOWN_AFTER, self._show, effect))

    def _show(self, effect: SendChatAction) -> None:
        self._tasks.append(asyncio.create_task(self._runner.show(effect, self._lease)))

    async def end(self) -> None:
        """Show it no more."""
        for timer in self._timers:
            timer.cancel()
        if self._tasks:
            for task in self._tasks:
                task.cancel()
            # What became of them must not take the place of the outcome.
            await asyncio.gather(*self._tasks, return_exceptions=True)


def describe(bug: BaseException) -> Bug:
    """A bug in one line, and with its traceback, for the timeline."""
    entry = None
    if isinstance(bug, BeginningBroke):
        entry, bug = bug.entry, bug.__cause__ or bug
    first_line, *_ = str(bug).splitlines() or [""]
    lines = "".join(traceback.format_exception(bug))
    return Bug(f"{type(bug).__name__}: {first_line}"[:300], lines[-MAX_TRACEBACK:], entry)


def _where(bug: BaseException) -> dict[str, str]:
    """For the log: a bug's kind and place. What it says may quote what a person wrote."""
    if isinstance(bug, BeginningBroke):
        bug = bug.__cause__ or bug
    frames = "".join(traceback.format_tb(bug.__traceback__))
    return {"error": type(bug).__name__, "exception": frames}
