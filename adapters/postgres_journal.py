"""The journal in PostgreSQL, read (fulfils application.recordings.Journal).

It is written by the loop itself, in each step's own transaction (postgres_turn_rows.py, and
postgres_bots.py for a bot's own steps).
"""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_schema import bots, journal, message_processing
from adapters.postgres_transactions import transaction
from application.jobs import Unavailable
from application.recordings import RecordingFilter, StoredStep

_BATCH = 2_000
"""Rows of one statement; a few MB, however long the texts are."""

_NO_TABLE = "42P01"
"""SQLSTATE undefined_table."""

_COLUMNS = [journal.c[name] for name in StoredStep.__struct_fields__]


class PostgresJournal:
    """The reader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def span(self, asked: RecordingFilter) -> tuple[int, int]:
        """The first and the last seq that is asked for; (0, -1) where there is none."""
        statement = select(func.min(journal.c.seq), func.max(journal.c.seq))
        if asked.since is not None:
            statement = statement.where(journal.c.at >= asked.since)
        try:
            async with transaction(self._engine) as connection:
                first, last = (await connection.execute(statement)).one()
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != _NO_TABLE:
                raise
            raise Unavailable("the database has no tables yet (kotodom migrate)") from error
        return (first, last) if first is not None else (0, -1)

    async def steps(
        self, asked: RecordingFilter, first: int, last: int
    ) -> AsyncIterator[Sequence[StoredStep]]:
        """In the order of seq, a transaction for each batch: nothing is held open meanwhile."""
        while first <= last:
            rows = await self._rows(
                select(*_COLUMNS)
                .where(journal.c.seq.between(first, last), *_conditions(asked))
                .order_by(journal.c.seq)
                .limit(_BATCH)
            )
            if not rows:
                return
            yield rows
            first = rows[-1].seq + 1

    async def turn(self, processing_id: int, owner: str | None) -> Sequence[StoredStep]:
        """The steps of one message; none where it is of another user's bot than `owner`'s."""
        asked = select(message_processing.c.id).where(message_processing.c.id == processing_id)
        if owner is not None:
            mine = select(bots.c.id).where(bots.c.owner_user_id == UUID(owner))
            asked = asked.where(message_processing.c.bot_id.in_(mine))
        steps = select(*_COLUMNS).where(journal.c.turn_id.in_(asked))
        return await self._rows(steps.order_by(journal.c.seq))

    async def _rows(self, statement: Select[tuple[object, ...]]) -> Sequence[StoredStep]:
        async with transaction(self._engine) as connection:
            return [_step(row) for row in await connection.execute(statement)]


def _conditions(asked: RecordingFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.chat is not None:
        conditions.append(journal.c.key == asked.chat)
    if asked.bot_id is not None:
        chats = journal.c.key.startswith(f"{asked.bot_id}:", autoescape=True)
        conditions.append(or_(chats, journal.c.key == f"bot:{asked.bot_id}"))
    if asked.since is not None:
        conditions.append(journal.c.at >= asked.since)
    return conditions


def _step(row: Row[tuple[object, ...]]) -> StoredStep:
    return StoredStep(**row._mapping)
