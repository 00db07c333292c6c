"""A look at PostgreSQL for GET /health/ready (fulfils application.health.DatabaseProbe)."""

import asyncio

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_migrations import is_current
from adapters.postgres_transactions import transaction
from application.health import DatabaseState
from application.jobs import Unavailable

PATIENCE = 3.0
"""Seconds: an answer that comes later is as good as none."""

_QUEUE_AGE = text(
    "SELECT COALESCE(extract(epoch FROM now() - min(execute_after)), 0)::float8 FROM pgqueuer"
    " WHERE status = 'queued' AND execute_after <= now()"
)


class PostgresHealth:
    """The probe. It remembers that the schema was current: it never goes back."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._current = False

    async def look(self) -> DatabaseState:
        """Raises Unavailable."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._look()
        except TimeoutError as error:
            raise Unavailable(f"PostgreSQL did not answer in {PATIENCE:g} s") from error

    async def _look(self) -> DatabaseState:
        async with transaction(self._engine) as connection:
            await connection.execute(text("SELECT 1"))
        if not self._current:
            self._current = await is_current(self._engine)
        if not self._current:
            return DatabaseState(schema_current=False, queue_age=0.0)
        try:
            async with transaction(self._engine) as connection:
                age = await connection.scalar(_QUEUE_AGE)
        except ProgrammingError:  # the tables are gone: somebody went back a revision after all
            self._current = False
            return DatabaseState(schema_current=False, queue_age=0.0)
        return DatabaseState(schema_current=True, queue_age=max(float(age or 0), 0.0))
