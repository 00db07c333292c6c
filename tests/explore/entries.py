"""What may stand in the chat's line: updates, and what a person asks for from the web.

The number of an entry is its update_id, its request's id, and the id of the message it makes.
"""

from typing import Literal, get_args

import msgspec
from msgspec import Struct

from application.conversations import Entry, EntryKind
from domain.effects import Part
from domain.turn import Turn
from tests.application.memory_conversations import START

REFRESH_COMMAND = 3
"""Between the first update and the second."""
REFRESH, OPERATOR = 51, 52
RETRY = 100
"""Added to the number of the message that is to be tried again."""


Wish = Literal["refresh", "command", "operator", "disable", "job", "retry"]
"""Another try of a message that ended TERMINAL; the web's refresh; /refresh as an update; an
operator's words; disabling the bot, and then a day that passes; a job that is superfluous."""
WISHES: tuple[Wish, ...] = get_args(Wish)


class Plan(Struct, frozen=True):
    """What is explored: updates 2, 4, 6 …; `poison` are those that no code can begin.

    `kinds`: what people may wish for. `parts`: how many messages Telegram is sent for the first
    reply; the others have one. `plain`: the model's server has no runs that can be resumed, so no
    id is saved.
    """

    messages: int = 2
    faults: int = 2
    wishes: int = 1
    parts: int = 2
    poison: tuple[int, ...] = ()
    plain: bool = False
    kinds: tuple[Wish, ...] = WISHES

    def wish(self, *kinds: Wish) -> bool:
        """Whether people may wish for one of these."""
        return self.wishes > 0 and not set(kinds).isdisjoint(self.kinds)

    @property
    def asked(self) -> tuple[int, ...]:
        """The entries that people may ask for."""
        found = {"refresh": REFRESH, "command": REFRESH_COMMAND, "operator": OPERATOR}
        return tuple(number for kind, number in found.items() if kind in self.kinds)

    @property
    def updates(self) -> tuple[int, ...]:
        return tuple(2 * (index + 1) for index in range(self.messages))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The entries that make messages (a refresh from the web does where a bug breaks it)."""
        return (*self.updates, *self.asked) if self.wishes else self.updates

    def entry(self, number: int, again: Turn | None) -> Entry:
        """The entry as the store loads it; the time of its arrival is the line's to tell."""
        return Entry(kind(number), number, self._payload(number), START, again)

    def _payload(self, number: int) -> str:
        if number == OPERATOR:
            return msgspec.json.encode((Part("I am a person"),)).decode()
        if number >= RETRY or number == REFRESH:
            return ""
        if number in self.poison:
            return "{"
        words = "/refresh" if number == REFRESH_COMMAND else "Hello"
        user = {"id": 42}
        message = {"message_id": number, "chat": user, "from": user, "text": words}
        return msgspec.json.encode({"update_id": number, "message": message}).decode()


def kind(number: int) -> EntryKind:
    """Which kind of entry has this number."""
    if number >= RETRY:
        return "RETRY"
    if number == OPERATOR:
        return "OPERATOR_MESSAGE"
    return "REFRESH" if number == REFRESH else "UPDATE"
