"""Telegram's limits, kept by several workers together through one Valkey."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import pytest
from valkey.asyncio import Valkey

from adapters.valkey_send_limits import GROUP, LONGEST, PRIVATE, SLOT, ValkeySendLimits
from adapters.valkey_sessions import valkey_client
from application.meter import Counted
from application.ports import TelegramAccess
from tests.application.memory_meter import MemoryMeter

URL = "https://api.telegram.org"
_bots = itertools.count(1)


@pytest.fixture
def access() -> TelegramAccess:
    return TelegramAccess(next(_bots), "1:t", URL)


@pytest.fixture
def meter() -> MemoryMeter:
    return MemoryMeter()


def always(_: str) -> bool:
    return True


@pytest.fixture
def limits(valkey: Valkey, meter: MemoryMeter) -> ValkeySendLimits:
    return ValkeySendLimits(valkey, always, meter)


async def sends(hold: Callable[[], object], count: int) -> list[float]:
    """The seconds after which each of so many concurrent sends went out."""
    began = time.monotonic()

    async def one() -> float:
        assert await hold() == 0  # type: ignore[misc]
        return time.monotonic() - began

    return sorted(await asyncio.gather(*(one() for _ in range(count))))


async def waited(limits: ValkeySendLimits, access: TelegramAccess, chat: int) -> float:
    """The seconds for which a message of the chat is held back."""
    began = time.monotonic()
    assert await limits.hold(access, chat) == 0
    return time.monotonic() - began


async def end(tasks: Iterable[asyncio.Task[float] | asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def spaced(moments: list[float], interval: float, burst: int) -> bool:
    """Whether a burst and what follows it are an interval apart, as far as a loop can tell."""
    pairs = zip(moments, moments[burst:], strict=False)
    return all(later - earlier > interval - 0.1 for earlier, later in pairs)


def most_within(moments: list[float], seconds: float) -> int:
    return max(sum(start <= at < start + seconds for at in moments) for start in moments)


async def test_a_bot_sends_thirty_a_second_evenly(
    valkey: Valkey, access: TelegramAccess, meter: MemoryMeter
) -> None:
    workers = itertools.cycle([ValkeySendLimits(valkey, always, meter) for _ in range(2)])
    chats = itertools.count(1)
    moments = await sends(lambda: next(workers).hold(access, next(chats)), 60)
    assert 60 * SLOT - 0.1 <= moments[-1] < 4
    # A loop that was busy may let a few out together: their places were reserved evenly.
    assert most_within(moments, 0.5) <= 20
    assert meter.counted[Counted.SENDS_HELD_BACK] >= 55


async def test_a_private_chat_has_a_small_burst_and_then_one_a_second(
    limits: ValkeySendLimits, access: TelegramAccess
) -> None:
    moments = await sends(lambda: limits.hold(access, 42), PRIVATE.burst + 1)
    assert moments[PRIVATE.burst - 1] < 0.5
    assert 0.8 <= moments[-1] < 1.8


def test_no_second_has_more_than_thirty_slots() -> None:
    """A second that begins within a slot reaches into one more than it is long."""
    assert 1 / SLOT + 1 <= 30


def test_a_group_hears_at_most_twenty_in_any_minute() -> None:
    assert GROUP.burst + 60 / GROUP.interval <= 20


async def test_a_group_waits_longer(limits: ValkeySendLimits, access: TelegramAccess) -> None:
    moments = await sends(lambda: limits.hold(access, -100), GROUP.burst)
    assert moments[-1] < 1
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(limits.hold(access, -100), 0.5)


async def test_who_would_wait_too_long_is_told_when_to_come_back(
    limits: ValkeySendLimits, access: TelegramAccess, valkey: Valkey
) -> None:
    assert await limits.hold(access, 7) == 0
    (line,) = await valkey.keys(f"kotodom:sends:{access.bot_id}")
    ((_, first),) = await valkey.zrange(line, 0, -1, withscores=True)
    taken = range(int(first), int(first + LONGEST * 2 / SLOT))
    await valkey.zadd(line, {str(slot): slot for slot in taken})
    assert LONGEST < await limits.hold(access, 42) <= LONGEST * 2
    assert await valkey.zcard(line) == len(taken)
    assert await valkey.keys(f"kotodom:sends:{access.bot_id}:42") == []


async def test_a_chat_that_would_wait_too_long_takes_nothing_of_its_bots(
    limits: ValkeySendLimits, access: TelegramAccess, valkey: Valkey
) -> None:
    fits = GROUP.burst + int(LONGEST / GROUP.interval)
    topics = [asyncio.create_task(limits.hold(access, -100)) for _ in range(fits + 3)]
    await asyncio.sleep(0.5)
    told = [after for task in topics if task.done() and (after := task.result())]
    assert len(told) == 3
    assert all(LONGEST < after <= LONGEST + 2 * GROUP.interval for after in told)
    assert await valkey.zcard(f"kotodom:sends:{access.bot_id}") == fits
    await end(topics)


async def test_a_group_that_waits_holds_up_nobody_else(
    limits: ValkeySendLimits, access: TelegramAccess
) -> None:
    group = [asyncio.create_task(limits.hold(access, -100)) for _ in range(GROUP.burst + 1)]
    await asyncio.sleep(0.3)
    assert [task.done() for task in group].count(False) == 1
    waits = [await waited(limits, access, chat) for chat in range(1, 4)]
    assert max(waits) < 0.3
    await end(group)


async def test_a_forum_of_twenty_topics_holds_up_nobody_else(
    limits: ValkeySendLimits, access: TelegramAccess
) -> None:
    topics = [asyncio.create_task(limits.hold(access, -100)) for _ in range(20)]
    await asyncio.sleep(0.3)
    assert [task.done() for task in topics].count(False) == 20 - GROUP.burst
    assert await waited(limits, access, 1) < 0.3
    await end(topics)


async def test_an_answer_of_many_parts_holds_up_nobody_else(
    limits: ValkeySendLimits, access: TelegramAccess
) -> None:
    async def parts() -> None:
        for _ in range(6):
            await limits.hold(access, 42)

    answer = asyncio.create_task(parts())
    waits = []
    for chat in range(100, 125):
        waits.append(await waited(limits, access, chat))
        await asyncio.sleep(0.1)
    assert not answer.done()
    assert max(waits) < 0.3
    await end([answer])


async def test_a_mix_keeps_every_limit_and_each_chats_order(
    valkey: Valkey, access: TelegramAccess, meter: MemoryMeter
) -> None:
    """Groups and private chats with more than they may, and a crowd beside them."""
    limits = ValkeySendLimits(valkey.client(), always, meter)  # one connection keeps the order
    left: defaultdict[int, list[float]] = defaultdict(list)
    order: defaultdict[int, list[int]] = defaultdict(list)

    async def one(chat: int, number: int) -> None:
        assert await limits.hold(access, chat) == 0
        left[chat].append(time.monotonic())
        order[chat].append(number)

    busy = [chat for chat in (-1, -2, 1, 2) for _ in range(8)]
    crowd = range(1000, 1120)
    began = time.monotonic()
    sending = [asyncio.create_task(one(chat, at)) for at, chat in enumerate([*busy, *crowd])]
    await asyncio.sleep(6.5)
    assert max(left[chat][0] for chat in crowd) - began < 150 / 30 + 0.5
    for chat in (1, 2):
        assert len(left[chat]) == 8
        assert spaced(left[chat], PRIVATE.interval, PRIVATE.burst)
        assert order[chat][PRIVATE.burst :] == sorted(order[chat][PRIVATE.burst :])
    for chat in (-1, -2):
        assert len(left[chat]) == GROUP.burst + 1
        assert spaced(left[chat], GROUP.interval, GROUP.burst)
    assert most_within(sorted(itertools.chain(*left.values())), 0.5) <= 20
    await end(sending)


async def test_bots_and_chats_have_lines_of_their_own(
    limits: ValkeySendLimits, access: TelegramAccess
) -> None:
    for chat in range(1, 5):
        await asyncio.gather(*(limits.hold(access, chat) for _ in range(PRIVATE.burst)))
    other = TelegramAccess(next(_bots), "2:t", URL)
    assert (await sends(lambda: limits.hold(other, 1), 1))[0] < 0.5


async def test_a_server_without_limits_has_none(valkey: Valkey, meter: MemoryMeter) -> None:
    limits = ValkeySendLimits(valkey, lambda url: url == URL, meter)
    stand_in = TelegramAccess(next(_bots), "1:t", "http://127.0.0.1:1")
    assert (await sends(lambda: limits.hold(stand_in, 42), 50))[-1] < 0.5
    assert not meter.counted


async def test_with_valkey_away_nothing_is_held_back(
    meter: MemoryMeter, access: TelegramAccess
) -> None:
    client = valkey_client("redis://127.0.0.1:9")
    limits = ValkeySendLimits(client, always, meter)
    assert (await sends(lambda: limits.hold(access, 42), 50))[-1] < 1
    await client.aclose()
