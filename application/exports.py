"""Lists as CSV, for spreadsheets: chats, and what became of messages.

Triggered by the HTTP API. Rows are read a page at a time, so that any number of them takes no
memory, and nothing is held open in the database while a slow client reads.
"""

import csv
import unicodedata
from collections.abc import AsyncIterator, Iterable
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from application.chats import ChatFilter, ChatView, LastMessage
from application.paging import Stretch, known_id
from application.processing import ProcessingFilter, ProcessingKey, ProcessingView
from domain.access import Actor, owner_filter

PAGE = 500
BOM = "\ufeff"
"""By which spreadsheets know UTF-8."""

_FORMULA = frozenset("=+-@＝＋－＠")
"""What makes a spreadsheet take a text for a formula (OWASP, "CSV Injection")."""
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters by their category, and not to be seen."""


class _Echo:
    """A file for csv.writer, whose writerow answers what `write` does."""

    def write(self, row: str) -> str:
        return row


_PLAIN = csv.writer(_Echo())
# Some spreadsheets part a line at these, where it is not quoted.
_OTHER_DELIMITERS = (";", "\t")
_QUOTED = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)


class ChatRows(Protocol):
    """Chats in the order of their ids, which stays while people write. Raises Unavailable."""

    async def by_id(
        self, owner: str | None, asked: ChatFilter, after: str | None, limit: int
    ) -> Stretch[ChatView, str]: ...


class ProcessingRows(Protocol):
    """Processing, newest first, after `before`. Raises Unavailable."""

    async def page(
        self, owner: str | None, asked: ProcessingFilter, before: ProcessingKey | None, limit: int
    ) -> Stretch[ProcessingView, ProcessingKey]: ...


class Exports:
    """The use case. A row has the fields of the list's item; those of its last message follow."""

    def __init__(self, chats: ChatRows, processing: ProcessingRows) -> None:
        self._chats = chats
        self._processing = processing

    async def chats(self, actor: Actor, asked: ChatFilter) -> AsyncIterator[bytes]:
        """UTF-8 with BOM, some rows at a time, ordered by id."""
        after: str | None = None
        head = BOM + header(ChatView)
        while True:
            found: Stretch[ChatView, str] = Stretch([])
            if asked.bot_id is None or known_id(asked.bot_id):
                found = await self._chats.by_id(owner_filter(actor), asked, after, PAGE)
            yield (head + "".join(map(line, found.rows))).encode()
            if found.beyond is None:
                return
            head, after = "", found.beyond

    async def processing(self, actor: Actor, asked: ProcessingFilter) -> AsyncIterator[bytes]:
        """UTF-8 with BOM, some rows at a time, newest first."""
        before: ProcessingKey | None = None
        head = BOM + header(ProcessingView)
        while True:
            found: Stretch[ProcessingView, ProcessingKey] = Stretch([])
            if asked.bot_id is None or known_id(asked.bot_id):
                found = await self._processing.page(owner_filter(actor), asked, before, PAGE)
            yield (head + "".join(map(line, found.rows))).encode()
            head, before = "", found.beyond
            if len(found.rows) == PAGE:
                before = (found.rows[-1].created_at, found.rows[-1].id)
            if before is None:
                return


_OF_LAST = tuple(field.encode_name for field in fields(LastMessage))


def header(view: type[Struct]) -> str:
    """The first row."""
    names: list[str] = []
    for field in fields(view):
        if field.name == "last_message":
            names += [f"{field.encode_name}{of[0].upper()}{of[1:]}" for of in _OF_LAST]
        else:
            names.append(field.encode_name)
    return row(names)


def line(view: ChatView | ProcessingView) -> str:
    """One's row."""
    values: dict[str, Any] = msgspec.to_builtins(view)
    if "lastMessage" not in values:
        return row(values.values())
    cells: list[object] = []
    for name, value in values.items():
        if name == "lastMessage":
            cells += value.values() if value is not None else (None,) * len(_OF_LAST)
        else:
            cells.append(value)
    return row(cells)


def row(values: Iterable[object]) -> str:
    """A line of cells (RFC 4180)."""
    cells = list(map(_cell, values))
    other = any(delimiter in text for text in cells for delimiter in _OTHER_DELIMITERS)
    written: str = (_QUOTED if other else _PLAIN).writerow(cells)
    return written


def _cell(value: object) -> str:
    """A value as a cell. A text that reads as a formula is told to be text; a number stays one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    return f"'{value}" if _reads_as_formula(value) else value


def _reads_as_formula(text: str) -> bool:
    """Whether the first thing to be seen is what formulas begin with, or the text with a break."""
    if text.startswith(("\t", "\r", "\n")):
        return True
    for char in text:
        if char in _FORMULA:
            return True
        if char not in _FILLERS and unicodedata.category(char)[0] not in "CMZ":
            return False
    return False
