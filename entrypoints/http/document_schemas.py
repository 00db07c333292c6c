"""JSON Schemas of the bodies that the routes read and answer, by msgspec, which does both.

Litestar's own lose bounds of 0, what a struct says of itself, and that a form takes nothing else.
What msgspec leaves to us: an answer has all of its fields, moments have a zone, and plain names.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from inspect import cleandoc
from typing import Any, get_args, get_origin

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from msgspec import Struct
from msgspec.inspect import StructType, Type

REFERENCE = "#/components/schemas/"

_GENERIC = re.compile(r"(\w+?)_(?:.*\.)?(\w+)_")
_INNER = ("type", "types", "item_type", "item_types", "value_type", "fields")


def schemas_of(app: Litestar) -> dict[str, Any]:
    """By name, those of the application's documented routes and of all that is in them."""
    handlers = [
        handler
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.resolve_include_in_schema()
    ]
    structs = sorted({kind for handler in handlers for kind in _structs(handler)}, key=str)
    _, made = msgspec.json.schema_components(structs, ref_template=REFERENCE + "{name}")
    for info in _infos(msgspec.inspect.multi_type_info(structs)):
        if isinstance(info.cls, type):  # pages have nothing to mend
            _mend(made[info.cls.__name__], info.cls)
    named = {short_name(name): _named(name, schema) for name, schema in made.items()}
    return dict(sorted(named.items()))


def short_name(name: str) -> str:
    """BotViewPage for msgspec's Page_BotView_ and Litestar's Page_application.bots.BotView_."""
    generic = _GENERIC.fullmatch(name)
    return f"{generic[2]}{generic[1]}" if generic is not None else name


def _structs(handler: HTTPRouteHandler) -> Iterator[type[Struct]]:
    """What a route reads and answers."""
    answered = handler.parsed_return_field
    inner = answered.inner_types if answered.is_subclass_of(Response) else ()
    named = [field.annotation for field in inner or (answered,)]
    if handler.parsed_data_field is not None:
        named.append(handler.parsed_data_field.annotation)
    named += [spec.data_container for spec in (handler.responses or {}).values()]
    for kind in named:
        origin = get_origin(kind) or kind
        if isinstance(origin, type) and issubclass(origin, Struct):
            yield kind


def _infos(types: tuple[Type, ...]) -> Iterator[StructType]:
    """Every struct in the types, once."""
    found = list(types)
    seen: set[Any] = set()
    while found:
        info = found.pop()
        if isinstance(info, StructType):
            if info.cls in seen:
                continue
            seen.add(info.cls)
            yield info
        for name in _INNER:
            inner = getattr(info, name, ())
            found += inner if isinstance(inner, tuple) else (inner,)


def _mend(schema: dict[str, Any], struct: type[Struct]) -> None:
    config = struct.__struct_config__
    properties = schema["properties"]
    for field in msgspec.structs.fields(struct):
        shown = properties[field.encode_name]
        if shown.get("default", ...) is None:
            del shown["default"]
        if field.type is datetime or datetime in get_args(field.type):
            for way in shown.get("anyOf", [shown]):
                if way["type"] == "string":
                    way["format"] = "date-time"
    if not config.forbid_unknown_fields and not config.omit_defaults:
        schema["required"] = list(properties)  # an answer: nothing of it is left out


def _named(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    schema["title"] = short_name(name)
    if "enum" in schema:
        schema["type"] = "string"
    if "description" in schema:
        schema["description"] = cleandoc(schema["description"])
    for shown in schema.get("properties", {}).values():
        for way in shown.get("anyOf", [shown.get("items", shown)]):
            if way == {"type": "object"}:
                way["additionalProperties"] = True  # or a generated client takes it for empty
    return schema
