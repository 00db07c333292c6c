"""A difference between a recording and its replay, in lines for a person.

Used wherever one is shown: the command line, a test's report, the answer of POST /api/replay. Lines
that begin with "-" were recorded (or expected, or kept), lines that begin with "+" came out.
"""

import json
from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from application.rehearsals import GoldenDifference
from domain.replay import Difference

_COMPARED = 1000
"""Lines of both sides that are compared whole: it takes time with their square."""
_HEADER = 2
"""unified_diff's first lines name two files."""


def told(difference: Difference) -> Iterator[str]:
    """Which message, which step, and what differs."""
    yield _where(difference)
    if difference.trouble is not None:
        yield f"  {printable(difference.trouble)}"
    if difference.effects is not None:
        yield from told_effects(*difference.effects)
    if difference.state is not None:
        recorded, found = difference.state
        yield "  the state after the step (its digest is all that is recorded):"
        yield f"- {printable(recorded)}"
        yield f"+ {found}"


def told_effects(expected: Any, found: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Two lists of effects: the first one that differs, and the lines that do."""
    yield f"  {_first(expected, found)}:"
    yield from _changed(expected, found)


def _changed(expected: Any, found: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """The lines that differ, with two around each; of very many, the first."""
    one, other = _pretty(expected), _pretty(found)
    if len(one) + len(other) > _COMPARED:
        one, other = _cut(one, other)
    lines = unified_diff(one, other, lineterm="", n=2)
    for number, line in enumerate(lines):
        if number >= _HEADER:
            yield "  …" if line.startswith("@@") else f"{line[0]} {line[1:]}"


def _cut(one: list[str], other: list[str]) -> tuple[list[str], list[str]]:
    """From a little before the first line that differs; finding every one would take too long."""
    pairs = enumerate(zip(one, other, strict=False))
    first = next((n for n, (left, right) in pairs if left != right), min(len(one), len(other)))
    begin = max(first - 2, 0)
    end = begin + _COMPARED // 10
    return one[begin:end], other[begin:end]


def told_golden(difference: GoldenDifference) -> Iterator[str]:
    """Which update, and how its answer is not the kept one."""
    expected, found = difference.expected, difference.found
    answer = found or expected or {}
    where = f" of chat {printable(str(answer['key']))}" if "key" in answer else ""
    yield f"answer {difference.number}: update {answer.get('update_id')}{where}"
    if found is not None and "bug" in found:
        yield f"  the handler raised {printable(str(found['bug']))}"
    if expected is None:
        yield "  there is no such line in the golden file"
    elif found is None:
        yield "  it is in the golden file, and there is no such update"
    elif expected.get("effects") != found.get("effects"):
        yield from told_effects(expected.get("effects", []), found.get("effects", []))
    else:
        yield from _changed(expected, found)


def _where(difference: Difference) -> str:
    step = f"step {difference.number} ({difference.event}), seq {difference.seq}"
    if difference.message is None:
        return f"line {difference.line}: {printable(difference.key)}, {step}"
    text = printable(difference.text or "")
    message = f"message {difference.message} «{text}» of chat {printable(difference.key)}"
    return f"line {difference.line}: {message}, {step}"


def _first(expected: Any, found: Any) -> str:  # noqa: ANN401 - any JSON
    if not isinstance(expected, list) or not isinstance(found, list):
        return "the effects differ"
    for number, (one, other) in enumerate(zip(expected, found, strict=False), 1):
        if one != other:
            return f"effect {number} of {len(expected)} differs ({_kind(one)})"
    if len(expected) > len(found):
        return f"effect {len(found) + 1} is missing ({_kind(expected[len(found)])})"
    return f"one more effect than the {len(expected)} expected ({_kind(found[len(expected)])})"


def _kind(effect: Any) -> str:  # noqa: ANN401 - any JSON
    kind = effect.get("type") if isinstance(effect, dict) else None
    return printable(str(kind)) if kind is not None else "not an effect"


def _pretty(value: Any) -> list[str]:  # noqa: ANN401 - any JSON
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return [printable(line) for line in text.split("\n")]


def printable(text: str) -> str:
    """Text as a terminal may be given it: what is no letter, sign or space is escaped."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
