"""Bare updates and their answers, and how answers are compared with the kept ones."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from application.differences import told_golden
from application.rehearsals import (
    Answer,
    GoldenDifference,
    NotGolden,
    compare,
    encode_answer,
    rehearse,
)
from domain.effects import ReportBotRecovery, ResetThread
from domain.failures import Fatal
from domain.rehearsal import Rehearsal
from domain.script import Rule
from domain.telegram import NotAnUpdate

ONE = Answer(1, "1:42", (ResetThread(1, "conv_1"), ReportBotRecovery(1)))
TWO = Answer(2)
RAW_ONE = msgspec.json.decode(encode_answer(ONE))


def text(update_id: int, words: object = "Hello") -> str:
    user = {"id": 42, "first_name": "Ann"}
    message = {"message_id": 1, "chat": user, "from": user, "text": words}
    return msgspec.json.encode({"update_id": update_id, "message": message}).decode()


def answers(*values: bytes | str, rehearsal: Rehearsal | None = None) -> list[Answer]:
    numbered = [(f"line {number}", value) for number, value in enumerate(values, 1)]
    return list(rehearse(numbered, rehearsal or Rehearsal()))


# --- answers -------------------------------------------------------------------------------------


def test_an_update_has_an_answer() -> None:
    (answer,) = answers(text(7))
    assert (answer.update_id, answer.key) == (7, "1:42")
    assert [effect.__struct_config__.tag for effect in answer.effects] == [
        "telegram.sendChatAction",
        "openai.generateReply",
        "telegram.sendMessage",
    ]
    assert not answer.waiting and answer.unreadable is None and answer.bug is None


def test_an_update_that_is_no_message_has_no_effects() -> None:
    assert answers('{"update_id": 7, "poll": {}}', b'{"update_id": 8}') == [Answer(7), Answer(8)]


def test_an_update_that_cannot_be_understood_is_answered_with_why() -> None:
    odd, well = answers(text(7, words=5), text(8))
    assert odd.update_id == 7
    assert odd.unreadable == "Expected `str | null`, got `int` - at `$.text`"
    assert (odd.key, odd.effects) == (None, ())
    assert well.effects


def test_the_updates_of_a_disabled_bot_wait() -> None:
    dead = Rehearsal([Rule("telegram.sendMessage", failure=Fatal("401", token_dead=True))])
    first, second = answers(text(7), text(8), rehearsal=dead)
    assert not first.waiting
    assert second == Answer(8, "1:42", waiting=True)


def test_what_is_no_update_says_where() -> None:
    with pytest.raises(NotAnUpdate, match=r"^line 2: the body has no integer update_id$"):
        answers(text(7), "{}")


def test_a_bug_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = Rehearsal()
    monkeypatch.setattr(rehearsal, "_turn", lambda *_: {}["x"])
    assert answers(text(7), rehearsal=rehearsal) == [Answer(7, bug="KeyError: 'x'")]


def test_an_answer_is_a_line() -> None:
    assert encode_answer(TWO) == b'{"update_id":2}\n'
    assert encode_answer(ONE).count(b"\n") == 1
    assert RAW_ONE["effects"][1] == {"type": "bot.reportRecovery", "bot_id": 1}


# --- golden --------------------------------------------------------------------------------------


def compared(found: Sequence[Answer], golden: bytes) -> list[GoldenDifference | None]:
    return list(compare(found, golden.splitlines(keepends=True)))


GOLDEN = encode_answer(ONE) + encode_answer(TWO)


@pytest.mark.parametrize(
    "golden",
    [
        GOLDEN,
        GOLDEN.rstrip(),
        GOLDEN.replace(b"\n", b"\r\n"),
        GOLDEN.replace(b'":', b'" : '),
        GOLDEN.replace(b'"bot_id":1', b'"bot_id":1.0'),
    ],
)
def test_the_same_answers_do_not_differ(golden: bytes) -> None:
    assert compared([ONE, TWO], golden) == [None, None]


def test_a_line_too_few_and_a_line_too_many_differ() -> None:
    assert compared([ONE, TWO], encode_answer(ONE)) == [
        None,
        GoldenDifference(2, None, {"update_id": 2}),
    ]
    assert compared([ONE], GOLDEN) == [None, GoldenDifference(2, {"update_id": 2}, None)]
    assert compared([TWO], b"") == [GoldenDifference(1, None, {"update_id": 2})]
    assert compared([], b"") == []


def changed(**changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = RAW_ONE | changes
    return raw


@pytest.mark.parametrize(
    "golden",
    [
        changed(effects=[]),
        changed(effects=RAW_ONE["effects"][::-1]),
        changed(effects=[*RAW_ONE["effects"], {"type": "telegram.sendTelepathy"}]),
        changed(effects=[{"type": "telegram.sendTelepathy"}, RAW_ONE["effects"][1]]),
        changed(effects=None),
        changed(effects="none"),
        changed(key="1:43"),
        changed(update_id=True),
        changed(waiting=True),
        changed(mood="good"),
        {},
    ],
)
def test_any_other_answer_differs(golden: dict[str, Any]) -> None:
    """Also one with an effect that is unknown here."""
    (difference,) = compared([ONE], msgspec.json.encode(golden) + b"\n")
    assert difference == GoldenDifference(1, golden, RAW_ONE)
    assert len(list(told_golden(difference))) > 1


def test_a_bug_always_differs() -> None:
    bug = Answer(1, bug="KeyError: 'x'")
    (difference,) = compared([bug], encode_answer(bug))
    raw = {"update_id": 1, "bug": "KeyError: 'x'"}
    assert difference == GoldenDifference(1, raw, raw)
    assert list(told_golden(difference))[:2] == [
        "answer 1: update 1",
        "  the handler raised KeyError: 'x'",
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\n", "Input data was truncated"),
        (b"hello", "JSON is malformed: invalid character (byte 0)"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"a": 1e999}', "Number out of range - at `$[...]`"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "nested too deeply"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
def test_a_line_that_is_no_answer_is_named(line: bytes, reason: str) -> None:
    with pytest.raises(NotGolden) as refused:
        compared([ONE, TWO], encode_answer(ONE) + line)
    assert str(refused.value) == f"line 2 is no answer that --write keeps: {reason}"


def test_a_line_that_is_not_utf8_is_named() -> None:
    with pytest.raises(NotGolden, match=r"^line 1 is no answer that --write keeps: "):
        compared([ONE], b'{"a": "\xff"}')


@pytest.mark.parametrize(
    ("difference", "told"),
    [
        (
            GoldenDifference(3, None, {"update_id": 7, "key": "1:4\x1b2"}),
            [
                "answer 3: update 7 of chat 1:4\\x1b2",
                "  there is no such line in the golden file",
            ],
        ),
        (
            GoldenDifference(3, {"update_id": 7}, None),
            ["answer 3: update 7", "  it is in the golden file, and there is no such update"],
        ),
        (
            GoldenDifference(1, {"update_id": 7}, {"update_id": 7, "effects": [{"type": "x"}]}),
            [
                "answer 1: update 7",
                "  one more effect than the 0 expected (x):",
                "  …",
                "- []",
                "+ [",
                "+   {",
                '+     "type": "x"',
                "+   }",
                "+ ]",
            ],
        ),
        (
            GoldenDifference(1, {"update_id": 7}, {"update_id": 7, "waiting": True}),
            [
                "answer 1: update 7",
                "  …",
                "  {",
                '-   "update_id": 7',
                '+   "update_id": 7,',
                '+   "waiting": true',
                "  }",
            ],
        ),
    ],
)
def test_a_difference_is_told(difference: GoldenDifference, told: list[str]) -> None:
    assert list(told_golden(difference)) == told
