"""Publishing and acknowledging pgqueuer's jobs inside the transaction of a state (DESIGN §4).

The driver runs pgqueuer's own statements on the SQLAlchemy connection that the state is saved on,
so that a job and the state that wished for it are committed together, or not at all.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.ports.driver import Driver
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres_transactions import execute
from application.jobs import Job, Pick

_ACKNOWLEDGE = """
WITH done AS (
    DELETE FROM pgqueuer
    WHERE id IN (
        SELECT job.id
        FROM unnest($1::bigint[], $2::uuid[], $3::timestamptz[]) AS pick (id, manager, updated)
        JOIN pgqueuer job
          ON job.id = pick.id AND job.queue_manager_id = pick.manager
         AND job.updated = pick.updated AND job.status = 'picked'
        ORDER BY job.id
        FOR UPDATE OF job
    )
    RETURNING id, entrypoint, priority
)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
SELECT id, 'successful', entrypoint, priority FROM done
"""


class _ConnectionDriver:
    """What Queries.enqueue needs of a pgqueuer Driver: the statement, on the state's connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        result = await self._connection.exec_driver_sql(query, args)
        return [dict(row) for row in result.mappings()]


async def publish(connection: AsyncConnection, jobs: Sequence[Job]) -> list[int]:
    """Insert jobs; their ids, in order."""
    if not jobs:
        return []
    return [
        int(job_id)
        for job_id in await Queries(cast(Driver, _ConnectionDriver(connection))).enqueue(
            [job.name for job in jobs],
            [job.payload for job in jobs],
            [0] * len(jobs),
            [timedelta(seconds=job.delay) if job.delay else None for job in jobs],
        )
    ]


async def acknowledge(connection: AsyncConnection, picks: Sequence[Pick]) -> None:
    """Delete the jobs that are still held under these picks; leave any other alone."""
    if not picks:
        return
    await execute(
        connection,
        _ACKNOWLEDGE,
        [pick.job_id for pick in picks],
        [pick.manager for pick in picks],
        [pick.updated for pick in picks],
    )
