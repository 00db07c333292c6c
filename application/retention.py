"""Retention: what is older than the settings keep it leaves, in batches that block nobody.

Triggered by each worker, now and then; one of them does the work. Messages and their processing
stay; what goes are the raw updates, the journal (the timeline of old messages with it), the queue's
log, what was asked from the web, and the oldest of the audit log.
"""

import asyncio
from typing import Protocol

import structlog
from msgspec import Struct

from application.meter import Counted, Meter
from application.settings import SettingsReader

log = structlog.get_logger("retention")

EVERY = 600.0
"""Seconds between two looks."""
PAUSE = 0.05
"""Seconds between two batches: messages go first."""
AUDIT_DAYS = 730
"""Two years of the audit log: no setting, or who changes what could have it forgotten."""


class Keep(Struct, frozen=True):
    """Days."""

    updates: int
    journal: int
    job_log: int
    audit: int


class Archive(Protocol):
    """The rows that grow old."""

    async def prune(self, keep: Keep) -> int:
        """Delete a batch of each kind, unless another worker is at it; how many rows went."""
        ...


class Retention:
    """The use case."""

    def __init__(self, archive: Archive, settings: SettingsReader, meter: Meter) -> None:
        self._archive = archive
        self._settings = settings
        self._meter = meter

    async def run(self) -> None:
        """Delete all that is too old. Raises Unavailable."""
        settings = await self._settings.latest()
        keep = Keep(
            settings.retention_updates_days,
            settings.retention_journal_days,
            settings.retention_job_log_days,
            AUDIT_DAYS,
        )
        total = 0
        while pruned := await self._archive.prune(keep):
            self._meter.add(Counted.ROWS_PRUNED, pruned)
            total += pruned
            await asyncio.sleep(PAUSE)
        if total:
            log.info("retention.pruned", rows=total)
