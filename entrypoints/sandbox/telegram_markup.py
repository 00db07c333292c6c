"""Markup of the Bot API's parse_mode: HTML, MarkdownV2 and Markdown into text and entities.

telegram_text.py calls it for a text that came with a parse_mode. It knows the documented syntax
("Formatting options") as far as a bot uses it, and refuses in the real server's words.
"""

import re
from html.parser import HTMLParser
from typing import Any

Entity = dict[str, Any]


class TextError(Exception):
    """A text that the real server refuses; the message is its description's end."""


class MarkupError(TextError):
    """Markup of a parse_mode that cannot be parsed."""


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, in which Telegram counts."""
    return (
        len(text) if text.isascii() else len(text.encode("utf-16-le", errors="surrogatepass")) // 2
    )


def parse_markup(text: str, parse_mode: str) -> tuple[str, list[Entity]]:
    """Text and entities of HTML, MarkdownV2 or Markdown. Raises MarkupError."""
    match parse_mode.lower():
        case "html":
            parser = _Html()
            parser.feed(text)
            parser.close()
            return parser.finish()
        case "markdownv2":
            return _markdown(text, _V2, reserved="_*[]()~`>#+-=|{}.!")
        case "markdown":
            return _markdown(text, _V1, reserved="")
        case _:
            raise MarkupError("unsupported parse_mode")


_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
}


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._text = ""
        self._open: list[tuple[str, Entity]] = []
        self._entities: list[Entity] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise MarkupError(f'can\'t parse entities: Unsupported start tag "{tag}"')
        entity: Entity = {"type": _TAGS[tag], "offset": utf16_length(self._text)}
        values = dict(attrs)
        if tag == "a":
            entity["url"] = values.get("href") or ""
        if tag == "code" and self._open and self._open[-1][0] == "pre":
            language = (values.get("class") or "").removeprefix("language-")
            self._open[-1][1].update({"language": language} if language else {})
            entity["type"] = ""
        self._open.append((tag, entity))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            raise MarkupError(f'can\'t parse entities: Unexpected end tag "{tag}"')
        entity = self._open.pop()[1]
        entity["length"] = utf16_length(self._text) - entity["offset"]
        if entity["type"] and entity["length"]:
            self._entities.append(entity)

    def handle_data(self, data: str) -> None:
        self._text += data

    def finish(self) -> tuple[str, list[Entity]]:
        if self._open:
            raise MarkupError(
                f"can't parse entities: Can't find end tag corresponding to start tag \""
                f'{self._open[-1][0]}"'
            )
        return self._text, self._entities


_V2 = {
    "```": "pre",
    "||": "spoiler",
    "__": "underline",
    "*": "bold",
    "_": "italic",
    "~": "strikethrough",
    "`": "code",
}
_V1 = {"```": "pre", "*": "bold", "_": "italic", "`": "code"}


def _markdown(text: str, marks: dict[str, str], reserved: str) -> tuple[str, list[Entity]]:
    out: list[str] = []
    length = at = 0
    opened: list[tuple[str, Entity]] = []
    entities: list[Entity] = []
    while at < len(text):
        raw = opened[-1][0] if opened and opened[-1][0] in ("`", "```") else ""
        mark = next((m for m in marks if text.startswith(m, at) and (not raw or m == raw)), "")
        link = re.compile(r"\]\(([^)]*)\)").match(text, at) if not raw else None
        if text[at] == "\\" and at + 1 < len(text) and text[at + 1] in (reserved or "_*`["):
            out.append(text[at + 1])
            length += 1
            at += 2
        elif mark and opened and opened[-1][0] == mark:
            entity = opened.pop()[1]
            entity["length"] = length - entity["offset"]
            entities += [entity] if entity["length"] else []
            at += len(mark)
        elif mark:
            opened.append((mark, {"type": marks[mark], "offset": length}))
            at += len(mark)
        elif text[at] == "[" and not raw:
            opened.append(("[", {"type": "text_link", "offset": length}))
            at += 1
        elif link and opened and opened[-1][0] == "[":
            entity = opened.pop()[1]
            entities.append({**entity, "length": length - entity["offset"], "url": link.group(1)})
            at = link.end()
        elif text[at] in reserved and not raw:
            raise MarkupError(
                f"can't parse entities: Character '{text[at]}' is reserved and must be escaped "
                "with the preceding '\\'"
            )
        else:
            out.append(text[at])
            length += utf16_length(text[at])
            at += 1
    if opened:
        raise MarkupError(
            "can't parse entities: Can't find end of the entity starting at byte offset "
            f"{opened[-1][1]['offset']}"
        )
    return "".join(out), entities
