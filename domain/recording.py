"""A recording: the journal's steps as JSON lines (DESIGN §9).

One line a step: {key, seq, at, id, from?, event, effects, state}; tags stand in `type`. A turn's
first line carries the state it began from; the next ones go on from there. So a recording may begin
and end anywhere between two turns. domain/replay.py folds one.
"""

import re
from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from domain.bot import Bot
from domain.events import Event
from domain.telegram import Int64
from domain.turn import Conversation

State: TypeAlias = Conversation | Bot


class NotARecording(ValueError):  # noqa: N818 - named by what the line is
    """The line is no step: it is not JSON, or has an event or a state that is unknown here."""


class CutOff(NotARecording):
    """The line ends in the middle of its JSON."""


class Recorded(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One journalled step. `effects` is compared as it came, so a tag unknown here is no obstacle.

    `state` is the digest of the state after the step, `origin` ("from") the state that its turn
    began from, on the turn's first line.
    """

    key: str
    seq: Int64
    at: Annotated[datetime, Meta(tz=True)]
    id: str
    origin: State | None = field(name="from", default=None)
    event: Event
    effects: msgspec.Raw
    state: str


LONGEST_EFFECTS = 512 * 1024
"""Bytes of a step's effects. They are few, and the longest holds 4096 characters."""
_UNKNOWN_TAG = re.compile(r"Invalid value (.*) - at `\$\.([\w.\[\]]+)\.type`", re.DOTALL)
_LINE = msgspec.json.Decoder(Recorded)
_ENCODER = msgspec.json.Encoder()


def decode(line: bytes) -> Recorded:
    """One line. Raises NotARecording (or CutOff) with the reason, in a clause."""
    try:
        line.decode()
        recorded = _LINE.decode(line)
    except UnicodeDecodeError as error:
        kind = CutOff if error.reason == "unexpected end of data" else NotARecording
        raise kind(f"byte {error.start + 1} is not UTF-8") from None
    except msgspec.ValidationError as error:
        raise NotARecording(_named(str(error))) from None
    except msgspec.DecodeError as error:
        kind = CutOff if "truncated" in str(error) else NotARecording
        raise kind(f"not JSON: {error}") from None
    except RecursionError:
        raise NotARecording("nested too deeply") from None
    if len(memoryview(recorded.effects)) > LONGEST_EFFECTS:
        raise NotARecording("its effects are longer than those of any step")
    return recorded


def encode(recorded: Recorded) -> bytes:
    """The line of a step, without its end."""
    return _ENCODER.encode(recorded)


def _named(reason: str) -> str:
    """msgspec's words for an unknown tag, in ours."""
    unknown = _UNKNOWN_TAG.fullmatch(reason)
    if unknown is None:
        return reason
    tag, where = unknown.groups()
    what = {"event": "event", "from": "state"}.get(where, f"tag in {where}:")
    return f"unknown {what} {tag}"
