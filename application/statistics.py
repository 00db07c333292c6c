"""Statistics: messages a day and a bot, how they ended, how soon they were answered, what it cost.

Triggered by the HTTP API. Days are UTC's. Answers are kept for 30 seconds, and days that are over
counted once (DayCounting), so that of a million messages only today's are looked at. Times to
answer are counted in buckets 2 % wide: a percentile takes one pass and no sorting.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextvars import Context
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta, Struct, field

from application.paging import known_id
from application.ports import Clock
from domain.access import Actor, owner_filter
from domain.turn import Status

KEPT_SECONDS = 30
LONGEST_DAYS = 90
EVERY = 600.0
"""Seconds between two looks for days to count."""
PAUSE = 0.05
"""Seconds between two of them: messages go first."""
OVER_AFTER = timedelta(minutes=10)
"""After midnight: by then the last message of a day is there, whatever the workers' clocks say."""
BUCKETS = 50
"""Of time to answer: the bucket of t seconds is floor(BUCKETS * ln(t)), 2 % wide."""


class Tally(Struct, frozen=True):
    """Messages of one day (or of one bot: the other is None) with one status.

    `answers`: how many of them were answered in the time of each bucket.
    """

    day: date | None
    bot_id: int | None
    status: Status
    messages: int
    input_tokens: int
    output_tokens: int
    price: Decimal | None
    answers: Mapping[int, int]


class StatsFilter(Struct, frozen=True):
    """Messages of these days, both included, of one bot or of all."""

    since: date
    until: date
    bot_id: int | None = None


class StatsRepository(Protocol):
    """Where messages are kept. `owner` narrows to one user's bots. Raises Unavailable."""

    async def tallies(self, owner: str | None, asked: StatsFilter) -> Sequence[Tally]:
        """By day, and by bot."""
        ...

    async def bot_names(self, owner: str | None) -> Mapping[int, str]: ...


class Calendar(Protocol):
    """Where days that are over are counted, once: statistics add them up. Raises Unavailable."""

    async def count(self, first: date, last: date) -> int:
        """Some of what is not counted yet of these days, unless another worker is at it; how many
        days, of all bots or of one. 0: nothing is left, or can be counted now.
        """
        ...


class Kept(Protocol):
    """Answers that are kept for a while; nothing is where the cache is away."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, seconds: int) -> None: ...


_EACH_STATUS = {
    "properties": {status.value: {"type": "integer"} for status in Status},
    "required": [status.value for status in Status],
}


class Figures(Struct, frozen=True, rename="camel"):
    """Of `messages` so many have each status. Seconds from a message's coming until its answer was
    sent: the median, and what 95 % stay below (to 1 %). `price` in US dollars, where it is known.
    """

    messages: int
    statuses: Annotated[dict[Status, int], Meta(extra_json_schema=_EACH_STATUS)]
    answer_seconds_p50: float | None
    answer_seconds_p95: float | None
    input_tokens: int
    output_tokens: int
    price: float


class DayFigures(Figures, frozen=True, rename="camel", kw_only=True):
    """One day's."""

    day: date


class BotFigures(Figures, frozen=True, rename="camel", kw_only=True):
    """One bot's."""

    bot_id: int
    name: str


class Stats(Struct, frozen=True, rename="camel"):
    """All days and, by number of messages, all bots that had some."""

    since: date = field(name="from")
    until: date = field(name="to")
    total: Figures
    days: list[DayFigures]
    bots: list[BotFigures]


class Statistics:
    """The use case."""

    def __init__(self, repository: StatsRepository, kept: Kept, clock: Clock) -> None:
        self._repository = repository
        self._kept = kept
        self._clock = clock
        self._counting: dict[str, asyncio.Task[bytes]] = {}

    async def of(self, actor: Actor, days: int, bot_id: int | None) -> bytes:
        """The Stats of the last `days` days, today's included, as JSON."""
        owner = owner_filter(actor)
        until = self._clock.now().astimezone(UTC).date()
        asked = StatsFilter(until - timedelta(days=days - 1), until, bot_id)
        if bot_id is not None and not await self._is_seen(owner, bot_id):
            return msgspec.json.encode(stats(asked.since, asked.until, (), {}))
        key = f"stats:{owner or 'all'}:{days}:{'all' if bot_id is None else bot_id}"
        found = await self._kept.get(key)
        if found is not None:
            return found
        counting = self._counting.get(key)
        if counting is None:  # those who come meanwhile wait for the same count
            counting = asyncio.create_task(self._counted(key, owner, asked), context=Context())
            self._counting[key] = counting
            counting.add_done_callback(lambda _: self._counting.pop(key))
        return await asyncio.shield(counting)

    async def _is_seen(self, owner: str | None, bot_id: int) -> bool:
        return known_id(bot_id) and bot_id in await self._repository.bot_names(owner)

    async def _counted(self, key: str, owner: str | None, asked: StatsFilter) -> bytes:
        tallies = await self._repository.tallies(owner, asked)
        names = await self._repository.bot_names(owner)
        found = msgspec.json.encode(stats(asked.since, asked.until, tallies, names))
        await self._kept.put(key, found, KEPT_SECONDS)
        return found


class DayCounting:
    """Days that are over are counted, once; statistics then read a row a bot and day.

    Triggered by each worker, now and then; one of them does the work.
    """

    def __init__(self, calendar: Calendar, clock: Clock) -> None:
        self._calendar = calendar
        self._clock = clock

    async def run(self) -> None:
        """Count all that is not counted yet. Raises Unavailable."""
        last = (self._clock.now() - OVER_AFTER).astimezone(UTC).date() - timedelta(days=1)
        first = last - timedelta(days=LONGEST_DAYS)
        while await self._calendar.count(first, last):  # noqa: ASYNC110 - no waiting, but a pause
            await asyncio.sleep(PAUSE)


def stats(since: date, until: date, tallies: Sequence[Tally], names: Mapping[int, str]) -> Stats:
    """What the tallies come to. Every day of the time is there, with or without messages."""
    by_day: dict[date, list[Tally]] = {
        since + timedelta(days=number): [] for number in range((until - since).days + 1)
    }
    by_bot: dict[int, list[Tally]] = {}
    for tally in tallies:
        if tally.day is not None:
            by_day.setdefault(tally.day, []).append(tally)  # midnight may have passed meanwhile
        elif tally.bot_id is not None:
            by_bot.setdefault(tally.bot_id, []).append(tally)
    bots = [
        BotFigures(**_figures(those), bot_id=bot_id, name=names.get(bot_id, ""))
        for bot_id, those in by_bot.items()
    ]
    days = [DayFigures(**_figures(those), day=day) for day, those in sorted(by_day.items())]
    total = Figures(**_figures([tally for those in by_day.values() for tally in those]))
    bots.sort(key=lambda bot: (-bot.messages, bot.bot_id))
    return Stats(since, until, total, days, bots)


def percentile(buckets: Mapping[int, int], share: float) -> float | None:
    """Seconds that so large a share of the answers took at most, from their buckets' counts."""
    rank = math.ceil(share * sum(buckets.values()))
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= rank:
            return float(f"{math.exp((bucket + 0.5) / BUCKETS):.3g}")
    return None


def _figures(tallies: Iterable[Tally]) -> dict[str, Any]:
    statuses: Counter[Status] = Counter(dict.fromkeys(Status, 0))
    buckets: Counter[int] = Counter()
    taken = given = 0
    price = Decimal(0)
    for tally in tallies:
        statuses[tally.status] += tally.messages
        buckets.update(tally.answers)
        taken += tally.input_tokens
        given += tally.output_tokens
        price += tally.price or 0
    return {
        "messages": statuses.total(),
        "statuses": dict(statuses),
        "answer_seconds_p50": percentile(buckets, 0.5),
        "answer_seconds_p95": percentile(buckets, 0.95),
        "input_tokens": taken,
        "output_tokens": given,
        "price": float(price),
    }
