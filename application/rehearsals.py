"""Bare updates, from anywhere, played through the pure handlers: what the bot would have done.

Triggered by `kotodom replay --updates` with the values of a tester's file. One answer an update
comes out, with every effect that was wished for; the same file always has the same answers.
"""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

import msgspec
from msgspec import Struct

from domain.effects import Effect
from domain.rehearsal import Rehearsal
from domain.replay import same, too_deep
from domain.telegram import NotAnUpdate, Unreadable, decode_update


class Answer(Struct, frozen=True, omit_defaults=True):
    """What became of one update.

    `key` is its chat's id; `waiting`: its bot was disabled by then; `unreadable`: why it could not
    be understood, which is kept, marked, and nothing else; `bug`: the exception of a handler.
    """

    update_id: int
    key: str | None = None
    effects: tuple[Effect, ...] = ()
    waiting: bool = False
    unreadable: str | None = None
    bug: str | None = None


def rehearse(values: Iterable[tuple[str, bytes | str]], rehearsal: Rehearsal) -> Iterator[Answer]:
    """Play the updates in order; each value is (where it stands, its JSON).

    Raises NotAnUpdate, with where.
    """
    for where, text in values:
        try:
            update = decode_update(text)
        except NotAnUpdate as error:
            raise NotAnUpdate(f"{where}: {error}") from None
        except Unreadable as error:
            yield Answer(error.update_id, unreadable=str(error))
            continue
        try:
            played = rehearsal.play(update)
        except Exception as bug:  # noqa: BLE001 - a handler's bug is what a tester wants to see
            yield Answer(update.update_id, bug=f"{type(bug).__name__}: {bug}")
            continue
        yield Answer(update.update_id, played.key, played.effects, played.waiting)


def encode_answer(answer: Answer) -> bytes:
    """An answer as a line of a golden file, with its end."""
    return msgspec.json.encode(answer) + b"\n"


class NotGolden(ValueError):  # noqa: N818 - named by what the file is
    """A line of the golden file is no answer that was kept."""


class GoldenDifference(Struct, frozen=True):
    """An answer that is not the kept one, both as JSON; None where there is none."""

    number: int
    expected: dict[str, Any] | None
    found: dict[str, Any] | None


def compare(
    answers: Iterable[Answer], golden: Iterable[bytes]
) -> Iterator[GoldenDifference | None]:
    """How each answer differs from its line of the golden file; a bug always does.

    Raises NotGolden with the line's number, and what `answers` raises.
    """
    for number, (answer, line) in enumerate(zip_longest(answers, golden), 1):
        encoded = encode_answer(answer) if answer is not None else None
        if answer is not None and answer.bug is None and encoded == line:
            yield None
            continue
        expected = _golden(number, line) if line is not None else None
        found = msgspec.json.decode(encoded) if encoded is not None else None
        right = answer is not None and answer.bug is None and same(expected, found)
        yield None if right else GoldenDifference(number, expected, found)


def _golden(number: int, line: bytes) -> dict[str, Any]:
    kept: dict[str, Any] | None
    try:
        kept = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotGolden(f"line {number} is no answer that --write keeps: {error}") from None
    except RecursionError:
        kept = None
    if kept is None or too_deep(kept):
        raise NotGolden(f"line {number} is no answer that --write keeps: nested too deeply")
    return kept
