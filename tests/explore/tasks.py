"""What one task of a worker does next: commit, look at its lease, call, hear of it, let go.

What ends early is handed back later, as adapters/pgqueuer_worker.py does; until then nobody beats
for it. A lease that ran out may come back, where a heartbeat gets through before another worker.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from application.jobs import Unavailable
from application.moves import Take
from domain.effects import SendMessage
from tests.explore.known import Known, with_message
from tests.explore.outcomes import Brought, outcomes
from tests.explore.positions import LET_GO, RETURNED, Bug, Call, Check, Follow, Over, Put, Request
from tests.explore.saving import Saving
from tests.explore.world import (
    GONE,
    PICKED,
    Message,
    Task,
    Violation,
    World,
    with_job,
    with_task,
)


class Label(Struct, frozen=True):
    """One thing that happens. `job` and `task` are numbers in the world before it.

    `dequeued`: that world, where the job is dequeued with it.
    """

    what: str
    worker: int | None = None
    request: Request | None = None
    brought: Brought | None = None
    number: int = 0
    job: int = -1
    task: int = -1
    dequeued: World | None = None


Move = tuple[Label, bool, World]
"""What happens, whether it happens without a fault or a wish, and the world after it."""


class Tasks:
    """The moves of single tasks."""

    def __init__(self, known: Known, saving: Saving) -> None:
        self._known = known
        self._positions = known.positions
        self._saving = saving
        self._starts = (known.positions.start(False), known.positions.start(True))
        self.doing: Label | None = None
        """What is being tried: the last step of the path where it breaks a promise."""

    def moves(self, world: World, at: int, of: int) -> Iterator[Move]:
        """Everything that the task may do next."""
        job = world.jobs[at]
        task = job.tasks[of]
        request = self._positions.request(task.position)
        match request:
            case Put():
                if self._may_enter(world, task, request):
                    yield from self._put(world, at, of, request)
            case Check():
                raise AssertionError("its lease was looked at as it came here")
            case Call() | Follow():
                self._looked(world, at, of, request)
                for brought in outcomes(request, self._known.plan):
                    if brought.free or world.faults:
                        yield self._called(world, at, of, request, brought)
        if not task.lease or not task.pick or job.status == GONE:
            label = self._do("lets go", task, request, at, of)
            yield label, True, self._drop(world, at, of)
        if not task.lease and task.pick and job.lapsed and not job.handback:
            label = self._do("beats again", task, request, at, of)
            held = with_task(job, of, replace(task, lease=True), lapsed=False)
            yield label, True, with_job(world, at, held)

    def _do(
        self, what: str, task: Task, request: Request, at: int, of: int,
        brought: Brought | None = None,
    ) -> Label:  # fmt: skip
        self.doing = Label(what, task.worker, request, brought, job=at, task=of)
        return self.doing

    def _may_enter(self, world: World, task: Task, put: Put) -> bool:
        """Turns.Gate: alone means that no other turn of the worker is past the gate."""
        alone = _alone(put)
        if not alone and task.position not in self._starts:
            return True
        others = [
            self._positions.request(other.position)
            for job in world.jobs
            for other in job.tasks
            if other is not task
            and other.worker == task.worker
            and other.position not in self._starts
        ]
        return all(_alone(other) is alone for other in others)

    def _put(self, world: World, at: int, of: int, request: Put) -> Iterator[Move]:
        task = world.jobs[at].tasks[of]
        label = self._do("commits", task, request, at, of)
        after, position = self._saving.put(world, at, of)
        yield label, True, self._went_on(after, at, of, position)
        if not world.faults:
            return
        label = self._do("commits, and does not hear of it", task, request, at, of)
        assert self._positions.after(task.position, Unavailable) is LET_GO
        yield label, False, self._let_go(replace(after, faults=world.faults - 1), at, of)
        world = replace(world, faults=world.faults - 1)
        label = self._do("cannot commit", task, request, at, of)
        yield label, False, self._drop(world, at, of)
        label = self._do("has a bug while committing", task, request, at, of)
        broken = replace(world, messages=self._known.unlearnt(world.messages, task))
        position = self._positions.after(task.position, Bug)
        yield label, False, self._went_on(broken, at, of, position)

    def _looked(self, world: World, at: int, of: int, request: Call | Follow) -> None:
        """The call may be on its way only now: the lease was looked at as the task came here, but
        that might as well happen at this moment. (Where it fails then, the task lets go.)
        """
        job = world.jobs[at]
        task = job.tasks[of]
        held = isinstance(request, Call) and self._known.rules.lease(task.lease)
        if held and not task.fresh and job.status != GONE:
            self._do("looks at its lease", task, request, at, of)
            raise Violation("a task whose token is not the chat's is about to call")

    def _called(
        self, world: World, at: int, of: int, request: Call | Follow, brought: Brought
    ) -> Move:
        task = world.jobs[at].tasks[of]
        label = self._do("hears", task, request, at, of, brought)
        if not brought.free:
            world = replace(world, faults=world.faults - 1)
        position = self._positions.after(task.position, brought.answer)
        place = self._known.place(request.effect.turn.id)
        message = world.messages[place]
        if brought.arrived:
            message = self._shown(message, place, request, position, fresh=task.fresh)
        if task.fresh:
            if brought.started and message.run:
                raise Violation("a run whose id is saved is paid for again")
            if brought.ended:
                message = replace(message, run=False)
            world = replace(world, messages=with_message(world.messages, place, message))
        # What a stale task calls was on its way already: the one part, the one run in flight.
        return label, brought.free, self._went_on(world, at, of, position)

    def _shown(
        self,
        message: Message,
        place: int,
        request: Call | Follow,
        position: int | Over,
        fresh: bool,
    ) -> Message:
        effect = request.effect
        assert isinstance(effect, SendMessage)
        assert isinstance(position, int)
        said = self._known.saids.number((effect.text, effect.part))
        self._known.shown[position] = (place, said)
        if fresh and said in message.said:
            raise Violation(f"part {effect.part} of message {effect.turn.id} is sent twice")
        return replace(message, said=tuple(sorted((*message.said, said))))

    # --- how a task goes on, or ends -------------------------------------------------------------

    def _went_on(self, world: World, at: int, of: int, position: int | Over) -> World:
        if position is LET_GO:
            return self._let_go(world, at, of)
        job = world.jobs[at]
        task = job.tasks[of]
        if isinstance(position, Over):
            if position is RETURNED and not self._known.rules.fenced:
                return with_job(world, at, with_task(job, of, None, status=GONE))
            # Whoever ends without an acknowledgement leaves a job that nobody beats for.
            lapsed = job.lapsed or (task.pick and job.status == PICKED)
            return with_job(world, at, with_task(job, of, None, lapsed=lapsed))
        request = self._positions.request(position)
        if isinstance(request, Check):
            held = self._known.rules.lease(task.lease)
            return self._went_on(world, at, of, self._positions.after(position, held))
        if _alone(request) and not task.lease:
            return self._let_go(world, at, of)  # it looks at its lease once more before it waits
        return with_job(world, at, with_task(job, of, replace(task, position=position)))

    def _drop(self, world: World, at: int, of: int) -> World:
        """The task ends, and with it what only it knows."""
        task = world.jobs[at].tasks[of]
        messages = self._known.unlearnt(world.messages, task)
        return self._let_go(replace(world, messages=messages), at, of)

    def _let_go(self, world: World, at: int, of: int) -> World:
        """The task ends; what it still holds is handed back, or lapses before that."""
        job = world.jobs[at]
        task = job.tasks[of]
        if task.pick and job.status == PICKED:
            back = with_task(job, of, None, lapsed=True, handback=task.worker + 1)
            return with_job(world, at, back)
        return with_job(world, at, with_task(job, of, None))


def _alone(request: Request) -> bool:
    return isinstance(request, Put) and isinstance(request.item, Take) and request.item.alone
