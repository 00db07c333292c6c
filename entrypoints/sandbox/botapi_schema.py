"""The Bot API as data: checks the parameters of a call against botapi-10.3.json.

`BotApiSchema.read` is called for every call to the Telegram stand-in. It turns the parameters into
their documented types, as the real server does with form fields, and returns what breaks the
documentation as `Problem`s: the fatal ones make the real server answer 400, the others it forgives.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

SCHEMA_FILE = Path(__file__).with_name("botapi-10.3.json")

_INTEGER = re.compile(r"-?\d{1,19}")
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


class Problem(Struct, frozen=True):
    """What a call did against the documentation; `fatal` where the real server answers 400."""

    text: str
    fatal: bool


class UploadedFile(Struct, frozen=True):
    """A file part of a multipart call: its name and its size in bytes."""

    name: str
    size: int


Check: TypeAlias = Callable[[object, str, list[Problem]], None]
Fields: TypeAlias = dict[str, tuple[str, bool]]


class _Document(Struct):
    types: dict[str, Fields]
    oneOf: dict[str, list[str]]  # noqa: N815 - the document's own name
    methods: dict[str, Fields]


class BotApiSchema:
    """The methods and types of Bot API 10.3."""

    def __init__(self, path: Path = SCHEMA_FILE) -> None:
        document = msgspec.json.decode(path.read_bytes(), type=_Document)
        self._types = document.types
        self._one_of = document.oneOf
        self._methods = document.methods
        self._canonical = {name.lower(): name for name in document.methods}
        self._checks: dict[str, Check] = {}

    def method(self, name: str) -> str | None:
        """The documented spelling of a method (they are case-insensitive), or None."""
        return self._canonical.get(name.lower())

    def read(
        self, method: str, given: dict[str, Any], *, typed: bool
    ) -> tuple[dict[str, Any], list[Problem]]:
        """The parameters in their documented types, and the problems found.

        `typed` says that they came as JSON, where a number should be a number; form fields are
        strings by nature.
        """
        fields = self._methods[method]
        problems: list[Problem] = []
        params: dict[str, Any] = {}
        for name, value in given.items():
            field = fields.get(name)
            if field is None:
                problems.append(Problem(f"{method} has no parameter {name!r}", fatal=False))
            elif value is None:
                problems.append(Problem(f"{name} is null", fatal=False))
            else:
                params[name] = self._coerce(field[0], value, name, typed, problems)
        for name, (_, required) in fields.items():
            if required and name not in params:
                problems.append(Problem(f"{name} is required", fatal=True))
        return params, problems

    def methods(self) -> list[str]:
        return list(self._methods)

    def check_type(self, type_name: str, value: object) -> list[Problem]:
        """What is wrong with a value of a documented type, for example our own Update."""
        problems: list[Problem] = []
        self._check(type_name)(value, type_name, problems)
        return problems

    def _coerce(
        self, wanted: str, value: object, path: str, typed: bool, problems: list[Problem]
    ) -> object:
        if isinstance(value, UploadedFile):
            if "InputFile" not in wanted:
                problems.append(Problem(f"{path} is not a file", fatal=True))
            return value
        if wanted == "InputFile or String" and isinstance(value, str):
            return value
        if isinstance(value, str) and wanted != "String":
            converted = _from_text(wanted, value)
            if converted is _NOTHING:
                problems.append(Problem(f"{path} should be {wanted}", fatal=True))
                return value
            if typed and wanted in ("Integer", "Float", "Boolean", "True"):
                problems.append(Problem(f"{path} should be {wanted}, not text", fatal=False))
            value = converted
        elif wanted == "String" and typed and isinstance(value, int | float):
            problems.append(Problem(f"{path} should be String", fatal=False))
            return str(value)
        self._check(wanted)(value, path, problems)
        return value

    def _check(self, wanted: str) -> Check:
        check = self._checks.get(wanted)
        if check is None:
            check = self._checks[wanted] = self._compile(wanted)
        return check

    def _compile(self, wanted: str) -> Check:
        if wanted in _PLAIN:
            return _plain(wanted)
        if wanted.startswith("Array of "):
            return self._array(wanted.removeprefix("Array of "))
        options = self._one_of.get(wanted) or re.split(r" or |, | and ", wanted)
        if wanted == "RichText":  # also a plain text or a list of RichText, says its description
            options = ["String", "Array of RichText", *options]
        if len(options) > 1:
            return self._any_of(wanted, options)
        return self._object(wanted)

    def _array(self, item: str) -> Check:
        def check(value: object, path: str, problems: list[Problem]) -> None:
            if not isinstance(value, list):
                problems.append(Problem(f"{path} should be an Array", fatal=True))
                return
            check_item = self._check(item)
            for index, element in enumerate(value):
                check_item(element, f"{path}[{index}]", problems)

        return check

    def _any_of(self, wanted: str, options: list[str]) -> Check:
        def check(value: object, path: str, problems: list[Problem]) -> None:
            best: list[Problem] | None = None
            for option in options:
                found: list[Problem] = []
                self._check(option)(value, path, found)
                if not found:
                    return
                if best is None or len(found) < len(best):
                    best = found
            problems.append(Problem(f"{path} is no {wanted}", fatal=True))
            problems.extend(best or ())

        return check

    def _object(self, wanted: str) -> Check:
        fields = self._types.get(wanted)
        if fields is None:
            raise KeyError(f"the schema has no type {wanted!r}")

        def check(value: object, path: str, problems: list[Problem]) -> None:
            if not isinstance(value, dict):
                problems.append(Problem(f"{path} should be {wanted}", fatal=True))
                return
            for name, element in value.items():
                field = fields.get(name)
                if field is None:
                    problems.append(Problem(f"{wanted} has no field {name!r}", fatal=False))
                else:
                    self._check(field[0])(element, f"{path}.{name}", problems)
            for name, (_, required) in fields.items():
                if required and name not in value:
                    problems.append(Problem(f"{path}.{name} is required", fatal=True))

        return check


_PLAIN: dict[str, tuple[type, ...]] = {
    "Integer": (int,),
    "Float": (int, float),
    "String": (str,),
    "Boolean": (bool,),
    "True": (bool,),
    "InputFile": (UploadedFile,),
}


def _plain(wanted: str) -> Check:
    kinds = _PLAIN[wanted]
    truth = wanted in ("Boolean", "True")

    def check(value: object, path: str, problems: list[Problem]) -> None:
        if not isinstance(value, kinds) or (isinstance(value, bool) and not truth):
            problems.append(Problem(f"{path} should be {wanted}", fatal=True))

    return check


class _Nothing:
    """The answer of `_from_text` where a text is not of that type."""


_NOTHING = _Nothing()


def _from_text(wanted: str, value: str) -> object:
    if wanted in ("Integer", "Integer or String"):
        if _INTEGER.fullmatch(value):
            return int(value)
        return value if wanted == "Integer or String" else _NOTHING
    if wanted in ("Boolean", "True"):
        return _TRUTHS.get(value.lower(), _NOTHING)
    if wanted == "InputFile":
        return _NOTHING
    try:
        return float(value) if wanted == "Float" else msgspec.json.decode(value)
    except (ValueError, msgspec.DecodeError):
        return _NOTHING
