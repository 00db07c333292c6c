"""News inside the sandbox: `Pulse` wakes whoever waits for a change, `Feed` tells the page.

The stand-ins publish to the feed what the page shows (messages, typing, calls, faults); with no
page open a publication costs one comparison.
"""

import asyncio

# A page that has fallen this far behind is told to load everything anew.
BACKLOG = 2000


class Pulse:
    """Wakes everybody who waits now; who comes later waits for the next one."""

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def fire(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, seconds: float | None = None) -> bool:
        """True when fired, False when `seconds` passed first."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except TimeoutError:
            return False
        return True


class Feed:
    """Publications to any number of listeners; each has a bounded queue of its own."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[dict[str, object] | None]] = set()

    def publish(self, kind: str, **what: object) -> None:
        for queue in self._listeners:
            if queue.qsize() < BACKLOG:
                queue.put_nowait({"type": kind, **what})
            elif queue.qsize() == BACKLOG:
                queue.put_nowait({"type": "reload"})

    @property
    def watched(self) -> bool:
        return bool(self._listeners)

    def listen(self) -> asyncio.Queue[dict[str, object] | None]:
        """A queue of publications; None in it means that the sandbox is closing."""
        queue: asyncio.Queue[dict[str, object] | None] = asyncio.Queue()
        self._listeners.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[dict[str, object] | None]) -> None:
        self._listeners.discard(queue)

    def close(self) -> None:
        for queue in self._listeners:
            queue.put_nowait(None)
