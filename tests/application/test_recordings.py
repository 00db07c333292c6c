"""Recordings: which steps of the journal become lines, and what their replay refuses."""

from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.recordings import (
    Line,
    NothingRecorded,
    RecordingFilter,
    Recordings,
    StoredStep,
    replay,
)
from application.refusals import NotFound
from domain.access import Actor, Role
from domain.recording import NotARecording
from domain.redaction import Redaction
from domain.replay import Replay
from tests.domain.given import NOW
from tests.domain.random_recordings import RandomRecording, at_once, one_recording, recordings

STEPS = one_recording().steps
EVERYTHING = RecordingFilter()
ADMIN = Actor("0b7f0a1e-0000-4000-8000-000000000001", "ann@example.org", Role.ADMIN)
USER = Actor("0b7f0a1e-0000-4000-8000-000000000002", "bob@example.org", Role.USER)


class MemoryJournal:
    """application.recordings.Journal in memory; it keeps what it was asked for."""

    def __init__(self, steps: Sequence[StoredStep], batch: int = 3) -> None:
        self.rows = steps
        self.batch = batch
        self.asked: list[object] = []

    async def span(self, asked: RecordingFilter) -> tuple[int, int]:
        self.asked.append(asked)
        return (self.rows[0].seq, self.rows[-1].seq) if self.rows else (0, -1)

    async def steps(
        self, asked: RecordingFilter, first: int, last: int
    ) -> AsyncIterator[Sequence[StoredStep]]:
        self.asked.append(asked)
        rows = [row for row in self.rows if first <= row.seq <= last]
        for place in range(0, len(rows), self.batch):
            yield rows[place : place + self.batch]

    async def turn(self, processing_id: int, owner: str | None) -> Sequence[StoredStep]:
        self.asked.append((processing_id, owner))
        return self.rows


async def record(
    steps: Sequence[StoredStep], redaction: Redaction | None = None, batch: int = 3
) -> list[Line]:
    recorded = Recordings(MemoryJournal(steps, batch))
    span = await recorded.span(EVERYTHING)
    return [line async for line in recorded.record(EVERYTHING, span, redaction)]


def row(seq: int, key: str = "3:42", *, begins: bool = True, turn: int | None = None) -> StoredStep:
    """A row; what is in it is nothing to the use case."""
    origin = '{"a": 1}' if begins else None
    return StoredStep(seq, key, NOW, f"id {seq}", origin, "{ }", "[ ]", "ж", turn)


async def test_a_turn_whose_beginning_is_pruned_meanwhile_is_left_out() -> None:
    """An earlier turn of the chat was read, and the next one's first row left with its batch."""
    rows = [row(1, turn=7), row(2, begins=False, turn=7), row(9, begins=False, turn=8)]
    later = [row(11, turn=9), row(12, begins=False, turn=9)]
    lines = await record([*rows, *later])
    assert [line.seq for line in lines] == [1, 2, 11, 12]


def differing(lines: Sequence[bytes]) -> int:
    replayed = Replay()
    found = [difference for difference in replay(lines, replayed) if difference is not None]
    assert len(found) == replayed.differing
    return len(found)


# --- record --------------------------------------------------------------------------------------


async def test_a_line_is_a_row() -> None:
    assert await record([row(3), row(5, begins=False)]) == [
        Line(
            3,
            '{"key":"3:42","seq":3,"at":"2026-11-23T12:00:00Z","id":"id 3","from":{"a": 1},'
            '"event":{ },"effects":[ ],"state":"ж"}\n'.encode(),
        ),
        Line(
            5,
            '{"key":"3:42","seq":5,"at":"2026-11-23T12:00:00Z","id":"id 5",'
            '"event":{ },"effects":[ ],"state":"ж"}\n'.encode(),
        ),
    ]


async def test_a_turn_whose_beginning_is_pruned_is_left_out() -> None:
    rows = [
        row(1, begins=False),
        row(2, "3:43"),
        row(3, begins=False),
        row(4, "3:43", begins=False),
        row(5),
        row(6, begins=False),
        row(7, "3:44", begins=False),
    ]
    for batch in (1, 2, 7):
        assert [line.seq for line in await record(rows, batch=batch)] == [2, 4, 5, 6]


@pytest.mark.parametrize("rows", [[], [row(1, begins=False), row(2, begins=False)]])
async def test_nothing_to_record_is_said(rows: list[StoredStep]) -> None:
    with pytest.raises(NothingRecorded, match="has no such turn from its beginning"):
        await record(rows)


async def test_what_is_asked_for_is_asked_of_the_journal() -> None:
    journal = MemoryJournal([row(1)])
    asked = RecordingFilter(3, "3:42", NOW)
    recorded = Recordings(journal)
    assert await recorded.span(asked) == (1, 1)
    assert len([line async for line in recorded.record(asked, (1, 1))]) == 1
    assert journal.asked == [asked, asked]


async def recorded(recording: RandomRecording, redaction: Redaction | None) -> list[bytes]:
    return [line.content for line in await record(recording.steps, redaction, batch=7)]


@settings(max_examples=40)
@given(recordings(), st.integers(0, 10))
def test_any_journal_is_a_recording_however_it_is_pruned(
    recording: RandomRecording, pruned: int
) -> None:
    kept = RandomRecording(recording.steps[pruned:])
    if not any(step.from_state is not None for step in kept.steps):
        return
    for redaction in (None, Redaction(b"key")):
        lines = at_once(recorded(kept, redaction))
        assert differing(lines) == 0
    if not pruned:
        assert [msgspec.json.decode(line) for line in at_once(recorded(kept, None))] == kept.lines


async def test_a_row_that_cannot_be_redacted_is_named() -> None:
    with pytest.raises(NotARecording, match=r"^seq 3: Object missing required field `type`"):
        await record([row(3)], Redaction(b"key"))


# --- one message ---------------------------------------------------------------------------------


async def test_a_message_is_a_recording() -> None:
    rows = [row(2, begins=False), row(3), row(4, begins=False)]
    for actor, owner in ((ADMIN, None), (USER, USER.id)):
        journal = MemoryJournal(rows)
        content = await Recordings(journal).of_message(actor, 100)
        assert content == b"".join(line.content for line in await record(rows))
        assert journal.asked == [(100, owner)]


@pytest.mark.parametrize(
    ("rows", "processing_id"),
    [([], 100), ([row(1, begins=False)], 100), ([row(1)], 0), ([row(1)], -1), ([row(1)], 2**63)],
)
async def test_a_message_without_a_recording_is_not_found(
    rows: list[StoredStep], processing_id: int
) -> None:
    with pytest.raises(NotFound, match=r"^There is no such recording\.$"):
        await Recordings(MemoryJournal(rows)).of_message(ADMIN, processing_id)


# --- replay --------------------------------------------------------------------------------------


async def lines_of_one() -> list[bytes]:
    return [line.content for line in await record(STEPS)]


async def test_blank_lines_are_no_steps() -> None:
    lines = await lines_of_one()
    blank = [b"\n", *lines[:1], b" \r\n", b"\t\n", *lines[1:], b" "]
    replayed = Replay()
    assert list(replay(blank, replayed)) == [None] * len(lines)
    assert replayed.steps == len(lines)


async def test_a_difference_names_its_line() -> None:
    lines = await lines_of_one()
    lines[3] = lines[3].replace(b'"effects":[', b'"effects":[null,').replace(b",]", b"]")
    found = list(replay([b"\n", *lines], Replay()))
    (difference,) = [one for one in found if one is not None]
    assert (difference.line, found.index(difference)) == (5, 3)


@pytest.mark.parametrize("content", [[], [b"\n"], [b" \r\n", b""]])
def test_a_recording_holds_a_step(content: list[bytes]) -> None:
    with pytest.raises(NotARecording, match=r"^it holds no steps$"):
        list(replay(content, Replay()))


async def test_a_last_line_that_is_cut_is_said() -> None:
    *lines, last = await lines_of_one()
    for cut in (last[:1], last[:20], last[:-2], last[:10] + "ж".encode()[:1]):
        replayed = Replay()
        with pytest.raises(NotARecording) as refused:
            list(replay([*lines, cut], replayed))
        said = f"line {len(STEPS)}: it is cut off: the file ends in its middle"
        assert str(refused.value) == said
        assert replayed.steps == len(lines)
    assert differing([*lines, last.rstrip()]) == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"key":\n', "not JSON: Input data was truncated"),
        (b"nonsense", "not JSON: JSON is malformed: invalid character (byte 4)"),
        (b"\xd0\n", "byte 1 is not UTF-8"),
        (b"\xff", "byte 1 is not UTF-8"),
        (b"5\n", "Expected `object`, got `int`"),
    ],
)
async def test_a_line_that_is_no_step_is_named(line: bytes, reason: str) -> None:
    lines = await lines_of_one()
    with pytest.raises(NotARecording) as refused:
        list(replay([*lines, b"\n", line, *lines], Replay()))
    assert str(refused.value) == f"line {len(STEPS) + 2}: {reason}"
