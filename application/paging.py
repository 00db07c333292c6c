"""The one pagination: keyset pages with an opaque cursor, newest first.

A repository is asked for `limit + 1` rows after a key; a row too many says that there is a next
page. Cursors are base64url of the last item's key as JSON: opaque, and checked when they come back.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from application.refusals import FieldError, Malformed

T = TypeVar("T")
K = TypeVar("K")

LARGEST_ID = 2**63 - 1
"""The largest bigint; an id beyond it cannot exist, and PostgreSQL refuses to compare with it."""


class Page(Struct, Generic[T], frozen=True, rename="camel"):
    """`next_cursor`: ask with it for what follows; null at the end."""

    items: list[T]
    next_cursor: str | None


def page(rows: Sequence[T], limit: int, key: Callable[[T], object]) -> Page[T]:
    """The page of `limit` items out of at most `limit + 1` rows."""
    items = list(rows[:limit])
    more = len(rows) > limit
    return Page(items, _encode(key(items[-1])) if more else None)


def read_cursor(cursor: str | None, kind: type[K]) -> K | None:
    """The key inside a cursor. Raises Malformed where it is not one of ours."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(text, type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        errors = [FieldError("cursor", "is not one that a list has answered")]
        raise Malformed("The cursor cannot be read.", errors) from None


def known_id(identity: int) -> bool:
    """Whether a number can be an id at all."""
    return 0 < identity <= LARGEST_ID


def _encode(key: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")
