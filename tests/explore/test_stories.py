"""The same story in memory and on PostgreSQL: what is loaded after each step, what stands then.

So the fakes of the tests, and with them what the explorer takes for granted, are what PostgreSQL
does, with its locks and its isolation: what happens `at_once` comes out as one order or the other.
"""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.failures import Ambiguous, Fatal, Retryable, RunLost, Terminal, ThreadLost
from tests.explore.story_hands import MemoryHands
from tests.explore.story_player import Player
from tests.explore.story_postgres import PostgresHands

Story = list[tuple[Any, ...]]


def goes_on(worker: str, times: int) -> Story:
    return [("goes_on", worker)] * times


BEGINS: Story = [("says", 1), ("picks", "A"), ("goes_on", "A")]
STARTED: Story = [*BEGINS, ("goes_on", "A")]
"""The run's id is saved."""
REPLIED: Story = [*STARTED, ("goes_on", "A")]
WAITS = Retryable("away")

STORIES: dict[str, Story] = {
    "a message, answered": [*REPLIED, *goes_on("A", 2)],
    "two, and a duplicate": [
        ("says", 1), ("says", 2), ("says", 1), ("picks", "A"), ("picks", "B"),
        *goes_on("A", 1), *goes_on("B", 1), *goes_on("A", 4), *goes_on("A", 4),
    ],
    "out of order": [("says", 7), ("says", 5), ("picks", "B"), *goes_on("B", 8)],
    "one that arrives late is the next": [
        ("says", 7), ("picks", "A"), *goes_on("A", 2), ("says", 9), ("says", 5), *goes_on("A", 7),
    ],
    "commands and refresh": [
        *REPLIED, *goes_on("A", 2), ("says", 2, "/refresh"), ("picks", "B"), *goes_on("B", 2),
        ("asks", "REFRESH"), ("asks", "OPERATOR_MESSAGE"), ("picks", "A"), ("picks", "B"),
        *goes_on("A", 2), *goes_on("B", 1), *goes_on("A", 1),
    ],
    "nothing to say": [("says", 1, " "), ("says", 2, "/start"), ("picks", "A"), *goes_on("A", 3)],
    "a retry is resumed by its run's id": [
        *STARTED, ("says", 2), ("fails", "A", WAITS), ("picks", "B"), *goes_on("B", 1),
        ("becomes_due",), ("picks", "A"), *goes_on("A", 4),
    ],
    "a run that is lost, a thread that is lost": [
        *STARTED, ("fails", "A", RunLost("no run")), *goes_on("A", 4),
        ("says", 2), ("picks", "A"), *goes_on("A", 1), ("fails", "A", ThreadLost("none")),
    ],
    "ambiguous, then blocked": [
        *REPLIED, *goes_on("A", 1), ("fails", "A", Ambiguous("no answer")), ("becomes_due",),
        ("picks", "B"), *goes_on("B", 1), ("fails", "B", Terminal("blocked", chat_gone=True)),
    ],
    "refused, and a person's retry": [
        *STARTED, ("fails", "A", Terminal("refused")), *goes_on("A", 1), ("says", 2),
        ("tries_again", 1), ("picks", "A"), *goes_on("A", 9),
    ],
    "a reply that was there, and a person's retry": [
        *REPLIED, *goes_on("A", 1), ("fails", "A", Fatal("wrong token", token_dead=True)),
        ("tries_again", 1), ("picks", "B"), *goes_on("B", 2),
    ],
    "a commit that did not take place": [
        *STARTED, ("goes_on", "A", "before"), ("picks", "B"), *goes_on("B", 4),
    ],
    "a commit of which nobody hears": [
        *STARTED, ("goes_on", "A", "after"), ("picks", "B"), *goes_on("B", 3),
    ],
    "a last commit of which nobody hears": [*REPLIED, *goes_on("A", 1), ("goes_on", "A", "after")],
    "a beginning that is lost": [
        ("says", 1), ("picks", "A"), ("goes_on", "A", "before"), ("picks", "B"), *goes_on("B", 5),
    ],
    "two deaths, then alone": [
        *BEGINS, ("dies", "A"), ("picks", "B"), *goes_on("B", 1), ("dies", "B"), ("picks", "A"),
        *goes_on("A", 6),
    ],
    "overtaken while stalled": [
        *STARTED, ("lapses", "A"), ("picks", "B"), *goes_on("B", 1), *goes_on("A", 1),
        *goes_on("B", 3),
    ],
    "overtaken, and not yet taken": [
        *STARTED, ("lapses", "A"), ("picks", "B"), *goes_on("A", 3), *goes_on("B", 1),
    ],
    "overtaken at a retry": [
        *STARTED, ("lapses", "A"), ("picks", "B"), ("fails", "A", WAITS), *goes_on("B", 1),
        ("becomes_due",), ("picks", "B"), *goes_on("B", 4),
    ],
    "handed back": [
        *STARTED, ("hands_back", "A"), ("picks", "B"), *goes_on("B", 4),
    ],
    "three bugs": [
        *BEGINS, ("breaks", "A"), ("becomes_due",), ("picks", "A"), *goes_on("A", 1),
        ("breaks", "A"), ("becomes_due",), ("picks", "B"), *goes_on("B", 1), ("breaks", "B"),
        *goes_on("B", 1),
    ],
    "disabled in between": [
        *STARTED, ("says", 2), ("enables", False), *goes_on("A", 3), ("sweeps",),
        ("enables", True), ("picks", "A"), *goes_on("A", 1), ("picks", "B"), *goes_on("B", 1),
        *goes_on("A", 4),
    ],
    "disabled for a day": [
        ("enables", False), ("says", 1), ("picks", "A"), *goes_on("A", 1), ("sweeps",),
        ("a_day_passes",), ("sweeps",), ("sweeps",), ("picks", "A"), *goes_on("A", 2),
    ],
    "two jobs take the chat at once": [
        ("says", 1), ("says", 2), ("picks", "A"), ("picks", "B"),
        ("at_once", ("goes_on", "A"), ("goes_on", "B")),
    ],
    "an update comes while the owner lets go": [
        *REPLIED, *goes_on("A", 1), ("at_once", ("says", 2), ("goes_on", "A")),
    ],
    "an outcome and the worker that overtakes": [
        *STARTED, ("lapses", "A"), ("picks", "B"),
        ("at_once", ("goes_on", "A"), ("goes_on", "B")),
    ],
    "the last outcome and the worker that overtakes": [
        *REPLIED, *goes_on("A", 1), ("lapses", "A"), ("picks", "B"),
        ("at_once", ("goes_on", "A"), ("goes_on", "B")),
    ],
    "a retry and the worker that overtakes": [
        *STARTED, ("lapses", "A"), ("picks", "B"),
        ("at_once", ("fails", "A", WAITS), ("goes_on", "B")),
    ],
    "the last outcome and another job": [
        *REPLIED, *goes_on("A", 1), ("says", 2), ("picks", "B"),
        ("at_once", ("goes_on", "A"), ("goes_on", "B")),
    ],
    "a hand-back and the worker that overtakes": [
        *STARTED, ("lapses", "A"), ("picks", "B"),
        ("at_once", ("hands_back", "A"), ("goes_on", "B")),
    ],
    "a duplicate at once": [("at_once", ("says", 1), ("says", 1)), ("picks", "A")],
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
async def test_a_story_is_the_same_on_both(
    name: str, engine: AsyncEngine, database_url: str
) -> None:
    story = STORIES[name]
    postgres = PostgresHands(engine, database_url)
    await postgres.begin()
    there = await Player(postgres, really_at_once=True).play(story)
    here = [
        await Player(MemoryHands(), really_at_once=False, swapped=swapped).play(story)
        for swapped in (0, 1)
    ]
    assert there == here[0] or there == here[1], differences(there, *here)


def differences(there: list[Any], *here: list[Any]) -> str:
    """The first line that differs from each order in memory."""
    told = []
    for lines in here:
        left, right = next(pair for pair in zip(there, lines, strict=True) if pair[0] != pair[1])
        told.append(f"{left}\n  in memory:\n{right}")
    return "\n\n".join(told)
