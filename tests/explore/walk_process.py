"""A worker's process in a walk: its React, its Turns, its tasks and their leases."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from application.conversations import ConversationStore, ConversationTransaction
from application.jobs import LeaseLost, Pick
from application.react import React
from application.turns import TurnRunner, Turns
from tests.application.memory_conversations import MemoryClock, MemoryConversations
from tests.application.memory_meter import MemoryMeter

Pause = Callable[[], Awaitable[None]]
"""Waits until chance lets its caller go on."""


class Lease:
    """A job's, until it is lost."""

    def __init__(self, pick: Pick, again: bool) -> None:
        self.pick = pick
        self.again = again
        self.held = True

    def check(self) -> None:
        if not self.held:
            raise LeaseLost(str(self.pick.job_id))


class Worker:
    """Whatever dies with the process."""

    def __init__(self, store: MemoryConversations, runner: TurnRunner, pause: Pause) -> None:
        clock = MemoryClock(store)
        self._react = React(_Paused(store, pause), clock, MemoryMeter())
        self.turns = Turns(self._react, runner, clock)
        self.tasks: dict[asyncio.Task[None], Lease] = {}

    def forget_batch(self) -> None:
        """What the process was about to commit is not committed."""
        if (batch := self._react._batcher._task) is not None:
            batch.cancel()


class _Paused:
    """The store, where each transaction waits for its time."""

    def __init__(self, store: ConversationStore, pause: Pause) -> None:
        self._store = store
        self._pause = pause

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[ConversationTransaction]:
        await self._pause()
        async with self._store.transaction() as transaction:
            yield transaction
