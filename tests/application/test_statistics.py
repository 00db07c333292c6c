"""What tallies come to: days without gaps, bots by size, percentiles from buckets."""

import math
import random
from datetime import date
from decimal import Decimal

import pytest

from application.statistics import BUCKETS, Figures, Tally, percentile, stats
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
        bucket = _bucket(seconds) if seconds is not None else None
        return Tally(day, bot, status, bucket, 2, 10, 20, Decimal("0.25"))

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
