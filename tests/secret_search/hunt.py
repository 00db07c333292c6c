"""Recognisable secrets, and the search for them in whatever comes out of the system.

Every twelve characters of a secret of ours begin with the same six, which stand nowhere else: so
one look finds any of them, or a part, as it is, in base64 or in hexadecimal. URL-encoding and
JSON's escapes leave letters and digits alone. What the system makes itself is looked for as well.
"""

import base64
import string
import zlib
from contextlib import suppress
from random import Random

MARK = "xQ7zK9"
_LETTERS = string.ascii_letters + string.digits
_AROUND = 80
_random = Random(20261127)


def core(length: int = 33) -> str:
    """Letters and digits that stand nowhere else."""
    text = ""
    while len(text) < length:
        text += MARK + "".join(_random.choices(_LETTERS, k=6))
    return text[:length]


class Hunt:
    """The secrets, and where they were found: `found` has what stands around by secret and place.

    `searched`: how many bytes of each place there were.
    """

    def __init__(self) -> None:
        self._pieces: dict[str, set[bytes]] = {}
        self._homes: dict[str, tuple[str, ...]] = {}
        self._unmarked: set[str] = set()
        self.found: dict[tuple[str, str], bytes] = {}
        self.searched: dict[str, int] = {}

    def secret(self, name: str, value: str, *homes: str) -> str:
        """Keep a value secret but in places whose names begin so; the value."""
        self._pieces[name], self._homes[name] = _pieces(value), homes
        if MARK not in value:
            self._unmarked.add(name)
        return value

    def token(self, name: str) -> str:
        """A new bot's token; Telegram's id of the bot is no secret."""
        secret = self.secret(name, core())
        return f"{_random.randrange(10**8, 10**9)}:AA{secret}"

    def search(self, place: str, content: bytes | str) -> None:
        """Look for every secret, also in what is deflated."""
        raw = content.encode("utf-8", "replace") if isinstance(content, str) else content
        with suppress(zlib.error):
            self.search(f"{place} (inflated)", zlib.decompress(raw))
        self.searched[place] = self.searched.get(place, 0) + len(raw)
        for mark in _MARKS:
            at = raw.find(mark)
            while at >= 0:
                near = raw[max(at - _AROUND, 0) : at + _AROUND]
                self._keep(place, near, self._pieces.keys() - self._unmarked, "one of them")
                at = raw.find(mark, at + _AROUND)
        self._keep(place, raw, self._unmarked)

    def _keep(self, place: str, content: bytes, names: set[str], other: str | None = None) -> None:
        """Note whose pieces these are; `other`: whose they are where nobody knows them."""
        owners = [name for name in names if any(piece in content for piece in self._pieces[name])]
        for name in owners or ([other] if other is not None else []):
            if not place.startswith(self._homes.get(name, ())):
                self.found.setdefault((name, place), content[: 2 * _AROUND])


def _forms(raw: bytes) -> list[bytes]:
    """What is certain of a text in each encoding, whatever stands around it."""
    forms = [raw, raw.hex().encode(), raw.hex().upper().encode()]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        certain = encoded[-(-8 * shift // 6) : (8 * (shift + len(raw))) // 6]
        forms += {certain, certain.translate(bytes.maketrans(b"+/", b"-_"))}
    return forms


def _pieces(value: str) -> set[bytes]:
    """Of twelve characters, in every form."""
    raw = value.encode()
    return {
        form for at in range(0, max(len(raw) - 11, 1), 12) for form in _forms(raw[at : at + 12])
    }


_MARKS = _forms(MARK.encode())
