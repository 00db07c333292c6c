"""A tester's script: its rules, and what is wrong with one that is none."""

from typing import Any

import msgspec
import pytest

from domain.failures import ChatMigrated, Retryable, Terminal
from domain.script import NotAScript, Rule, checked_script, decode_script


def test_the_example_of_the_module_is_a_script() -> None:
    script = b"""
    [{"effect": "telegram.sendMessage", "nth": 3,
      "failure": {"type": "retryable", "reason": "429: Too Many Requests", "after": 3}},
     {"effect": "openai.generateReply", "nth": 1,
      "failure": {"type": "terminal", "reason": "the model refused"}}]
    """
    assert decode_script(script) == (
        Rule("telegram.sendMessage", nth=3, failure=Retryable("429: Too Many Requests", after=3.0)),
        Rule("openai.generateReply", nth=1, failure=Terminal("the model refused")),
    )
    assert decode_script(b" [] ") == ()


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (
            {"reply": ["one", "two"], "key": "1:42"},
            Rule("openai.resumeReply", reply=("one", "two"), key="1:42"),
        ),
        ({"died": True}, Rule("openai.resumeReply", died=True)),
        ({"bug": "KeyError", "jitter": 0}, Rule("openai.resumeReply", bug="KeyError", jitter=0.0)),
        (
            {"failure": {"type": "chatMigrated", "chat_id": -5}},
            Rule("openai.resumeReply", failure=ChatMigrated(-5)),
        ),
    ],
)
def test_a_rule_says_one_thing(rule: dict[str, Any], wanted: Rule) -> None:
    script = msgspec.json.encode([{"effect": "openai.resumeReply"} | rule])
    assert decode_script(script) == (wanted,)


SENT = '"effect": "telegram.sendMessage"'
ASKED = '"effect": "openai.generateReply"'
ONE_OF = "give one of failure, reply, died and bug"
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("", "Input data was truncated"),
        ("hello", "JSON is malformed: invalid character (byte 0)"),
        ("{}", "Expected `array`, got `object`"),
        ("[5]", "rule 1: Expected `object`, got `int`"),
        ("[{}]", "rule 1: Object missing required field `effect`"),
        (
            '[{"effect": "telegram.dance"}]',
            "rule 1, effect: Invalid enum value 'telegram.dance'",
        ),
        (f"[{{{ASKED}, {ASKED}, ", "Input data was truncated"),
        (f'[{{{SENT}, "nth": 0, "died": true}}]', "rule 1, nth: Expected `int` >= 1"),
        (
            f'[{{{SENT}, "nth": "1", "died": true}}]',
            "rule 1, nth: Expected `int | null`, got `str`",
        ),
        (f'[{{{SENT}, "jitter": 1, "died": true}}]', "rule 1, jitter: Expected `float` < 1.0"),
        (f'[{{{SENT}, "dies": true}}]', "rule 1: Object contains unknown field `dies`"),
        (
            f'[{{{SENT}, "failure": {{"type": "sad"}}}}]',
            "rule 1, failure.type: Invalid value 'sad'",
        ),
        (
            f'[{{{SENT}, "failure": {{"type": "fatal"}}}}]',
            "rule 1, failure: Object missing required field `reason`",
        ),
        (f'[{{{ASKED}, "reply": []}}]', "rule 1, reply: Expected `array` of length >= 1"),
        (
            f'[{{{ASKED}, "died": true}}, {{{ASKED}, "reply": ["x", 5]}}]',
            "rule 2, reply 2: Expected `str`, got `int`",
        ),
        (f"[{{{SENT}}}]", f"rule 1: {ONE_OF}"),
        (f'[{{{SENT}, "died": true}}, {{{SENT}, "died": true, "bug": ""}}]', f"rule 2: {ONE_OF}"),
        (f'[{{{SENT}, "died": false, "failure": null}}]', f"rule 1: {ONE_OF}"),
        (f'[{{{SENT}, "reply": ["x"]}}]', "rule 1: only a model replies"),
        (f'[{{{SENT}, "failure": {{"type": "fatal", "x": {DEEP}}}}}]', "nested too deeply"),
    ],
)
def test_a_script_that_is_none_says_why(script: str, reason: str) -> None:
    with pytest.raises(NotAScript) as refused:
        decode_script(script.encode())
    assert str(refused.value) == reason


def test_a_script_from_python_may_have_dicts() -> None:
    rule = Rule("telegram.sendMessage", nth=3, failure=Retryable("429", after=3.0))
    raw = {"effect": "openai.generateReply", "failure": Terminal("the model refused")}
    assert checked_script([rule, raw]) == (
        rule,
        Rule("openai.generateReply", failure=Terminal("the model refused")),
    )
    assert checked_script(()) == ()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ([{"effect": "telegram.sendMessage"}], f"rule 1: {ONE_OF}"),
        ([{"effect": "telegram.dance"}], "rule 1, effect: Invalid enum value 'telegram.dance'"),
        ([Rule("telegram.sendMessage")], f"rule 1: {ONE_OF}"),
        ({"effect": "telegram.sendMessage"}, "Expected `array`, got `object`"),
        ([object()], "this is no JSON: Encoding objects of type object is unsupported"),
    ],
)
def test_a_script_from_python_is_checked_like_the_file(script: Any, reason: str) -> None:
    with pytest.raises(NotAScript) as refused:
        checked_script(script)
    assert str(refused.value) == reason


def test_a_script_that_is_not_utf8_is_none() -> None:
    with pytest.raises(NotAScript):
        decode_script(b'[{"effect": "telegram.sendMessage", "bug": "\xff"}]')
