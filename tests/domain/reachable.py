"""Every struct that a recording is made of, and the defaults that JSON leaves out.

released_defaults.json lists them: a recording means, by what it leaves out, what was the default
when it was made.
"""

import json
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import NODEFAULT, Struct, inspect

from domain.effects import Effect
from domain.failures import Failure
from domain.recording import Recorded

Defaults: TypeAlias = dict[str, dict[str, Any]]
"""By struct and by field, as JSON names it; REQUIRED stands for that of a field that has none."""

REQUIRED = "REQUIRED"
KEPT = Path(__file__).with_name("released_defaults.json")


def structs(union: Any) -> dict[type[Struct], inspect.StructType]:
    """Every struct that can be reached from the types of a union."""
    found: dict[type[Struct], inspect.StructType] = {}
    waiting: list[inspect.Type] = [inspect.type_info(union)]
    while waiting:
        kind = waiting.pop()
        match kind:
            case inspect.StructType() if kind.cls not in found:
                found[kind.cls] = kind
                waiting += [field.type for field in kind.fields]
            case inspect.UnionType():
                waiting += kind.types
            case inspect.CollectionType():
                waiting.append(kind.item_type)
            case inspect.TupleType():
                waiting += kind.item_types
            case inspect.DictType():
                waiting += [kind.key_type, kind.value_type]
    return found


RECORDED = {**structs(Recorded), **structs(Effect), **structs(Failure)}
"""Event and State stand in a Recorded, its effects as they came."""


def defaults() -> Defaults:
    """The defaults of this version."""
    return {
        cls.__name__: {field.encode_name: _default(field) for field in kind.fields}
        for cls, kind in RECORDED.items()
    }


def kept_defaults() -> Defaults:
    """The defaults that are listed."""
    return msgspec.json.decode(KEPT.read_bytes(), type=Defaults)


def list_new_defaults() -> list[str]:
    """List what is not listed yet, and say what that is; what is listed stays as it is."""
    kept, now = kept_defaults(), defaults()
    new = unlisted(kept, now)
    for name, fields in now.items():
        kept[name] = fields | kept.get(name, {})
    lines = [
        f"{json.dumps(name)}: {json.dumps(kept[name], ensure_ascii=False, sort_keys=True)}"
        for name in sorted(kept)
    ]
    KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return new


def unlisted(kept: Defaults, now: Defaults) -> list[str]:
    """The fields that are not listed yet."""
    return sorted(
        f"{name}.{field}" for name in now for field in now[name].keys() - kept.get(name, {}).keys()
    )


def broken(kept: Defaults, now: Defaults) -> list[str]:
    """What old recordings are read wrongly by, or not at all."""
    found = []
    for name, fields in kept.items():
        for field, default in fields.items():
            is_now = now.get(name, {}).get(field, "no more")
            if is_now != default or type(is_now) is not type(default):
                found.append(f"{name}.{field} was {default!r}, is {is_now!r}")
        new = now.get(name, {}).keys() - fields.keys()
        found += [f"{name}.{field} is new" for field in new if now[name][field] == REQUIRED]
    return sorted(found)


def _default(field: inspect.Field) -> Any:
    """As JSON has it."""
    if field.default_factory is not NODEFAULT:
        return json.loads(msgspec.json.encode(field.default_factory()))
    if field.default is NODEFAULT:
        return REQUIRED
    return json.loads(msgspec.json.encode(field.default))
