"""Processing in PostgreSQL (fulfils application.processing.ProcessingRepository).

Lists go by index: one user's bots are asked one by one for their newest, and the newest of these
make the page; a filter on all of them together would read the whole table for a page.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    and_,
    func,
    insert,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters import pgqueuer_jobs
from adapters.postgres_schema import (
    bots,
    chat_requests,
    chats,
    journal,
    message_processing,
    messages,
)
from adapters.postgres_transactions import transaction
from application.jobs import Job
from application.processing import (
    LockedProcessing,
    ProcessingDetail,
    ProcessingFilter,
    ProcessingKey,
    ProcessingTransaction,
    ProcessingView,
    TimelineStep,
)
from domain.turn import Status

_processing = message_processing.c
TRIGRAM = 3
RECENT = 5_000
"""Fewer letters than a trigram's have no index: they are looked for in so many of the newest."""

_newest_key = (_processing.created_at, _processing.id)
_by_newest = tuple(column.desc() for column in _newest_key)
_responses = messages.alias("responses")
_BRING_FORWARD = text(
    "UPDATE pgqueuer SET execute_after = now() WHERE id = :job AND status = 'queued'"
)


class PostgresProcessing:
    """The repository."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, owner: str | None, asked: ProcessingFilter, before: ProcessingKey | None, limit: int
    ) -> Sequence[ProcessingView]:
        """Newest first, after `before`."""
        newest = _newest(owner, asked, before, limit).subquery()
        statement = (
            select(message_processing, messages.c.text)
            .join(messages, messages.c.id == _processing.user_message_id)
            .join(newest, newest.c.id == _processing.id)
            .order_by(*_by_newest)
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [ProcessingView(**_columns(row)) for row in rows]

    async def get(self, processing_id: int, owner: str | None) -> ProcessingDetail | None:
        """None: there is none, or it is of another user's bot."""
        statement = (
            select(message_processing, messages.c.text, _responses.c.text.label("response_text"))
            .join(messages, messages.c.id == _processing.user_message_id)
            .outerjoin(_responses, _responses.c.id == _processing.response_message_id)
            .where(_processing.id == processing_id, *owned(owner))
        )
        steps = select(journal).where(journal.c.turn_id == processing_id).order_by(journal.c.seq)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(statement)).mappings().first()
            if row is None:
                return None
            timeline = (await connection.execute(steps)).mappings().all()
        return ProcessingDetail(
            **_columns(row),
            response_text=row["response_text"],
            timeline=[_step(step) for step in timeline],
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[ProcessingTransaction]:
        """Committed at the end. Raises Unavailable."""
        async with transaction(self._engine) as connection:
            yield _ProcessingTransaction(connection)


class _ProcessingTransaction:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, processing_id: int) -> LockedProcessing | None:
        """Lock its chat, then read it in a statement of its own: newer than the lock."""
        chat_id = select(_processing.chat_id).where(_processing.id == processing_id)
        chat = select(chats.c.id).where(chats.c.id == chat_id.scalar_subquery())
        await self._connection.execute(chat.with_for_update(key_share=True))
        statement = (
            select(
                _processing.status,
                _processing.chat_id,
                chats.c.owner_job_id,
                _processing.turn.is_not(None),
            )
            .join(chats, chats.c.id == _processing.chat_id)
            .where(_processing.id == processing_id)
        )
        row = (await self._connection.execute(statement)).first()
        return LockedProcessing(Status(row[0]), row[1], row[2], row[3]) if row else None

    async def begin_again(self, processing_id: int, chat_id: str) -> None:
        """RECEIVED again, at the end of the chat's line."""
        await self._connection.execute(
            insert(chat_requests).values(
                kind="RETRY", processing_id=processing_id, payload="", chat_id=chat_id
            )
        )
        await self._connection.execute(
            update(message_processing)
            .where(_processing.id == processing_id)
            .values(status=Status.RECEIVED, updated_at=func.now())
        )

    async def bring_forward(self, job_id: int | None) -> bool:
        """Make a queued job due now; the workers look each second."""
        if job_id is None:
            return False
        moved = await self._connection.execute(_BRING_FORWARD, {"job": job_id})
        return moved.rowcount > 0

    async def publish(self, job: Job) -> None:
        """In this transaction."""
        await pgqueuer_jobs.publish(self._connection, [job])


def _newest(
    owner: str | None, asked: ProcessingFilter, before: ProcessingKey | None, limit: int
) -> Select[Any]:
    """The ids of a page."""
    short = asked.q is not None and len(asked.q) < TRIGRAM
    statement = matching(replace(asked, q=None) if short else asked)
    statement = statement.add_columns(_processing.created_at)
    if before is not None:
        statement = statement.where(tuple_(*_newest_key) < tuple_(*before))
    if asked.bot_id is not None:
        statement = statement.where(_processing.bot_id == asked.bot_id, *owned(owner))
    narrowed = owner if asked.bot_id is None else None
    if not short or asked.q is None:
        return _first(statement, narrowed, limit)
    recent = _first(statement, narrowed, RECENT).subquery()
    text_holds = (messages.c.id == recent.c.id, like(messages.c.text, asked.q))
    # One by one by their ids, whatever the planner thinks.
    found = select(true()).where(*text_holds).limit(1).lateral()
    of_recent = select(recent).join(found, true())
    return of_recent.order_by(recent.c.created_at.desc(), recent.c.id.desc()).limit(limit)


def _first(statement: Select[Any], owner: str | None, limit: int) -> Select[Any]:
    """The statement's newest; of one user's bots each is asked for its own."""
    if owner is None:
        return statement.order_by(*_by_newest).limit(limit)
    each = statement.where(_processing.bot_id == bots.c.id)
    of_bot = each.order_by(*_by_newest).limit(limit).lateral()
    together = select(of_bot.c.id, of_bot.c.created_at).select_from(bots.join(of_bot, true()))
    mine = together.where(bots.c.owner_user_id == UUID(owner))
    return mine.order_by(of_bot.c.created_at.desc(), of_bot.c.id.desc()).limit(limit)


def matching(asked: ProcessingFilter) -> Select[Any]:
    """The ids of what a filter asks for, but for its bot."""
    statement = select(_processing.id)
    if asked.status is not None:
        statement = statement.where(_processing.status == asked.status)
    if asked.since is not None:
        statement = statement.where(_processing.created_at >= asked.since)
    if asked.until is not None:
        statement = statement.where(_processing.created_at < asked.until)
    if asked.q is not None:
        statement = statement.join(messages, messages.c.id == _processing.user_message_id)
        # Only what people write is in the index.
        statement = statement.where(messages.c.sender != "BOT", holds(messages.c.text, asked.q))
    return statement


def like(column: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """Whether a text holds the words, whatever their case."""
    return column.ilike(_pattern(words))


def holds(column: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """The same, by way of an index of trigrams: so many letters at least."""
    letters = func.search_letters(column).ilike(func.search_letters(_pattern(words)))
    return and_(letters, like(column, words))


def _pattern(words: str) -> str:
    r"""LIKE's escape character is `\`."""
    for special in ("\\", "%", "_"):
        words = words.replace(special, f"\\{special}")
    return f"%{words}%"


def owned(owner: str | None) -> list[ColumnElement[bool]]:
    """Of the owner's bots, where there is one to narrow to."""
    if owner is None:
        return []
    mine = select(bots.c.id).where(bots.c.owner_user_id == UUID(owner))
    return [_processing.bot_id.in_(mine)]


def _columns(row: RowMapping) -> dict[str, Any]:
    columns = {name: row[name] for name in ProcessingView.__struct_fields__}
    price = row["price"]
    return columns | {
        "status": Status(row["status"]),
        "price": float(price) if price is not None else None,
    }


def _step(row: RowMapping) -> TimelineStep:
    return TimelineStep(
        row["at"], msgspec.json.decode(row["event"]), msgspec.json.decode(row["effects"])
    )
