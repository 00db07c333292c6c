"""Cutting a long message into parts that Telegram takes.

`split` takes a text in UTF-16 code units (see telegram_text) with its entities, and returns parts
of at most 4096 units and 100 entities. A part ends at a line's end, else at a space, else between
two characters. An entity that spans a cut continues in the next part with its url or language.
"""

import unicodedata
from collections.abc import Sequence

from adapters.telegram_text import blank, from_units
from domain.effects import Entity, Part

MAX_UNITS = 4096
"""Bot API 10.3, sendMessage: 1-4096 characters after entities parsing."""
MAX_ENTITIES = 100
"""Telegram's servers drop the entities beyond so many (TDLib, MAX_USER_ENTITY_COUNT)."""
LONGEST_CHARACTER = 64
"""Units we step back to keep an emoji of many code points whole; a family has 11, a flag 14."""


def split(units: str, entities: Sequence[Entity]) -> tuple[Part, ...]:
    """Parts in order, none blank. `entities` are within the text, sorted by offset, outer first."""
    parts: list[Part] = []
    open_entities: list[Entity] = []
    upcoming = 0
    start = _skip_spaces(units, 0)
    while start < len(units):
        while upcoming < len(entities) and entities[upcoming].offset <= start:
            open_entities.append(entities[upcoming])
            upcoming += 1
        open_entities = [e for e in open_entities if e.offset + e.length > start]
        end = _cut(units, start, _room(entities, upcoming, start, len(open_entities)))
        while upcoming < len(entities) and entities[upcoming].offset < end:
            open_entities.append(entities[upcoming])
            upcoming += 1
        part = _part(units, start, end, open_entities)
        if part is not None:
            parts.append(part)
        start = _skip_spaces(units, end)
    return tuple(parts)


def _room(entities: Sequence[Entity], upcoming: int, start: int, opened: int) -> int:
    """The unit where the part must have ended: by its size, or before its 101st entity.

    More than 100 that begin at one place cannot be told apart by a cut: the part loses the rest.
    """
    excess = upcoming + MAX_ENTITIES - opened
    if upcoming <= excess < len(entities):
        return min(start + MAX_UNITS, entities[excess].offset)
    return start + MAX_UNITS


def _cut(units: str, start: int, room: int) -> int:
    if room >= len(units):
        return len(units)
    # A line that ends in the first quarter is out of reach: a title alone makes a poor message.
    line = units.rfind("\n", start + (room - start) // 4 + 1, room + 1)
    if line > start:
        return line
    for space in range(room, start, -1):
        if units[space].isspace():
            return space
    return _between_characters(units, start, room)


def _between_characters(units: str, start: int, room: int) -> int:
    """The last place before `room` that is not inside an emoji, a flag or a letter's accents."""
    code_point = room - 1 if _is_low(units[room]) else room
    place = code_point
    while place > max(start, room - LONGEST_CHARACTER):
        if not _joined(units, start, place):
            return place
        place -= 2 if _is_low(units[place - 1]) else 1
    return code_point if code_point > start else room


def _joined(units: str, start: int, place: int) -> bool:
    before = from_units(units[place - 2 : place] if _is_low(units[place - 1]) else units[place - 1])
    after = from_units(units[place : place + 2] if _is_high(units[place]) else units[place])
    if before == "\u200d" or after == "\u200d" or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or "\U000e0020" <= after <= "\U000e007f":
        return True
    return _is_flag_letter(after) and _flag_letters_before(units, start, place) % 2 == 1


def _flag_letters_before(units: str, start: int, place: int) -> int:
    count = 0
    while place - 2 >= start and units[place - 2] == "\ud83c" and units[place - 1] >= "\udde6":
        if units[place - 1] > "\uddff":
            break
        count += 1
        place -= 2
    return count


def _part(units: str, start: int, end: int, entities: Sequence[Entity]) -> Part | None:
    body = units[start:end].rstrip()
    text = from_units(body)
    if blank(text):
        return None
    inside = (_clip(entity, start, start + len(body)) for entity in entities[:MAX_ENTITIES])
    kept = (e for e in inside if not blank(body[e.offset : e.offset + e.length]))
    return Part(text=text, entities=tuple(kept))


def _clip(entity: Entity, start: int, end: int) -> Entity:
    """The entity as it is inside the part; of no length where only trimmed spaces held it."""
    first = max(entity.offset, start)
    last = max(min(entity.offset + entity.length, end), first)
    return Entity(entity.type, first - start, last - first, entity.url, entity.language)


def _skip_spaces(units: str, place: int) -> int:
    while place < len(units) and units[place].isspace():
        place += 1
    return place


def _is_high(unit: str) -> bool:
    return "\ud800" <= unit <= "\udbff"


def _is_low(unit: str) -> bool:
    return "\udc00" <= unit <= "\udfff"


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
