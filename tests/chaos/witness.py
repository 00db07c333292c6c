"""What arrived at Telegram's stand-in, in the order of its arrival.

Triggered by every message that a bot sends during the run: it listens to the stand-in's feed,
because the chats themselves keep only their newest messages.
"""

import asyncio
import contextlib
import re
import time
from types import TracebackType
from typing import Self

from msgspec import Struct

from entrypoints.sandbox.server import SandboxServer

_WORD = re.compile(r"m(\d+)(w\d+|end)")


def number_in(text: str) -> int | None:
    """The number of the message whose answer the text is of, by its first word."""
    found = _WORD.match(text)
    return int(found[1]) if found else None


class Arrival(Struct, frozen=True):
    """A part that a bot sent; `at` is Unix time."""

    telegram_bot: int
    chat: int
    text: str
    at: float

    @property
    def number(self) -> int | None:
        """The message that it answers; None: it is no answer of the model's."""
        return number_in(self.text)


class Witness:
    """Listens for as long as its context lasts."""

    def __init__(self, sandbox: SandboxServer) -> None:
        self._feed = sandbox.feed
        self._task: asyncio.Task[None] | None = None
        self._ended: set[str] = set()
        self.arrivals: list[Arrival] = []

    @property
    def answered(self) -> int:
        """How many messages were answered to the last word."""
        return len(self._ended)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen())
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        """Raises RuntimeError where it missed something: its judgement would be worth nothing."""
        queue = self._feed.listen()
        try:
            while (news := await queue.get()) is not None:
                match news:
                    case {"type": "reload"}:
                        raise RuntimeError("the witness fell behind the stand-in's feed")
                    case {
                        "type": "message",
                        "bot": int(bot),
                        "chat": int(chat),
                        "message": {"from": {"is_bot": True}, "text": str(text)},
                    }:
                        self._note(Arrival(bot, chat, text, time.time()))
        finally:
            self._feed.leave(queue)

    def _note(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)
        if arrival.text.endswith("end"):
            self._ended.add(arrival.text.split()[-1])
