"""The testers' helper, and the recordings that are tests by themselves."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from domain.effects import (
    AdminAlert,
    GenerateReply,
    SendChatAction,
    SendMessage,
    TurnToken,
)
from domain.failures import Retryable
from domain.script import NotAScript, Rule
from domain.turn import Conversation
from entrypoints.testing import given, says

FIRST = TurnToken(1, 1)
RECORDING = Path(__file__).parents[1] / "recordings/0.1.0.jsonl"


def sent(text: str, turn: TurnToken = FIRST, part: int = 0) -> SendMessage:
    return SendMessage(turn, bot_id=1, chat_id=42, part=part, text=text)


def test_a_command_is_answered() -> None:
    given(start_message="Hello!").when(says("/start")).then(sent("Hello!"))


def test_a_conversation_goes_on() -> None:
    second = TurnToken(2, 1)
    (
        given(start_message="Hello!", help_text="Ask.")
        .when(says("/start"))
        .then(sent("Hello!"))
        .when({"update_id": 7, "edited_message": {}}, says("/help"))
        .then(sent("Ask.", second))
    )


def test_a_chat_as_it_is_before() -> None:
    chat = Conversation("1:42", 42, thread_id="conv_1", epoch=4)
    turn = TurnToken(1, 5)
    given(chat).when(says("Hi")).then(
        SendChatAction(turn, 1, 42),
        GenerateReply(turn, 1, "1:42", "conv_1"),
        sent("An answer of the model.", turn),
    )


def test_a_script_of_failures() -> None:
    rule = Rule("telegram.sendMessage", nth=1, failure=Retryable("Telegram 429", after=3.0))
    failure = {"type": "retryable", "reason": "Telegram 429", "after": 3}
    raw = {"effect": "telegram.sendMessage", "nth": 1, "failure": failure}
    for script in ([rule], [raw]):
        effects = given(script=script, start_message="Hello!").when(says("/start")).effects
        assert [effect.__struct_config__.tag for effect in effects] == [
            "telegram.sendMessage",
            "jobs.publish",
            "telegram.sendMessage",
        ]
    with pytest.raises(NotAScript, match=r"^rule 1: Object contains unknown field `mood`$"):
        given(script=[raw | {"mood": "bad"}])


def test_the_first_effect_that_differs_is_shown() -> None:
    with pytest.raises(AssertionError) as shown:
        given().when(says("Hi")).then(
            SendChatAction(FIRST, 1, 42),
            GenerateReply(FIRST, 1, "1:42"),
            sent("Another answer."),
        )
    assert str(shown.value).splitlines()[1:] == [
        "  effect 3 of 3 differs (telegram.sendMessage):",
        "  …",
        '      "chat_id": 42,',
        '      "part": 0,',
        '-     "text": "Another answer."',
        '+     "text": "An answer of the model."',
        "    }",
        "  ]",
    ]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ([], "one more effect than the 0 expected (telegram.sendMessage)"),
        (
            [sent("Hello!"), AdminAlert(1, "x", "y")],
            "effect 2 is missing (notification.adminAlert)",
        ),
        ([replace(sent("Hello!"), chat_id=43)], "effect 1 of 1 differs (telegram.sendMessage)"),
    ],
)
def test_one_too_many_or_too_few(wanted: list[SendMessage], words: str) -> None:
    with pytest.raises(AssertionError) as shown:
        given(start_message="Hello!").when(says("/start")).then(*wanted)
    assert words in str(shown.value)


def test_an_update_of_another_chat_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="of chat 1:43, the conversation is 1:42"):
        given(Conversation("1:42", 42)).when(says("Hi", chat_id=43))


# --- recordings ----------------------------------------------------------------------------------


def _tested(pytester: pytest.Pytester, name: str, content: str, folder: str = "recordings") -> str:
    """Drop a file into a tester's repository; what pytest says."""
    place = pytester.mkdir(folder)
    (place / name).write_text(content)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    return "\n".join(result.outlines)


def test_a_recording_dropped_in_is_a_test(pytester: pytest.Pytester) -> None:
    said = _tested(pytester, "shared.jsonl", RECORDING.read_text())
    assert "1 passed" in said
    assert "recordings/shared.jsonl" in said.replace("\\", "/")


def test_a_difference_fails_it_and_is_shown(pytester: pytest.Pytester) -> None:
    changed = RECORDING.read_text().replace('"text":"Welcome!"', '"text":"Go away!"')
    said = _tested(pytester, "shared.jsonl", changed)
    assert "1 failed" in said
    assert f"1 of {len(changed.splitlines())} steps differ" in said
    assert '-     "text": "Go away!"' in said
    assert "Traceback" not in said


def test_what_is_no_recording_fails_and_says_why(pytester: pytest.Pytester) -> None:
    said = _tested(pytester, "shared.jsonl", '{"update_id": 1}\n')
    assert "1 failed" in said
    assert "line 1: Object missing required field `key`" in said


def test_other_files_and_folders_are_left_alone(pytester: pytest.Pytester) -> None:
    assert "no tests ran" in _tested(pytester, "shared.jsonl", "x", folder="data")
    assert "no tests ran" in _tested(pytester, "answers.golden", "x")


@pytest.mark.parametrize(
    ("root", "folder", "collected"),
    [
        (".", "tests/recordings/of ann", "1 passed"),
        ("recordings/checkout", "recordings/checkout/data", "no tests ran"),
        ("recordings/checkout", "recordings/checkout/recordings", "1 passed"),
        ("recordings", "recordings", "1 passed"),
    ],
)
def test_a_folder_above_the_checkout_makes_no_tests(
    root: str, folder: str, collected: str, pytester: pytest.Pytester
) -> None:
    place = pytester.path / folder
    place.mkdir(parents=True)
    (place / "shared.jsonl").write_text(RECORDING.read_text())
    options = ("-p", "no:cacheprovider", f"--rootdir={pytester.path / root}")
    said = pytester.runpytest_subprocess(*options, place)
    assert collected in "\n".join(said.outlines)
