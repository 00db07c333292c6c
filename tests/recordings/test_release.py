"""The recordings of versions: each replays the same for ever, and the newest one knows every tag.

That each of them replays is the plugin's test of its file (entrypoints/pytest_plugin.py).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec import Struct

from domain import texts
from domain.effects import Effect, ForgetThreads, RemoveFormerWebhook
from domain.events import Event
from domain.failures import Failure
from domain.recording import State
from tests.domain.reachable import RECORDED
from tests.domain.strategies import kinds
from tests.recordings import release
from tests.recordings.release import FOLDER, RELEASED, of, recorded, stories, version

UNIONS: dict[str, Any] = {"event": Event, "effect": Effect, "failure": Failure, "state": State}
WORDS = {"START", "HELP", "REFRESHED", "FAILED", "UNSUPPORTED"}
VERSIONS = [path for path in sorted(FOLDER.glob("*.jsonl")) if re.match(r"\d+\.\d+", path.name)]
ONLY_JOBS = {RemoveFormerWebhook, ForgetThreads}
"""Effects that no step wishes for: they hold a secret, and steps hold none."""


def tags(value: Any) -> Iterator[str]:
    """Every `type` in a JSON value, however deep."""
    match value:
        case dict():
            if isinstance(value.get("type"), str):
                yield value["type"]
            for each in value.values():
                yield from tags(each)
        case list():
            for each in value:
                yield from tags(each)


def test_this_version_has_a_recording() -> None:
    assert FOLDER / f"{version()}.jsonl" in VERSIONS


def test_its_recording_is_what_its_stories_tell() -> None:
    """Where this fails: `python -m tests.recordings.release`, if the version is not out yet."""
    kept = (FOLDER / f"{version()}.jsonl").read_bytes()
    assert kept.splitlines() == list(recorded(stories()))


@pytest.mark.parametrize("union", UNIONS.values(), ids=UNIONS)
def test_its_recording_has_every_tag(union: Any) -> None:
    """Where this fails: a story in tests/recordings/release.py has to tell of the new tag."""
    lines = (FOLDER / f"{version()}.jsonl").read_text().splitlines()
    found = {tag for line in lines for tag in tags(json.loads(line))}
    wanted = {kind for kind in kinds(union) if kind not in ONLY_JOBS}
    assert not {str(kind.__struct_config__.tag) for kind in wanted} - found
    assert not {str(kind.__struct_config__.tag) for kind in ONLY_JOBS} & found


@pytest.mark.parametrize("kind", RECORDED, ids=lambda kind: kind.__name__)
def test_a_field_with_a_default_may_be_added(kind: type[Struct]) -> None:
    """What has its default is left out, so old effects and digests stay as they are."""
    assert kind.__struct_config__.omit_defaults


@pytest.mark.parametrize("language", get_args(texts.Language))
@pytest.mark.parametrize("name", sorted(WORDS))
def test_its_recording_says_each_of_our_own_words(name: str, language: texts.Language) -> None:
    """So that a word which changes is a difference to every version that said it otherwise."""
    lines = (FOLDER / f"{version()}.jsonl").read_text().splitlines()
    said = {
        effect["text"]
        for line in lines
        for effect in json.loads(line)["effects"]
        if effect["type"] == "telegram.sendMessage"
    }
    assert getattr(texts, name)[language] in said


def test_all_of_our_own_words_are_known_here() -> None:
    """But for the menu's, which no handler says (adapters/effect_runner.py does)."""
    assert {name for name in vars(texts) if name.isupper()} == WORDS | {"MENU"}


# --- what is out ---------------------------------------------------------------------------------


def test_the_recordings_of_versions_that_are_out_stay() -> None:
    kept = {path.stem: of(path.read_bytes()) for path in VERSIONS}
    assert {released: kept.get(released) for released in RELEASED} == RELEASED


def test_every_version_before_this_one_is_out() -> None:
    """Where this fails: the release of a version adds its line to RELEASED (CONTRIBUTING.md)."""
    assert {path.stem for path in VERSIONS} - {version()} <= RELEASED.keys()


def test_what_is_out_is_not_written_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = version()
    path = tmp_path / f"{made}.jsonl"
    monkeypatch.setattr(release, "version", lambda: made)
    monkeypatch.setattr(release, "FOLDER", tmp_path)
    monkeypatch.setattr(release, "list_new_defaults", list)
    release.main()
    written = path.read_bytes()
    assert f'    "{made}": "{of(written)}",' in capsys.readouterr().out
    monkeypatch.setitem(RELEASED, made, of(written))
    path.write_bytes(b"as it was")
    with pytest.raises(SystemExit, match=r"is out"):
        release.main()
    assert path.read_bytes() == b"as it was"
