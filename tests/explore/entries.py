"""What may stand in the chat's line: updates, and what a person asks for from the web.

The number of an entry is its update_id, its request's id, and the id of the message it makes.
"""

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


class Plan(Struct, frozen=True):
    """What is explored: updates 2, 4, 6 …; `poison` are those that no code can begin.

    `parts`: how many messages Telegram is sent for the first reply; the others have one. `plain`:
    the model's server has no runs that can be resumed, so no id is saved.
    """

    messages: int = 2
    faults: int = 2
    wishes: int = 1
    parts: int = 2
    poison: tuple[int, ...] = ()
    plain: bool = False

    @property
    def updates(self) -> tuple[int, ...]:
        return tuple(2 * (index + 1) for index in range(self.messages))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The entries that make messages (a refresh from the web does where a bug breaks it)."""
        return (*self.updates, REFRESH_COMMAND, REFRESH, OPERATOR) if self.wishes else self.updates

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
