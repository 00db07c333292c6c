"""A protocol with one rule taken away is found out, and the path to it can be replayed."""

from pathlib import Path

import pytest
from rich.console import Console

from application.differences import told as explained
from application.recordings import replay
from domain.recording import decode
from domain.replay import Replay
from entrypoints.replay import DIFFERS, Replayer
from tests.explore.__main__ import explore
from tests.explore.entries import WISHES, Plan
from tests.explore.people import quiet
from tests.explore.recording import recording, told
from tests.explore.rules import (
    MUTANTS,
    AcknowledgedWithoutFence,
    JobApart,
    LineUnread,
    NeverAcknowledged,
    OwnerIgnored,
    Rules,
    RunForgotten,
)
from tests.explore.search import Search

PLANS: dict[type[Rules], Plan] = {
    LineUnread: Plan(messages=2, faults=0, wishes=0, parts=1),
    OwnerIgnored: Plan(messages=1, faults=2, wishes=0, parts=1),
}
ONE_FAULT = Plan(messages=1, faults=1, wishes=0)
PROMISES: dict[type[Rules], str] = {
    AcknowledgedWithoutFence: "somebody waits",
    LineUnread: "somebody waits",
    NeverAcknowledged: "never ends",
    RunForgotten: "paid for again",
}


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_a_broken_rule_is_found(mutant: type[Rules]) -> None:
    search = Search(PLANS.get(mutant, ONE_FAULT), mutant())
    found = search.run()
    assert found.violation is not None
    assert PROMISES.get(mutant, "") in found.violation
    assert len(found.path) <= 20
    assert all(told(number, step.label) for number, step in enumerate(found.path))


def test_a_violation_is_told_and_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "violation.jsonl"
    assert explore(ONE_FAULT, seconds=0, states=0, file=file, rules=RunForgotten())
    assert Replayer(Console(), Console(), as_json=False).recording(file) == DIFFERS
    words = capsys.readouterr().out
    assert "VIOLATION: a run whose id is saved is paid for again" in words
    assert "  1. update arrives: 2" in words
    assert "  9. worker A hears for openai.generateReply of message 2: openai.replyStarted" in words


async def test_its_recording_replays_up_to_the_rule_that_was_broken() -> None:
    search = Search(ONE_FAULT, RunForgotten())
    found = search.run()
    lines = list(recording(search.known, search.saving, found.path))
    assert [decode(line).id for line in lines] == [
        "update:3:42:2",
        "turn:2.1:openai.replyStarted",
        "turn:2.1:openai.replyFailed",
        "turn:2.2:turn.resumed",
    ]
    *same, differs = replay(lines, Replay())
    assert same == [None, None, None]
    assert differs is not None  # the retry, from which the run's id was taken away
    shown = [line for line in explained(differs) if line[0] in "-+"]
    assert '-     "type": "openai.generateReply",' in shown
    assert '+     "type": "openai.resumeReply",' in shown


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_the_recording_of_a_mutant_can_be_read(mutant: type[Rules]) -> None:
    """What differs is what the mutant did; where nothing was journalled, there is nothing."""
    search = Search(PLANS.get(mutant, ONE_FAULT), mutant())
    found = search.run()
    lines = list(recording(search.known, search.saving, found.path))
    if mutant is JobApart:
        assert lines == []
    else:
        replayed = Replay()
        differences = [one for one in replay(lines, replayed) if one is not None]
        assert replayed.steps == len(lines) > 0
        assert all(list(explained(one)) for one in differences)


async def test_the_recording_of_every_path_to_an_end_replays_the_same() -> None:
    """The same handlers made it: through faults, retries, deletions, each kind of wish."""
    for kind in WISHES:
        search = Search(Plan(messages=1, faults=1, wishes=1, kinds=(kind,)))
        assert search.run().exhausted
        for end in filter(quiet, list(search.situations)):
            lines = list(recording(search.known, search.saving, search.path(end)))
            assert list(replay(lines, Replay())) == [None] * len(lines)
            assert lines
