"""given(state).when(event).then(Step(...)): a test states the whole Step, or fails.

What differs is told field by field ("state.turn.attempts: 2, wanted 1"). Also here: the bot, the
chat and the messages that the tests of the core are about.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import fields, replace

from domain import bot as bot_life
from domain import conversation as chat_turn
from domain.bot import Bot
from domain.effects import (
    GenerateReply,
    Part,
    ResumeReply,
    SendChatAction,
    SendMessage,
    TurnToken,
)
from domain.events import BotEvent, BotProfile, ChatEvent, Reply
from domain.step import Envelope, Step
from domain.telegram import Chat, Message, Update, User
from domain.turn import Conversation, Turn

S = TypeVar("S", bound=Struct)
E = TypeVar("E")

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOKEN = TurnToken(100, 7)
LATER = TurnToken(100, 8)
"""The same message, under the next ownership."""
BOT = BotProfile(3, "Kotodom", "kotodom_bot")
CHAT = Conversation("3:42", 42, epoch=6)
USER = User(42, first_name="Ann", language_code="en-GB")
RUSSIAN = User(42, first_name="Аня", language_code="ru")
PRIVATE = Chat(42, first_name="Ann")
GROUP = Chat(-500, "supergroup", title="Cats")
REPLY = Reply("one\n\ntwo", (Part("one"), Part("two")), "gpt", thread_id="conv_1", run_id="resp_1")


def after(**ago: float) -> datetime:
    """A moment so many seconds, minutes, hours after NOW."""
    return NOW + timedelta(**ago)


def message(text: str | None = None, **changes: Any) -> Message:
    """A message to the bot, by an English user in a private chat where nothing else is said."""
    known: dict[str, Any] = {"message_id": 9, "chat": PRIVATE, "from_user": USER, "text": text}
    return Message(**(known | changes))


def update(text: str | None = None, **changes: Any) -> Update:
    return Update(77, message(text, **changes))


def begun(text: str = "Hello", **changes: Any) -> Turn:
    """The turn of `update(text)` as it is when it begins and the model is asked."""
    known: dict[str, Any] = {
        "token": TOKEN,
        "bot": BOT,
        "text": text,
        "began_at": NOW,
        "update_id": 77,
        "incoming": message(text),
        "asking": "model",
        "in_context": True,
    }
    return Turn(**(known | changes))


def replied(**changes: Any) -> Turn:
    """A turn whose reply of two parts is there, and to be sent."""
    return begun(**({"reply": REPLY, "run_id": "resp_1", "generated_at": NOW} | changes))


def chat(turn: Turn | None = None, **changes: Any) -> Conversation:
    """A chat with this turn, under the turn's epoch."""
    epoch = turn.token.epoch if turn is not None else CHAT.epoch
    return replace(CHAT, **({"turn": turn, "epoch": epoch} | changes))


def typing(token: TurnToken = TOKEN, **changes: Any) -> SendChatAction:
    return SendChatAction(**({"turn": token, "bot_id": BOT.id, "chat_id": 42} | changes))


def generate(token: TurnToken = TOKEN, **changes: Any) -> GenerateReply:
    return GenerateReply(**({"turn": token, "bot_id": BOT.id, "chat": CHAT.id} | changes))


def resume(run_id: str, token: TurnToken = TOKEN, thread_id: str | None = None) -> ResumeReply:
    return ResumeReply(token, BOT.id, run_id, thread_id)


def send(
    text: str,
    part: int = 0,
    token: TurnToken = TOKEN,
    **changes: Any,
) -> SendMessage:
    known: dict[str, Any] = {
        "turn": token,
        "bot_id": BOT.id,
        "chat_id": 42,
        "part": part,
        "text": text,
    }
    return SendMessage(**(known | changes))


class Given(Generic[S, E]):
    """A state, and the handler of its events."""

    def __init__(self, handle: Callable[[S, Envelope[E]], Step[S]], state: S) -> None:
        self._handle = handle
        self._state = state

    def when(self, event: E, at: datetime = NOW) -> "When[S]":
        return When(self._state, self._handle(self._state, Envelope("test", at, event)))


class When(Generic[S]):
    """A step that was taken."""

    def __init__(self, before: S, step: Step[S]) -> None:
        self._before = before
        self.step = step

    def then(self, wanted: Step[S]) -> None:
        """This state and these effects, exactly."""
        assert not (told := list(_differences(self.step, wanted))), "\n".join(["", *told])

    def then_nothing(self) -> None:
        """No change and no effects."""
        self.then(Step(self._before))


def given(conversation: Conversation) -> Given[Conversation, ChatEvent]:
    return Given(chat_turn.handle, conversation)


def given_bot(bot: Bot) -> Given[Bot, BotEvent]:
    return Given(bot_life.handle, bot)


def _differences(found: object, wanted: object, path: str = "") -> Iterator[str]:
    if type(found) is type(wanted) and isinstance(found, Struct):
        for field in fields(found):
            name = field.name
            below = f"{path}.{name}" if path else name
            yield from _differences(getattr(found, name), getattr(wanted, name), below)
    elif isinstance(found, tuple) and isinstance(wanted, tuple) and len(found) == len(wanted):
        for index, (left, right) in enumerate(zip(found, wanted, strict=True)):
            yield from _differences(left, right, f"{path}[{index}]")
    elif found != wanted or type(found) is not type(wanted):
        yield f"{path}: {_shown(found)}, wanted {_shown(wanted)}"


def _shown(value: object) -> str:
    if isinstance(value, Struct | tuple):
        return msgspec.json.encode(value).decode()
    return repr(value)
