"""A protocol with one rule taken away is found out, and the path to it can be replayed."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from domain.conversation import handle
from domain.effects import Effect
from domain.events import ChatEvent
from domain.step import Envelope, digest
from domain.turn import Conversation
from tests.application.memory_conversations import START
from tests.explore.__main__ import explore
from tests.explore.entries import Plan
from tests.explore.recording import recording, told
from tests.explore.rules import (
    MUTANTS,
    AcknowledgedWithoutFence,
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
    assert len(file.read_bytes().splitlines()) == 4
    words = capsys.readouterr().out
    assert "VIOLATION: a run whose id is saved is paid for again" in words
    assert "  1. update arrives: 2" in words
    assert " 12. worker A hears for openai.generateReply of message 2: openai.replyStarted" in words


class Line(Struct):
    key: str
    id: str
    event: ChatEvent
    effects: list[Effect]
    state: str
    from_: Conversation | None = msgspec.field(name="from", default=None)
    at: datetime = START


async def test_its_recording_replays_up_to_the_rule_that_was_broken() -> None:
    search = Search(ONE_FAULT, RunForgotten())
    found = search.run()
    lines = [
        msgspec.json.decode(line, type=Line)
        for line in recording(search.known, search.saving, found.path)
    ]
    assert [line.id for line in lines] == [
        "update:3:42:2",
        "turn:2.1:openai.replyStarted",
        "turn:2.1:openai.replyFailed",
        "turn:2.2:turn.resumed",
    ]
    assert differing(lines) == [4]  # the retry, from which the run's id was taken away


def differing(lines: Sequence[Line]) -> list[int]:
    """The lines (from 1) that the pure handlers tell otherwise."""
    state: Conversation | None = None
    wrong = []
    for number, line in enumerate(lines, 1):
        state = line.from_ or state
        assert state is not None
        step = handle(state, Envelope(line.id, line.at, line.event))
        state = step.state
        if digest(state) != line.state or list(step.effects) != line.effects:
            wrong.append(number)
    return wrong
