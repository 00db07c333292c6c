"""What the documents say is so: both languages say as much, and each name that they name exists.

The documents are entrypoints/web/landing/docs/{en,ru}/*.md. Variables, wrong values, commands,
failures, roles, paths, settings and links are looked up where they are decided.
"""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args
from urllib.parse import unquote

import pytest
import typer
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import fields
from opentelemetry.sdk import environment_variables as opentelemetry_names

from application.poll_conflicts import OTHER_POLLER, OTHER_WEBHOOK
from application.settings import RETENTION
from domain.access import Role
from domain.failures import Failure, Fatal, Retryable, Terminal
from domain.script import decode_script
from domain.silence import Cause
from domain.turn import Status
from entrypoints.cli import app
from entrypoints.http.settings import SettingsView
from entrypoints.settings import WrongSetting, load

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "entrypoints/web/landing/docs"
LANGUAGES = ("en", "ru")
NAMES = sorted(path.stem for path in (DOCS / "en").glob("*.md"))
EACH = [f"{language}/{name}" for language in LANGUAGES for name in NAMES]

TAKES_ANYTHING = {"HOST", "DATA_DIR"}
"""Variables of which no value is wrong by itself."""

GIVE_REASONS = {
    "Retryable", "Fatal", "Terminal", "Ambiguous", "RunLost", "Unreadable", "bot_alert",
}  # fmt: skip

VARIABLE = re.compile(r"(?<![\w$-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w-])")
ASSIGNED = re.compile(r"^(?:export )?([A-Z][A-Z0-9_]*)=", re.MULTILINE)
PROGRAM = re.compile(r"\.venv/bin/([\w-]+)")
COMMAND = re.compile(r"(?:(?:^|\s)(?:sudo )?|bin/)kotodom ([a-z][a-z-]*)([^\n#|]*)", re.MULTILINE)
IN_CONTAINER = re.compile(r"docker compose run [^\n]*?(?:api|migrate) ([a-z][a-z-]*)([^\n#|]*)")
API = re.compile(r"(?:\b(GET|POST|PUT|PATCH|DELETE) )?[\w$:/.]*?(/api/[\w./:{}-]*[\w}])")


@dataclass(frozen=True)
class Page:
    """A document, parsed. `codes`: code spans; `fences`: language and text; `rows`: of tables."""

    front: dict[str, object]
    headings: list[tuple[int, str]]
    links: list[str]
    codes: list[str]
    fences: list[tuple[str, str]]
    rows: list[list[str]]
    html: list[str]

    @property
    def code(self) -> str:
        """All that is written as code, a piece a line."""
        return "\n".join([*self.codes, *(text for _, text in self.fences)])

    @property
    def slugs(self) -> set[str]:
        """The headings as GitHub and the site address them."""
        return {_slug(text) for _, text in self.headings}


@cache
def page(name: str) -> Page:
    """The document of this language and name, or another Markdown file of the repository."""
    path = DOCS / f"{name}.md"
    return parsed((path if path.exists() else ROOT / name).read_text())


def parsed(text: str) -> Page:
    _, front, text = text.split("---\n", 2) if text.startswith("---\n") else ("", "{}", text)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    headings = [
        (int(token.tag[1]), _words(tokens[at + 1]))
        for at, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    return Page(
        front=yaml.safe_load(front),
        headings=headings,
        links=[str(token.attrs["href"]) for token in inline if token.type == "link_open"],
        codes=[token.content for token in inline if token.type == "code_inline"],
        fences=[(token.info, token.content) for token in tokens if token.type == "fence"],
        rows=list(_rows(tokens)),
        html=[t.content for t in (*tokens, *inline) if t.type in ("html_block", "html_inline")],
    )


def _rows(tokens: list[Token]) -> Iterator[list[str]]:
    row: list[str] = []
    for at, token in enumerate(tokens):
        match token.type:
            case "tr_open":
                row = []
            case "th_open" | "td_open":
                row.append(_words(tokens[at + 1]))
            case "tr_close":
                yield row


def _words(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@cache
def variables() -> frozenset[str]:
    """The names that entrypoints/settings.py reads."""
    asked: set[str] = set()

    class Watched(dict[str, str]):
        def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
            asked.add(name)
            return default

    load(Watched())
    return frozenset(asked)


@cache
def known_words() -> frozenset[str]:
    """Every word like a variable's that the code, the container files or OpenTelemetry know."""
    rooms = ("domain", "application", "adapters", "entrypoints")
    sources = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    sources += [ROOT / name for name in ("Dockerfile", "compose.yaml", ".env.example")]
    sources = [path for path in sources if "node_modules" not in path.parts]
    words = {word for path in sources for word in VARIABLE.findall(path.read_text())}
    return frozenset(words | variables() | set(dir(opentelemetry_names)))


@cache
def reasons() -> frozenset[str]:
    """How each reason begins that the core or an adapter gives a failure, as far as it is fixed."""
    found: set[str] = set()
    for path in [*(ROOT / "domain").glob("*.py"), *(ROOT / "adapters").glob("*.py")]:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        fixed: dict[str, list[ast.expr]] = defaultdict(list)
        for node in nodes:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    fixed[getattr(target, "id", "(no name)")].append(node.value)
        for node in nodes:
            given: list[ast.expr] = []
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in GIVE_REASONS:
                given = node.args
            elif isinstance(node, ast.keyword) and node.arg == "verdict":
                given = [node.value]
            for value in given:
                found |= {_beginning(each) for each in fixed.get(getattr(value, "id", ""), [value])}
    return frozenset(found - {""})


def _beginning(value: ast.expr) -> str:
    """The text of a literal, of an f-string up to what it fills in."""
    first = value.values[0] if isinstance(value, ast.JoinedStr) else value
    text = first.value if isinstance(first, ast.Constant) else None
    return text.strip() if isinstance(text, str) else ""


def test_both_languages_have_the_same_documents() -> None:
    assert sorted(path.stem for path in (DOCS / "ru").glob("*.md")) == NAMES
    assert len(NAMES) == 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_documents_are_numbered(language: str) -> None:
    orders = [page(f"{language}/{name}").front["order"] for name in NAMES]
    assert sorted(orders) == list(range(1, len(NAMES) + 1))  # type: ignore[type-var]


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_say_as_much(name: str) -> None:
    en, ru = page(f"en/{name}"), page(f"ru/{name}")
    assert en.front["order"] == ru.front["order"]
    assert [level for level, _ in en.headings] == [level for level, _ in ru.headings]
    assert [language for language, _ in en.fences] == [language for language, _ in ru.fences]
    assert [len(row) for row in en.rows] == [len(row) for row in ru.rows]
    assert len(en.links) == len(ru.links)


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_show_the_same_output(name: str) -> None:
    """Of code, only comments and what a person would write are said in their own language."""
    shown = [
        [text for kind, text in page(f"{language}/{name}").fences if kind in ("json", "text")]
        for language in LANGUAGES
    ]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("each", EACH)
def test_its_form(each: str) -> None:
    found = page(each)
    assert set(found.front) == {"title", "description", "order", "keywords"}
    assert str(found.front["description"]).endswith(".")
    assert min(level for level, _ in found.headings) == 2
    assert len(found.slugs) == len(found.headings), "two headings have one address"
    assert all(language for language, _ in found.fences), "a fence says no language"
    assert not found.html


@pytest.mark.parametrize("each", EACH)
def test_its_json_is_json(each: str) -> None:
    for language, text in page(each).fences:
        if language == "json":
            json.loads(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_configuration_has_every_variable(language: str) -> None:
    first = {row[0] for row in page(f"{language}/configuration").rows if len(row) == 4}
    missing = variables() - first
    assert not missing, f"not in a table of configuration.md: {', '.join(sorted(missing))}"


@pytest.mark.parametrize("each", [*EACH, "README.md"])
def test_it_names_no_variable_that_nobody_knows(each: str) -> None:
    code = page(each).code
    unknown = set(VARIABLE.findall(code)) - known_words()
    # What an example sets, it uses, or it is ours.
    unknown |= {
        name
        for name in ASSIGNED.findall(code)
        if name not in known_words() and f"${name}" not in code
    }
    assert not unknown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_value_says_what_configuration_says(language: str) -> None:
    rows = page(f"{language}/configuration").rows
    told = {row[0]: row[1:] for row in rows if len(row) == 3 and row[2].startswith(f"{row[0]}: ")}
    assert set(told) == variables() - TAKES_ANYTHING
    for name, (wrong, line) in told.items():
        with pytest.raises(WrongSetting) as refused:
            load({name: wrong})
        assert str(refused.value) == line


@pytest.mark.parametrize("language", LANGUAGES)
def test_configuration_has_every_setting(language: str) -> None:
    rows = {row[0]: row for row in page(f"{language}/configuration").rows}
    for field in fields(SettingsView):
        assert field.encode_name in rows
    for name, days in RETENTION.items():
        assert rows[name][1] == str(days)


@pytest.mark.parametrize("each", [*EACH, "README.md"])
def test_its_commands_exist(each: str) -> None:
    code = page(each).code
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, rest in (*COMMAND.findall(code), *IN_CONTAINER.findall(code)):
        assert name in commands, f"kotodom {name}"
        options = {option for each in commands[name].params for option in each.opts}
        assert {word for word in rest.split() if word.startswith("--")} <= options
    # Of the programs in .venv/bin this is the one that `make run` puts there for people.
    assert set(PROGRAM.findall(code)) <= {"kotodom"}


@pytest.mark.parametrize("each", [*EACH, "README.md"])
def test_no_shell_makes_a_backup_that_others_may_read(each: str) -> None:
    lines = [line for line in page(each).code.splitlines() if "backup - >" in line]
    assert all("umask 077" in line for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_is_in_a_document(language: str) -> None:
    code = "\n".join(page(f"{language}/{name}").code for name in NAMES)
    named = {name for name, _ in COMMAND.findall(code)}
    assert named >= set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", LANGUAGES)
def test_failures_has_every_class_and_status(language: str) -> None:
    first = {row[0] for row in page(f"{language}/failures").rows}
    classes = {each.__name__.upper() for each in (Retryable, Fatal, Terminal)}
    assert first >= classes | {status.value for status in Status}
    assert {Retryable, Fatal, Terminal} <= set(get_args(Failure))


@pytest.mark.parametrize("language", LANGUAGES)
def test_failures_has_every_reason(language: str) -> None:
    told = [code.partition("…")[0].strip() for code in page(f"{language}/failures").codes]
    told = [code for code in told if code]
    ours = {*reasons(), OTHER_POLLER, OTHER_WEBHOOK, *(f"silent: {cause}" for cause in Cause)}
    assert len(ours) > 40, "the reasons are not found in the code any more"
    missing = [
        reason
        for reason in ours
        if not any(reason.startswith(code) or code.startswith(reason) for code in told)
    ]
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_roles_has_every_role(language: str) -> None:
    table = next(row for row in page(f"{language}/roles").rows if len(row) == 4)
    assert set(table[1:]) == {role.value for role in Role}


@pytest.mark.parametrize("each", [*EACH, "README.md"])
def test_its_paths_exist(each: str) -> None:
    paths = json.loads((ROOT / "entrypoints/web/openapi.json").read_text())["paths"]
    forms = {re.compile(re.sub(r"\{\w+\}", "[^/]+", path)): set(paths[path]) for path in paths}
    for method, path in API.findall(page(each).code):
        methods = [each for form, each in forms.items() if form.fullmatch(path)]
        assert methods, path
        assert not method or any(method.lower() in each for each in methods), f"{method} {path}"


@pytest.mark.parametrize("each", [*EACH, "README.md"])
def test_its_links_lead_somewhere(each: str) -> None:
    folder = ROOT if each == "README.md" else DOCS / each.partition("/")[0]
    for link in page(each).links:
        if link.startswith("https://"):
            continue
        file, _, heading = unquote(link).partition("#")
        target = folder / file if file else folder / f"{each.partition('/')[2]}.md"
        assert target.is_file(), link
        if heading:
            assert heading in parsed(target.read_text()).slugs, link


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_for_testers_work(language: str) -> None:
    fences = page(f"{language}/recordings").fences
    (script,) = [text for kind, text in fences if kind == "json"]
    assert len(decode_script(script.encode())) == 2
    (code,) = [text for kind, text in fences if kind == "python"]
    names: dict[str, object] = {}
    exec(compile(code, "recordings.md", "exec"), names)
    test = names["test_start"]
    assert callable(test)
    test()
