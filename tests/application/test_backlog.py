"""How much of a bot may wait, and that what is turned away is counted and kept by nobody."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from application.backlog import COUNTED_EVERY, Backlog, BacklogFull
from application.intake import Inbox, InboxState, Incoming, Intake, Receipt
from application.jobs import Unavailable
from application.meter import Counted
from tests.application.memory_meter import MemoryMeter


class World(Inbox):
    """The inbox, what it says of its lines, and the clock."""

    def __init__(self, *waiting: tuple[int, int]) -> None:
        self.lines: Mapping[int, int] = dict(waiting)
        self.at = datetime(2026, 11, 24, tzinfo=UTC)
        self.looks = 0
        self.away = False

    async def waiting(self) -> Mapping[int, int]:
        self.looks += 1
        return self.lines

    async def insert(self, updates: Sequence[Incoming]) -> Sequence[Receipt]:
        if self.away:
            raise Unavailable("PostgreSQL is away")
        return [Receipt.KEPT] * len(updates)

    def now(self) -> datetime:
        return self.at

    def jitter(self) -> float:
        return 0.5


def update(bot_id: int = 1, payload: str = "{}") -> Incoming:
    return Incoming(bot_id, 7, payload, f"{bot_id}:42", InboxState.WAITING)


async def keep(intake: Intake, one: Incoming) -> Receipt:
    """Keep it, once a look at the lines that was due has been taken."""
    (receipt,) = await intake.keep([one])
    await asyncio.sleep(0)
    return receipt


async def test_a_full_line_turns_its_own_bots_updates_away() -> None:
    world, meter = World((1, 3)), MemoryMeter()
    intake = Intake(world, Backlog(world, world, max_waiting=3), meter)
    assert await keep(intake, update(2)) is Receipt.KEPT
    with pytest.raises(BacklogFull, match="3 updates of the bot wait"):
        await keep(intake, update(1))
    assert await keep(intake, update(2)) is Receipt.KEPT
    assert meter.counted == {Counted.UPDATES_TURNED_AWAY: 1, Counted.UPDATES_KEPT: 2}


async def test_what_comes_between_two_looks_counts() -> None:
    world = World((1, 1))
    intake = Intake(world, Backlog(world, world, max_waiting=3), MemoryMeter())
    await keep(intake, update(2))
    await keep(intake, update())
    await keep(intake, update())
    with pytest.raises(BacklogFull):
        await keep(intake, update())
    assert world.looks == 1


async def test_a_line_that_got_shorter_lets_in_again() -> None:
    world = World((1, 9))
    intake = Intake(world, Backlog(world, world, max_waiting=3), MemoryMeter())
    await keep(intake, update(2))
    with pytest.raises(BacklogFull):
        await keep(intake, update())
    world.lines, world.at = {}, world.at + COUNTED_EVERY - timedelta(milliseconds=1)
    with pytest.raises(BacklogFull):
        await keep(intake, update())
    world.at += timedelta(milliseconds=1)
    await keep(intake, update(2))
    assert await keep(intake, update()) is Receipt.KEPT


async def test_memory_is_bounded_and_given_back() -> None:
    world = World()
    intake = Intake(world, Backlog(world, world, max_pending_bytes=10), MemoryMeter())
    with pytest.raises(BacklogFull, match="more updates come in than can be kept"):
        await keep(intake, update(payload="x" * 11))
    world.away = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            await keep(intake, update(payload="x" * 10))
    world.away = False
    assert await keep(intake, update(payload="x" * 10)) is Receipt.KEPT
