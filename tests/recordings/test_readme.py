"""What the page for testers shows is true: its script decodes, its test passes."""

import re
from pathlib import Path

from domain.script import decode_script

PAGE = Path(__file__).with_name("README.md").read_text()


def block(language: str) -> str:
    """The page's one block of code in a language."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(code)


def test_its_script_is_one() -> None:
    assert len(decode_script(block("json").encode())) == 2


def test_its_test_passes() -> None:
    names: dict[str, object] = {}
    exec(compile(block("python"), "README.md", "exec"), names)
    test = names["test_start"]
    assert callable(test)
    test()
