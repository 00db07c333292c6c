"""The plan, the rules, and the tables behind the numbers of a World, as a search fills them."""

from datetime import datetime, timedelta

from domain.turn import Conversation, Turn
from tests.application.memory_conversations import START
from tests.explore.entries import Plan
from tests.explore.positions import CHAT, Positions
from tests.explore.rules import Rules
from tests.explore.world import NOW, Message, Table, Task, World

DAY = timedelta(hours=25)


class Known:
    """Shared by everything that takes part in one search."""

    def __init__(self, plan: Plan, rules: Rules) -> None:
        self.plan = plan
        self.rules = rules
        self.positions = Positions()
        self.chats: Table[Conversation] = Table()
        self.turns: Table[Turn | None] = Table()
        self.turns.number(None)
        self.saids: Table[tuple[str, int]] = Table()
        """What Telegram may show: the words of a part, and its number."""
        self.shown: dict[int, tuple[int, int]] = {}
        """Positions of tasks with a part that Telegram has taken: the message's place, the part."""
        self._places = {number: place for place, number in enumerate(plan.numbers)}

    def first(self) -> World:
        """Before anything has happened."""
        chat = self.chats.number(Conversation(CHAT, 42, epoch=NOW))
        messages = tuple(Message() for _ in self.plan.numbers)
        return World(chat, messages, self.plan.updates, self.plan.faults, self.plan.wishes)

    def place(self, number: int) -> int:
        """Where a message stands in World.messages."""
        return self._places[number]

    def unlearnt(self, messages: tuple[Message, ...], task: Task) -> tuple[Message, ...]:
        """The task ends, or is stale from now on: the part that it has in hand is sent again."""
        shown = self.shown.get(task.position)
        if shown is None or not task.fresh:
            return messages
        place, said = shown
        message = messages[place]
        kept = tuple(one for one in message.said if one != said)
        return with_message(
            messages, place, Message(message.status, message.turn, message.run, kept)
        )


def with_message(
    messages: tuple[Message, ...], place: int, message: Message
) -> tuple[Message, ...]:
    """The messages with one changed."""
    return (*messages[:place], message, *messages[place + 1 :])


def at(world: World) -> datetime:
    """The time: it stands still, but for the day that may pass."""
    return START + timedelta(minutes=1) + (DAY if world.later else timedelta())
