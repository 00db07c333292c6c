"""Processing in PostgreSQL (fulfils application.processing.ProcessingRepository).

How its lists are read and searched: adapters/postgres_search.py.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy import (
    RowMapping,
    Select,
    func,
    insert,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters import pgqueuer_jobs
from adapters.postgres_schema import (
    chat_requests,
    chats,
    journal,
    message_processing,
    messages,
)
from adapters.postgres_search import Newest, found_in, holds, is_rare, like, looked, of_bot, seen
from adapters.postgres_transactions import reading, transaction
from application.jobs import Job
from application.paging import Stretch
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
_newest = Newest(_processing.created_at, _processing.id, _processing.bot_id, 0)
_shown = select(message_processing, messages.c.text).join(
    messages, messages.c.id == _processing.user_message_id
)
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
    ) -> Stretch[ProcessingView, ProcessingKey]:
        """Newest first, after `before`."""
        keys = _keys(asked).where(_newest.older(before))
        async with reading(self._engine) as connection:
            ids: Any
            beyond: ProcessingKey | None = None
            if asked.q is None:
                found = _newest.first(keys, asked.bot_id, owner, limit).subquery()
                ids = select(found.c.id)
            elif await is_rare(connection, asked.q, "messages_trigrams"):
                ids = _by_trigrams(keys, asked, asked.q, owner, limit)
            else:
                search = _along(keys, asked, asked.q, owner, limit)
                ids, beyond = await looked(connection, search)
            shown = _shown.where(_processing.id.in_(ids)).order_by(*_newest.order)
            rows = (await connection.execute(shown)).mappings().all()
        return Stretch([ProcessingView(**_columns(row)) for row in rows], beyond)

    async def get(self, processing_id: int, owner: str | None) -> ProcessingDetail | None:
        """None: there is none, or it is of another user's bot."""
        statement = (
            select(message_processing, messages.c.text, _responses.c.text.label("response_text"))
            .join(messages, messages.c.id == _processing.user_message_id)
            .outerjoin(_responses, _responses.c.id == _processing.response_message_id)
            .where(_processing.id == processing_id, seen(_processing.bot_id, owner))
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


def _keys(asked: ProcessingFilter) -> Select[Any]:
    """The keys of what a filter asks for, but for its bot and its words."""
    return matching(asked).add_columns(_processing.created_at.label("at"))


def _by_trigrams(
    keys: Select[Any], asked: ProcessingFilter, words: str, owner: str | None, limit: int
) -> Select[Any]:
    """The ids of a page, from the index of trigrams."""
    # Only what people write is in it.
    said = select(messages.c.id).where(messages.c.sender != "BOT", holds(messages.c.text, words))
    found = said.cte("found").prefix_with("MATERIALIZED")
    keys = keys.join(found, found.c.id == _processing.id)
    keys = keys.where(*of_bot(_processing.bot_id, asked.bot_id, owner))
    return select(keys.order_by(*_newest.order).limit(limit).subquery().c.id)


def _along(
    keys: Select[Any], asked: ProcessingFilter, words: str, owner: str | None, limit: int
) -> Select[Any]:
    """The ids of a page, from the newest rows."""
    window, more = _newest.window(keys, asked.bot_id, owner)
    said = (messages.c.id == window.c.id, like(messages.c.text, words))
    # One by one by their ids, whatever the planner thinks.
    found = select(true()).where(*said).limit(1).lateral("said")
    return found_in(window, more, select(window.c.id).join(found, true()), limit)


def matching(asked: ProcessingFilter) -> Select[Any]:
    """The ids of what a filter asks for, but for its bot and its words."""
    statement = select(_processing.id)
    if asked.status is not None:
        statement = statement.where(_processing.status == asked.status)
    if asked.since is not None:
        statement = statement.where(_processing.created_at >= asked.since)
    if asked.until is not None:
        statement = statement.where(_processing.created_at < asked.until)
    return statement


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
