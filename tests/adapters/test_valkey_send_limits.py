"""Telegram's limits, kept by several workers together through one Valkey."""

import asyncio
import itertools
import time
from collections.abc import Callable

import pytest
from valkey.asyncio import Valkey

from adapters.valkey_send_limits import BOT, GROUP, LONGEST, PRIVATE, Limit, ValkeySendLimits
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


def most_within(moments: list[float], seconds: float) -> int:
    return max(sum(start <= at < start + seconds for at in moments) for start in moments)


async def test_a_bot_sends_thirty_a_second_evenly(
    valkey: Valkey, access: TelegramAccess, meter: MemoryMeter
) -> None:
    workers = itertools.cycle([ValkeySendLimits(valkey, always, meter) for _ in range(2)])
    chats = itertools.count(1)
    moments = await sends(lambda: next(workers).hold(access, next(chats)), 60)
    assert 1.9 <= moments[-1] < 4
    # A loop that was busy may let a few out together: their places were reserved evenly.
    assert most_within(moments, 0.5) <= 20
    assert meter.counted[Counted.SENDS_HELD_BACK] >= 55


async def test_a_private_chat_has_a_small_burst_and_then_one_a_second(
    limits: ValkeySendLimits, access: TelegramAccess
) -> None:
    moments = await sends(lambda: limits.hold(access, 42), PRIVATE.burst + 1)
    assert moments[PRIVATE.burst - 1] < 0.5
    assert 0.8 <= moments[-1] < 1.8


async def test_a_group_hears_at_most_twenty_in_any_minute() -> None:
    assert GROUP.burst + 60 / GROUP.interval <= 20
    assert Limit(1 / 30, 1) == BOT


async def test_a_group_waits_longer(limits: ValkeySendLimits, access: TelegramAccess) -> None:
    moments = await sends(lambda: limits.hold(access, -100), GROUP.burst)
    assert moments[-1] < 1
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(limits.hold(access, -100), 0.5)


async def test_who_would_wait_too_long_is_told_when_to_come_back(
    limits: ValkeySendLimits, access: TelegramAccess, valkey: Valkey
) -> None:
    seconds, micro = await valkey.time()
    full = (seconds + LONGEST * 2) * 1_000_000 + micro
    await valkey.set(f"kotodom:sends:{access.bot_id}", int(full))
    after = await limits.hold(access, 42)
    assert LONGEST < after <= LONGEST * 2
    assert await valkey.get(f"kotodom:sends:{access.bot_id}") == str(int(full)).encode()


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
