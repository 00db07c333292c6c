"""Updates of every kind that the Bot API 10.3 documents, and messages of every content."""

from hypothesis import strategies as st

from tests.recordings.botapi_types import (
    DATE,
    INTEGERS,
    SHAPES,
    TEXTS,
    TYPES,
    Json,
    instances,
    of_field,
)

ANN = {"id": 42, "is_bot": False, "first_name": "Ann"}
PRIVATE = {"id": 42, "type": "private", "first_name": "Ann"}

KINDS = tuple(SHAPES["Update"].optional)
"""Every kind of update."""

_FIELDS = SHAPES["Message"].optional
_BESIDE = {
    "entities",
    "link_preview_options",
    "suggested_post_info",
    "effect_id",
    "caption",
    "caption_entities",
    "show_caption_above_media",
    "has_media_spoiler",
    "reply_markup",
}
# The data does not tell them apart, but for their order: first who, where and how.
CONTENTS = tuple(name for name in _FIELDS[_FIELDS.index("text") :] if name not in _BESIDE)
"""Fields of Message of which one is there: what was sent, or what has happened in the chat."""

ATTRIBUTES = tuple(name for name in _FIELDS if name not in CONTENTS)
"""Fields of Message that go with a content."""

COMPANIONS = {"animation": "document", "venue": "location", "live_photo": "photo"}
"""For backward compatibility the second is set as well (Bot API 10.3, Message)."""


def content(name: str, depth: int = 0) -> dict[str, Json]:
    """The fields that a message of this content has."""
    names = [name, COMPANIONS[name]] if name in COMPANIONS else [name]
    return {each: of_field("Message", each, depth) for each in reversed(names)}


def message(**fields: Json) -> dict[str, Json]:
    """A person's message in a private chat, but for these fields; those that are None are not."""
    whole = {"message_id": 9, "from": ANN, "chat": PRIVATE, "date": DATE} | fields
    return {name: value for name, value in whole.items() if value is not None}


@st.composite
def updates(draw: st.DrawFn) -> dict[str, Json]:
    """An update of any kind."""
    kind = draw(st.sampled_from(KINDS))
    instance = draw(instances(TYPES["Update"][kind][0]))
    return {"update_id": draw(INTEGERS), kind: instance}


_PLACES = (
    {"chat": PRIVATE},
    {"chat": {"id": -5, "type": "group", "title": "Us"}},
    {"chat": {"id": -7, "type": "supergroup", "title": "\ud83d", "is_forum": True}},
    {
        "chat": {"id": -7, "type": "supergroup", "is_forum": True},
        "message_thread_id": 3,
        "is_topic_message": True,
    },
)


@st.composite
def people_writing(draw: st.DrawFn) -> list[dict[str, Json]]:
    """Messages of people in a few chats, as they may follow one another."""
    said = st.builds(
        lambda place, name, any_message, words: any_message | {"from": ANN} | place | name | words,
        st.sampled_from(_PLACES),
        st.sampled_from(CONTENTS).map(content) | st.builds(lambda text: {"text": text}, TEXTS),
        instances("Message", 2),
        st.just({}) | st.builds(lambda words: {"caption": words}, TEXTS),
    )
    messages = draw(st.lists(said, min_size=1, max_size=6))
    return [{"update_id": 70 + place, "message": each} for place, each in enumerate(messages)]
