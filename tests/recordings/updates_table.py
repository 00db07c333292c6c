"""domain/UPDATES.md, made from a run: `python -m tests.recordings.updates_table [--write]`.

Every kind of update and every content of a message that the Bot API 10.3 documents goes through
application.rehearsals, as `kotodom replay --updates` has it; what the handlers wish for is told.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from textwrap import fill

from application.rehearsals import Answer, rehearse
from domain import texts
from domain.effects import GenerateReply, SendMessage
from domain.rehearsal import BOT, Rehearsal
from tests.recordings.botapi_types import TYPES, Json, full
from tests.recordings.botapi_updates import ANN, ATTRIBUTES, CONTENTS, KINDS, content, message

ROOT = Path(__file__).parent.parent.parent
FILE = ROOT / "domain" / "UPDATES.md"
COMMAND = "python -m tests.recordings.updates_table --write"


class Told(StrEnum):
    """What became of an update, as the table says it."""

    MODEL = "model"
    COMMAND = "command"
    ONCE = "once"
    ALONE = "–"
    NEVER = ""


GROUP: Json = {"chat": {"id": -5, "type": "group", "title": "Us"}}
FORUM: Json = {"chat": {"id": -7, "type": "supergroup", "title": "Us", "is_forum": True}}
TOPIC: Json = FORUM | {"message_thread_id": 3, "is_topic_message": True}
CHANNEL: Json = {"id": -9, "type": "channel", "title": "News"}
POST: Json = {"chat": CHANNEL, "sender_chat": CHANNEL, "from": None}
ANOTHER_BOT: Json = {"id": 43, "is_bot": True, "first_name": "Robot", "username": "robot_bot"}
ADMIN: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "G"}
FORWARDER: Json = {"id": 777000, "is_bot": False, "first_name": "Telegram"}

COLUMNS: dict[str, tuple[str, Json]] = {
    "private chat": ("message", {}),
    "group": ("message", GROUP),
    "topic": ("message", TOPIC),
    "with a caption": ("message", {"caption": "Look!"}),
    "from a bot": ("message", {"from": ANOTHER_BOT}),
    "edited": ("edited_message", {"edit_date": 1_800_000_001}),
    "in a channel": ("channel_post", POST),
}
"""Where and how a content comes: the kind of its update, and what its message is beside it."""

CAPTIONED = {
    "animation",
    "audio",
    "document",
    "live_photo",
    "paid_media",
    "photo",
    "video",
    "voice",
}
"""Contents that may have a caption (Bot API 10.3, Message.caption)."""

WRITTEN = {
    "text": "Hello",
    "/start": "/start",
    "/help": "/help",
    "/refresh": "/refresh",
    "a command that names this bot": f"/help@{BOT.username}",
    "a command that names another bot": "/help@robot_bot",
    "any other command": "/weather",
    "nothing but spaces": " \n",
}

SENDERS: dict[str, Json] = {
    "a person, in a private chat": {},
    "a person, in a topic of a private chat": {"message_thread_id": 3, "is_topic_message": True},
    "a person, in a group": GROUP,
    "a person, in a supergroup": {"chat": {"id": -7, "type": "supergroup", "title": "Us"}},
    "a person, in a topic of a forum": TOPIC,
    "a person, in a reply": GROUP | {"message_thread_id": 3, "reply_to_message": message(text="?")},
    "a person, forwarding": {"forward_origin": full("MessageOrigin")},
    "a person, by another bot's inline mode": {"via_bot": ANOTHER_BOT},
    "a person, in a channel's direct messages": {
        "chat": {"id": -8, "type": "supergroup", "title": "News", "is_direct_messages": True},
        "direct_messages_topic": {"topic_id": 42, "user": ANN},
    },
    "a channel, its post forwarded to the group of its comments": FORUM
    | {"from": FORWARDER, "sender_chat": CHANNEL, "is_automatic_forward": True},
    "a person in a channel's name": GROUP | {"from": ANOTHER_BOT, "sender_chat": CHANNEL},
    "a group's anonymous administrator": GROUP | {"from": ADMIN, "sender_chat": GROUP["chat"]},
    "another bot": GROUP | {"from": ANOTHER_BOT},
    "nobody who is named": GROUP | {"from": None},
}

SAID: dict[str, Json] = {
    "text": {"text": "Hello"},
    "/help": {"text": "/help"},
    "photo": content("photo"),
    "photo with a caption": content("photo") | {"caption": "Look!"},
    "service message": content("new_chat_title"),
}

COMMANDS = {words for each in (texts.START, texts.HELP, texts.REFRESHED) for words in each.values()}

LEGEND = """\
- **model**: the model is asked, and its answer is sent.
- **command**: the bot answers by itself; the model is not asked.
- **once**: the bot says once in each chat, and again after /refresh, that it understands only text;
  the next of the same kind is kept and nothing is said.
- **–**: it is kept, and nothing is said."""


def played(*updates: Json) -> list[Answer]:
    """The answers of a fresh rehearsal."""
    values = [(f"update {place}", json.dumps(each)) for place, each in enumerate(updates)]
    return list(rehearse(values, Rehearsal()))


def told(update: Json) -> Told:
    """What becomes of an update, and of the same once more.

    Raises ValueError where the table has no word for it: a handler's bug, for example.
    """
    first, again = played(update, update | {"update_id": update["update_id"] + 1})
    sent = {effect.text for effect in first.effects if isinstance(effect, SendMessage)}
    if first.bug or first.unreadable or first.waiting:
        raise ValueError(f"no update should come to this: {first}")
    if not first.effects:
        return Told.ALONE
    if any(isinstance(effect, GenerateReply) for effect in first.effects):
        return Told.MODEL
    if sent & set(texts.UNSUPPORTED.values()) and not again.effects:
        return Told.ONCE
    if sent & COMMANDS:
        return Told.COMMAND
    raise ValueError(f"the table has no word for {first}")


def update_of(kind: str, instance: Json) -> Json:
    """An update of this kind."""
    return {"update_id": 77, kind: instance}


def kinds() -> dict[str, Told]:
    """What becomes of each kind of update; one that brings a message brings a person's text."""
    return {kind: told(update_of(kind, _brought(TYPES["Update"][kind][0]))) for kind in KINDS} | {
        "any of a later Bot API": told(update_of("something_of_2031", {"text": "Hello"}))
    }


def _brought(kind: str) -> Json:
    return message(text="Hello") if kind == "Message" else full(kind)


def contents() -> dict[str, list[Told]]:
    """What becomes of each content in each of the COLUMNS."""
    rows = {name: _row({"text": words}, caption=False) for name, words in WRITTEN.items()}
    others = (name for name in CONTENTS if name != "text")
    return rows | {name: _row(content(name), caption=name in CAPTIONED) for name in others}


def _row(fields: Json, *, caption: bool) -> list[Told]:
    return [
        told(update_of(kind, message(**fields | beside)))
        if caption or "caption" not in beside
        else Told.NEVER
        for kind, beside in COLUMNS.values()
    ]


def senders() -> dict[str, list[Told]]:
    """What becomes of what each of the SENDERS says, for each of what is SAID."""
    return {
        name: [told(update_of("message", message(**fields | beside))) for fields in SAID.values()]
        for name, beside in SENDERS.items()
    }


def attributes() -> dict[str, bool]:
    """Whether the answer to a text is another because of a field that goes with it."""
    (usual,) = played(update_of("message", message(text="Hello")))
    whole = full("Message")
    return {
        name: played(update_of("message", message(text="Hello", **{name: whole[name]}))) != [usual]
        for name in ATTRIBUTES
    }


def document() -> str:
    """The whole file."""
    every = contents()
    spoken = {name: row for name, row in every.items() if name in WRITTEN or not _alone(row)}
    service = [name for name in every if name not in spoken]
    found = kinds()
    changing = attributes()
    parts = [
        "# What a bot answers",
        fill(
            f"This file is generated, by `{COMMAND}`: everything that the Bot API 10.3 documents"
            " was played through the bot's own handlers, as `kotodom replay --updates` plays it,"
            " and this is what they did.",
            99,
        ),
        LEGEND,
        "A paused chat and a disabled bot are not told of here.",
        "## What people send",
        _table(COLUMNS, spoken),
        "Nothing stands where Telegram sends no caption.",
        "## What happens in a chat",
        "Service messages are kept, and nothing is said, whoever causes them and wherever:",
        _listed(service),
        "## Who sends it, and where",
        _table(SAID, senders()),
        "## Kinds of update",
        "A kind that brings a message brought a person's text here; the tables above say more.",
        *(
            f"**{outcome}**:\n{_listed(kind for kind in found if found[kind] is outcome)}"
            for outcome in Told
            if outcome in found.values()
        ),
        "## What goes with a message",
        "Beside a text, these change nothing of the answer:",
        _listed(name for name, changes in changing.items() if not changes),
    ]
    if any(changing.values()):
        parts += ["These do:", _listed(name for name, changes in changing.items() if changes)]
    return "\n\n".join(parts) + "\n"


def _alone(row: Iterable[Told]) -> bool:
    return all(each in (Told.ALONE, Told.NEVER) for each in row)


def _table(columns: Iterable[str], rows: dict[str, list[str]]) -> str:
    def lines() -> Iterator[str]:
        names = ["", *columns]
        yield f"| {' | '.join(names)} |"
        yield f"|{' --- |' * len(names)}"
        for name, row in rows.items():
            yield f"| {' | '.join([_words(name), *row])} |"

    return "\n".join(lines())


def _words(name: str) -> str:
    return name.replace("_", " ")


def _listed(names: Iterable[str]) -> str:
    return fill(", ".join(_words(name) for name in names) + ".", 99)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.recordings.updates_table")
    parser.add_argument("--write", action="store_true", help=f"write {FILE.relative_to(ROOT)}")
    if parser.parse_args().write:
        FILE.write_text(document(), encoding="utf-8")
    else:
        print(document(), end="")


if __name__ == "__main__":
    main()
