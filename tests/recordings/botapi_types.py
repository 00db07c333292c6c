"""Instances of the Bot API's types, made from its data (entrypoints/sandbox/botapi-10.3.json).

`minimal` has the required fields alone, `full` every optional field to a depth; `instances` is a
hypothesis strategy for any other. All hold what a client may send: int64 ids, emoji, right-to-left
text, NUL, lone surrogates. `with_unknown_fields` adds what a later Bot API may have.
"""

import json
import re
from typing import Any, NamedTuple, TypeAlias

from hypothesis import strategies as st

from entrypoints.sandbox.botapi_schema import SCHEMA_FILE

Json: TypeAlias = Any
Field: TypeAlias = tuple[str, bool]
"""A field's documented type, and whether it is always there."""

_DOCUMENT: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
TYPES: dict[str, dict[str, Field]] = {
    name: {field: (kind, required) for field, (kind, required) in fields.items()}
    for name, fields in _DOCUMENT["types"].items()
}
ONE_OF: dict[str, list[str]] = _DOCUMENT["oneOf"]
# Also a plain text or a list of RichText, says its description.
ONE_OF = ONE_OF | {"RichText": ["String", "Array of RichText", *ONE_OF["RichText"]]}
DOCUMENTED = {name for fields in TYPES.values() for name in fields}
"""Every name of a field of any type."""

DATE = 1_800_000_000

_PARENTS = {option: parent for parent, options in ONE_OF.items() for option in options}
_TAGS = ("type", "source", "status")
_UNLIKE_ITS_NAME = {"ChatMemberOwner": "creator", "ChatMemberBanned": "kicked"}
_CHOICES = {
    ("Chat", "type"): ("private", "group", "supergroup", "channel"),
    ("Poll", "type"): ("regular", "quiz"),
    ("Sticker", "type"): ("regular", "mask", "custom_emoji"),
    ("MessageEntity", "type"): ("bold", "mention", "bot_command", "text_link", "custom_emoji"),
    ("InlineQuery", "chat_type"): ("sender", "private", "group", "supergroup", "channel"),
}
"""Documented values of a text, some of them."""

_SENSIBLE: dict[str, Json] = {
    "date": DATE,
    "emoji": "🎲",
    "first_name": "Ann",
    "text": "Hello",
    "caption": "Look!",
    "language_code": "en",
    "url": "https://example.org",
}


def _tag(owner: str, field: str) -> str | None:
    """The constant that tells one of several types from the others."""
    parent = _PARENTS.get(owner)
    if parent is None or field not in _TAGS:
        return None
    words = re.findall(r"[A-Z][a-z0-9]*", owner.removeprefix(parent))
    return _UNLIKE_ITS_NAME.get(owner, "_".join(words).lower())


def _options(kind: str) -> list[str]:
    """The types of which this is one; none where it is a type of its own."""
    return ONE_OF.get(kind) or (kind.split(" or ") if " or " in kind else [])


def _plain(owner: str, field: str, kind: str) -> Json:
    match kind:
        case "Integer":
            return _SENSIBLE.get(field, 42 if field.endswith("id") else 1)
        case "Float":
            return 0.5
        case "Boolean":
            return False
        case "True":
            return True
        case _:
            choices = _CHOICES.get((owner, field), (None,))
            return _tag(owner, field) or choices[0] or _SENSIBLE.get(field, field)


PLAIN = ("Integer", "Float", "Boolean", "True", "String")


def minimal(kind: str) -> Json:
    """The required fields alone."""
    return full(kind, depth=0)


def full(kind: str, depth: int = 2) -> Json:
    """Every optional field, in objects down to this depth; the required ones alone below.

    A list holds one of each type that it may hold.
    """
    return _instance(kind, depth, "", "")


def of_field(owner: str, name: str, depth: int = 0) -> Json:
    """What stands in a type's field: `minimal`, or `full` to a depth."""
    return _instance(TYPES[owner][name][0], depth, owner, name)


def _instance(kind: str, depth: int, owner: str, field: str) -> Json:
    if kind in PLAIN:
        return _plain(owner, field, kind)
    if kind.startswith("Array of "):
        item = kind.removeprefix("Array of ")
        options = (_options(item) if depth > 0 else []) or [item]
        return [_instance(option, depth, owner, field) for option in options]
    if options := _options(kind):
        return _instance(options[0], depth, owner, field)
    return {
        name: _instance(wanted, depth - 1, kind, name)
        for name, (wanted, required) in TYPES[kind].items()
        if required or depth > 0
    }


INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1) | st.sampled_from([0, 1, 42, 2**52, -(10**12)])
TEXTS = st.text(st.characters(), max_size=6) | st.sampled_from(
    [
        "",
        " \n",
        "Hello",
        "/start",
        "/help@rehearsal_bot now",
        "/refresh",
        "👩‍👩‍👧 🎉",
        "\u202eשלום عربى",
        "a\x00b",
        "\ud83d",
        "\udc00\ud800",
        "й" * 5000,
    ]
)
FLOATS = st.floats(-180, 180, allow_nan=False)
FEW = 4
"""Optional fields of an object, at most: a message has a hundred, few at a time."""


class Shape(NamedTuple):
    """The names of a type's fields."""

    required: tuple[str, ...]
    optional: tuple[str, ...]


SHAPES = {
    name: Shape(
        tuple(field for field, (_, required) in fields.items() if required),
        tuple(field for field, (_, required) in fields.items() if not required),
    )
    for name, fields in TYPES.items()
}


@st.composite
def instances(draw: st.DrawFn, kind: str, depth: int = 3) -> Json:
    """Any documented instance of a type; at most `depth` objects deep where that is possible."""
    return _drawn(draw, kind, depth, "", "")


def _drawn(draw: st.DrawFn, kind: str, depth: int, owner: str, field: str) -> Json:
    match kind:
        case "Integer":
            return draw(INTEGERS)
        case "Float":
            return draw(FLOATS)
        case "Boolean":
            return draw(st.booleans())
        case "True":
            return True
        case "String":
            return _drawn_text(draw, owner, field)
    if kind.startswith("Array of "):
        item = kind.removeprefix("Array of ")
        count = draw(st.integers(0, 2)) if depth > 0 else 0
        return [_drawn(draw, item, depth, owner, field) for _ in range(count)]
    if options := _options(kind):
        option = draw(st.sampled_from(options)) if depth > 0 else options[0]
        return _drawn(draw, option, depth, owner, field)
    shape = SHAPES[kind]
    names = list(shape.required)
    if depth > 0 and shape.optional:
        names += draw(st.lists(st.sampled_from(shape.optional), max_size=FEW, unique=True))
    return {name: _drawn(draw, TYPES[kind][name][0], depth - 1, kind, name) for name in names}


def _drawn_text(draw: st.DrawFn, owner: str, field: str) -> str:
    tag = _tag(owner, field)
    if tag is not None:
        return tag
    choices = _CHOICES.get((owner, field))
    return draw(st.sampled_from(choices) if choices else TEXTS)


_UNKNOWN = (
    st.sampled_from(["unsupported", "from_user", "kind", "words", "", "новое", "\x00", "\ud83d"])
    | st.text(st.characters(), max_size=4)
).filter(lambda name: name not in DOCUMENTED)
_ANYTHING: st.SearchStrategy[Json] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    FLOATS,
    TEXTS,
    st.just([]),
    st.just({"type": None, "text": [{}]}),
)


@st.composite
def with_unknown_fields(draw: st.DrawFn, value: Json) -> Json:
    """The same, with fields at any depth that the Bot API 10.3 does not know."""
    if isinstance(value, list):
        return [draw(with_unknown_fields(each)) for each in value]
    if not isinstance(value, dict):
        return value
    known = {name: draw(with_unknown_fields(each)) for name, each in value.items()}
    unknown = draw(st.dictionaries(_UNKNOWN, _ANYTHING, max_size=2))
    return unknown | known if draw(st.booleans()) else known | unknown
