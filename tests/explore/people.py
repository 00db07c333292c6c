"""What users, administrators and time do: write, refresh, retry, disable, delete a job, sweep.

Updates arrive in any order, each once (a duplicate leaves nothing: tests/explore/test_stories.py).
A wish of a person is of the budget of wishes, a deletion of the budget of faults; enabling a bot
and the sweep are what brings the world to its end.
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from domain.conversation import handle
from domain.events import ChatEvent, JobDeleted
from domain.step import Envelope
from domain.turn import Conversation
from tests.explore.entries import RETRY
from tests.explore.known import Known, at, with_message
from tests.explore.tasks import Label, Move
from tests.explore.world import (
    GONE,
    OPEN,
    TERMINAL,
    Job,
    Message,
    Waiting,
    World,
    with_jobs,
)


class People:
    """All that happens around the workers."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def moves(self, world: World) -> Iterator[Move]:
        """Everything that may happen next, without the workers."""
        if world.waking:
            awake = replace(world, waking=False)
            after = _published(awake) if world.line else awake
            yield Label("the enabled bot's chats get a job"), True, after
        if not world.enabled:
            yield Label("the bot is enabled"), True, replace(world, enabled=True, waking=True)
        for number in world.coming:
            coming = tuple(one for one in world.coming if one != number)
            arrived = replace(world, coming=coming)
            yield Label("update arrives", number=number), True, _asked(arrived, number)
            if not self._known.rules.together and world.faults:
                apart = replace(arrived, faults=world.faults - 1)
                line = (*world.line, Waiting(number))
                label = Label("update arrives, its job is lost", number=number)
                yield label, False, replace(apart, line=line)
        if (world.deleted or world.later) and stranded(world):
            yield Label("the sweep finds the chat"), True, _published(world)
        if world.wishes:
            yield from self._wishes(replace(world, wishes=world.wishes - 1))
        if world.faults:
            for job, row in enumerate(world.jobs):
                if row.status != GONE:
                    yield (
                        Label("a person deletes the job", job=job),
                        False,
                        self._deleted(world, job),
                    )

    def _wishes(self, world: World) -> Iterator[Move]:
        plan = self._known.plan
        for number in plan.asked:
            if number not in world.asked:
                asked = replace(world, asked=tuple(sorted((*world.asked, number))))
                yield Label("a person asks", number=number), False, _asked(asked, number)
        for number in plan.numbers:
            message = world.messages[self._known.place(number)]
            waits = any(one.entry == RETRY + number for one in world.line)
            if message.status == TERMINAL and message.turn and not waits:
                again = _asked(world, RETRY + number)
                yield Label("a person asks for another try", number=number), False, again
        if plan.wish("job"):
            yield Label("a superfluous job is published"), False, _published(world)
        if world.enabled and plan.wish("disable"):
            disabled = replace(world, enabled=False, waking=False)
            yield Label("the bot is disabled"), False, disabled
        if not (world.enabled or world.later) and world.line:
            line = tuple(replace(one, expired=True) for one in world.line)
            yield Label("a day passes"), False, replace(world, later=True, line=line)

    def _deleted(self, world: World, number: int) -> World:
        """DESIGN §2, "Deleting a job", under the chat's lock."""
        job = world.jobs[number]
        world = replace(world, faults=world.faults - 1, deleted=True)
        jobs = list(world.jobs)
        jobs[number] = replace(job, status=GONE, owner=False, handback=0)
        if not job.owner:
            return with_jobs(world, jobs)
        messages = world.messages
        for task in (task for row in world.jobs for task in row.tasks):
            messages = self._known.unlearnt(messages, task)
        jobs = [
            replace(row, tasks=tuple(replace(task, fresh=False) for task in row.tasks))
            for row in jobs
        ]
        if world.line:
            jobs.append(Job())
        chat = self._known.chats.values[world.chat]
        if chat.turn is not None:
            turn = handle(chat, deletion(chat, at(world))).state.turn
            assert turn is not None
            place = self._known.place(turn.token.id)
            ended = Message(TERMINAL)
            if world.wishes and self._known.plan.wish("retry"):
                kept = self._known.turns.number(turn)
                ended = replace(messages[place], status=TERMINAL, turn=kept)
            messages = with_message(messages, place, ended)
            chat = replace(chat, turn=None)
        after = replace(world, chat=self._known.chats.number(chat), messages=messages)
        return with_jobs(after, jobs)


def deletion(chat: Conversation, at: datetime) -> Envelope[ChatEvent]:
    """What the chat hears where its owner's job is deleted."""
    assert chat.turn is not None
    token = chat.turn.token
    return Envelope(f"turn:{token.id}.{token.epoch}:job.deleted", at, JobDeleted(token))


def _asked(world: World, number: int) -> World:
    """An entry and its job, in one commit."""
    return _published(replace(world, line=(*world.line, Waiting(number))))


def _published(world: World) -> World:
    return with_jobs(world, [*world.jobs, Job()])


def stranded(world: World) -> bool:
    """What adapters/postgres_sweep.py looks for: something to do, and no job that will."""
    if any(job.status != GONE for job in world.jobs):
        return False
    open_turn = any(message.status == OPEN for message in world.messages)
    servable = world.enabled or any(one.expired for one in world.line)
    return open_turn or (servable and bool(world.line))


def unserved(world: World) -> bool:
    """Whether somebody waits whom nobody but the sweep would find, and it is not meant to."""
    if world.waking or world.deleted or not stranded(world):
        return False
    # What has waited for a disabled bot for a day is the sweep's to find.
    return not world.later or any(message.status == OPEN for message in world.messages)


def quiet(world: World) -> bool:
    """Nothing is left to do: every message is in its final state."""
    return not (
        world.coming or world.line or world.waking or not world.enabled
        or any(job.status != GONE or job.tasks or job.owner for job in world.jobs)
        or any(message.status == OPEN for message in world.messages)
    )  # fmt: skip
