"""Recordings: the journal's steps as JSON lines, and their replay (DESIGN §9).

Triggered by `kotodom record` and `kotodom replay`, and by the HTTP API for one message's turn and
for an uploaded recording. Lines come out, or differences; nothing is changed anywhere.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import Struct

from application.paging import known_id
from application.refusals import NotFound
from domain.access import Actor, owner_filter
from domain.recording import CutOff, NotARecording, decode, encode
from domain.redaction import Redaction
from domain.replay import Difference, Replay


class StoredStep(Struct, frozen=True):
    """A row of the journal, as it stands there: JSON in text. `turn_id`: the message's."""

    seq: int
    key: str
    at: datetime
    id: str
    from_state: str | None
    event: str
    effects: str
    state: str
    turn_id: int | None = None


class RecordingFilter(Struct, frozen=True):
    """Which steps: of one bot (its own and its chats'), of one chat, of turns begun since then.

    `chat` is our chat's id, "{bot}:{chat}" or "{bot}:{chat}:{topic}".
    """

    bot_id: int | None = None
    chat: str | None = None
    since: datetime | None = None


class Journal(Protocol):
    """Where the steps are kept. Every method raises Unavailable."""

    async def span(self, asked: RecordingFilter) -> tuple[int, int]:
        """The first and the last seq that may be asked for; (0, -1) where there is none."""
        ...

    def steps(
        self, asked: RecordingFilter, first: int, last: int
    ) -> AsyncIterator[Sequence[StoredStep]]:
        """In the order of seq, some at a time: a million of them take no memory."""
        ...

    async def turn(self, processing_id: int, owner: str | None) -> Sequence[StoredStep]:
        """The steps of one message; none where it is of another user's bot than `owner`'s."""
        ...


class Line(Struct, frozen=True):
    """A line of a recording; `seq` tells how far it has come."""

    seq: int
    content: bytes


class NothingRecorded(Exception):  # noqa: N818 - named by what there is
    """The journal has no turn, from its beginning, that was asked for."""

    def __init__(self) -> None:
        super().__init__("the journal has no such turn from its beginning (is it pruned by now?)")


class Recordings:
    """The use case."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def span(self, asked: RecordingFilter) -> tuple[int, int]:
        """The first and the last seq that may be asked for; (0, -1) where there is none."""
        return await self._journal.span(asked)

    async def record(
        self, asked: RecordingFilter, span: tuple[int, int], redaction: Redaction | None = None
    ) -> AsyncIterator[Line]:
        """The lines of a recording, in order. A turn whose beginning is not among them is left out.

        Raises NothingRecorded; NotARecording where a row cannot be redacted, for this version does
        not know its tags.
        """
        begun: dict[str, int | None] = {}
        async for steps in self._journal.steps(asked, *span):
            for line in _lines(steps, begun, redaction):
                yield line
        if not begun:
            raise NothingRecorded

    async def of_message(self, actor: Actor, processing_id: int) -> bytes:
        """One message's turn as a recording. Raises NotFound."""
        known = known_id(processing_id)
        owner = owner_filter(actor)
        steps = await self._journal.turn(processing_id, owner) if known else ()
        content = b"".join(line.content for line in _lines(steps, {}, None))
        if not content:
            raise NotFound("recording")
        return content


def _lines(
    steps: Sequence[StoredStep], begun: dict[str, int | None], redaction: Redaction | None
) -> Iterator[Line]:
    """The lines of the steps; `begun` are the turns that the chats are in, as far as they came."""
    for step in steps:
        if step.from_state is not None:
            begun[step.key] = step.turn_id
        elif step.key not in begun or begun[step.key] != step.turn_id:
            continue  # its turn's beginning is pruned, perhaps a moment ago
        content = _line(step)
        if redaction is not None:
            try:
                content = encode(redaction.step(decode(content)))
            except NotARecording as error:
                raise NotARecording(f"seq {step.seq}: {error}") from None
        yield Line(step.seq, content + b"\n")


def _line(step: StoredStep) -> bytes:
    line: dict[str, object] = {"key": step.key, "seq": step.seq, "at": step.at, "id": step.id}
    if step.from_state is not None:
        line["from"] = msgspec.Raw(step.from_state.encode())
    line["event"] = msgspec.Raw(step.event.encode())
    line["effects"] = msgspec.Raw(step.effects.encode())
    line["state"] = step.state
    return msgspec.json.encode(line)


def replay(lines: Iterable[bytes], replayed: Replay) -> Iterator[Difference | None]:
    """Replay the lines; for each one that holds a step: how it differs, or None.

    Raises NotARecording with the line's number and the reason.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            difference = replayed.step(number, decode(line))
        except NotARecording as error:
            cut = isinstance(error, CutOff) and not line.endswith(b"\n")
            reason = "it is cut off: the file ends in its middle" if cut else str(error)
            raise NotARecording(f"line {number}: {reason}") from None
        yield difference
    if not replayed.steps:
        raise NotARecording("it holds no steps")
