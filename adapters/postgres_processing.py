"""Processing in PostgreSQL (fulfils application.processing.ProcessingRepository).

How its lists are read and searched: adapters/postgres_search.py.
"""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    RowMapping,
    Select,
    false,
    func,
    select,
    text,
    true,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_retries import try_again
from adapters.postgres_schema import (
    journal,
    message_processing,
    messages,
)
from adapters.postgres_search import Newest, found_in, holds, is_rare, like, looked, of_bot, seen
from adapters.postgres_transactions import reading, transaction
from application.paging import Stretch
from application.processing import (
    Attempt,
    ProcessingDetail,
    ProcessingFilter,
    ProcessingKey,
    ProcessingView,
    timeline,
)
from domain.turn import Status

_processing = message_processing.c
_newest = Newest(_processing.created_at, _processing.id, _processing.bot_id, 0)
_shown = select(message_processing, messages.c.text).join(
    messages, messages.c.id == _processing.user_message_id
)
_responses = messages.alias("responses")
# In literals, as the index has it: a plan that is made for any values could not know that it fits.
FAILURES = text("message_processing.status IN ('FAILED', 'TERMINAL')")


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
            select(
                message_processing,
                messages.c.text,
                _responses.c.text.label("response_text"),
                func.coalesce(_responses.c.in_context, false()).label("response_markdown"),
            )
            .join(messages, messages.c.id == _processing.user_message_id)
            .outerjoin(_responses, _responses.c.id == _processing.response_message_id)
            .where(_processing.id == processing_id, seen(_processing.bot_id, owner))
        )
        steps = select(journal).where(journal.c.turn_id == processing_id).order_by(journal.c.seq)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(statement)).mappings().first()
            if row is None:
                return None
            rows = (await connection.execute(steps)).mappings().all()
        return ProcessingDetail(
            **_columns(row),
            response_text=row["response_text"],
            response_markdown=row["response_markdown"],
            timeline=timeline(_step(step) for step in rows),
        )

    async def try_again(self, processing_id: int) -> Attempt | None:
        """As many are (adapters/postgres_retries.py). None: it is gone."""
        now = select(_processing.status).where(_processing.id == processing_id)
        async with transaction(self._engine) as connection:
            before = (await try_again(connection, [processing_id])).get(processing_id)
            status = await connection.scalar(now)
        if status is None:
            return None
        # A FAILED one is tried, or is being tried already.
        may = before is not None or status == Status.FAILED
        return Attempt(before or Status(status), Status(status) if may else None)


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
    keys = keys.where(*of_bot(_processing.bot_id, asked.bot_id, owner))
    return _newest.of_found(found, keys, limit)


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
    if asked.fingerprint is not None:
        statement = statement.where(FAILURES, _processing.fingerprint == asked.fingerprint)
    return statement


def _columns(row: RowMapping) -> dict[str, Any]:
    columns = {name: row[name] for name in ProcessingView.__struct_fields__}
    price = row["price"]
    return columns | {
        "status": Status(row["status"]),
        "price": float(price) if price is not None else None,
    }


def _step(row: RowMapping) -> tuple[datetime, dict[str, Any], list[dict[str, Any]]]:
    return row["at"], msgspec.json.decode(row["event"]), msgspec.json.decode(row["effects"])
