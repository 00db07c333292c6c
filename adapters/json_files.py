"""Files of JSON lines, or of one JSON array, read a piece at a time: they may exceed memory.

Triggered by `kotodom replay`; what it and `kotodom record` write is in whole_files.py.
"""

import codecs
import errno
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

LONGEST = 16 * 1024 * 1024
"""Bytes of one line, or characters of one element; a journalled step has a few thousand."""

STANDARD = Path("-")
"""Standard input, or output."""

_CHUNK = 1024 * 1024
_LOOKED_AT = 1024 * 1024
"""Bytes of a line that are read before it is known whether it may be read in pieces."""
_BOM = codecs.BOM_UTF8
_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LONGEST_ESCAPE = 16
"""Characters; what is wrong closer to the end of what is read may be right with the next ones."""
_NUMBERS = frozenset("-0123456789")
_AFTER = frozenset(" \t\r\n,]}")
"""What may stand behind an element."""
_RESPONSE = r'\{\s*"(?:ok|result|description|error_code|parameters)"\s*:'
"""How getUpdates answers (Bot API 10.3, Making requests); an update has no field of these names."""
_RESPONSE_TEXT, _RESPONSE_BYTES = re.compile(_RESPONSE), re.compile(_RESPONSE.encode())
_RESPONSE_BEGINS = 64
"""Characters that show whether it is one."""


class UnreadableFile(ValueError):  # noqa: N818 - named by what the file is
    """It is not JSON, or not of this form; the text says where."""


class ForeignFile(UnreadableFile):
    """It is something else, and the text says what."""


class Value(NamedTuple):
    """One JSON value's text, undecoded; `where` is "line 3" or "element 3"."""

    where: str
    text: bytes | str


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, to be read. Raises OSError."""
    if path == STANDARD:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "it is closed", "standard input")
        yield sys.stdin.buffer
        return
    with path.open("rb", buffering=_CHUNK) as file:
        yield file


def beginning(file: BinaryIO) -> bytes:
    """What a file that is not read yet begins with: some of it, and it stays unread."""
    return file.peek(_CHUNK)[:_CHUNK] if isinstance(file, BufferedReader) else b""


def lines(file: BinaryIO) -> Iterator[bytes]:
    """Every line with its end; the last one may have none. Raises UnreadableFile, OSError."""
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        yield _bounded(number, line if number > 1 else _text(line))


def values(file: BinaryIO) -> Iterator[Value]:
    """Each line's value, or each element's of the array that the file is.

    An object may also go over several lines; and where one is getUpdates' own answer, it stands for
    the elements of its result. Raises UnreadableFile, OSError.
    """
    number, began = 1, False
    line = _text(file.readline(_LOOKED_AT))
    while line:
        content = line.strip()
        if not began and content.startswith(b"["):
            yield from _Pieces(file, line, number).array()  # it may well be one line
            return
        if content.startswith(b"{") and not _is_value(content):
            yield from _Pieces(file, line, number).objects()
            return
        if content:
            began = True
            if not line.endswith(b"\n") and not content.startswith(b"{"):
                line += file.readline(LONGEST + 1)
            _bounded(number, line)
            yield Value(f"line {number}", line.strip())
        number += line.endswith(b"\n")
        line = file.readline(_LOOKED_AT)


def _text(began: bytes) -> bytes:
    """A file's first line, without its byte order mark. Raises ForeignFile where it is no text."""
    if began.startswith(_GZIP):
        raise ForeignFile("it is compressed by gzip: unpack it first")
    if began.startswith(_UTF16) or (len(began) > 1 and began[:2].count(0) == 1):
        raise ForeignFile("it is UTF-16: save it as UTF-8")
    return began.removeprefix(_BOM)


def _is_value(content: bytes) -> bool:
    """Whether this is a whole object, and not getUpdates' answer."""
    if _RESPONSE_BYTES.match(content):
        return False
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _bounded(number: int, line: bytes) -> bytes:
    if len(line) > LONGEST:
        raise UnreadableFile(f"line {number} is longer than {LONGEST >> 20} MiB")
    return line


class _Pieces:
    """JSON values, each of them cut out of the file's next characters."""

    def __init__(self, file: BinaryIO, began: bytes, line: int) -> None:
        self._file = file
        self._unread = began
        self._line = line  # of the buffer's first character
        self._buffer = ""
        self._place = 0
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        # Numbers are not read here: they may be of any length.
        self._scan = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode

    def array(self) -> Iterator[Value]:
        """The elements of the array that the rest of the file is."""
        yield from self._elements()
        if self._peek():
            raise self._unreadable("something comes after the array's end")

    def objects(self) -> Iterator[Value]:
        """The rest of the file: one value after the other, however many lines each has."""
        while character := self._peek():
            where = f"line {self._at()}"
            if character == "{" and self._is_response():
                yield from self._response(where)
            else:
                yield Value(where, self._value("this value"))

    def _elements(self, within: str = "") -> Iterator[Value]:
        self._next()  # the bracket that brought us here
        number = 1
        if self._peek() == "]":
            self._next()
            return
        while True:
            name = f"element {number}"
            yield Value(within + name, self._value(name))
            separator = self._next()
            if separator == "]":
                return
            if separator != ",":
                raise self._unreadable(f"after {name} comes {_named(separator)}")
            number += 1

    def _is_response(self) -> bool:
        while len(self._buffer) - self._place < _RESPONSE_BEGINS and self._more():
            pass
        return _RESPONSE_TEXT.match(self._buffer, self._place) is not None

    def _response(self, where: str) -> Iterator[Value]:
        """The updates of getUpdates' answer. Raises ForeignFile where it is another."""
        members: dict[str, str] = {}
        holds_updates = False
        separator = self._next()
        while separator in ("{", ","):
            name = self._value("Telegram's answer")
            if (separator := self._next()) != ":":
                break
            if name == '"result"' and self._peek() == "[":
                holds_updates = True
                yield from self._elements(f"{where}, ")
            else:
                members[name] = self._value(f"Telegram's answer at {name}")
            separator = self._next()
        if separator != "}":
            raise self._unreadable(f"in Telegram's answer comes {_named(separator)}")
        if members.get('"ok"', "true") != "true":
            reason = members.get('"description"', "it says no reason")
            raise ForeignFile(
                f"{where}: Telegram answered with an error, not with updates: {reason}"
            )
        if not holds_updates:
            raise ForeignFile(f"{where}: this answer of Telegram's holds no list of updates")

    def _value(self, name: str) -> str:
        """The next value's text; `name` is what an error calls it."""
        growing = self._peek() in _NUMBERS
        while True:
            try:
                _, end = self._scan(self._buffer, self._place)
                # A number at the buffer's end may go on in what is not read yet.
                if not growing or self._buffer[end : end + 1] in _AFTER:
                    break
                growing = self._more() and end - self._place <= LONGEST
            except json.JSONDecodeError as error:
                # Either it is no JSON, or its end is not read yet.
                rest = len(self._buffer) - error.pos
                if rest > _LONGEST_ESCAPE and not error.msg.startswith("Unterminated"):
                    raise self._unreadable(f"{name}: {error.msg}") from None
                if len(self._buffer) - self._place > LONGEST:
                    reason = f"{name} is longer than {LONGEST >> 20} MiB"
                    raise self._unreadable(reason) from None
                if not self._more():
                    reason = f"{name} is cut off, or no JSON: {error.msg}"
                    raise self._unreadable(reason) from None
            except RecursionError:
                raise self._unreadable(f"{name} is nested too deeply") from None
        value = self._buffer[self._place : end]
        self._place = end
        return value

    def _peek(self) -> str:
        """The next character that is no white space; "" at the end."""
        while True:
            while self._place < len(self._buffer):
                character = self._buffer[self._place]
                if character not in " \t\r\n":
                    return character
                self._place += 1
            if not self._more():
                return ""

    def _next(self) -> str:
        character = self._peek()
        self._place += len(character)
        return character

    def _more(self) -> bool:
        """Read on; False at the file's end."""
        content = self._unread or self._file.read(_CHUNK)
        self._unread = b""
        try:
            text = self._decode(content, final=not content)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].count(b"\n")
            self._place = len(self._buffer)
            raise self._unreadable("not UTF-8", before) from None
        self._line += self._buffer.count("\n", 0, self._place)
        self._buffer = self._buffer[self._place :] + text
        self._place = 0
        return bool(content)

    def _unreadable(self, reason: str, further: int = 0) -> UnreadableFile:
        return UnreadableFile(f"line {self._at() + further}: {reason}")

    def _at(self) -> int:
        """The line of the next character."""
        return self._line + self._buffer.count("\n", 0, self._place)


def _named(character: str) -> str:
    return repr(character) if character else "the end of the file: it is cut off"
