"""The sweep, each minute: chats whose line may be served and that nobody serves get a job.

With nothing deleted by hand it finds nothing; `found` says when it did. A superfluous job is
harmless: its worker finds the chat owned, or its line empty. Retention is swept along, in batches.
"""

from typing import Protocol

import structlog

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

    async def prune(self) -> int:
        """Delete a batch of what retention says may go; how many rows went."""
        ...


class Sweep:
    """The use case."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self.found = 0

    async def run(self) -> None:
        """One sweep."""
        stranded = await self._waiting.publish_stranded()
        if stranded:
            self.found += stranded
            log.warning("sweep.found", chats=stranded)
        while await self._waiting.prune():
            pass

    async def publish_waiting(self, bot_id: int) -> None:
        """The bot was enabled: its chats go on."""
        published = await self._waiting.publish_waiting(bot_id)
        if published:
            log.info("sweep.bot_enabled", bot=bot_id, chats=published)
