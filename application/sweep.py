"""The sweep, each minute: chats whose line may be served and that nobody serves get a job.

With nothing deleted by hand it finds nothing; a counter says when it did. A superfluous job is
harmless: its worker finds the chat owned, or its line empty.
"""

from typing import Protocol

import structlog

from application.meter import Counted, Meter

log = structlog.get_logger("sweep")

EVERY = 60.0
"""Seconds between two sweeps."""


class Waiting(Protocol):
    """What PostgreSQL knows of chats that wait."""

    async def publish_stranded(self) -> int:
        """Publish a job for each chat without a living owner that has something to do."""
        ...

    async def publish_waiting(self, bot_id: int) -> int:
        """Publish a job for each chat of the bot whose line waits."""
        ...


class Sweep:
    """The use case."""

    def __init__(self, waiting: Waiting, meter: Meter) -> None:
        self._waiting = waiting
        self._meter = meter

    async def run(self) -> None:
        """One sweep."""
        stranded = await self._waiting.publish_stranded()
        if stranded:
            self._meter.add(Counted.SWEEP_FOUND, stranded)
            log.warning("sweep.found", chats=stranded)

    async def publish_waiting(self, bot_id: int) -> None:
        """The bot was enabled: its chats go on."""
        published = await self._waiting.publish_waiting(bot_id)
        if published:
            log.info("sweep.bot_enabled", bot=bot_id, chats=published)
