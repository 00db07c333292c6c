"""The journal's columns as JSON, for tests that look into the table themselves."""

from typing import Any

import msgspec

from adapters.journal_compression import packed, unpacked


def decoded(column: bytes) -> Any:
    """What a row's `from_state`, `event` or `effects` says."""
    return msgspec.json.decode(unpacked(column))


def recorded(step: dict[str, Any]) -> dict[str, bytes | None]:
    """The columns of a recording's step, as the loop keeps them."""
    names = {"from_state": "from", "event": "event", "effects": "effects"}
    return {
        column: packed(msgspec.json.encode(step[name])) if name in step else None
        for column, name in names.items()
    }
