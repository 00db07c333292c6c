"""The model's Markdown as Telegram takes it (fulfils application.ports.Markdown).

Called once for each reply, when it is generated; the parts then live in the turn's state. The
conversion is telegramify-markdown's `convert`; the cutting is ours (telegram_parts), because its
own `split_entities` cuts words.
"""

from collections.abc import Iterator, Sequence

from telegramify_markdown import MessageEntity, RenderConfig, convert

from adapters.telegram_html import literal
from adapters.telegram_parts import split
from adapters.telegram_text import blank, to_units, whole
from domain.effects import Entity, Part

_SENDABLE = frozenset(
    {
        "blockquote",
        "bold",
        "code",
        "expandable_blockquote",
        "italic",
        "pre",
        "spoiler",
        "strikethrough",
        "text_link",
        "underline",
    }
)
"""Bot API 10.3, MessageEntity: what can be asked for and needs no right (custom_emoji does)."""

_MAX_SOURCE = 100_000
_MAX_TABLE = 400_000
_MAX_FORMULAS = 200
_MAX_GROWTH = 4


class TelegramMarkdown:
    """Renders Markdown; pure but for the time it takes, and it never raises."""

    def __init__(self) -> None:
        self._config = RenderConfig.isolated()
        symbols = self._config.markdown_symbol
        # Bold and underline tell a heading; a pictogram before it is not the model's word.
        symbols.heading_level_1 = symbols.heading_level_2 = ""
        symbols.heading_level_3 = symbols.heading_level_4 = ""
        symbols.unordered_list_item = "•"
        symbols.task_uncompleted = "☐"

    def render(self, text: str) -> tuple[Part, ...]:
        """Parts in order; () where Telegram would call the text empty.

        Text that the converter cannot take, or would swallow, is sent as it is written.
        """
        source = whole(text).replace("\r\n", "\n").replace("\r", "\n")
        if blank(source):
            return ()
        rendered, entities = self._convert(source)
        units = to_units(rendered)
        return split(units, _sendable(entities, units))

    def _convert(self, source: str) -> tuple[str, Sequence[MessageEntity]]:
        if _too_much(source):
            return source, ()
        try:
            rendered, entities = convert(
                literal(source),
                # It looks for the end of each formula as far as the text goes.
                latex_escape=source.count("\\[") + source.count("\\(") <= _MAX_FORMULAS,
                config=self._config,
            )
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001 - a panic of its Rust parser is no Exception
            return source, ()
        if blank(rendered) or len(rendered) > _MAX_GROWTH * (len(source) + 1024):
            return source, ()
        return whole(rendered), entities


def _too_much(source: str) -> bool:
    """Whether converting would cost seconds: a table pads each row to its longest cells."""
    if len(source) > _MAX_SOURCE:
        return True
    if "|" not in source:
        return False
    rows = [len(line) for line in source.split("\n") if "|" in line]
    return len(rows) * max(rows) > _MAX_TABLE


def _sendable(entities: Sequence[MessageEntity], units: str) -> list[Entity]:
    """The entities as Telegram takes them: within the text, sorted, outer before inner."""
    ordered = sorted(entities, key=lambda e: (e.offset, -e.length, e.type != "text_link"))
    return list(_unnested(ordered, units))


def _unnested(entities: Sequence[MessageEntity], units: str) -> Iterator[Entity]:
    """Without a quote inside a quote, which Telegram has not, and without code inside a link.

    Of a link and code in one place Telegram keeps the code and forgets the link.
    """
    quote_end = link_end = 0
    for entity in entities:
        end = entity.offset + entity.length
        if entity.type not in _SENDABLE or not _fits(units, entity.offset, end):
            continue
        match entity.type:
            case "blockquote" | "expandable_blockquote":
                if entity.offset < quote_end:
                    continue
                quote_end = end
            case "text_link":
                if not entity.url or entity.offset < link_end:
                    continue
                link_end = end
            case "code" | "pre" if entity.offset < link_end:
                continue
        words = (entity.language or "").split() if entity.type == "pre" else []
        yield Entity(
            type=entity.type,
            offset=entity.offset,
            length=entity.length,
            url=entity.url if entity.type == "text_link" else None,
            language=words[0] if words else None,
        )


def _fits(units: str, start: int, end: int) -> bool:
    """Whether the range is within the text and begins and ends between code points."""
    if not 0 <= start < end <= len(units):
        return False
    return not any(
        "\udc00" <= units[place] <= "\udfff" for place in (start, end) if place < len(units)
    )
