"""What the store tells of the chat: Loaded, from a World, as one job's task sees it."""

from datetime import timedelta

from msgspec.structs import replace

from application.conversations import Entry, Loaded
from domain.events import BotProfile
from domain.turn import Turn
from tests.application.memory_conversations import START
from tests.explore.entries import RETRY, kind
from tests.explore.known import DAY, Known
from tests.explore.positions import PICK
from tests.explore.world import GONE, PICKED, Job, Task, Waiting, World

BOT = BotProfile(3, "Kotodom", "kotodom_bot")
OTHER_JOB = 2


def loaded(known: Known, world: World, job: Job, task: Task) -> Loaded:
    """The chat under its lock."""
    update, request, update_first = _heads(world)
    owner = next((one for one in world.jobs if one.owner), None)
    again = known.turns.values[_again(known, world, request)]
    updated = _entry(known, world, update, None, 0 if update_first else 1)
    requested = _entry(known, world, request, again, 1 if update_first else 0)
    heads = [entry for entry in (updated, requested) if entry is not None]
    head = min(heads, key=lambda entry: entry.received_at, default=None)
    return Loaded(
        conversation=known.chats.values[world.chat],
        profile=replace(BOT, enabled=world.enabled),
        owner_job_id=None if owner is None else (PICK.job_id if owner is job else OTHER_JOB),
        owner_lives=owner is not None and owner.status != GONE,
        pick_held=task.pick and job.status == PICKED,
        update=updated,
        request=requested,
        new_id=head.id if head is not None else 0,
    )


def situation(known: Known, world: World, job: Job, task: Task) -> tuple[object, ...]:
    """All that `loaded` is made of, as numbers: a key."""
    owner = next((one for one in world.jobs if one.owner), None)
    update, request, update_first = _heads(world)
    return (
        task.position,
        task.fresh,
        world.chat,
        world.enabled,
        world.later,
        None if owner is None else (owner is job, owner.status != GONE),
        task.pick and job.status == PICKED,
        update,
        request,
        update_first,
        _again(known, world, request),
    )


def _heads(world: World) -> tuple[Waiting | None, Waiting | None, bool]:
    """The first update by number, the first request; whether that update came before it."""
    update = request = None
    update_first = True
    for one in world.line:
        if kind(one.entry) == "UPDATE":
            if update is None or one.entry < update.entry:
                update, update_first = one, request is None
        elif request is None:
            request = one
    return update, request, update_first and update is not None


def _again(known: Known, world: World, request: Waiting | None) -> int:
    """The turn that a person's retry is of."""
    if request is None or request.entry < RETRY:
        return 0
    return world.messages[known.place(request.entry - RETRY)].turn


def _entry(
    known: Known, world: World, one: Waiting | None, again: Turn | None, order: int
) -> Entry | None:
    if one is None:
        return None
    arrived = START + timedelta(seconds=order)
    if world.later and not one.expired:
        arrived += DAY
    return replace(known.plan.entry(one.entry, again), received_at=arrived)
