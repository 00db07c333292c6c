"""Text as Telegram measures it: in UTF-16 code units.

`to_units` spells each character beyond U+FFFF as its two surrogates, so that Telegram's offsets are
plain indexes of the string; `from_units` joins them again. `whole` mends what no server takes.
"""

import re

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_INVISIBLE = re.compile(
    "[\\s\x00-\x20\u180e\u200b-\u200f\u2028-\u202e\u2800\ufeff\ufffc\U000e0000-\U000e007f]*"
)


def to_units(text: str) -> str:
    """The text with one element for each UTF-16 code unit."""
    return _ASTRAL.sub(_surrogates, text)


def from_units(units: str) -> str:
    """The text of `to_units`. Raises UnicodeDecodeError where a pair was cut in two."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def whole(text: str) -> str:
    """The text without NUL, and with U+FFFD for each lone surrogate; UTF-16 offsets stay true."""
    if text.isascii():
        return text.replace("\x00", " ")
    mended = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return mended.replace("\x00", " ")


def blank(text: str) -> bool:
    """Whether Telegram calls the text empty (TDLib, misc.cpp, is_empty_string)."""
    return _INVISIBLE.fullmatch(text) is not None


def _surrogates(match: re.Match[str]) -> str:
    above = ord(match[0]) - 0x10000
    return chr(0xD800 + (above >> 10)) + chr(0xDC00 + (above & 0x3FF))
