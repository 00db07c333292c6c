"""The one pagination: keyset pages with an opaque cursor, newest first.

A repository is asked for `limit + 1` rows after a key; a row too many says that there is a next
page. A search looks through so many rows at a time: its page may have few items, or none, and still
a cursor, with which it looks on. Cursors are base64url of the last item's key as JSON: opaque, and
checked when they come back.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from application.refusals import FieldError, Malformed

T = TypeVar("T")
K = TypeVar("K")

LARGEST_ID = 2**63 - 1
"""The largest bigint; an id beyond it cannot exist, and PostgreSQL refuses to compare with it."""


class Page(Struct, Generic[T], frozen=True, rename="camel"):
    """`nextCursor`: ask with it for what follows; null at the end. A search looks through so many
    rows at a time: there may be fewer items than asked for, or none, and still more to come.
    """

    items: list[T]
    next_cursor: str | None


class Stretch(Struct, Generic[T, K], frozen=True):
    """What a repository found of a list that it does not look through to the end at once.

    `beyond`: the key after which it has not looked yet; None where there is nothing more.
    """

    rows: Sequence[T]
    beyond: K | None = None


def page(
    rows: Sequence[T], limit: int, key: Callable[[T], object], beyond: object = None
) -> Page[T]:
    """The page of `limit` items out of at most `limit + 1` rows; `beyond`: as of a Stretch."""
    items = list(rows[:limit])
    after = key(items[-1]) if len(rows) > limit else beyond
    return Page(items, _encode(after) if after is not None else None)


def read_cursor(cursor: str | None, kind: type[K]) -> K | None:
    """The key inside a cursor. Raises Malformed where it is not one of ours."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = msgspec.json.decode(text, type=kind)
        _check(key)
        return key
    except (binascii.Error, ValueError, OverflowError, msgspec.MsgspecError):
        errors = [FieldError("cursor", "is not one that a list has answered")]
        raise Malformed("The cursor cannot be read.", errors) from None


def known_id(identity: int) -> bool:
    """Whether a number can be an id at all."""
    return 0 < identity <= LARGEST_ID


def _check(key: object) -> None:
    """Whether a list can have such a key, and PostgreSQL compare with it.

    Raises ValueError, OverflowError.
    """
    for part in key if isinstance(key, tuple) else (key,):
        match part:
            case datetime():
                if part.tzinfo is None:
                    raise ValueError("a moment without its zone")
                part.astimezone(UTC)  # in the calendar there, too
            case int():
                if not known_id(part):
                    raise ValueError("no id")
            case str():
                if "\x00" in part:
                    raise ValueError("U+0000")


def _encode(key: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")
