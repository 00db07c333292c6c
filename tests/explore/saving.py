"""What the commit of an item changes in the world, and who may change it."""

from collections.abc import Callable

from msgspec.structs import replace

from application.conversations import Change, Loaded
from application.moves import Item, Outcome, Take
from domain.events import MessageSent, ReplyGenerated, ReplyStarted
from tests.application.memory_conversations import START
from tests.explore import loading, messages
from tests.explore.commits import Commit, Saved, commit, nameless, stale
from tests.explore.known import Known, at
from tests.explore.positions import Over, Put
from tests.explore.world import GONE, PICKED, Job, Message, Task, Violation, World

Listener = Callable[[Item, Loaded], None]


class Saving:
    """Runs each different commit once. `listener` hears of an item just before it is run."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._commits: dict[tuple[object, ...], Commit] = {}
        self.listener: Listener | None = None

    @property
    def count(self) -> int:
        """How many different commits were run through React."""
        return len(self._commits)

    def put(self, world: World, number: int, of: int) -> tuple[World, int | Over]:
        """The task `of` of the job `number` commits what it puts.

        The world after it, with all jobs and tasks where they were, and the task's next position.
        """
        job = world.jobs[number]
        task = job.tasks[of]
        found = self._commit(world, job, task)
        saved = found.saved
        position = self._known.positions.after(task.position, found.answer)
        if saved is None:
            return world, position
        item = self._item(task)
        held = task.pick and job.status == PICKED
        if isinstance(item, Take) and not held:
            raise Violation("a job is taken by a task that holds it no more")
        if not isinstance(item, Take) and not task.fresh:
            raise Violation("a task whose token is not the chat's changes the chat")
        became = messages.after(self._known, world, saved, item)
        if saved.passed:
            became = self._unlearnt(world, became, but=task)
        jobs = [
            _saved(one, saved, here=index == number, of=of) for index, one in enumerate(world.jobs)
        ]
        if saved.acknowledge and held:
            jobs[number] = replace(jobs[number], status=GONE)
        if saved.retry:
            jobs.append(Job(owner=saved.owner == "retry"))
        line = world.line
        if saved.taken is not None:
            taken = saved.taken.id
            line = tuple(one for one in line if one.entry != taken)
            if len(line) != len(world.line) - 1:
                raise Violation(f"entry {taken} is taken twice")
        chat = self._known.chats.number(saved.conversation)
        return replace(world, chat=chat, messages=became, line=line, jobs=tuple(jobs)), position

    def _item(self, task: Task) -> Item:
        put = self._known.positions.request(task.position)
        assert isinstance(put, Put)
        return put.item

    def _commit(self, world: World, job: Job, task: Task) -> Commit:
        key = loading.situation(self._known, world, job, task)
        found = self._commits.get(key)
        if found is None or self.listener is not None:
            found = self._commits[key] = self._run(world, job, task)
        return found

    def _run(self, world: World, job: Job, task: Task) -> Commit:
        rules = self._known.rules
        item = self._item(task) if task.fresh else stale(self._item(task))
        loaded = rules.loaded(loading.loaded(self._known, world, job, task))
        item = rules.item(item, loaded)
        if self.listener is not None:
            self.listener(item, loaded)
        result, change = commit(item, loaded, at(world))
        if change is not None and isinstance(item, Outcome):
            _twice(item, loaded, change)
        found = nameless(item, result, change)
        return replace(found, saved=rules.saved(found.saved)) if found.saved else found

    def _unlearnt(
        self, world: World, became: tuple[Message, ...], but: Task
    ) -> tuple[Message, ...]:
        """The parts in the hands of all others, who are stale from now on."""
        for job in world.jobs:
            for task in job.tasks:
                if task is not but:
                    became = self._known.unlearnt(became, task)
        return became


def _saved(job: Job, saved: Saved, *, here: bool, of: int) -> Job:
    owner = job.owner
    if saved.owner != "keep":
        owner = here and saved.owner == "take"
    tasks = job.tasks
    if saved.passed:
        tasks = tuple(replace(task, fresh=here and index == of) for index, task in enumerate(tasks))
    return replace(job, owner=owner, tasks=tasks)


def _twice(item: Outcome, loaded: Loaded, change: Change) -> None:
    """A success that is told once more changes nothing. (A failure may well come twice.)"""
    if not isinstance(item.event, ReplyStarted | ReplyGenerated | MessageSent):
        return
    after = change.conversation
    if after.turn is not None and after.turn.over:
        after = replace(after, turn=None)
    _, again = commit(item, replace(loaded, conversation=after), START)
    if again is not None and (again.journal or again.acknowledge or again.owner != "keep"):
        raise Violation(f"the same outcome twice: {item.event}")
