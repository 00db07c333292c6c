"""What two workers do and suffer: dequeue, hand back, crash, stop, stall.

The rules of adapters/pgqueuer_worker.py and adapters/pgqueuer_leases.py are told again here: a job
without heartbeats may be dequeued by anybody, what ended early is handed back, fenced by its pick,
and its chat's owner is cleared with it.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from tests.explore.known import Known
from tests.explore.saving import Saving
from tests.explore.tasks import Label, Move, Tasks
from tests.explore.world import PICKED, QUEUED, Job, Task, World, with_job, with_jobs


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
        self.tasks.doing = None
        for at, job in enumerate(world.jobs):
            if job.handback:
                freed = with_job(world, at, Job(tasks=job.tasks))
                yield Label("hands back", job.handback - 1, job=at), True, freed
            if job.status == QUEUED or (job.status == PICKED and job.lapsed):
                for worker in (0, 1):
                    label = Label("dequeues", worker, job=at)
                    yield label, True, with_job(world, at, self._dequeued(job, worker))
        if world.faults:
            for worker in (0, 1):
                yield from self._suffer(replace(world, faults=world.faults - 1), worker)

    def _dequeued(self, job: Job, worker: int) -> Job:
        """Whoever had it holds it no more; `again`: the same worker had."""
        again = job.handback == worker + 1 or any(task.worker == worker for task in job.tasks)
        others = (replace(task, pick=False, lease=False) for task in job.tasks)
        task = Task(worker, self._known.positions.start(again))
        return Job(PICKED, job.owner, tasks=(*others, task))

    def _suffer(self, world: World, worker: int) -> Iterator[Move]:
        if any(
            job.handback == worker + 1 or any(task.worker == worker for task in job.tasks)
            for job in world.jobs
        ):
            yield Label("is killed", worker), False, self._ended(world, worker, stopped=False)
            yield Label("is stopped", worker), False, self._ended(world, worker, stopped=True)
        if any(_holds(job, worker) for job in world.jobs):
            jobs = [_stalled(job) if _holds(job, worker) else job for job in world.jobs]
            yield Label("stalls", worker), False, with_jobs(world, jobs)

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


def _stalled(job: Job) -> Job:
    """No heartbeat got through for as long as a lease lasts."""
    tasks = tuple(replace(task, lease=False) for task in job.tasks)
    return replace(job, lapsed=True, tasks=tasks)
