"""What the page for testers shows is true: its script decodes, its tests pass."""

import re
from pathlib import Path

import typer

from domain.script import decode_script
from entrypoints.cli import app

PAGE = Path(__file__).with_name("README.md").read_text()


def block(language: str) -> str:
    """The page's one block of code in a language."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(code)


def test_its_script_is_one() -> None:
    assert len(decode_script(block("json").encode())) == 2


def test_its_tests_pass() -> None:
    names: dict[str, object] = {}
    exec(compile(block("python"), "README.md", "exec"), names)
    tests = [test for name, test in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        assert callable(test)
        test()


def test_its_commands_are_those_that_there_are() -> None:
    commands = re.findall(r"^\S*kotodom .*$", PAGE, re.MULTILINE)
    assert commands
    for command in commands:
        program, name, *words = command.partition("#")[0].split()
        assert program == ".venv/bin/kotodom"
        known = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
        options = {option for each in known.params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_kept_answers_are_not_collected_as_recordings() -> None:
    kept = re.findall(r"--golden (\S+)", PAGE)
    assert kept and not [name for name in kept if name.endswith(".jsonl")]
