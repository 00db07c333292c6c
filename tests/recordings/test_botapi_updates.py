"""Everything that the Bot API 10.3 documents goes through `kotodom replay --updates`."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.rehearsals import encode_answer, rehearse
from domain.rehearsal import Rehearsal
from domain.telegram import UNSUPPORTED_KINDS
from entrypoints.sandbox.botapi_schema import BotApiSchema
from tests.recordings.botapi_types import (
    TYPES,
    Json,
    full,
    instances,
    minimal,
    with_unknown_fields,
)
from tests.recordings.botapi_updates import (
    ATTRIBUTES,
    CONTENTS,
    KINDS,
    content,
    message,
    people_writing,
    updates,
)
from tests.recordings.updates_table import COMMAND, FILE, document, told, update_of

KOTODOM = Path(sys.executable).with_name("kotodom")
SCHEMA = BotApiSchema()
DEPTHS = (0, 1, 2)
"""The required fields alone; every optional one; every optional one of what they hold as well."""

IN_JSON = sorted(set(TYPES) - {"InputFile"})


def went_through(values: Sequence[Json]) -> list[bytes]:
    """The answers, which are the same twice, each without a bug and understood."""
    lines = [(f"line {place}", json.dumps(each)) for place, each in enumerate(values)]
    answers = list(rehearse(lines, Rehearsal()))
    assert [each.bug or each.unreadable for each in answers] == [None] * len(values)
    assert [each.update_id for each in answers] == [each["update_id"] for each in values]
    encoded = [encode_answer(each) for each in answers]
    assert [encode_answer(each) for each in rehearse(lines, Rehearsal())] == encoded
    return encoded


def every_update() -> list[Json]:
    """One of each kind and of each content of a message, as little and as much as there can be."""
    kinds = [{kind: full(TYPES["Update"][kind][0], depth)} for kind in KINDS for depth in DEPTHS]
    contents = [
        {"message": message(**content(name, depth))} for name in CONTENTS for depth in DEPTHS
    ]
    attributes = [
        {"message": message(text="Hello") | {name: full("Message")[name]}} for name in ATTRIBUTES
    ]
    return [
        {"update_id": place} | each for place, each in enumerate(kinds + contents + attributes, 1)
    ]


@pytest.mark.parametrize("kind", IN_JSON)
def test_an_instance_is_as_documented(kind: str) -> None:
    assert [SCHEMA.check_type(kind, full(kind, depth)) for depth in DEPTHS] == [[], [], []]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_update(kind: str) -> None:
    wanted, _ = TYPES["Update"][kind]
    for depth in DEPTHS:
        went_through([update_of(kind, full(wanted, depth))])


@pytest.mark.parametrize("name", CONTENTS)
def test_every_content_of_a_message(name: str) -> None:
    for depth in DEPTHS:
        update = update_of("message", message(**content(name, depth)))
        went_through([update, update])
    assert told(update_of("message", message(**content(name)))) == told(update)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_field_that_goes_with_a_content(name: str) -> None:
    for beside in ({"text": "Hello"}, content("photo"), content("pinned_message")):
        went_through([update_of("message", message(**beside) | {name: full("Message")[name]})])


def test_an_update_of_nothing_and_one_of_the_future() -> None:
    went_through([minimal("Update"), update_of("something_of_2031", {"text": "Hello"})])


def test_what_one_may_reply_to_elsewhere_is_content_and_no_service_message() -> None:
    """ExternalReplyInfo lists the contents that a person can forward or post."""
    assert set(TYPES["ExternalReplyInfo"]) & set(CONTENTS) <= set(UNSUPPORTED_KINDS)
    assert set(UNSUPPORTED_KINDS) <= set(CONTENTS) - {"text"}


@settings(max_examples=60)
@given(st.sampled_from(IN_JSON).flatmap(lambda kind: st.tuples(st.just(kind), instances(kind))))
def test_any_instance_is_as_documented(drawn: tuple[str, Json]) -> None:
    kind, instance = drawn
    assert SCHEMA.check_type(kind, instance) == []


@settings(max_examples=150)
@given(st.data())
def test_any_update(data: st.DataObject) -> None:
    update = data.draw(updates())
    later = data.draw(with_unknown_fields(update))
    assert went_through([later]) == went_through([update])


@settings(max_examples=100)
@given(st.data())
def test_any_messages_of_people(data: st.DataObject) -> None:
    written = data.draw(people_writing())
    later = data.draw(with_unknown_fields(written))
    assert went_through(later) == went_through(written)


def test_the_command(tmp_path: Path) -> None:
    values = every_update()
    file = tmp_path / "updates.json"
    file.write_text(json.dumps(values))
    done = subprocess.run(
        [KOTODOM, "replay", "--updates", file], cwd=tmp_path, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout.splitlines(keepends=True)) == (0, went_through(values))
    assert b"as it should be" in done.stderr


def test_the_table_is_what_the_run_says() -> None:
    found = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    assert found == document(), f"a bot answers otherwise than {FILE.name} says: run `{COMMAND}`"
