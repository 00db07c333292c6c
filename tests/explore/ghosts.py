"""Tasks that hold neither their job nor the chat's token: they are forgotten, with a proof.

Nothing that such a task does changes anything: its calls were on their way already, its leases are
lost, what it commits is stale. So a situation with it is one with the situation without it. That
its commits change nothing is not believed but checked: each that a forgotten task may still put,
against each chat that was ever met (`check`). One thing is lost with it, whether its worker will
know the job again (`Lease.again`); both are tried.

A job without tasks that is not the owner waits to be taken, whoever may have had it before: all
such jobs are one as well.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from application.moves import Done, move
from tests.explore import loading
from tests.explore.commits import stale
from tests.explore.known import Known, at
from tests.explore.outcomes import outcomes
from tests.explore.positions import Answer, Bug, Call, Check, Follow, Put
from tests.explore.world import GONE, Job, Task, Violation, World, settled

_GHOST = Task(worker=0, position=0, pick=False, lease=False)


class Ghosts:
    """Forgets them, remembering where they stood and which chats there were."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._settled: dict[tuple[Job, ...], tuple[Job, ...]] = {}
        self._positions: set[int] = set()
        self._chats: dict[tuple[object, ...], tuple[World, Job]] = {}

    def settled(self, world: World) -> World:
        """The situation without them, whichever worker is called the first."""
        jobs = self._settled.get(world.jobs)
        if jobs is None:
            jobs = self._settled[world.jobs] = settled(self._forgotten(world.jobs))
        return world if jobs is world.jobs else replace(world, jobs=jobs)

    def forgotten(self, world: World) -> World:
        """The situation without them."""
        return replace(world, jobs=self._forgotten(world.jobs))

    def met(self, world: World) -> None:
        """A situation that is new: what a forgotten task of each job would load there."""
        for job in (*world.jobs, Job()):
            key = loading.situation(self._known, world, job, _GHOST)
            self._chats.setdefault(key, (world, job))

    def check(self) -> int:
        """How many commits were tried. Raises Violation where one of them changes something."""
        items = dict.fromkeys(
            stale(request.item)
            for request in map(self._known.positions.request, self._reached())
            if isinstance(request, Put)
        )
        for world, job in self._chats.values():
            loaded = loading.loaded(self._known, world, job, _GHOST)
            for item in items:
                if move(item, loaded, at(world)) != (Done(), None):
                    raise Violation(f"a task without job and token changes the chat: {item}", world)
        return len(items) * len(self._chats)

    def _forgotten(self, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        kept = []
        for job in jobs:
            tasks = job.tasks
            if tasks and not all(_acts(job, task) for task in tasks):
                gone = [task for task in tasks if not _acts(job, task)]
                self._positions.update(task.position for task in gone)
                tasks = tuple(task for task in tasks if _acts(job, task))
            if tasks or job.owner:
                kept.append(job if tasks is job.tasks else replace(job, tasks=tasks))
            elif job.status != GONE:
                kept.append(Job())  # whoever had it: it waits for somebody to take it
        return tuple(sorted(kept))

    def _reached(self) -> set[int]:
        """Every position that a forgotten task may still come to, whatever it is answered."""
        positions = self._known.positions
        found, new = set[int](), list(self._positions)
        while new:
            here = new.pop()
            if here in found:
                continue
            found.add(here)
            for answer in self._answers(here):
                there = positions.after(here, answer)
                if isinstance(there, int):
                    new.append(there)
        return found

    def _answers(self, position: int) -> Iterator[Answer]:
        match self._known.positions.request(position):
            case Put():
                yield Done()
                yield Bug
            case Check():
                yield True
            case Call() | Follow() as request:
                yield from (brought.answer for brought in outcomes(request, self._known.plan))


def _acts(job: Job, task: Task) -> bool:
    return task.fresh or (task.pick and job.status != GONE)
