"""What is wrong with a value of a request, for people: msgspec's own words are for programmers.

Triggered with each field of a body and each parameter of a URL that msgspec refuses; a sentence
comes out that never holds the value: a password may have been typed into the wrong field.
"""

import re
from enum import EnumType
from typing import Any

from msgspec import inspect

_EXPECTED = re.compile(r"^Expected `([a-z]+)[^`]*`(?: of length)?(?: (<=|>=) ([\d.]+))?")
_KINDS = {
    "array": "must be a list",
    "bool": "must be true or false",
    "float": "must be a number",
    "int": "must be a whole number",
    "object": "must be a JSON object",
    "str": "must be a text",
}
_FORMS = {
    "Invalid RFC3339 encoded datetime": "must be a moment, as 2026-11-27T12:00:00Z",
    "Object contains unknown field": "is not a field of this request",
    "Object missing required field": "is missing",
}


def sentence(message: str, kind: inspect.Type | None) -> str:
    """msgspec's message in words; `kind`: what the value should be, where that is known."""
    for beginning, words in _FORMS.items():
        if message.startswith(beginning):
            return words
    if isinstance(kind, inspect.EnumType):
        return f"must be one of {_names(kind.cls)}"
    told = _EXPECTED.match(message)
    if told is None:
        return "cannot be taken"
    expected, sign, bound = told.groups()
    if sign is None:
        return _KINDS.get(expected, "cannot be taken")
    if expected in ("int", "float"):
        return _bounded(kind, sign, bound.removesuffix(".0"))
    if sign == ">=" and bound == "1":
        return "must not be blank"
    most = sign == "<="
    if expected == "array":
        return f"must have at most {bound} items" if most else f"must have at least {bound} items"
    if most:
        return f"must have at most {bound} characters"
    return f"must have at least {bound} characters"


def bounds(low: float | None, high: float | None) -> inspect.Type:
    """The type of a whole number within them."""
    return inspect.IntType(ge=_whole(low), le=_whole(high))


def kind_at(model: Any, path: str) -> inspect.Type | None:  # noqa: ANN401 - any type
    """What should stand at a path of msgspec's inside the model; None where that is nothing."""
    kind = _plain(inspect.type_info(model))
    while path and isinstance(kind, inspect.StructType):
        for field in kind.fields:  # a name may hold dots
            rest = path.removeprefix(field.encode_name)
            if rest != path and (not rest or rest[0] in ".["):
                kind, path = _plain(field.type), rest.removeprefix(".")
                break
        else:
            return None
    return None if path else kind


def kind_of(annotation: Any) -> inspect.Type | None:  # noqa: ANN401 - any type
    """What a parameter should be."""
    return _plain(inspect.type_info(annotation))


def _plain(kind: inspect.Type) -> inspect.Type:
    """Without what is added to it, and without null."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        given = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        return _plain(given[0]) if len(given) == 1 else kind
    return kind


def _bounded(kind: inspect.Type | None, sign: str, bound: str) -> str:
    if isinstance(kind, inspect.IntType) and kind.ge is not None and kind.le is not None:
        return f"must be a whole number from {kind.ge} to {kind.le}"
    if isinstance(kind, inspect.FloatType) and kind.ge is not None and kind.le is not None:
        return f"must be a number from {kind.ge:g} to {kind.le:g}"
    return f"must be at most {bound}" if sign == "<=" else f"must be at least {bound}"


def _names(values: EnumType) -> str:
    return ", ".join(str(value.value) for value in values)  # type: ignore[var-annotated]


def _whole(bound: float | None) -> int | None:
    return int(bound) if bound is not None else None
