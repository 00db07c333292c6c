"""Updates decoded: what Telegram sends, what it may send one day, and what it never does."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.telegram import (
    UNSUPPORTED_KINDS,
    Chat,
    Message,
    NotAnUpdate,
    Unreadable,
    Update,
    User,
    answerable,
    chat_key,
    clean,
    decode_update,
)

ANN = {"id": 42, "is_bot": False, "first_name": "Ann", "language_code": "en"}
SAID: dict[str, Any] = {
    "message_id": 9,
    "from": ANN,
    "chat": {"id": 42, "type": "private", "first_name": "Ann"},
    "date": 1_800_000_000,
    "text": "Hello",
}
DECODED = Message(
    9,
    Chat(42, first_name="Ann"),
    1_800_000_000,
    User(42, first_name="Ann", language_code="en"),
    text="Hello",
)


def body(**message: Any) -> bytes:
    return json.dumps({"update_id": 77, "message": SAID | message}).encode()


def said(text: str) -> bytes:
    """A message whose text is these characters of JSON."""
    return body(text="@").replace(b'"@"', f'"{text}"'.encode())


def test_a_message() -> None:
    assert decode_update(body()) == Update(77, DECODED)
    assert decode_update(body().decode()) == Update(77, DECODED)


def test_fields_of_a_later_bot_api_are_left_out() -> None:
    later = {
        "quantum": {"spin": [1, None]},
        "entities": [{"type": "telepathy"}],
        "unsupported": "x",
    }
    assert decode_update(body(**later, chat=SAID["chat"] | {"mood": 7})) == Update(77, DECODED)


@pytest.mark.parametrize("kind", UNSUPPORTED_KINDS)
def test_a_content_that_we_cannot_answer_is_kept_as_its_kind(kind: str) -> None:
    raw = {name: value for name, value in SAID.items() if name != "text"} | {kind: {"any": 1}}
    update = decode_update(json.dumps({"update_id": 77, "message": raw}))
    assert update.message is not None
    assert (update.message.unsupported, update.message.words) == (kind, None)
    assert answerable(update) == update.message


@pytest.mark.parametrize(
    ("kind", "besides"),
    [("animation", "document"), ("live_photo", "photo"), ("venue", "location")],
)
def test_a_content_that_comes_as_another_as_well_is_its_own_kind(kind: str, besides: str) -> None:
    raw = {name: value for name, value in SAID.items() if name != "text"} | {besides: {}, kind: {}}
    update = decode_update(json.dumps({"update_id": 77, "message": raw}))
    assert update.message is not None
    assert update.message.unsupported == kind


def test_a_caption_is_what_was_written() -> None:
    raw = {name: value for name, value in SAID.items() if name != "text"}
    raw |= {"photo": [{}], "caption": "Look!", "media_group_id": "1"}
    update = decode_update(json.dumps({"update_id": 77, "message": raw}))
    assert update.message is not None
    assert (update.message.words, update.message.unsupported) == ("Look!", "photo")


@pytest.mark.parametrize(
    "kind",
    [
        "edited_message",
        "channel_post",
        "my_chat_member",
        "callback_query",
        "message_reaction",
        "something_of_2031",
    ],
)
def test_other_kinds_are_named_and_not_answered(kind: str) -> None:
    update = decode_update(json.dumps({"update_id": 77, kind: SAID}))
    assert update == Update(77, kind=kind)
    assert answerable(update) is None


def test_an_update_of_nothing() -> None:
    assert decode_update('{"update_id": 77}') == Update(77, kind="empty")


@pytest.mark.parametrize(
    "service",
    [
        {"new_chat_members": [ANN]},
        {"left_chat_member": ANN},
        {"pinned_message": SAID},
        {"forum_topic_created": {"name": "x", "icon_color": 1}},
        {"message_auto_delete_timer_changed": {}},
    ],
)
def test_a_service_message_is_not_answered(service: dict[str, Any]) -> None:
    raw = {name: value for name, value in SAID.items() if name != "text"} | service
    assert answerable(decode_update(json.dumps({"update_id": 77, "message": raw}))) is None


def test_bots_and_channels_are_not_answered() -> None:
    assert answerable(decode_update(body(**{"from": ANN | {"is_bot": True}}))) is None
    raw = {name: value for name, value in SAID.items() if name != "from"}
    assert answerable(decode_update(json.dumps({"update_id": 77, "message": raw}))) is None


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"a\u0000b", "a\x00b"),
        (r"\ud83d\ude00", "😀"),
        (r"\ud83d", "\ufffd"),
        (r"\ude00", "\ufffd"),
        (r"a\ud83db", "a\ufffdb"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\ud800\u0000\ud83d\ude00", "\ufffd\x00😀"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
def test_texts_that_users_can_type(written: str, text: str) -> None:
    update = decode_update(said(written))
    assert update.message is not None
    assert update.message.text == text
    assert clean(text) == text.replace("\x00", "")


def test_a_lone_surrogate_that_is_no_escape_is_mended_too() -> None:
    update = decode_update(said("@").decode().replace("@", "\ud800"))
    assert update.message is not None
    assert update.message.text == "\ufffd"


@pytest.mark.parametrize("update_id", [0, -1, 1, -(2**63) + 1, 2**63 - 1])
def test_any_integer_that_a_database_holds_is_an_update_id(update_id: int) -> None:
    assert decode_update(json.dumps({"update_id": update_id})).update_id == update_id


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"hello",
        b"null",
        b"7",
        b'"update_id"',
        b"[]",
        b'[{"update_id": 77}]',
        b"{}",
        b'{"update_id": null}',
        b'{"update_id": true}',
        b'{"update_id": "77"}',
        b'{"update_id": 77.0}',
        b'{"update_id": 1e3}',
        b'{"update_id": [77]}',
        b'{"update_id": 9223372036854775808}',
        b'{"update_id": 123456789012345678901234567890}',
        b'{"update_id": 77',
        b'{"update_id": 77} {}',
        b"{'update_id': 77}",
        b'{"update_id": 77, "x": NaN}',
        b'{"update_id": 77, "x": -Infinity}',
        b'\xef\xbb\xbf{"update_id": 77}',
        '{"update_id": 77}'.encode("utf-16"),
        '{"update_id": 77}'.encode("utf-16-le"),
        '{"update_id": 77}'.encode("utf-32"),
        b'{"update_id": 77, "x": "\xff"}',
        b'{"update_id": 77, "x": "\\ud800\xff"}',
        b'{"update_id": 77, "x": "\x01"}',
        b"[" * 100_000,
        b'{"update_id": 77, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"update_id": 77, "y": "\\ud800", "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"update_id": 77, "x": ' + b"1" * 5_000 + b"}",
    ],
    ids=lambda raw: raw[:32].decode("latin-1"),
)
def test_what_telegram_never_sends_is_no_update(raw: bytes) -> None:
    with pytest.raises(NotAnUpdate):
        decode_update(raw)


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    assert decode_update('{"update_id": 76, "update_id": 77}') == Update(77, kind="empty")


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": True},
        {"message_id": 9.0},
        {"message_id": "9"},
        {"message_id": None},
        {"message_id": 2**63},
        {"chat": {}},
        {"chat": None},
        {"chat": {"id": 42.5}},
        {"chat": {"id": 2**63}},
        {"chat": {"id": 42, "type": 7}},
        {"from": 42},
        {"from": {"first_name": "Ann"}},
        {"from": {"id": 2**63}},
        {"from": {"id": 42, "is_bot": 1}},
        {"text": 7},
        {"text": ["Hello"]},
        {"caption": {}},
        {"date": "today"},
        {"message_thread_id": 2**63},
        {"is_topic_message": "yes"},
    ],
)
def test_a_genuine_update_that_we_cannot_read(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as unreadable:
        decode_update(body(**changes))
    assert unreadable.value.update_id == 77


@pytest.mark.parametrize("message", [None, 7, "text", [], {}])
def test_a_message_that_is_none_cannot_be_read(message: object) -> None:
    with pytest.raises(Unreadable):
        decode_update(json.dumps({"update_id": 77, "message": message}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=8,
)
NEAR = st.fixed_dictionaries(
    {
        "message_id": st.integers() | JSON,
        "chat": st.fixed_dictionaries({"id": st.integers()}) | JSON,
    },
    optional={
        "from": st.fixed_dictionaries({"id": st.integers()}, optional={"is_bot": JSON}) | JSON,
        "text": st.text(st.characters()) | JSON,
        "caption": JSON,
        "photo": JSON,
    },
)


@settings(max_examples=200)
@given(
    st.fixed_dictionaries({"update_id": st.integers() | JSON}, optional={"message": NEAR | JSON})
)
def test_any_json_is_an_update_or_is_refused(raw: dict[str, Any]) -> None:
    try:
        update = decode_update(json.dumps(raw))
    except (NotAnUpdate, Unreadable):
        return
    assert update.update_id == raw["update_id"]
    message = answerable(update)
    if message is not None:
        assert chat_key(3, message) == f"3:{message.chat.id}"
        assert (message.words or "").encode() is not None


@settings(max_examples=200)
@given(st.binary() | st.text(st.characters()))
def test_any_body_is_an_update_or_is_refused(raw: bytes | str) -> None:
    with pytest.raises(NotAnUpdate):
        decode_update(raw)


def test_the_key_of_a_chat() -> None:
    assert chat_key(3, Message(9, Chat(42))) == "3:42"
    assert chat_key(3, Message(9, Chat(-500, "supergroup"), message_thread_id=11)) == "3:-500"
    topic = Message(9, Chat(-500, "supergroup"), message_thread_id=11, is_topic_message=True)
    assert chat_key(3, topic) == "3:-500:11"


@pytest.mark.parametrize(
    ("chat", "name"),
    [
        (Chat(1, title="Cats"), "Cats"),
        (Chat(1, first_name="Ann"), "Ann"),
        (Chat(1, first_name="Ann", last_name="Lee"), "Ann Lee"),
        (Chat(1), ""),
    ],
)
def test_the_name_of_a_chat(chat: Chat, name: str) -> None:
    assert chat.name == name
