"""What is said of a value that msgspec refuses: words for people, and never the value."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType, field

from application.refusals import FieldError, Invalid
from entrypoints.http.bodies import StrictJson


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(Struct, forbid_unknown_fields=True):
    colour: Colour | UnsetType | None = UNSET


class Form(Struct, rename="camel", forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=5)]
    code: Annotated[str, Meta(min_length=2)] = "ab"
    most_tokens: Annotated[int, Meta(ge=16, le=100)] | None = None
    warmth: Annotated[float, Meta(ge=0, le=2)] | UnsetType | None = UNSET
    count: Annotated[int, Meta(ge=1)] = 1
    share: Annotated[float, Meta(le=0.5)] = 0
    few: Annotated[list[int], Meta(min_length=1, max_length=2)] | None = None
    at: datetime | None = None
    who: UUID | None = None
    is_on: bool = False
    inner: Inner | None = None
    dotted: Inner | None = field(default=None, name="in.ner")
    many: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"name": ""}, "name", "must not be blank"),
        ({"name": "secret"}, "name", "must have at most 5 characters"),
        ({"name": 5}, "name", "must be a text"),
        ({"name": None}, "name", "must be a text"),
        ({"name": UNSET}, "name", "is missing"),
        ({"nmae": 1}, "nmae", "is not a field of this request"),
        ({"code": "a"}, "code", "must have at least 2 characters"),
        ({"mostTokens": 15}, "mostTokens", "must be a whole number from 16 to 100"),
        ({"mostTokens": 1.5}, "mostTokens", "must be a whole number"),
        ({"warmth": 2.5}, "warmth", "must be a number from 0 to 2"),
        ({"warmth": "hot"}, "warmth", "must be a number"),
        ({"count": 0}, "count", "must be at least 1"),
        ({"share": 0.75}, "share", "must be at most 0.5"),
        ({"few": []}, "few", "must not be blank"),
        ({"few": [1, 2, 3]}, "few", "must have at most 2 items"),
        ({"few": ["x"]}, "few[0]", "must be a whole number"),
        ({"few": 5}, "few", "must be a list"),
        ({"at": "now"}, "at", "must be a moment, as 2026-11-27T12:00:00Z"),
        ({"who": "me"}, "who", "cannot be taken"),
        ({"isOn": 1}, "isOn", "must be true or false"),
        ({"inner": 1}, "inner", "must be a JSON object"),
        ({"inner": {"colour": "secret"}}, "inner.colour", "must be one of red, blue"),
        ({"inner": {"colour": 5}}, "inner.colour", "must be one of red, blue"),
        ({"in.ner": {"colour": "x"}}, "in.ner.colour", "must be one of red, blue"),
        ({"many": {"a": "x"}}, "many[...]", "must be a whole number"),
    ],
)
def test_a_body(given: dict[str, Any], path: str, words: str) -> None:
    whole = {"name": "Ada"} | given
    body = {name: value for name, value in whole.items() if value is not UNSET}
    assert _refused(msgspec.json.encode(body)) == FieldError(path, words)


def test_a_body_that_is_no_object() -> None:
    assert _refused(b"[]") == FieldError("$", "must be a JSON object")


def _refused(body: bytes) -> FieldError:
    class Asked:
        headers: dict[str, str] = {}  # noqa: RUF012 - a stand-in

    with pytest.raises(Invalid) as refused:
        StrictJson[Form](Asked()).decode_bytes(body)  # type: ignore[arg-type]
    (error,) = refused.value.errors
    return error
