"""What tallies come to: days without gaps, bots by size, percentiles from buckets."""

import asyncio
import math
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from application.statistics import (
    BUCKETS,
    Figures,
    Statistics,
    StatsFilter,
    Tally,
    percentile,
    stats,
)
from domain.access import Actor, Role
from domain.turn import Status

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)


def _bucket(seconds: float) -> int:
    return math.floor(BUCKETS * math.log(seconds))


def test_a_percentile_is_within_a_hundredth_of_the_exact_one() -> None:
    chance = random.Random(7)
    times = sorted(chance.lognormvariate(1, 1) for _ in range(10_000))
    buckets: dict[int, int] = {}
    for each in times:
        buckets[_bucket(each)] = buckets.get(_bucket(each), 0) + 1
    for share in (0.5, 0.95, 1.0):
        exact = times[math.ceil(share * len(times)) - 1]
        assert percentile(buckets, share) == pytest.approx(exact, rel=0.016)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile({}, 0.5) is None


def test_days_and_bots() -> None:
    def tally(day: date | None, bot: int | None, status: Status, seconds: float | None) -> Tally:
        answers = {_bucket(seconds): 2} if seconds is not None else {}
        return Tally(day, bot, status, 2, 10, 20, Decimal("0.25"), answers)

    completed, terminal = Status.COMPLETED, Status.TERMINAL
    found = stats(
        MONDAY,
        WEDNESDAY,
        [
            tally(MONDAY, None, completed, 2),
            tally(WEDNESDAY, None, completed, 8),
            tally(WEDNESDAY, None, terminal, None),
            tally(None, 7, terminal, None),
            tally(None, 9, completed, 2),
            tally(None, 9, completed, 8),
        ],
        {7: "Seven", 9: "Nine"},
    )
    none = dict.fromkeys(Status, 0)
    assert [day.day for day in found.days] == [MONDAY, TUESDAY, WEDNESDAY]
    assert [day.messages for day in found.days] == [2, 0, 4]
    assert found.days[1].statuses == none
    assert found.days[1].answer_seconds_p50 is None
    assert [(bot.bot_id, bot.name, bot.messages) for bot in found.bots] == [
        (9, "Nine", 4),
        (7, "Seven", 2),
    ]
    assert found.total == Figures(
        messages=6,
        statuses=none | {completed: 4, terminal: 2},
        answer_seconds_p50=pytest.approx(2, rel=0.016),  # type: ignore[arg-type]
        answer_seconds_p95=pytest.approx(8, rel=0.016),  # type: ignore[arg-type]
        input_tokens=30,
        output_tokens=60,
        price=0.75,
    )


class _World:
    """A repository with one bot, a cache and a clock, that remember what they were asked."""

    def __init__(self) -> None:
        self.counted: list[StatsFilter] = []
        self.kept: dict[str, bytes] = {}
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def tallies(self, owner: str | None, asked: StatsFilter) -> Sequence[Tally]:
        self.counted.append(asked)
        self.asked.set()
        await self.go_on.wait()
        return []

    async def bot_names(self, owner: str | None) -> Mapping[int, str]:
        return {7: "Seven"}

    async def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    async def put(self, key: str, value: bytes, seconds: int) -> None:
        self.kept[key] = value

    def now(self) -> datetime:
        return datetime(2026, 11, 25, 12, tzinfo=UTC)

    def jitter(self) -> float:
        return 1.0


ADMIN = Actor("00000000-0000-0000-0000-000000000001", "ann@example.org", Role.ADMIN)


async def test_those_who_ask_meanwhile_wait_for_the_same_count() -> None:
    world = _World()
    statistics = Statistics(world, world, world)
    asking = [asyncio.create_task(statistics.of(ADMIN, 3, 7)) for _ in range(12)]
    await world.asked.wait()
    world.go_on.set()
    assert len(set(await asyncio.gather(*asking))) == 1
    assert world.counted == [StatsFilter(MONDAY, WEDNESDAY, 7)]
    await statistics.of(ADMIN, 2, 7)
    assert len(world.counted) == 2


@pytest.mark.parametrize("bot_id", [8, 0, -1, 2**63, 10**4000])
async def test_of_an_unknown_bot_nothing_is_asked_and_nothing_kept(bot_id: int) -> None:
    world = _World()
    assert b'"messages":0' in await Statistics(world, world, world).of(ADMIN, 3, bot_id)
    assert (world.counted, world.kept) == ([], {})
