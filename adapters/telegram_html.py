"""HTML inside the model's Markdown.

Telegram has no HTML beside entities, and telegramify-markdown drops every tag, and a whole block
that begins with one: an answer about `List<String>` or `<div>` would lose its words. `literal` is
called before the conversion and returns Markdown in which such tags are text.
"""

import re

import pyromark
from telegramify_markdown.converter import STANDARD_OPTIONS

_FORMATTING = frozenset(
    b"b strong i em u ins s strike del mark small sub sup kbd span tg-spoiler".split()
)
"""Tags that a model writes for their looks: they go, and the words inside stay."""

_TAG_NAME = re.compile(rb"</?([a-zA-Z][a-zA-Z0-9-]*)")
_LINE_BREAK = re.compile(rb"<br\s*/?>", re.IGNORECASE)
_FIRST_OF_LINE = re.compile(rb"^[ \t>]*(?=<)", re.MULTILINE)
_PASSES = 3


def literal(markdown: str) -> str:
    """Escape each tag that is not mere formatting; a <br> becomes the line's end, or a space."""
    if "<" not in markdown:
        return markdown
    source = markdown.encode()
    # What was a block of HTML has inline tags once its first ones are text: hence another pass.
    for _ in range(_PASSES):
        edits = _edits(source)
        if not edits:
            break
        source = _edited(source, edits)
    return source.decode()


def _edits(source: bytes) -> list[tuple[int, int, bytes]]:
    """Replacements (start, end, with what) in bytes of the source, in order."""
    edits: list[tuple[int, int, bytes]] = []
    in_table = False
    for event, place in pyromark.events_with_range(source.decode(), options=STANDARD_OPTIONS):
        if not isinstance(event, dict):
            continue
        kind = event.get("Start")
        if isinstance(kind, dict) and "Table" in kind:
            in_table = True
        elif event.get("End") == "Table":
            in_table = False
        start, end = place["start"], place["end"]
        if kind == "HtmlBlock":
            lines = _FIRST_OF_LINE.finditer(source, start, end)
            marks = {line.end() for line in lines} | {start}
            edits += ((mark, mark, b"\\") for mark in sorted(marks) if source[mark] == 0x3C)
        elif "InlineHtml" in event:
            edits += _inline_edit(source, start, end, in_table)
    return edits


def _inline_edit(
    source: bytes, start: int, end: int, in_table: bool
) -> list[tuple[int, int, bytes]]:
    tag = source[start:end]
    if _LINE_BREAK.fullmatch(tag):
        if in_table:
            return [(start, end, b" ")]
        return [(start, end, b"" if source[end : end + 1] in (b"\n", b"\r") else b"\n")]
    name = _TAG_NAME.match(tag)
    if name is not None and name[1].lower() in _FORMATTING:
        return []
    return [(start, start, b"\\")]


def _edited(source: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for start, end, replacement in edits:
        pieces += (source[done:start], replacement)
        done = end
    return b"".join((*pieces, source[done:]))
