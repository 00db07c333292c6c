"""Small bounds, to exhaustion; and longer stories, as chance has it."""

import random

import pytest
from msgspec.structs import replace

from tests.explore.entries import WISHES, Plan
from tests.explore.people import quiet
from tests.explore.rules import Whole
from tests.explore.search import Search
from tests.explore.world import GONE


@pytest.mark.parametrize(
    "plan",
    [
        Plan(messages=1, faults=1, wishes=1),
        Plan(messages=1, faults=2, wishes=0),
        Plan(messages=2, faults=1, wishes=0),
        Plan(messages=2, faults=1, wishes=1, kinds=("retry",)),
        Plan(messages=2, faults=1, wishes=1, kinds=("disable",)),
        Plan(messages=2, faults=0, wishes=1, parts=1),
        Plan(messages=1, faults=2, wishes=0, plain=True),
        Plan(messages=2, faults=1, wishes=0, parts=1, poison=(2,)),
        Plan(messages=2, faults=1, wishes=0, parts=1, poison=(4,)),
    ],
    ids=str,
)
async def test_no_order_of_events_breaks_a_promise(plan: Plan) -> None:
    search = Search(plan)
    found = search.run()
    assert found.violation is None
    assert found.exhausted
    assert found.quiet


@pytest.mark.parametrize(
    "plan",
    [
        Plan(messages=1, faults=2, wishes=0, parts=1),
        Plan(messages=2, faults=1, wishes=0, parts=1),
        *(Plan(messages=1, faults=1, wishes=1, parts=1, kinds=(kind,)) for kind in WISHES),
    ],
    ids=str,
)
async def test_what_is_left_out_makes_no_difference(plan: Plan) -> None:
    """Tasks that are forgotten, jobs that are taken as they are dequeued (rules.py)."""
    short, whole = Search(plan), Search(plan, Whole())
    assert short.run().situations < whole.run().situations
    assert _seen(short) == _seen(whole)


def _seen(search: Search) -> set[object]:
    """What a database and a user can tell of every situation, without numbers of tables."""
    known = search.known
    return {
        replace(
            world,
            chat=known.chats.values[world.chat],
            messages=tuple(
                replace(
                    message,
                    turn=known.turns.values[message.turn],
                    said=tuple(known.saids.values[said] for said in message.said),
                )
                for message in world.messages
            ),
            jobs=any(job.owner and job.status != GONE for job in world.jobs),
        )
        for world in search.situations
    }


LONG = Plan(messages=4, faults=9, wishes=4, parts=3)


@pytest.mark.parametrize("seed", range(5))
async def test_a_long_story_ends_well(seed: int) -> None:
    """40 walks each; the moves that need no fault are as likely as all others together."""
    search = Search(LONG)
    chance = random.Random(seed)
    for _ in range(40):
        world = search.known.first()
        for _ in range(120):
            moves = [(free, after) for _, free, after in search.moves(world)]
            if not moves:
                break
            wanted = chance.random() < 0.6
            chosen = [after for free, after in moves if free is wanted] or [
                after for _, after in moves
            ]
            world = chance.choice(chosen)
        for _ in range(400):
            if quiet(world):
                break
            world = next(after for _, free, after in search.moves(world) if free)
        assert quiet(world)
