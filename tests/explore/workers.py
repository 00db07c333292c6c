"""What two workers do and suffer: dequeue, hand back, crash, stop, stall.

The rules of adapters/pgqueuer_worker.py and adapters/pgqueuer_leases.py are told again here: a job
without heartbeats may be dequeued by anybody, what ended early is handed back, fenced by its pick,
and its chat's owner is cleared with it.
"""

from collections.abc import Iterator
from itertools import product

from msgspec.structs import replace

from tests.explore.known import Known
from tests.explore.saving import Saving
from tests.explore.tasks import Label, Move, Tasks
from tests.explore.world import (
    PICKED,
    QUEUED,
    Job,
    Task,
    Violation,
    World,
    with_job,
    with_jobs,
)


class Workers:
    """All moves of both workers in a world."""

    def __init__(self, known: Known, saving: Saving) -> None:
        self._known = known
        self.tasks = Tasks(known, saving)

    def moves(self, world: World) -> Iterator[Move]:
        """Everything that may happen next; what brings the world to its end comes first."""
        for at, job in enumerate(world.jobs):
            for of in range(len(job.tasks)):
                yield from self.tasks.moves(world, at, of)
        for at, job in enumerate(world.jobs):
            if _free(job):
                for worker in (0, 1):
                    yield from self._dequeues(world, at, worker)
        self.tasks.doing = None
        for at, job in enumerate(world.jobs):
            if job.handback:
                freed = with_job(world, at, Job(tasks=job.tasks))
                yield Label("hands back", job.handback - 1, job=at), True, freed
        if world.faults:
            for worker in (0, 1):
                yield from self._suffer(replace(world, faults=world.faults - 1), worker)

    def _dequeues(self, world: World, at: int, worker: int) -> Iterator[Move]:
        """A job that is not the owner is taken at once: until then it makes no difference whether
        it was dequeued, but to a worker that stalls (`_stalled`).
        """
        job = world.jobs[at]
        rules = self._known.rules
        if job.owner or not rules.at_once:
            label = Label("dequeues", worker, job=at)
            for again in self._again(job, worker):
                picked, _ = self._picked(job, worker, again)
                yield label, True, with_job(world, at, picked)
            return
        picked, task = self._picked(job, worker, again=False)
        jobs = (*world.jobs[:at], picked, *world.jobs[at + 1 :])
        dequeued = replace(world, jobs=jobs)
        try:
            for label, free, after in self.tasks.moves(dequeued, at, picked.tasks.index(task)):
                yield replace(label, dequeued=dequeued), free, after
        except Violation:
            assert self.tasks.doing is not None
            self.tasks.doing = replace(self.tasks.doing, dequeued=dequeued)
            raise

    def _again(self, job: Job, worker: int) -> tuple[bool, ...]:
        """Whether the worker had it before. It is asked of an owner only, that was not handed back;
        where a task of it may have been forgotten, both are tried.
        """
        if job.handback == worker + 1 or any(task.worker == worker for task in job.tasks):
            return (True,)
        return (False, True) if self._known.rules.forgetful and job.status == PICKED else (False,)

    def _picked(self, job: Job, worker: int, again: bool) -> tuple[Job, Task]:
        """Dequeued: whoever had it holds it no more."""
        others = (replace(task, pick=False, lease=False) for task in job.tasks)
        task = Task(worker, self._known.positions.start(again))
        return Job(PICKED, job.owner, tasks=tuple(sorted((*others, task)))), task

    def _suffer(self, world: World, worker: int) -> Iterator[Move]:
        if any(
            job.handback == worker + 1 or any(task.worker == worker for task in job.tasks)
            for job in world.jobs
        ):
            yield Label("is killed", worker), False, self._ended(world, worker, stopped=False)
            yield Label("is stopped", worker), False, self._ended(world, worker, stopped=True)
        for jobs in set(product(*(self._stalled(job, worker) for job in world.jobs))):
            if jobs != world.jobs:
                yield Label("stalls", worker), False, with_jobs(world, list(jobs))

    def _stalled(self, job: Job, worker: int) -> tuple[Job, ...]:
        """No heartbeat of the worker's got through for as long as a lease lasts. It may just have
        dequeued a job that was free.
        """
        if _holds(job, worker):
            return (_lapsed(job),)
        if _free(job) and not job.owner and self._known.rules.at_once:
            return job, _lapsed(self._picked(job, worker, again=False)[0])
        return (job,)

    def _ended(self, world: World, worker: int, *, stopped: bool) -> World:
        """Its tasks are gone; one that was asked to stop hands back what it held."""
        messages = world.messages
        jobs: list[Job] = []
        for job in world.jobs:
            lost = [task for task in job.tasks if task.worker == worker]
            for task in lost:
                messages = self._known.unlearnt(messages, task)
            held = job.status == PICKED and any(task.pick for task in lost)
            handback = job.handback
            if held and stopped:
                handback = worker + 1
            elif handback == worker + 1 and not stopped:
                handback = 0
            tasks = tuple(task for task in job.tasks if task.worker != worker)
            lapsed = job.lapsed or held
            jobs.append(replace(job, lapsed=lapsed, handback=handback, tasks=tasks))
        return with_jobs(replace(world, messages=messages), jobs)


def _holds(job: Job, worker: int) -> bool:
    return job.status == PICKED and any(
        task.worker == worker and task.pick and task.lease for task in job.tasks
    )


def _free(job: Job) -> bool:
    """Whether anybody may dequeue it."""
    return job.status == QUEUED or (job.status == PICKED and job.lapsed)


def _lapsed(job: Job) -> Job:
    tasks = tuple(replace(task, lease=False) for task in job.tasks)
    return replace(job, lapsed=True, tasks=tasks)
