"""Messages that failed, in PostgreSQL (fulfils application.failures.FailureRepository).

Kinds are counted from the index ix_message_processing_failures alone, which has nothing but
failures. What may be tried again, and how: adapters/postgres_retries.py.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, literal, select, tuple_, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_processing import FAILURES, matching
from adapters.postgres_retries import TO_BEGIN_AGAIN, TO_BRING_FORWARD, try_again
from adapters.postgres_schema import message_processing, messages
from adapters.postgres_search import like, seen
from adapters.postgres_transactions import reading
from application.failures import FailureFilter, FailureKey, FailureView
from application.processing import ProcessingFilter
from domain.turn import Status

MOST_BOTS = 100

_processing = message_processing.c


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
        some = []
        for matched in _retryable(owner, asked):
            if asked.q is not None:
                said = matched.join(messages, messages.c.id == _processing.user_message_id)
                matched = said.where(like(messages.c.text, asked.q))
            some.append(matched.order_by(_processing.id).limit(limit))
        oldest = _together(some)
        async with reading(self._engine) as connection:
            found = await connection.execute(oldest.order_by("id").limit(limit))
            ids = [row[0] for row in found]
            return len(await try_again(connection, ids)) if ids else 0

    async def count(
        self, owner: str | None, asked: ProcessingFilter, limit: int
    ) -> tuple[int, bool]:
        """Words are looked for in those that are counted, and in no others."""
        some = [matched.limit(limit + 1) for matched in _retryable(owner, asked)]
        first = _together(some).limit(limit + 1).subquery()
        counted = select(func.count(), func.count()).select_from(first)
        if asked.q is not None:
            said = func.count().filter(like(messages.c.text, asked.q))
            counted = select(func.count(), said).join(first, messages.c.id == first.c.id)
        async with reading(self._engine) as connection:
            there, found = (await connection.execute(counted)).one()
        return min(found, limit), there > limit


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
        .where(FAILURES, _processing.fingerprint.is_not(None), seen(_processing.bot_id, owner))
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


def _retryable(owner: str | None, asked: ProcessingFilter) -> list[Select[Any]]:
    """The ids of those that match but for their words: of each status by its index, for few of
    all messages failed.
    """
    some = []
    for condition in (TO_BEGIN_AGAIN, TO_BRING_FORWARD):
        matched = matching(asked).where(condition, seen(_processing.bot_id, owner))
        if asked.bot_id is not None:
            matched = matched.where(_processing.bot_id == asked.bot_id)
        some.append(matched)
    return some


def _together(some: Sequence[Select[Any]]) -> Select[Any]:
    """The ids of all."""
    return select(union_all(*(select(each.subquery().c.id) for each in some)).subquery().c.id)
