"""What stands in PostgreSQL, for GET /metrics: jobs and messages by status, and the oldest jobs.

Triggered by each scrape; PostgreSQL is asked once in five seconds at most, over a connection of its
own, so that the answer neither waits for the application's pools nor takes from them. With
PostgreSQL away, slower than two seconds, or at another revision, the rest is answered all the same.

What it costs: jobs are counted by pgqueuer's partial indexes, messages and updates by ours, each up
to 50,000; the ages are an index' first entry, or that of the few held jobs. A few ms; 40 to
80 at a million messages with 100,000 TERMINAL, 50,000 updates waiting and 60,000 jobs.
"""

import asyncio
import time
from collections.abc import Sequence

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_job_desk import COUNT_UPTO, PostgresJobDesk
from adapters.postgres_transactions import fetch, transaction
from application.jobs import Unavailable

KEPT_SECONDS = 5.0
PATIENCE = 2.0

FAMILIES = {
    "kotodom_database_up": ("1 where PostgreSQL answered in time", ()),
    "kotodom_jobs": ("Jobs; of a kind and status, 50000 are counted", ("entrypoint", "status")),
    "kotodom_oldest_job_age_seconds": (
        "How long the oldest job has been due (queued), run (picked), or been held (failed)",
        ("status",),
    ),
    "kotodom_messages": (
        "Messages that are PROCESSING, FAILED (waiting for another try) or TERMINAL;"
        " of a status, 50000 are counted",
        ("status",),
    ),
    "kotodom_silent_bots": ("Bots whose updates do not come", ()),
    "kotodom_updates_waiting": ("Updates that wait in their chats' lines, 50000 at most", ()),
}
"""Their help, and their labels."""

_AGES = """
SELECT status, extract(epoch FROM now() - oldest)::float8
FROM (
    SELECT 'picked' AS status, min(updated) AS oldest FROM pgqueuer WHERE status = 'picked'
  UNION ALL
    SELECT 'failed', min(updated)
    FROM (SELECT updated FROM pgqueuer WHERE status = 'failed' LIMIT $1) held
) job
"""

# A literal for each status, so that the partial indexes fit.
_MESSAGES = "\nUNION ALL ".join(
    f"SELECT '{status}', count(*) FROM"
    f" (SELECT FROM message_processing WHERE status = '{status}' LIMIT $1) AS counted"
    for status in ("PROCESSING", "FAILED", "TERMINAL")
)
_SILENT = """
SELECT count(*) FROM bots
WHERE enabled AND is_active AND error IS NULL AND silent_reason IS NOT NULL
"""
_WAITING = """
SELECT count(*) FROM (SELECT FROM telegram_updates WHERE state = 'WAITING' LIMIT $1) AS counted
"""


class DatabaseMetrics:
    """The reader; `engine` is its own, of one connection."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._jobs = PostgresJobDesk(engine)
        self._reading = asyncio.Lock()
        self._kept: Sequence[Metric] = ()
        self._kept_until = 0.0

    async def read(self) -> Sequence[Metric]:
        """The families, five seconds old at most; with PostgreSQL away, only that it is so."""
        async with self._reading:
            if time.monotonic() >= self._kept_until:
                try:
                    async with asyncio.timeout(PATIENCE):
                        self._kept = await self._read()
                except (Unavailable, TimeoutError, DBAPIError):
                    self._kept = [_family("kotodom_database_up", [((), 0)])]
                self._kept_until = time.monotonic() + KEPT_SECONDS
            return self._kept

    async def _read(self) -> list[Metric]:
        jobs, oldest_due = await self._jobs.counts()
        async with transaction(self._engine) as connection:
            ages = await fetch(connection, _AGES, COUNT_UPTO)
            messages = await fetch(connection, _MESSAGES, COUNT_UPTO)
            ((waiting,),) = await fetch(connection, _WAITING, COUNT_UPTO)
            ((silent,),) = await fetch(connection, _SILENT)
        aged = [("queued", oldest_due), *ages]
        return [
            _family("kotodom_database_up", [((), 1)]),
            _family("kotodom_jobs", [((job.entrypoint, job.status), job.count) for job in jobs]),
            _family(
                "kotodom_oldest_job_age_seconds",
                [((status,), max(age or 0.0, 0.0)) for status, age in aged],
            ),
            _family("kotodom_messages", [((status,), count) for status, count in messages]),
            _family("kotodom_silent_bots", [((), silent)]),
            _family("kotodom_updates_waiting", [((), waiting)]),
        ]


def _family(name: str, samples: Sequence[tuple[tuple[str, ...], float]]) -> Metric:
    help_text, labels = FAMILIES[name]
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
