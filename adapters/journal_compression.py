"""The journal's JSON as its columns hold it: without what all steps say alike.

from_state, event and effects are packed each by itself, and unpacked by postgres_schema.py's type
of them. What is packed is raw deflate (RFC 1951) behind one byte that names the dictionary (zlib's
own header and checksum are ten bytes, a fifth of a column), or, where that is no shorter, the JSON
as it is: it begins with "{" or "[", as all of them do that were written before there was any
dictionary. So `[]`, no effects, stays `[]`.
"""

import zlib

from adapters.journal_dictionary import FIRST
from application.jobs import Unavailable

DICTIONARIES = {b"\x01": FIRST}
"""By the first byte, which begins no JSON. One that is out stays, as it is, for ever."""
_NEWEST = b"\x01"

_WINDOW = -13
"""Raw deflate over 8 KiB, which hold the dictionary; a wider one is dearer to copy. It may grow."""

# Copied for each column: to make one is to read the dictionary. Level 5, with little memory for its
# hashes, takes a third less time than zlib's own choice, and makes 1 % more of it.
_PRIMED = zlib.compressobj(5, zlib.DEFLATED, _WINDOW, 5, zdict=DICTIONARIES[_NEWEST])


def packed(json: bytes) -> bytes:
    """An object or a list of JSON as its column holds it."""
    deflating = _PRIMED.copy()
    deflated = _NEWEST + deflating.compress(json) + deflating.flush()
    return min(json, deflated, key=len)


def unpacked(kept: bytes) -> bytes:
    """The JSON again. Raises Unavailable where a later version of this code packed it."""
    kind = kept[:1]
    if kind in (b"{", b"["):
        return kept
    if kind not in DICTIONARIES:
        raise Unavailable("the journal has steps of a later version: use that one, or a newer")
    inflating = zlib.decompressobj(_WINDOW, zdict=DICTIONARIES[kind])
    return inflating.decompress(kept[1:])
