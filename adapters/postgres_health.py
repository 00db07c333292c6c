"""A look at PostgreSQL for GET /health/ready (fulfils application.health.DatabaseProbe).

A worker and a poller are seen by the session that each keeps under its name, which ends with the
process however it dies, and is seen with Valkey away as well. A worker's asks for work each second,
so one that has been quiet for longer belongs to a process that hangs. A poller's may be quiet: that
one hangs is found by its bots' silence (application/silent_bots.py).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_migrations import is_current
from adapters.postgres_polled_bots import LEASED
from adapters.postgres_pool import WatchedPool
from adapters.postgres_transactions import fetch, transaction
from application.bot_health import BotState, health_of
from application.readiness import BotLook, DatabaseState, Pool

QUIET = 15.0
"""Seconds after which a worker that asks for nothing is not taken to be alive."""

_STATE = f"""
SELECT
    (SELECT COALESCE(extract(epoch FROM now() - min(execute_after)), 0)::float8 FROM pgqueuer
     WHERE status = 'queued' AND execute_after <= now()),
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
     AND starts_with(application_name, 'kotodom worker ')
     AND state_change > now() - make_interval(secs => $1)),
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
     AND starts_with(application_name, 'kotodom poller ')),
    (SELECT count(*) FROM bots WHERE enabled AND telegram_mode = 'POLLING'),
    (SELECT count(*) FROM bots WHERE enabled AND telegram_mode = 'POLLING'
     AND id & 4294967295 IN ({LEASED}))
"""
_BOTS = """
SELECT id, enabled, is_active, error, silent_reason, trouble_since, looked_at,
       EXISTS (SELECT FROM message_processing WHERE bot_id = bots.id AND status = 'FAILED')
FROM bots WHERE enabled OR error IS NOT NULL ORDER BY id
"""


class PostgresHealth:
    """The probe. It remembers that the schema was current: it never goes back."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._current = False

    async def look(self) -> DatabaseState:
        """Raises Unavailable."""
        async with transaction(self._engine) as connection:
            await connection.execute(text("SELECT 1"))
        if not self._current:
            self._current = await is_current(self._engine)
        if self._current:
            try:
                return await self._state()
            except ProgrammingError:  # somebody went back a revision after all
                self._current = False
        return DatabaseState(schema_current=False)

    def pool(self) -> Pool:
        """Of the engine that the admin's requests share."""
        pool = self._engine.pool
        if not isinstance(pool, WatchedPool):
            raise TypeError("the engine is none of adapters.postgres_transactions.engine")
        return Pool(pool.size(), pool.checkedout(), pool.waiting)

    async def _state(self) -> DatabaseState:
        async with transaction(self._engine) as connection:
            ((age, workers, pollers, to_poll, polled),) = await fetch(connection, _STATE, QUIET)
            rows = await fetch(connection, _BOTS)
        return DatabaseState(
            schema_current=True,
            queue_age=max(float(age or 0), 0.0),
            workers=workers,
            pollers=pollers,
            to_poll=to_poll,
            polled=polled,
            bots=[_look(row) for row in rows],
        )


def _look(row: Sequence[Any]) -> BotLook:
    bot_id, enabled, is_active, error, silent_reason, trouble_since, looked_at, failing = row
    state = BotState(
        enabled=enabled,
        is_active=is_active,
        error=error,
        silent_reason=silent_reason,
        trouble_since=trouble_since,
        looked_at=looked_at,
        failing="" if failing else None,
    )
    return BotLook(bot_id, health_of(state).status, looked_at)
