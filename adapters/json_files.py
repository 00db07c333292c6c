"""Files of JSON lines, or of one JSON array: read a piece at a time, written whole or not at all.

Triggered by `kotodom record` and `kotodom replay`, whose files may be larger than memory.
"""

import codecs
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

LONGEST = 16 * 1024 * 1024
"""Bytes of one line, or characters of one element; a journalled step has a few thousand."""

STANDARD = Path("-")
"""Standard input, or output."""

_CHUNK = 1024 * 1024
_BOM = codecs.BOM_UTF8
_LONGEST_ESCAPE = 16
"""Characters; what is wrong closer to the end of what is read may be right with the next ones."""
_NUMBERS = frozenset("-0123456789")
_AFTER = frozenset(" \t\r\n,]")
"""What may stand behind an element."""


class UnreadableFile(ValueError):  # noqa: N818 - named by what the file is
    """It is not JSON, or not of this form; the text says where."""


class Value(NamedTuple):
    """One JSON value's text, undecoded; `where` is "line 3" or "element 3"."""

    where: str
    text: bytes | str


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, to be read. Raises OSError."""
    if path == STANDARD:
        yield sys.stdin.buffer
        return
    with path.open("rb", buffering=_CHUNK) as file:
        yield file


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes its name at the end; gone where that is not reached.

    What is there and no file (/dev/null, a pipe) is written to as it is. Raises OSError.
    """
    if path == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    fresh = path.with_name(f".{path.name}.part")
    try:
        with fresh.open("wb", buffering=_CHUNK) as file:
            yield file
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def lines(file: BinaryIO) -> Iterator[bytes]:
    """Every line with its end; the last one may have none. Raises UnreadableFile, OSError."""
    for number, line in _numbered(file):
        yield _bounded(number, line)


def values(file: BinaryIO) -> Iterator[Value]:
    """Each line's value, or each element's of the array that the file is.

    Raises UnreadableFile, OSError.
    """
    began = False
    for number, line in _numbered(file):
        content = line.strip()
        if not began and content.startswith(b"["):
            yield from _Array(file, line, number)  # it may well be one line
            return
        if content:
            began = True
            _bounded(number, line)
            yield Value(f"line {number}", content)


def _numbered(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Every line, or its beginning where it is too long, with its number."""
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        yield number, line.removeprefix(_BOM) if number == 1 else line


def _bounded(number: int, line: bytes) -> bytes:
    if len(line) > LONGEST:
        raise UnreadableFile(f"line {number} is longer than {LONGEST >> 20} MiB")
    return line


class _Array:
    """The elements of a JSON array, each of them cut out of the file's next characters."""

    def __init__(self, file: BinaryIO, began: bytes, line: int) -> None:
        self._file = file
        self._unread = began
        self._line = line  # of the buffer's first character
        self._buffer = ""
        self._place = 0
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        # Numbers are not read here: they may be of any length.
        self._scan = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode

    def __iter__(self) -> Iterator[Value]:
        self._next()  # the bracket that brought us here
        if self._peek() != "]":
            number = 1
            yield self._element(number)
            while (separator := self._next()) == ",":
                number += 1
                yield self._element(number)
            if separator != "]":
                raise self._unreadable(f"after element {number} comes {_named(separator)}")
        else:
            self._next()
        if self._peek():
            raise self._unreadable("something comes after the array's end")

    def _element(self, number: int) -> Value:
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
                    raise self._unreadable(f"element {number}: {error.msg}") from None
                if len(self._buffer) - self._place > LONGEST:
                    reason = f"element {number} is longer than {LONGEST >> 20} MiB"
                    raise self._unreadable(reason) from None
                if not self._more():
                    reason = f"element {number} is cut off, or no JSON: {error.msg}"
                    raise self._unreadable(reason) from None
            except RecursionError:
                raise self._unreadable(f"element {number} is nested too deeply") from None
        value = Value(f"element {number}", self._buffer[self._place : end])
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
        line = self._line + self._buffer.count("\n", 0, self._place) + further
        return UnreadableFile(f"line {line}: {reason}")


def _named(character: str) -> str:
    return repr(character) if character else "the end of the file: it is cut off"
