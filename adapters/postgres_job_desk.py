"""pgqueuer's queue, to be looked at and tidied (fulfils application.job_desk.JobRepository).

Pages go by id; counts go by pgqueuer's partial indexes, and stop at a number (COUNT_UPTO).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres_conversations import conversations_on
from adapters.postgres_transactions import execute, fetch, transaction
from application.conversations import Change, Loaded
from application.job_desk import (
    JobCount,
    JobStatus,
    JobTransaction,
    MinuteCount,
    StoredJob,
)
from application.jobs import Pick
from domain.effects import HANDLE_UPDATE

COUNT_UPTO = 50_000
"""Jobs of one kind that are counted: as many as may wait for a bot; it takes milliseconds."""

_JOBS = f"""
SELECT job.id, job.entrypoint, job.status::text, COALESCE(job.payload, ''),
       COALESCE(owned.attempts, job.attempts), job.created, job.execute_after, job.heartbeat,
       job.queue_manager_id::text,
       CASE WHEN job.status = 'failed' THEN (
           SELECT COALESCE(log.traceback ->> 'traceback', log.traceback ->> 'exception_message')
           FROM pgqueuer_log log WHERE log.job_id = job.id AND log.traceback IS NOT NULL
           ORDER BY log.created DESC LIMIT 1
       ) END
FROM pgqueuer job
LEFT JOIN LATERAL (
    SELECT processing.attempts
    FROM chats chat
    JOIN message_processing processing
      ON processing.chat_id = chat.id AND processing.status IN ('PROCESSING', 'FAILED')
    WHERE job.entrypoint = '{HANDLE_UPDATE}' AND chat.owner_job_id = job.id
      AND chat.id = encode(job.payload, 'escape')
) owned ON true
"""

# Of the statuses only queued ones can be very many; the names of their kinds are few, and found by
# skipping along the index from one to the next.
_COUNTS = """
WITH RECURSIVE kind AS (
    (SELECT entrypoint FROM pgqueuer WHERE status = 'queued' ORDER BY entrypoint LIMIT 1)
  UNION ALL
    SELECT (SELECT job.entrypoint FROM pgqueuer job
            WHERE job.status = 'queued' AND job.entrypoint > kind.entrypoint
            ORDER BY job.entrypoint LIMIT 1)
    FROM kind WHERE kind.entrypoint IS NOT NULL
)
SELECT kind.entrypoint, 'queued', queued.jobs
FROM kind, LATERAL (
    SELECT count(*) AS jobs FROM (
        SELECT FROM pgqueuer job
        WHERE job.status = 'queued' AND job.entrypoint = kind.entrypoint LIMIT $1
    ) counted
) queued
WHERE kind.entrypoint IS NOT NULL
UNION ALL
SELECT entrypoint, 'picked', count(*) FROM pgqueuer WHERE status = 'picked' GROUP BY entrypoint
UNION ALL
SELECT entrypoint, 'failed', count(*)
FROM (SELECT entrypoint FROM pgqueuer WHERE status = 'failed' LIMIT $1) failed GROUP BY entrypoint
ORDER BY 1, 2
"""

_OLDEST_DUE = """
SELECT extract(epoch FROM now() - min(due.execute_after))::float8
FROM (SELECT DISTINCT unnest($1::text[]) AS entrypoint) kind, LATERAL (
    SELECT execute_after FROM pgqueuer
    WHERE status = 'queued' AND entrypoint = kind.entrypoint AND execute_after <= now()
    ORDER BY execute_after LIMIT 1
) due
"""

# pgqueuer logs each step of a job; what ended it is any but these two.
_MINUTES = """
SELECT minute.at, count(log.created)
FROM generate_series(date_trunc('minute', now()) - interval '59 minutes',
                     date_trunc('minute', now()), interval '1 minute') AS minute (at)
LEFT JOIN (
    SELECT created FROM pgqueuer_log
    WHERE created >= date_trunc('minute', now()) - interval '59 minutes'
      AND status NOT IN ('queued', 'picked')
) log ON date_trunc('minute', log.created) = minute.at
GROUP BY minute.at ORDER BY minute.at
"""

_REQUEUE = """
UPDATE pgqueuer
SET status = 'queued', execute_after = LEAST(execute_after, now()), queue_manager_id = NULL,
    updated = now()
WHERE id = $1 AND status IN ('queued', 'failed')
"""

_DELETE = """
WITH gone AS (DELETE FROM pgqueuer WHERE id = $1 RETURNING id, entrypoint, priority)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
SELECT id, 'deleted', entrypoint, priority FROM gone
"""


class PostgresJobDesk:
    """The repository."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, status: JobStatus | None, before: int | None, limit: int
    ) -> Sequence[StoredJob]:
        """Newest first, with ids below `before`."""
        # A literal, so that the partial indexes fit.
        wanted = f"AND job.status = '{status.value}'" if status is not None else ""
        statement = (
            f"{_JOBS} WHERE ($1::bigint IS NULL OR job.id < $1) {wanted}"
            " ORDER BY job.id DESC LIMIT $2"
        )
        async with transaction(self._engine) as connection:
            return [_job(row) for row in await fetch(connection, statement, before, limit)]

    async def get(self, job_id: int) -> StoredJob | None:
        """None: there is none."""
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, f"{_JOBS} WHERE job.id = $1", job_id)
        return _job(rows[0]) if rows else None

    async def counts(self) -> tuple[list[JobCount], float | None]:
        """By kind and status, and how long the oldest due one has been due."""
        async with transaction(self._engine) as connection:
            counts = await fetch(connection, _COUNTS, COUNT_UPTO + 1)
            queued = [name for name, status, _ in counts if status == JobStatus.QUEUED]
            ((oldest,),) = await fetch(connection, _OLDEST_DUE, queued)
        kinds = [
            JobCount(name, JobStatus(status), min(jobs, COUNT_UPTO), jobs > COUNT_UPTO)
            for name, status, jobs in counts
        ]
        return kinds, oldest

    async def minutes(self) -> list[MinuteCount]:
        """The last hour's."""
        async with transaction(self._engine) as connection:
            return [MinuteCount(at, ended) for at, ended in await fetch(connection, _MINUTES)]

    async def requeue(self, job_id: int) -> tuple[StoredJob, StoredJob] | None:
        """Queued and due now; the workers look each second."""
        job = f"{_JOBS} WHERE job.id = $1"
        async with transaction(self._engine) as connection:
            before = await fetch(connection, f"{job} FOR NO KEY UPDATE OF job", job_id)
            if not await execute(connection, _REQUEUE, job_id):
                return None
            after = await fetch(connection, job, job_id)
        return _job(before[0]), _job(after[0])

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[JobTransaction]:
        """Committed at the end. Raises Unavailable."""
        async with transaction(self._engine) as connection:
            yield _JobTransaction(connection)


class _JobTransaction:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._conversations = conversations_on(connection)

    async def lock_chat(self, chat_id: str, pick: Pick) -> Loaded | None:
        """None: its bot is gone."""
        return (await self._conversations.load([(chat_id, pick)])).get(chat_id)

    async def lock(self, job_id: int) -> StoredJob | None:
        """A worker that has it cannot end it meanwhile."""
        statement = f"{_JOBS} WHERE job.id = $1 FOR UPDATE OF job"
        rows = await fetch(self._connection, statement, job_id)
        return _job(rows[0]) if rows else None

    async def delete(self, job_id: int) -> None:
        """With a line in pgqueuer's log."""
        await execute(self._connection, _DELETE, job_id)

    async def save(self, change: Change) -> None:
        """As react does."""
        await self._conversations.save([change])


def _job(row: Sequence[Any]) -> StoredJob:
    job_id, entrypoint, status, payload, attempts, created, next_at, beat, worker, error = row
    return StoredJob(
        job_id,
        entrypoint,
        JobStatus(status),
        payload,
        attempts,
        created,
        next_at,
        beat,
        worker,
        error,
    )
