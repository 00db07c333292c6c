"""Breadth first through every situation, each once; a violation has the shortest path to it.

Also proves that every path can end: each situation keeps one move that needs no fault and no wish;
following these from anywhere must reach a quiet situation, and never the same one twice.
"""

import gc
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from tests.explore.entries import Plan
from tests.explore.ghosts import Ghosts
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
    """What a search has found. `path` leads to the violation; `forgotten` are the commits that
    were tried of tasks that are forgotten.
    """

    situations: int = 0
    transitions: int = 0
    quiet: int = 0
    seconds: float = 0.0
    forgotten: int = 0
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
        self._ghosts = Ghosts(self.known) if self.known.rules.forgetful else None
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
            if self._ghosts is not None:
                found.forgotten = self._ghosts.check()
        except Violation as violation:
            found.violation = str(violation)
            where = violation.situation
            found.path = self.path(where or self._worlds()[here], broken=where is None)
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
        way_on, moves_on_the_spot = _NONE, False
        for _, free, after in self.moves(world):
            found.transitions += 1
            number = self._met(self._same(after), here)
            if free and number == here:
                moves_on_the_spot = True
            elif free and way_on == _NONE:
                way_on = number
        if quiet(world):
            found.quiet += 1
            way_on = _QUIET
        elif way_on == _NONE:
            how = "it goes round and never ends" if moves_on_the_spot else "nothing can happen"
            raise Violation(f"{how}, and somebody waits", world)
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
            raise Violation("somebody waits, and no job will serve them", world)
        if self._ghosts is not None:
            self._ghosts.met(world)
        return number

    def _same(self, world: World) -> World:
        """The one situation that stands for all that differ by the workers' names, or by tasks that
        are forgotten.
        """
        if self._ghosts is not None:
            return self._ghosts.settled(world)
        return replace(world, jobs=settled(world.jobs))

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
                    raise Violation("it goes round and never ends", self._worlds()[here])
            for passed in trail:
                ends[passed] = 1

    @property
    def situations(self) -> Iterable[World]:
        """Those that were met."""
        return self._numbers

    def path(self, situation: World, *, broken: bool = False) -> list[Happened]:
        """The shortest way there, told again from the start, so that the workers keep their names.

        `broken`: the next move is the one that breaks a promise.
        """
        worlds = self._worlds()
        number = self._numbers[situation]
        chain = []
        while number != 0:
            chain.append(worlds[number])
            number = self._parents[number]
        path: list[Happened] = []
        world = self.known.first()
        for wanted in reversed(chain):
            label, after = next(
                (label, after)
                for label, _, after in self.moves(world)
                if self._same(after) == wanted
            )
            path.append(Happened(world, label))
            world = after if self._ghosts is None else self._ghosts.forgotten(after)
        if broken:
            path.append(Happened(world, self._breaking(world)))
        return path

    def _worlds(self) -> list[World]:
        """By their numbers."""
        return list(self._numbers)

    def _breaking(self, world: World) -> Label:
        """The move that breaks a promise: those of tasks do."""
        try:
            for _ in self.moves(world):
                pass
        except Violation:
            pass
        assert self._workers.tasks.doing is not None
        return self._workers.tasks.doing
