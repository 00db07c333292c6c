"""The replay of an uploaded recording, told for a page: counts, and the first differences.

Triggered by POST /api/replay. It asks nothing of a network or a database.
"""

from codecs import BOM_UTF8
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import msgspec
from msgspec import Struct

from application.differences import told
from application.recordings import replay
from domain.replay import Difference, Replay

LONGEST_PAIR = 64 * 1024
"""Bytes of what was recorded and what was found, as JSON."""
SHOWN = 100
"""Differences told; the rest is counted."""


class Pair(Struct, frozen=True):
    """What was recorded, and what the handlers do now."""

    recorded: Any
    found: Any


class ReplayedDifference(Struct, frozen=True, rename="camel"):
    """One step that is not what was recorded.

    `messageId` and `text` are the message's whose turn it is, `step` its place in it, from 1;
    `trouble` is a sentence; `effects` are left out where they are too long to be sent; `told` is
    all of it as lines for a person.
    """

    line: int
    seq: int
    key: str
    id: str
    event: str
    step: int
    message_id: int | None
    text: str | None
    trouble: str | None
    effects: Pair | None
    state: Pair | None
    told: str


class ReplayReport(Struct, frozen=True, rename="camel"):
    """`differing` steps of `steps`; the first hundred of them are in `differences`."""

    steps: int
    events: int
    effects: int
    differing: int
    differences: list[ReplayedDifference]


def report(content: bytes) -> ReplayReport:
    """Replay a whole recording. Raises NotARecording with the line."""
    replayed = Replay()
    differences: list[ReplayedDifference] = []
    for difference in replay(BytesIO(content.removeprefix(BOM_UTF8)), replayed):
        if difference is not None and len(differences) < SHOWN:
            differences.append(_shown(difference))
    steps = replayed.steps
    return ReplayReport(steps, steps, replayed.effects, replayed.differing, differences)


def _shown(difference: Difference) -> ReplayedDifference:
    return ReplayedDifference(
        line=difference.line,
        seq=difference.seq,
        key=difference.key,
        id=difference.id,
        event=difference.event,
        step=difference.number,
        message_id=difference.message,
        text=difference.text,
        trouble=difference.trouble,
        effects=_pair(difference.effects),
        state=_pair(difference.state),
        told="\n".join(told(difference)),
    )


def _pair(pair: Iterable[Any] | None) -> Pair | None:
    if pair is None:
        return None
    shown = Pair(*pair)
    return shown if len(msgspec.json.encode(shown)) <= LONGEST_PAIR else None
