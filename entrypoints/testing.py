"""For testers: given(conversation).when(update).then(effects…), with no network and no database.

    from domain.effects import SendMessage, TurnToken
    from entrypoints.testing import given, says

    def test_start() -> None:
        hello = SendMessage(TurnToken(1, 1), bot_id=1, chat_id=42, part=0, text="Hello!")
        given(start_message="Hello!").when(says("/start")).then(hello)

Every effect is answered with a plain success, as `kotodom replay --updates` does; a script of
rules (domain/script.py), or of dicts like them, says otherwise. An update may be a struct, or what
Telegram sends: a dict, or JSON. A then() may be followed by another when(): the conversation goes
on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from application.differences import told_effects
from domain.effects import Effect
from domain.events import BotProfile
from domain.rehearsal import BOT, Rehearsal
from domain.script import Rule, checked_script
from domain.telegram import Chat, Message, Update, User, chat_key, decode_update
from domain.turn import Conversation


def says(text: str, chat_id: int = 42, **message: Any) -> Update:  # noqa: ANN401 - Message's fields
    """A person's text in a private chat; `message`: other fields of domain.telegram.Message."""
    known: dict[str, Any] = {
        "message_id": 1,
        "chat": Chat(chat_id, first_name="Ann"),
        "from_user": User(chat_id, first_name="Ann", language_code="en"),
        "text": text,
    }
    return Update(1, Message(**(known | message)))


def given(
    conversation: Conversation | None = None,
    *,
    script: Sequence[Rule | Mapping[str, Any]] = (),
    **bot: Any,  # noqa: ANN401 - BotProfile's fields
) -> "Given":
    """A chat as it is before (None: a new one); `bot`: fields of its domain.events.BotProfile.

    A rule of the script may be a dict, as the JSON file has it. Raises NotAScript; ValueError where
    a turn of the chat is unfinished.
    """
    profile = replace(BOT, **bot)
    if conversation is not None:
        profile = replace(profile, id=int(conversation.id.partition(":")[0]))
    return Given(Rehearsal(checked_script(script), profile), profile, conversation)


class Given:
    """A chat to which nothing happened yet, or to which another update may come."""

    def __init__(
        self, rehearsal: Rehearsal, bot: BotProfile, conversation: Conversation | None
    ) -> None:
        self._rehearsal = rehearsal
        self._bot = bot
        self._chat = conversation.id if conversation is not None else None
        if conversation is not None:
            rehearsal.know(conversation)

    def when(self, *updates: Update | Mapping[str, Any] | str | bytes) -> "When":
        """The updates arrive one after the other, and each is answered to its end.

        Raises ValueError where one is of another chat; NotAnUpdate, Unreadable.
        """
        effects: list[Effect] = []
        for each in updates:
            update = _update(each)
            key = chat_key(self._bot.id, update.message) if update.message is not None else None
            if key is not None and self._chat not in (None, key):
                raise ValueError(f"the update is of chat {key}, the conversation is {self._chat}")
            effects += self._rehearsal.play(update).effects
        return When(self, effects)


class When:
    """What the updates led to."""

    def __init__(self, given: Given, effects: Sequence[Effect]) -> None:
        self._given = given
        self.effects = tuple(effects)

    def then(self, *effects: Effect) -> Given:
        """Exactly these effects, in this order; the first that differs is shown."""
        if self.effects != effects:
            expected, found = map(msgspec.to_builtins, (effects, self.effects))
            raise AssertionError("\n".join(["", *told_effects(list(expected), list(found))]))
        return self._given


def _update(given: Update | Mapping[str, Any] | str | bytes) -> Update:
    if isinstance(given, Update):
        return given
    return decode_update(given if isinstance(given, str | bytes) else msgspec.json.encode(given))
