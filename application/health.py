"""Asks the parts of the system how they are, for GET /health/ready.

Anybody may ask, as often as they like: a look is shared by all who ask within a second, and none
takes longer than PATIENCE, whatever hangs. Telegram and the model are not waited for at all: what
was seen last is told.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from application.jobs import Unavailable
from application.ports import Clock
from application.readiness import Asked, DatabaseState, PartStatus, Pool, Readiness, readiness_of
from application.refusals import SessionsAway
from application.sessions import SessionStore

T = TypeVar("T")

PATIENCE = 3.0
"""Seconds: an answer that comes later is as good as none."""
SHARED = timedelta(seconds=1)


class DatabaseProbe(Protocol):
    """A look at PostgreSQL."""

    async def look(self) -> DatabaseState:
        """Raises Unavailable."""
        ...

    def pool(self) -> Pool: ...


class ModelProbe(Protocol):
    """The default model server, as it was seen last."""

    def last(self) -> Asked:
        """Returns at once, and has a look taken again now and then."""
        ...


class Health:
    """The use case."""

    def __init__(
        self, database: DatabaseProbe, sessions: SessionStore, model: ModelProbe, clock: Clock
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._model = model
        self._clock = clock
        self._look: tuple[datetime, asyncio.Task[Readiness]] | None = None
        self._late: set[asyncio.Task[Any]] = set()

    async def readiness(self) -> Readiness:
        """How each part is, or was a second ago."""
        now = self._clock.now()
        if self._look is None or (self._look[1].done() and now - self._look[0] >= SHARED):
            # Nobody's request: its lines and spans are not those of whoever came first.
            self._look = now, asyncio.create_task(self._readiness(), context=Context())
        return await asyncio.shield(self._look[1])

    async def _readiness(self) -> Readiness:
        valkey, state = await asyncio.gather(self._valkey(), self._state())
        return readiness_of(state, valkey, self._model.last(), self._database.pool())

    async def _valkey(self) -> PartStatus:
        try:
            await self._in_time(self._sessions.ping())
        except (SessionsAway, TimeoutError):
            return PartStatus.DOWN
        return PartStatus.OK

    async def _state(self) -> DatabaseState | None:
        try:
            return await self._in_time(self._database.look())
        except (Unavailable, TimeoutError):
            return None

    async def _in_time(self, look: Coroutine[Any, Any, T]) -> T:
        """What it comes to; one that hangs is cancelled, and its end not waited for.

        Raises TimeoutError, and what the look raises.
        """
        task = asyncio.create_task(look)
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        if done:
            return task.result()
        self._late.add(task)
        task.add_done_callback(self._ended_late)
        task.cancel()
        raise TimeoutError

    def _ended_late(self, task: asyncio.Task[Any]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else asks for it
