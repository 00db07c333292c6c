"""Live events: a page that is open hears what has changed, and asks for it again.

Triggered by each commit of the loop (application/react.py), of a bot's own steps (bot_life.py) and
of the admin's use cases (entrypoints/http/audit_trail.py). An event says a type and an id and
nothing else. Telling waits for nobody and fails for nobody: who may have missed one hears
"refresh", which is to ask for everything again.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from application.audit import Noted
from domain.access import Action, Actor, Decision, decide, sees_every_bot

EventType = Literal["message", "chat", "bot", "job", "settings", "refresh", "user"]
"""`user`: whether this user may still listen, as what, is to be looked at; no listener hears it."""

_TYPES: dict[str, EventType] = {
    "message": "message",
    "processing": "message",
    "chat": "chat",
    "bot": "bot",
    "job": "job",
    "settings": "settings",
}
"""What a note's target is about, and its event's type; of users and keys nobody hears."""


class Changed(Struct, frozen=True, array_like=True):
    """Something that has changed. `bot_id`: whose; None: no bot's."""

    type: EventType
    id: int | str | None
    bot_id: int | None = None


REFRESH = Changed("refresh", None)


class Live(Protocol):
    """Tells every process (adapters/valkey_live.py)."""

    def tell(self, events: Sequence[Changed]) -> None:
        """Return at once; the events go out in their own time, or as a refresh."""
        ...


class Nobody:
    """Live where nobody listens."""

    def tell(self, events: Sequence[Changed]) -> None:
        """Nothing."""


class Owners(Protocol):
    """Whose the bots are."""

    async def bots_of(self, user_ids: Sequence[str]) -> dict[int, str]:
        """The bots that these users own, and which of them. Raises Unavailable."""
        ...


def may_hear(actor: Actor, event: Changed, owners: Sequence[dict[int, str]]) -> bool:
    """Whether a listener may know of it; `owners`: of bots that are gone and of those that are."""
    match event.type:
        case "refresh":
            return True
        case "user":
            return False
        case "settings":
            return decide(actor.role, Action.MANAGE_SETTINGS) is Decision.ALLOWED
        case "job":
            return decide(actor.role, Action.USE_JOBS) is Decision.ALLOWED
        case "message" | "chat" | "bot":
            if sees_every_bot(actor.role):
                return True
            bot_id = event.bot_id
            return bot_id is not None and any(of.get(bot_id) == actor.id for of in owners)


def of_note(note: Noted) -> Changed | None:
    """The event of a change that a use case noted; None where nobody follows such things."""
    if note.user_id is not None:
        return Changed("user", note.user_id)
    kind, _, name = note.target.partition(":")
    event = _TYPES.get(kind)
    if event is None:
        return None
    number = int(name) if name.isdecimal() else None
    match event:
        case "bot":
            return Changed(event, number, number)
        case "chat":
            bot = name.partition(":")[0]
            return Changed(event, name, int(bot) if bot.isdecimal() else None)
        case "settings":
            return Changed(event, None)
        case _:  # of what was done to many at once, each one's own step tells
            return Changed(event, number, note.bot_id) if number is not None else None


def of_chat(chat_id: str, message_ids: Sequence[int]) -> list[Changed]:
    """The events of a step of a chat: itself, and the messages whose processing it changed."""
    bot_id = int(chat_id.partition(":")[0])
    messages = [Changed("message", message_id, bot_id) for message_id in message_ids]
    return [*messages, Changed("chat", chat_id, bot_id)]
