"""Breadth first through every situation, each once; a violation has the shortest path to it.

Also proves that every path can end: each situation keeps one move that needs no fault and no wish;
following these from anywhere must reach a quiet situation, and never the same one twice.
"""

import gc
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator

from msgspec import Struct

from tests.explore.entries import Plan
from tests.explore.known import Known
from tests.explore.people import People, quiet, unserved
from tests.explore.rules import Rules
from tests.explore.saving import Saving
from tests.explore.tasks import Label, Move
from tests.explore.workers import Workers
from tests.explore.world import Violation, World, settled

_NONE, _QUIET = 0xFFFFFFFF, 0xFFFFFFFE
_TOLD_EVERY = 100_000


class Happened(Struct, frozen=True):
    """One step of a path: the world before it, and what happened."""

    world: World
    label: Label


class Found(Struct):
    """What a search has found. `path` leads to the violation."""

    situations: int = 0
    transitions: int = 0
    quiet: int = 0
    seconds: float = 0.0
    exhausted: bool = False
    violation: str | None = None
    path: list[Happened] = []


class Search:
    """One search; it gives up after so many situations or seconds."""

    def __init__(
        self,
        plan: Plan,
        rules: Rules | None = None,
        *,
        situations: int = _QUIET,
        seconds: float = float("inf"),
    ) -> None:
        self.known = Known(plan, rules or Rules())
        self.saving = Saving(self.known)
        self._workers = Workers(self.known, self.saving)
        self._people = People(self.known)
        self._bound = min(situations, _QUIET)
        self._seconds = seconds
        self._numbers: dict[World, int] = {}
        self._parents = array("I")
        self._ways_on = array("I")
        self._frontier: deque[tuple[int, World]] = deque()

    def moves(self, world: World) -> Iterator[Move]:
        """Everything that may happen next, the workers' moves first."""
        yield from self._workers.moves(world)
        yield from self._people.moves(world)

    def run(self, told: Callable[[str], None] = lambda line: None) -> Found:
        """Search until there is nothing new, a bound is reached or a promise is broken."""
        # So many structs would be gone through again and again, and none of them is garbage.
        gc.disable()
        found = Found()
        began = time.monotonic()
        self._met(self.known.first(), _NONE)
        here = 0
        try:
            while self._frontier and len(self._numbers) < self._bound:
                here, world = self._frontier.popleft()
                self._expand(here, world, found)
                found.seconds = time.monotonic() - began
                if found.seconds > self._seconds:
                    break
                if here % _TOLD_EVERY == _TOLD_EVERY - 1:
                    told(self.told(found))
            found.exhausted = not self._frontier
            self._follow_ways_on()
        except Violation as violation:
            found.violation = str(violation)
            number = here if violation.situation is None else violation.situation
            found.path = self._path(number, broken=violation.situation is None)
        finally:
            gc.enable()
        found.situations = len(self._numbers)
        found.seconds = time.monotonic() - began
        return found

    def told(self, found: Found) -> str:
        """How far the search is."""
        known = len(self._numbers)
        rate = found.transitions / max(found.seconds, 0.001)
        return (
            f"{known:>11,} situations ({len(self._frontier):,} to be tried), "
            f"{found.transitions:>12,} transitions, {rate:,.0f} a second, {found.seconds:.0f} s"
        )

    def _expand(self, here: int, world: World, found: Found) -> None:
        way_on = _NONE
        for _, free, after in self.moves(world):
            found.transitions += 1
            number = self._met(settled(after), here)
            if free and way_on == _NONE and number != here:
                way_on = number
        if quiet(world):
            found.quiet += 1
            way_on = _QUIET
        elif way_on == _NONE:
            raise Violation("nothing can happen any more, and somebody waits", here)
        self._ways_on[here] = way_on

    def _met(self, world: World, parent: int) -> int:
        number = self._numbers.get(world)
        if number is not None:
            return number
        number = self._numbers[world] = len(self._numbers)
        self._parents.append(parent)
        self._ways_on.append(_NONE)
        self._frontier.append((number, world))
        if unserved(world):
            raise Violation("somebody waits, and no job will serve them", number)
        return number

    def _follow_ways_on(self) -> None:
        """From each situation to where it ends, or to one that is known to end."""
        ends = bytearray(len(self._ways_on))
        for number in range(len(self._ways_on)):
            trail = []
            here = number
            while here < _QUIET and not ends[here]:
                ends[here] = 2
                trail.append(here)
                here = self._ways_on[here]
                if here < _QUIET and ends[here] == 2:
                    raise Violation("it goes round and never ends", here)
            for passed in trail:
                ends[passed] = 1

    def _path(self, number: int, *, broken: bool) -> list[Happened]:
        """The way there, told again from the start, so that the workers keep their names.

        `broken`: the next move is the one that breaks a promise.
        """
        worlds = list(self._numbers)
        chain = []
        while number != 0:
            chain.append(worlds[number])
            number = self._parents[number]
        path: list[Happened] = []
        world = self.known.first()
        for wanted in reversed(chain):
            label, after = next(
                (label, after) for label, _, after in self.moves(world) if settled(after) == wanted
            )
            path.append(Happened(world, label))
            world = after
        if broken:
            path.append(Happened(world, self._breaking(world)))
        return path

    def _breaking(self, world: World) -> Label:
        """The move that breaks a promise: those of tasks do."""
        try:
            for _ in self.moves(world):
                pass
        except Violation:
            pass
        assert self._workers.tasks.doing is not None
        return self._workers.tasks.doing
