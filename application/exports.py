"""Lists as CSV, for spreadsheets: chats, and what became of messages.

Triggered by the HTTP API. Rows are read a page at a time, so that any number of them takes no
memory, and nothing is held open in the database while a slow client reads.
"""

import re
from collections.abc import AsyncIterator
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from application.chats import ChatFilter, ChatView, LastMessage
from application.paging import Stretch, known_id
from application.processing import ProcessingFilter, ProcessingKey, ProcessingView
from domain.access import Actor, owner_filter

PAGE = 500
_SPECIAL = re.compile('[,"\r\n]')
BOM = "\ufeff"
"""By which spreadsheets know UTF-8."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a text for a formula (OWASP, "CSV Injection")."""


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
    return ",".join(names) + "\r\n"


def line(view: ChatView | ProcessingView) -> str:
    """One's row."""
    values: dict[str, Any] = msgspec.to_builtins(view)
    if "lastMessage" not in values:
        return ",".join(map(cell, values.values())) + "\r\n"
    cells: list[object] = []
    for name, value in values.items():
        if name == "lastMessage":
            cells += value.values() if value is not None else (None,) * len(_OF_LAST)
        else:
            cells.append(value)
    return ",".join(map(cell, cells)) + "\r\n"


def cell(value: object) -> str:
    """A value as a cell (RFC 4180). A text that reads as a formula is told to be text; a number
    stays a number.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    text = f"'{value}" if value.startswith(_FORMULA) else value
    if _SPECIAL.search(text) is not None:
        return '"' + text.replace('"', '""') + '"'
    return text
