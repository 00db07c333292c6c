"""What a measurement is given and what comes out of it, to be printed and kept."""

from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec
from msgspec import Struct

from tests.bench.contestants import AiogramBot, Contestant, Kotodom
from tests.bench.flood import Updates
from tests.bench.servers import Servers


class Sizes(Struct, frozen=True):
    """How much is measured."""

    rounds: int = 5
    chats: int = 200
    each: int = 5
    crowd: int = 1000
    """Chats that write once."""
    generations: int = 2000
    """Open at once."""
    quiet: int = 200
    """Messages, one at a time."""
    streams: int = 20
    words: int = 5000
    """Streamed events whose cost is measured."""
    filled: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    """Messages that are there already."""
    listed: tuple[int, ...] = (1_000, 1_000_000)
    """Messages that are there while the admin's lists are asked for."""
    asked: int = 40
    """Times that each list is."""
    replayed: int = 20_000
    """Updates that are played through the handlers."""


QUICK = Sizes(
    rounds=2,
    quiet=40,
    words=1000,
    filled=(10_000,),
    listed=(1_000, 20_000),
    asked=10,
    replayed=2000,
)


class Bench(Struct, frozen=True):
    """Everything that runs, warmed up."""

    servers: Servers
    system: Kotodom
    rivals: Sequence[AiogramBot]
    updates: Updates
    sizes: Sizes

    @property
    def contestants(self) -> Sequence[Contestant]:
        """All of them, ours first."""
        return (self.system, *self.rivals)


class Line(Struct, kw_only=True):
    """A line of the table. `best` is None where there was one round; `met` where no goal is."""

    what: str
    median: float
    unit: str
    best: float | None = None
    goal: str = ""
    met: bool | None = None


class Measurement(Struct):
    """A measurement's lines, and the figures of every round as they were."""

    name: str
    lines: list[Line]
    rounds: list[Any]


def line(
    what: str,
    values: Sequence[float],
    unit: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    more_is_better: bool = False,
) -> Line:
    """A line of several rounds' values; the goal is held against the median."""
    middle = median(values)
    goal, met = "", None
    if at_most is not None:
        goal, met = f"≤ {at_most:g}", middle <= at_most
    elif at_least is not None:
        goal, met = f"≥ {at_least:g}", middle >= at_least
    best = max(values) if more_is_better or at_least is not None else min(values)
    return Line(
        what=what,
        median=middle,
        best=best if len(values) > 1 else None,
        unit=unit,
        goal=goal,
        met=met,
    )


def kept(figures: Sequence[object]) -> list[Any]:
    """Rounds as they are written into the results."""
    return [msgspec.to_builtins(each) for each in figures]
