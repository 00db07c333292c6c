"""What goes wrong, and when: the plan of a chaos run, drawn from its seed before the flood begins.

The same seed, seconds and deck give the same plan. Cards are dealt from a shuffled deck that is
shuffled anew when it is empty, so that a run that is long enough meets every fault.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal

from msgspec import Struct

How = Literal["KILL", "TERM", "QUIT", "STOP", "refuse", "blackhole", "cut"]
"""Signals for processes; for a network: no connection is taken, nothing passes, all are reset."""

MEAN_GAP = 4.0
"""Seconds from one fault's beginning to the next one's, on average."""
BREATH = 1.0
"""Seconds at least that a target is left alone after a fault."""


class Card(Struct, frozen=True):
    """A fault that may be drawn; it lasts between `shortest` and `longest` seconds."""

    targets: tuple[str, ...]
    how: How
    shortest: float
    longest: float


class Fault(Struct, frozen=True):
    """One fault of a plan: `at` seconds after the flood began, for so many seconds."""

    at: float
    targets: tuple[str, ...]
    how: How
    lasting: float

    @property
    def name(self) -> str:
        return f"{' and '.join(self.targets)} {self.how}"


DECK = (
    Card(("api",), "KILL", 0.2, 3.0),
    Card(("api",), "TERM", 0.2, 3.0),
    Card(("poller",), "KILL", 0.2, 3.0),
    Card(("poller",), "TERM", 0.2, 3.0),
    Card(("worker",), "KILL", 0.2, 3.0),
    Card(("worker",), "TERM", 0.2, 3.0),
    Card(("worker-2",), "KILL", 0.2, 3.0),
    Card(("worker-2",), "TERM", 0.2, 3.0),
    Card(("worker", "worker-2"), "KILL", 0.2, 3.0),
    Card(("worker",), "STOP", 12.0, 30.0),
    Card(("worker-2",), "STOP", 12.0, 30.0),
    Card(("postgres",), "KILL", 0.2, 5.0),
    Card(("postgres",), "QUIT", 0.2, 5.0),
    Card(("valkey",), "KILL", 0.2, 5.0),
    Card(("telegram",), "refuse", 2.0, 12.0),
    Card(("telegram",), "blackhole", 2.0, 12.0),
    Card(("telegram",), "cut", 0.0, 0.0),
    Card(("openai",), "refuse", 2.0, 12.0),
    Card(("openai",), "blackhole", 2.0, 12.0),
    Card(("openai",), "cut", 0.0, 0.0),
)

SHORT_DECK = (
    Card(("worker",), "KILL", 0.2, 1.0),
    Card(("worker-2",), "TERM", 0.2, 1.0),
    Card(("api",), "KILL", 0.2, 1.0),
    Card(("postgres",), "KILL", 0.2, 1.0),
    Card(("telegram",), "refuse", 2.0, 3.0),
    Card(("valkey",), "KILL", 0.2, 1.0),
)
"""For a run of half a minute: each of them once."""


def plan(seed: int, seconds: float, deck: Sequence[Card] = DECK) -> list[Fault]:
    """The faults of a run, in the order of their beginnings; none begins after `seconds`."""
    chance = Random(seed)
    free: dict[str, float] = {}
    faults: list[Fault] = []
    at = 0.0
    for card in _dealt(chance, deck):
        at += chance.uniform(0.5, 1.5) * min(MEAN_GAP, seconds / (len(deck) + 1))
        begins = max([at, *(free.get(target, 0.0) for target in card.targets)])
        lasting = chance.uniform(card.shortest, card.longest)
        if at > seconds:
            break
        if begins <= seconds:
            faults.append(Fault(round(begins, 2), card.targets, card.how, round(lasting, 2)))
            free |= dict.fromkeys(card.targets, begins + lasting + BREATH)
    return sorted(faults, key=lambda fault: fault.at)


def _dealt(chance: Random, deck: Sequence[Card]) -> Iterator[Card]:
    while True:
        yield from chance.sample(deck, len(deck))
