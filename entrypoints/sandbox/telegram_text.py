"""Texts as Telegram treats them: lengths in UTF-16 code units, markup, entities, trimming.

The Telegram stand-in calls `format_text` for every text that a bot sends and `detect_entities` for
every text that a person types. Refusals are `TextError`s with the real server's words.
"""

import re

from entrypoints.sandbox.telegram_markup import Entity, TextError, parse_markup, utf16_length

LONGEST_TEXT = 4096

ENTITY_TYPES = frozenset(
    {
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
        "text_mention",
        "custom_emoji",
        "date_time",
    }
)

_DETECTED = re.compile(
    r"(?P<url>https?://[^\s<>\"]+[^\s<>\".,;:!?)])"
    r"|(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?<![\w/@])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/@])"
    r"|(?<![\w@])(?P<mention>@[A-Za-z][A-Za-z0-9_]{3,31})"
    r"|(?<![\w#])(?P<hashtag>#\w{1,256})"
)


def detect_entities(text: str) -> list[Entity]:
    """The entities that Telegram finds by itself: commands, links, mentions, hashtags, e-mail."""
    if not any(mark in text for mark in "/@#"):
        return []
    return [
        {
            "type": found.lastgroup,
            "offset": utf16_length(text[: found.start()]),
            "length": utf16_length(found.group()),
        }
        for found in _DETECTED.finditer(text)
    ]


def format_text(
    text: str, parse_mode: str | None, entities: list[Entity] | None
) -> tuple[str, list[Entity]]:
    """The text as Telegram keeps it: markup parsed, entities checked, white space trimmed.

    Raises TextError where it is empty, too long, or its markup or entities are wrong.
    """
    if parse_mode:
        text, found = parse_markup(text, parse_mode)
    else:
        found = [dict(entity) for entity in entities or ()]
        _check_entities(text, found)
    text, found = _trim(text, found)
    if not text:
        raise TextError("message text is empty")
    if utf16_length(text) > LONGEST_TEXT:
        raise TextError("message is too long")
    covered = [(e["offset"], e["offset"] + e["length"]) for e in found]
    found += [
        entity
        for entity in detect_entities(text)
        if not any(
            s < entity["offset"] + entity["length"] and entity["offset"] < e for s, e in covered
        )
    ]
    return text, sorted(found, key=lambda entity: (entity["offset"], -entity["length"]))


def _overlap(one: Entity, other: Entity) -> bool:
    return bool(
        one["offset"] < other["offset"] + other["length"]
        and other["offset"] < one["offset"] + one["length"]
    )


def _check_entities(text: str, entities: list[Entity]) -> None:
    """Bounds and surrogate pairs, in the words of Telegram's own MessageEntity.cpp."""
    if not entities:
        return
    length = utf16_length(text)
    insides = _pair_insides(text)
    for entity in entities:
        begin, end = entity["offset"], entity["offset"] + entity["length"]
        if entity["type"] not in ENTITY_TYPES:
            raise TextError("can't parse MessageEntity: Unsupported type specified")
        if entity["type"] == "text_link" and not entity.get("url"):
            raise TextError("can't parse MessageEntity: Can't find field \"url\"")
        if begin < 0 or entity["length"] <= 0:
            raise TextError(f"entity beginning at UTF-16 offset {begin} has no length")
        if end > length:
            raise TextError(
                f"entity beginning at UTF-16 offset {begin} ends after the end of the text "
                f"at UTF-16 offset {length}"
            )
        if begin in insides or end in insides:
            raise TextError(
                f"entity beginning at UTF-16 offset {begin} begins or ends "
                "in a middle of a UTF-16 symbol"
            )


def _pair_insides(text: str) -> set[int]:
    """The UTF-16 offsets that lie between the two halves of a surrogate pair."""
    insides: set[int] = set()
    if text.isascii():
        return insides
    at = 0
    for character in text:
        at += 1
        if character > "\uffff":
            insides.add(at)
            at += 1
    return insides


def _trim(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Cuts white space off both ends, with the entities that would stand on it."""
    if text == text.strip():
        return text, entities
    shift = utf16_length(text[: len(text) - len(text.lstrip())])
    text = text.strip()
    length = utf16_length(text)
    kept = []
    for entity in entities:
        begin = max(0, entity["offset"] - shift)
        end = min(length, entity["offset"] + entity["length"] - shift)
        if end > begin:
            kept.append({**entity, "offset": begin, "length": end - begin})
    return text, kept
