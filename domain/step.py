"""Envelope, Step and fold: the shape of everything pure."""

from collections.abc import Callable, Iterable
from datetime import datetime
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from domain.effects import Effect

S = TypeVar("S")
E = TypeVar("E")

# gc=False, here and in turn.py: what is frozen can only hold what was there before it, so it is in
# no cycle, and the garbage collector need not look. A replay is one in twenty faster for it.


class Envelope(Struct, Generic[E], frozen=True, gc=False):
    """An event with what the pure core may not ask for itself.

    `id` is stable (the same update always has the same id); `at` is UTC.
    """

    id: str
    at: datetime
    event: E


class Step(Struct, Generic[S], frozen=True, gc=False):
    """What a handler returns: the state after the event, and what is wished for."""

    state: S
    effects: tuple[Effect, ...] = ()


def fold(
    handle: Callable[[S, Envelope[E]], Step[S]], state: S, envelopes: Iterable[Envelope[E]]
) -> list[Step[S]]:
    """Every step of a history, in order; the last one holds the final state."""
    steps: list[Step[S]] = []
    for envelope in envelopes:
        step = handle(state, envelope)
        steps.append(step)
        state = step.state
    return steps


def digest(state: object) -> str:
    """blake2b, 64 bits, as hex, of the state's JSON: the same state has the same digest."""
    return blake2b(msgspec.json.encode(state), digest_size=8).hexdigest()
