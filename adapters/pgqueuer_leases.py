"""Leases on pgqueuer's jobs: kept by fenced heartbeats, handed back, or lost.

A lease stands for one pick (job, worker, the row's `updated`). Heartbeats are fenced by it, ordered
by id (two that cross an acknowledgement would else deadlock) and RETURNING: what is not returned is
held by nobody here any more.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime

import asyncpg

from application.jobs import LeaseLost, Pick

HEARTBEAT_TIMEOUT = 10.0
"""Seconds without a heartbeat after which any worker may take a job over."""
HEARTBEAT_EVERY = 3.0
LEASE_MARGIN = 2.0
"""Seconds before that timeout at which we stop acting for a job ourselves."""

_BEAT = """
UPDATE pgqueuer SET heartbeat = now()
WHERE id IN (
    SELECT job.id
    FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) AS pick (id, updated, manager)
    JOIN pgqueuer job
      ON job.id = pick.id AND job.updated = pick.updated
     AND job.queue_manager_id = pick.manager AND job.status = 'picked'
    ORDER BY job.id
    FOR UPDATE OF job
)
RETURNING id
"""

_LOCK_CHATS = "SELECT id FROM chats WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE"

_RELEASE = """
WITH freed AS (
    UPDATE pgqueuer SET status = 'queued', queue_manager_id = NULL, updated = now()
    FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) AS pick (id, updated, manager)
    WHERE pgqueuer.id = pick.id AND pgqueuer.updated = pick.updated
      AND pgqueuer.queue_manager_id = pick.manager AND pgqueuer.status = 'picked'
    RETURNING pgqueuer.id
)
UPDATE chats SET owner_job_id = NULL FROM freed
WHERE chats.id = ANY($4::text[]) AND chats.owner_job_id = freed.id
"""


class HeldLease:
    """application.jobs.Lease: one pick of one job by this worker."""

    def __init__(self, pick: Pick, payload: bytes, expires: float, *, again: bool) -> None:
        self._pick = pick
        self._again = again
        self.payload = payload
        self.expires = expires
        self.task: asyncio.Task[None] | None = None

    @property
    def pick(self) -> Pick:
        return self._pick

    @property
    def again(self) -> bool:
        return self._again

    def check(self) -> None:
        """Raises LeaseLost. Monotonic time goes on while a process is stopped."""
        if time.monotonic() >= self.expires:
            raise LeaseLost(f"job {self._pick.job_id}")

    def lose(self) -> None:
        """Somebody else may hold the job by now: end its task."""
        self.expires = 0.0
        if self.task is not None:
            self.task.cancel()


async def beat(connection: asyncpg.Connection, leases: Sequence[HeldLease]) -> set[int]:
    """Keep the leases; the ids of the jobs that are held still."""
    rows = await connection.fetch(_BEAT, *_picks(leases))
    return {row["id"] for row in rows}


async def release(connection: asyncpg.Connection, leases: Sequence[HeldLease]) -> None:
    """Queue the jobs again that are held still; their chats' owner is cleared, so that it is not
    taken for a death. The chats are locked first, as react does, or the two would deadlock.
    """
    chats = sorted(lease.payload.decode(errors="replace") for lease in leases)
    async with connection.transaction():
        await connection.execute(_LOCK_CHATS, chats)
        await connection.execute(_RELEASE, *_picks(leases), chats)


def _picks(leases: Sequence[HeldLease]) -> tuple[list[int], list[datetime], list[str]]:
    picks = [lease.pick for lease in leases]
    return (
        [pick.job_id for pick in picks],
        [pick.updated for pick in picks],
        [pick.manager for pick in picks],
    )
