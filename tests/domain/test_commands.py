"""What is a command, and whose."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.commands import COMMANDS, Command, parse


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/start", Command("start", True)),
        ("/START", Command("start", True)),
        ("/help  twice", Command("help", True)),
        ("/refresh\tnow", Command("refresh", True)),
        ("/refresh\n", Command("refresh", True)),
        ("/start@Kotodom_Bot", Command("start", True)),
        ("/start@other_bot", Command("start", False)),
        ("/weather@other_bot", Command("weather", False)),
        ("/weather", None),
        ("/weather@kotodom_bot", None),
        ("/start@", None),
        ("/start@kotodom_bot!", None),
        ("/starts", None),
        ("/start/help", None),
        ("start", None),
        (" /start", None),
        ("/", None),
        ("//start", None),
        ("", None),
        ("/старт", None),
        ("/" + "x" * 33, None),
    ],
)
def test_a_text_is_a_command_or_not(text: str, command: Command | None) -> None:
    assert parse(text, "kotodom_bot") == command


def test_a_bot_without_a_name_takes_every_command() -> None:
    assert parse("/start@any_bot", None) == Command("start", True)
    assert parse("/weather@any_bot", None) is None


@settings(max_examples=100)
@given(st.sampled_from(COMMANDS), st.sampled_from([" ", "\n", "\t"]), st.text())
def test_any_arguments_may_follow(name: str, space: str, arguments: str) -> None:
    assert parse(f"/{name}{space}{arguments}", "kotodom_bot") == Command(name, True)


@settings(max_examples=200)
@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    command = parse(text, "kotodom_bot")
    assert command is None or not command.ours or command.name in COMMANDS
