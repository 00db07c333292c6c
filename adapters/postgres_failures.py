"""Messages that failed, in PostgreSQL (fulfils application.failures.FailureRepository).

Kinds are counted from the index ix_message_processing_failures alone, which has nothing but
failures. A retry of many locks their chats, in order, before it decides anything.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, literal, select, text, tuple_, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters import pgqueuer_jobs
from adapters.postgres_processing import matching
from adapters.postgres_schema import message_processing, messages
from adapters.postgres_search import like, seen
from adapters.postgres_transactions import fetch, reading
from application.failures import FailureFilter, FailureKey, FailureView
from application.jobs import Job
from application.processing import ProcessingFilter
from domain.effects import HANDLE_UPDATE
from domain.turn import Status

MOST_BOTS = 100

_processing = message_processing.c

# In literals, as the index has it: a plan that is made for any values could not know that it fits.
_FAILURES = text("message_processing.status IN ('FAILED', 'TERMINAL')")
_KEPT = text("message_processing.status = 'TERMINAL' AND message_processing.turn IS NOT NULL")
# One that is due, or is being taken, is being tried again already.
_LATER = text("""
message_processing.status = 'FAILED' AND NOT EXISTS (
    SELECT FROM chats chat JOIN pgqueuer job ON job.id = chat.owner_job_id
    WHERE chat.id = message_processing.chat_id
      AND job.status IN ('queued', 'picked') AND job.execute_after <= now())
""")

_LOCK = """
SELECT id FROM chats
WHERE id IN (SELECT chat_id FROM message_processing WHERE id = ANY($1::bigint[]))
ORDER BY id FOR NO KEY UPDATE
"""
_BEGIN_AGAIN = """
WITH again AS (
    UPDATE message_processing SET status = 'RECEIVED', updated_at = now()
    WHERE id = ANY($1::bigint[]) AND status = 'TERMINAL' AND turn IS NOT NULL
    RETURNING id, chat_id
)
INSERT INTO chat_requests (kind, processing_id, payload, chat_id)
SELECT 'RETRY', id, '', chat_id FROM again ORDER BY id
RETURNING chat_id
"""
_BRING_FORWARD = """
UPDATE pgqueuer SET execute_after = now() WHERE id IN (
    SELECT job.id FROM message_processing failed
    JOIN chats chat ON chat.id = failed.chat_id
    JOIN pgqueuer job ON job.id = chat.owner_job_id
    WHERE failed.id = ANY($1::bigint[]) AND failed.status = 'FAILED' AND job.status = 'queued'
    ORDER BY job.id FOR UPDATE OF job)
RETURNING id
"""
_OWNERLESS = """
SELECT failed.chat_id FROM message_processing failed
JOIN chats chat ON chat.id = failed.chat_id
LEFT JOIN pgqueuer job ON job.id = chat.owner_job_id AND job.status IN ('queued', 'picked')
WHERE failed.id = ANY($1::bigint[]) AND failed.status = 'FAILED' AND job.id IS NULL
"""


class PostgresFailures:
    """The repository."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, owner: str | None, asked: FailureFilter, before: FailureKey | None, limit: int
    ) -> Sequence[FailureView]:
        """The kind with the latest failure first, after `before`."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(kinds(owner, asked, before, limit))
            return [
                FailureView(row[0], Status(row[1]), int(row[2]), row[3][:MOST_BOTS], row[4], row[5])
                for row in rows
            ]

    async def retry(self, owner: str | None, asked: ProcessingFilter, limit: int) -> int:
        """In one transaction; the workers look each second for what is due."""
        async with reading(self._engine) as connection:
            found = await connection.execute(_retryable(owner, asked, limit))
            ids = [row[0] for row in found]
            return await _again(connection, ids) if ids else 0

    async def count(self, owner: str | None, asked: ProcessingFilter, limit: int) -> int:
        """As far as `limit`."""
        counted = select(func.count()).select_from(_retryable(owner, asked, limit).subquery())
        async with reading(self._engine) as connection:
            return int(await connection.scalar(counted) or 0)


def kinds(
    owner: str | None, asked: FailureFilter, before: FailureKey | None, limit: int
) -> Select[Any]:
    """The kinds of a page: counted by bot first, which is the index's own order."""
    by_bot = (
        select(
            _processing.status,
            _processing.fingerprint,
            _processing.bot_id,
            func.count().label("many"),
            func.max(func.greatest(_processing.updated_at, _processing.last_error_at)).label("at"),
            func.max(_processing.id).label("newest"),
        )
        .where(_FAILURES, _processing.fingerprint.is_not(None), seen(_processing.bot_id, owner))
        .group_by(_processing.status, _processing.fingerprint, _processing.bot_id)
    )
    if asked.bot_id is not None:
        by_bot = by_bot.where(_processing.bot_id == asked.bot_id)
    if asked.since is not None:
        by_bot = by_bot.where(_processing.created_at >= asked.since)
    if asked.until is not None:
        by_bot = by_bot.where(_processing.created_at < asked.until)
    each = by_bot.subquery("each").c
    at, newest = func.max(each.at), func.max(each.newest)
    found = (
        select(
            each.fingerprint,
            each.status,
            func.sum(each.many),
            func.array_agg(aggregate_order_by(each.bot_id, each.newest.desc())),
            at,
            newest,
        )
        .group_by(each.status, each.fingerprint)
        .order_by(at.desc(), newest.desc())
        .limit(limit)
    )
    if before is not None:
        found = found.having(tuple_(at, newest) < tuple_(*map(literal, before)))
    return found


def _retryable(owner: str | None, asked: ProcessingFilter, limit: int) -> Select[Any]:
    """The oldest that match: of each status by its index, for few of all messages failed."""
    some = []
    for condition in (_KEPT, _LATER):
        matched = matching(asked).where(condition, seen(_processing.bot_id, owner))
        if asked.q is not None:
            matched = matched.join(messages, messages.c.id == _processing.user_message_id)
            matched = matched.where(like(messages.c.text, asked.q))
        if asked.bot_id is not None:
            matched = matched.where(_processing.bot_id == asked.bot_id)
        some.append(select(matched.order_by(_processing.id).limit(limit).subquery().c.id))
    together = union_all(*some).subquery()
    return select(together.c.id).order_by(together.c.id).limit(limit)


async def _again(connection: AsyncConnection, ids: list[int]) -> int:
    await fetch(connection, _LOCK, ids)
    begun = [row[0] for row in await fetch(connection, _BEGIN_AGAIN, ids)]
    moved = await fetch(connection, _BRING_FORWARD, ids)
    ownerless = [row[0] for row in await fetch(connection, _OWNERLESS, ids)]
    # A chat's job serves its whole line.
    chats = sorted({*begun, *ownerless})
    await pgqueuer_jobs.publish(connection, [Job(HANDLE_UPDATE, chat.encode()) for chat in chats])
    return len(begun) + len(moved) + len(ownerless)
