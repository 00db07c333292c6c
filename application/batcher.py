"""Many callers, one flush: the micro-batcher behind intake and react (DESIGN §2, SPEED.md).

`await batcher.put(item)` returns the item's own result. A flush takes whoever is ready at the next
tick of the loop, `limit` at most and one of each key; while it runs, the next batch gathers. There
is no timer: a single caller waits for one flush only.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")

Flush = Callable[[Sequence[I]], Awaitable[Sequence[R | Exception]]]
"""Handles a batch; one result, or one exception, for each item, in order."""


class Batcher(Generic[I, R]):
    """Gathers concurrent puts into flushes, one flush at a time."""

    def __init__(
        self,
        flush: Flush[I, R],
        limit: int = 200,
        key: Callable[[I], Hashable] | None = None,
    ) -> None:
        self._flush = flush
        self._limit = limit
        self._key = key
        self._waiting: deque[tuple[I, asyncio.Future[R]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def put(self, item: I) -> R:
        """The item's result. Raises what its flush raised or returned for it."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            # It works for many, so it takes nobody's context variables along: the first caller's
            # bot and chat would else stand in the lines of all.
            self._task = asyncio.create_task(self._run(), context=Context())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)
                await self._flush_one(self._next_batch())
        finally:
            self._task = None

    def _next_batch(self) -> list[tuple[I, asyncio.Future[R]]]:
        batch: list[tuple[I, asyncio.Future[R]]] = []
        later: list[tuple[I, asyncio.Future[R]]] = []
        seen: set[Hashable] = set()
        while self._waiting and len(batch) < self._limit:
            entry = self._waiting.popleft()
            if entry[1].done():  # its caller was cancelled before anything was done for it
                continue
            if self._key is not None:
                key = self._key(entry[0])
                if key in seen:
                    later.append(entry)
                    continue
                seen.add(key)
            batch.append(entry)
        self._waiting.extendleft(reversed(later))
        return batch

    async def _flush_one(self, batch: list[tuple[I, asyncio.Future[R]]]) -> None:
        if not batch:
            return
        results: Sequence[R | Exception]
        try:
            results = await self._flush([item for item, _ in batch])
            if len(results) != len(batch):
                raise ValueError(f"{len(results)} results for {len(batch)} items")
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            if (task := asyncio.current_task()) is not None and task.cancelling():
                for _, future in self._waiting:
                    future.cancel()
                raise
            return
        except Exception as error:  # noqa: BLE001 - it is the callers' to handle, each its own
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
