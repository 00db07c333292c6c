"""The sweep, each minute: chats whose line may be served and that nobody serves get a job.

With nothing deleted by hand it finds nothing; a counter says when it did. A superfluous job is
harmless: its worker finds the chat owned, or its line empty. Retention is swept along, in batches.
"""

from typing import Protocol

import structlog

from application.meter import Counted, Meter
from application.settings import SettingsReader

log = structlog.get_logger("sweep")

EVERY = 60.0
"""Seconds between two sweeps."""


class Waiting(Protocol):
    """What PostgreSQL knows of chats that wait and of rows that may go."""

    async def publish_stranded(self) -> int:
        """Publish a job for each chat without a living owner that has something to do."""
        ...

    async def publish_waiting(self, bot_id: int) -> int:
        """Publish a job for each chat of the bot whose line waits."""
        ...

    async def prune(self, updates: int, journal: int, job_log: int) -> int:
        """Delete a batch of what is older than so many days; how many rows went."""
        ...


class Sweep:
    """The use case."""

    def __init__(self, waiting: Waiting, settings: SettingsReader, meter: Meter) -> None:
        self._waiting = waiting
        self._settings = settings
        self._meter = meter

    async def run(self) -> None:
        """One sweep."""
        stranded = await self._waiting.publish_stranded()
        if stranded:
            self._meter.add(Counted.SWEEP_FOUND, stranded)
            log.warning("sweep.found", chats=stranded)
        keep = await self._settings.latest()
        days = (
            keep.retention_updates_days,
            keep.retention_journal_days,
            keep.retention_job_log_days,
        )
        while await self._waiting.prune(*days):
            pass

    async def publish_waiting(self, bot_id: int) -> None:
        """The bot was enabled: its chats go on."""
        published = await self._waiting.publish_waiting(bot_id)
        if published:
            log.info("sweep.bot_enabled", bot=bot_id, chats=published)
