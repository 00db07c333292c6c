"""application.alerts.AlertBook on PostgreSQL: when alerts were sent."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_transactions import execute, fetch, transaction
from domain.effects import AdminAlert

_NOTE = """
INSERT INTO alerts AS known (bot_id, cause, sent_at, job_id) VALUES ($1, $2, $3, $5)
ON CONFLICT (bot_id, cause) DO UPDATE SET
    sent_at = CASE WHEN known.sent_at <= $3 - make_interval(secs => $4) THEN $3
                   ELSE known.sent_at END,
    job_id = CASE WHEN known.sent_at <= $3 - make_interval(secs => $4) THEN $5
                  ELSE known.job_id END,
    suppressed = CASE WHEN known.sent_at <= $3 - make_interval(secs => $4) THEN 0
                      WHEN known.job_id = $5 THEN known.suppressed
                      ELSE known.suppressed + 1 END
RETURNING old.suppressed,
    old.sent_at IS NULL OR old.sent_at <= $3 - make_interval(secs => $4) OR old.job_id = $5
"""

_NOT_SENT = """
UPDATE alerts SET sent_at = sent_at - make_interval(secs => $3), suppressed = suppressed + 1
WHERE bot_id = $1 AND cause = $2
"""


class PostgresAlerts:
    """The book of alerts."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def note(
        self, alert: AdminAlert, at: datetime, quiet: float, job_id: int | None
    ) -> int | None:
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _NOTE, alert.bot_id, alert.cause, at, quiet, job_id)
        suppressed, due = rows[0]
        return (suppressed or 0) if due else None

    async def not_sent(self, alert: AdminAlert, earlier: float) -> None:
        async with transaction(self._engine) as connection:
            await execute(connection, _NOT_SENT, alert.bot_id, alert.cause, earlier)
