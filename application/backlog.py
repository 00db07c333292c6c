"""How much of a bot may wait: past the bound its updates are left with Telegram, which keeps them.

Triggered by application/intake.py before an update is kept. A bot that is disabled, or whose model
is down, or that a flood has met, fills its line; Telegram holds what it could not deliver for 24
hours and sends it again (Bot API 10.3, "Getting updates", setWebhook).
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from contextvars import Context
from datetime import datetime, timedelta
from typing import Protocol

from application.jobs import Unavailable
from application.ports import Clock

MAX_WAITING = 50_000
"""Updates of one bot. At a few hundred bytes each, a bot holds tens of megabytes of PostgreSQL."""
MAX_PENDING_BYTES = 64 * 1024 * 1024
"""Bytes of updates that this process has read and not yet kept, of all bots."""
COUNTED_EVERY = timedelta(seconds=2)


class BacklogFull(Exception):  # noqa: N818 - what the backlog is
    """Too much waits: the update was not kept and is to be sent again, in a while."""


class WaitingUpdates(Protocol):
    """What PostgreSQL knows of the lines."""

    async def waiting(self) -> Mapping[int, int]:
        """How many updates wait, by bot. Raises Unavailable."""
        ...


class Backlog:
    """The use case. One instance per process: it asks PostgreSQL at most every two seconds.

    Between two looks it counts what it lets in itself, so that a flood does not pass unseen. Nobody
    waits for a look: an update that did would be overtaken by the next one of its chat.
    """

    def __init__(
        self,
        updates: WaitingUpdates,
        clock: Clock,
        *,
        max_waiting: int = MAX_WAITING,
        max_pending_bytes: int = MAX_PENDING_BYTES,
    ) -> None:
        self._updates = updates
        self._clock = clock
        self._max_waiting = max_waiting
        self._max_pending_bytes = max_pending_bytes
        self._waiting: Counter[int] = Counter()
        self._counted_at: datetime | None = None
        self._look: asyncio.Task[None] | None = None
        self._pending_bytes = 0

    def admit(self, bot_id: int, count: int, size: int) -> None:
        """Let so many updates in, of so many bytes together. Raises BacklogFull."""
        now = self._clock.now()
        if self._counted_at is None or now - self._counted_at >= COUNTED_EVERY:
            self._counted_at = now
            self._look = asyncio.create_task(self._count(), context=Context())  # nobody's
        if self._waiting[bot_id] >= self._max_waiting:
            raise BacklogFull(f"{self._waiting[bot_id]} updates of the bot wait")
        if self._pending_bytes + size > self._max_pending_bytes:
            raise BacklogFull("more updates come in than can be kept")
        self._waiting[bot_id] += count
        self._pending_bytes += size

    async def _count(self) -> None:
        with suppress(Unavailable):  # then nothing can be kept either
            self._waiting = Counter(await self._updates.waiting())

    def kept(self, size: int) -> None:
        """Updates of so many bytes that were let in are kept, or were given up."""
        self._pending_bytes -= size
