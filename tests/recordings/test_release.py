"""The recordings of versions: each replays the same for ever, and the newest one knows every tag.

That each of them replays is the plugin's test of its file (entrypoints/pytest_plugin.py).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from domain.effects import Effect
from domain.events import Event
from domain.failures import Failure
from domain.recording import State
from tests.domain.strategies import kinds
from tests.recordings.release import FOLDER, recorded, stories, version

UNIONS: dict[str, Any] = {"event": Event, "effect": Effect, "failure": Failure, "state": State}
VERSIONS = [path for path in sorted(FOLDER.glob("*.jsonl")) if re.match(r"\d+\.\d+", path.name)]


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
    missing = {str(kind.__struct_config__.tag) for kind in kinds(union)} - found
    assert not missing


@pytest.mark.parametrize("union", UNIONS.values(), ids=UNIONS)
def test_a_field_with_a_default_may_be_added(union: Any) -> None:
    """What has its default is left out, so old effects and digests stay as they are."""
    assert [kind for kind in kinds(union) if not kind.__struct_config__.omit_defaults] == []
