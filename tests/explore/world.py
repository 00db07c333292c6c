"""The situation: what stands in the database, where tasks are, what was seen outside.

Every value is small and hashable; states, turns and positions are numbers of tables. Epochs are
told from the chat's: a turn or a task is either of NOW, or stale. Jobs have no numbers: each holds
the tasks that dequeued it. Workers may change places: `settled` picks one of the two.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

V = TypeVar("V", bound=Hashable)

NOW = 2
"""The chat's epoch in every situation; a stale one is NOW - 1."""
QUEUED, PICKED, GONE = range(3)
WAITING, OPEN, COMPLETED, TERMINAL = range(4)


class Task(Struct, frozen=True, order=True, gc=False):
    """A job in a worker's hands. `pick`: the job's last one is its; `fresh`: the chat's token is.

    `lease`: its worker takes it for held, so that a check lets its calls pass.
    """

    worker: int
    position: int
    pick: bool = True
    fresh: bool = False
    lease: bool = True


class Job(Struct, frozen=True, order=True, gc=False):
    """A row of the queue; GONE is kept for as long as somebody refers to it.

    A delayed job is QUEUED: nobody knows how long a worker takes. `lapsed`: without heartbeats.
    `handback`: the worker (1, 2) that will queue it again, as its task has ended early.
    """

    status: int = QUEUED
    owner: bool = False
    lapsed: bool = False
    handback: int = 0
    tasks: tuple[Task, ...] = ()


class Message(Struct, frozen=True, gc=False):
    """What became of an entry that makes a message.

    `turn`: the one a TERMINAL message is retried from. `said`: what Telegram has shown of it and
    the database knows or will know. `run`: the id of a run is saved, and it can be resumed.
    """

    status: int = WAITING
    turn: int = 0
    run: bool = False
    said: tuple[int, ...] = ()


class Waiting(Struct, frozen=True, gc=False):
    """An entry of the line, in the order of arrival; `expired`: it waits for more than a day."""

    entry: int
    expired: bool = False


class World(Struct, frozen=True, gc=False):
    """One situation. `coming` are updates that Telegram has not delivered yet."""

    chat: int
    messages: tuple[Message, ...]
    coming: tuple[int, ...]
    faults: int
    wishes: int
    line: tuple[Waiting, ...] = ()
    jobs: tuple[Job, ...] = ()
    asked: tuple[int, ...] = ()
    enabled: bool = True
    waking: bool = False
    later: bool = False
    deleted: bool = False


class Table(Generic[V]):
    """Values with numbers."""

    def __init__(self) -> None:
        self._numbers: dict[V, int] = {}
        self.values: list[V] = []

    def number(self, value: V) -> int:
        found = self._numbers.get(value)
        if found is None:
            found = self._numbers[value] = len(self.values)
            self.values.append(value)
        return found


class Violation(Exception):  # noqa: N818 - of a promise
    """A promise that does not hold. `situation`: where, if it is not the move that broke it."""

    def __init__(self, promise: str, situation: World | None = None) -> None:
        super().__init__(promise)
        self.situation = situation


def with_jobs(world: World, jobs: list[Job], **changes: object) -> World:
    """The world with these jobs, in the one order that they are kept in."""
    kept = [
        replace(job, tasks=tuple(sorted(job.tasks))) if len(job.tasks) > 1 else job
        for job in jobs
        if job.status != GONE or job.owner or job.tasks
    ]
    kept.sort()
    return replace(world, jobs=tuple(kept), **changes)


def with_job(world: World, index: int, job: Job, **changes: object) -> World:
    """The world with one job changed."""
    jobs = list(world.jobs)
    jobs[index] = job
    return with_jobs(world, jobs, **changes)


def with_task(job: Job, index: int, task: Task | None, **changes: object) -> Job:
    """The job with one task changed, or without it."""
    before, after = job.tasks[:index], job.tasks[index + 1 :]
    if task is None:
        return replace(job, tasks=(*before, *after), **changes)
    return replace(job, tasks=tuple(sorted((*before, task, *after))), **changes)


def settled(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """The same jobs, whichever worker is called the first."""
    swapped = [
        replace(
            job,
            handback=3 - job.handback if job.handback else 0,
            tasks=tuple(sorted(replace(task, worker=1 - task.worker) for task in job.tasks)),
        )
        if job.tasks or job.handback
        else job
        for job in jobs
    ]
    swapped.sort()
    return min(tuple(swapped), jobs)
