"""Erasure: what was a deleted bot's, or names a deleted chat, goes afterwards, in batches.

Triggered by each worker, every few seconds; one of them does the work, and goes on where another
was killed. The bot's row, or the chat with its messages, is gone by then, so that nobody sees what
is left: a turn of such a bot finds no chat and does nothing, intake takes no update for it.
"""

import asyncio
from typing import Protocol

import structlog

log = structlog.get_logger("erasure")

EVERY = 5.0
"""Seconds between two looks."""
PAUSE = 0.02
"""Seconds between two batches: messages go first."""


class Remains(Protocol):
    """What is still to be erased."""

    async def erase(self) -> int | None:
        """A batch, in one transaction, unless another worker is at it; how many rows went.

        None: nothing is left, or nothing can go now. Raises Unavailable.
        """
        ...


class Erasure:
    """The use case."""

    def __init__(self, remains: Remains) -> None:
        self._remains = remains

    async def run(self) -> None:
        """Erase all that can go. Raises Unavailable."""
        total = 0
        while (erased := await self._remains.erase()) is not None:
            total += erased
            await asyncio.sleep(PAUSE)
        if total:
            log.info("erasure.erased", rows=total)
