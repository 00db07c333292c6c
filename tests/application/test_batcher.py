"""The micro-batcher: who shares a flush, who hears of what, and that nobody waits for ever."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.batcher import Batcher


class Flushes:
    """What was flushed; a flush waits for `gate`, and answers each item with its double."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.running = 0

    async def __call__(self, items: Sequence[int]) -> Sequence[int | Exception]:
        assert self.running == 0, "two flushes at once"
        self.running += 1
        self.batches.append(list(items))
        await self.gate.wait()
        self.running -= 1
        return [ValueError(item) if item < 0 else 2 * item for item in items]


async def test_one_caller_waits_for_one_flush() -> None:
    flushes = Flushes()
    assert await Batcher(flushes).put(21) == 42
    assert flushes.batches == [[21]]


async def test_who_is_ready_at_the_same_tick_shares_a_flush() -> None:
    flushes = Flushes()
    batcher = Batcher(flushes)
    assert await asyncio.gather(*map(batcher.put, range(5))) == [0, 2, 4, 6, 8]
    assert flushes.batches == [[0, 1, 2, 3, 4]]


async def test_while_a_flush_runs_the_next_gathers() -> None:
    flushes = Flushes()
    batcher = Batcher(flushes)
    flushes.gate.clear()
    callers = [asyncio.create_task(batcher.put(1))]
    await settled()
    callers += [asyncio.create_task(batcher.put(item)) for item in (2, 3)]
    await settled()
    assert flushes.batches == [[1]]
    flushes.gate.set()
    assert await asyncio.gather(*callers) == [2, 4, 6]
    assert flushes.batches == [[1], [2, 3]]


async def test_a_flush_has_a_limit_and_the_rest_follows_in_order() -> None:
    flushes = Flushes()
    batcher = Batcher(flushes, limit=3)
    assert await asyncio.gather(*map(batcher.put, range(7))) == [0, 2, 4, 6, 8, 10, 12]
    assert flushes.batches == [[0, 1, 2], [3, 4, 5], [6]]


async def test_of_each_key_one_is_in_a_flush_and_each_keys_order_stays() -> None:
    flushes = Flushes()
    batcher = Batcher(flushes, key=lambda item: item % 10)
    await asyncio.gather(*map(batcher.put, [1, 11, 2, 21, 3, 12]))
    assert flushes.batches == [[1, 2, 3], [11, 12], [21]]


async def test_each_hears_its_own_failure() -> None:
    batcher = Batcher(Flushes())
    results = await asyncio.gather(*map(batcher.put, [1, -2, 3]), return_exceptions=True)
    assert [results[0], results[2]] == [2, 6]
    assert isinstance(results[1], ValueError)


async def test_a_flush_that_fails_is_everybodys_failure_and_the_next_goes_on() -> None:
    async def flush(items: Sequence[int]) -> Sequence[int | Exception]:
        if 0 in items:
            raise OSError("the database is away")
        return list(items)

    batcher = Batcher(flush)
    results = await asyncio.gather(*map(batcher.put, [0, 1, 2]), return_exceptions=True)
    assert [type(result) for result in results] == [OSError] * 3
    assert await batcher.put(1) == 1


async def test_a_caller_that_is_cancelled_before_its_flush_is_left_out() -> None:
    flushes = Flushes()
    batcher = Batcher(flushes)
    flushes.gate.clear()
    first, second, third = (asyncio.create_task(batcher.put(item)) for item in (1, 2, 3))
    second.cancel()
    await settled()
    flushes.gate.set()
    assert await asyncio.gather(first, third) == [2, 6]
    assert [item for batch in flushes.batches for item in batch] == [1, 3]


async def test_a_caller_that_is_cancelled_during_its_flush_stops_nobody() -> None:
    flushes = Flushes()
    batcher = Batcher(flushes)
    flushes.gate.clear()
    first, second = (asyncio.create_task(batcher.put(item)) for item in (1, 2))
    await settled()
    first.cancel()
    await settled()
    flushes.gate.set()
    assert await second == 4
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await batcher.put(3) == 6


async def test_a_flush_that_is_cancelled_leaves_nobody_waiting() -> None:
    async def flush(items: Sequence[int]) -> Sequence[int | Exception]:
        raise asyncio.CancelledError

    batcher = Batcher(flush, limit=1)
    callers = [asyncio.create_task(batcher.put(item)) for item in (1, 2)]
    done, waiting = await asyncio.wait(callers, timeout=1)
    for caller in waiting:
        caller.cancel()
    assert (len(done), len(waiting)) == (2, 0)


async def test_a_result_too_few_leaves_nobody_waiting() -> None:
    async def flush(items: Sequence[int]) -> Sequence[int | Exception]:
        return list(items)[1:]

    batcher = Batcher(flush)
    callers = [asyncio.create_task(batcher.put(item)) for item in (1, 2)]
    _, waiting = await asyncio.wait(callers, timeout=1)
    for caller in waiting:
        caller.cancel()
    assert not waiting


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 3), st.booleans()), max_size=40),
    st.integers(1, 5),
)
def test_any_callers_are_all_answered(callers: list[tuple[int, int, bool]], limit: int) -> None:
    """Each puts an item after some ticks, and may be cancelled; nobody's answer is another's."""

    async def run() -> None:
        flushes = Flushes()
        batcher = Batcher(flushes, limit=limit, key=lambda item: item)
        tasks = [asyncio.create_task(later(batcher.put, item, ticks)) for item, ticks, _ in callers]
        await asyncio.sleep(0)
        for task, (_, _, cancelled) in zip(tasks, callers, strict=True):
            if cancelled:
                task.cancel()
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        for result, (item, _, cancelled) in zip(results, callers, strict=True):
            if isinstance(result, asyncio.CancelledError):
                assert cancelled
            elif item < 0:
                assert isinstance(result, ValueError)
                assert result.args == (item,)
            else:
                assert result == 2 * item
        assert all(len(batch) <= limit for batch in flushes.batches)
        assert all(len(batch) == len(set(batch)) for batch in flushes.batches)

    asyncio.run(run())


async def later(put: Callable[[int], Awaitable[int]], item: int, ticks: int) -> int:
    for _ in range(ticks):
        await asyncio.sleep(0)
    return await put(item)


async def settled() -> None:
    """Let everybody run who can."""
    for _ in range(10):
        await asyncio.sleep(0)
