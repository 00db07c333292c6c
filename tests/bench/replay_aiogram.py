"""aiogram's side of the replay: the same updates, and a handler that does what our core does.

Run by tests/bench/measure_replay.py in the environment of .venv/bench, in a process of its own.
What it does for each update: `Update.model_validate_json` with the bot as context (so feed_update
need not mount it again), then `Dispatcher.feed_update`. It is written as aiogram's documentation
writes bots: a Dispatcher as it comes, message.answer and message.reply; beside that what a good
engineer would give it: uvloop, no logging, one filter for commands and none beside it. (Without the
FSM's middleware and with Bot.send_message it takes up to a quarter less, and ours is 9.5 to 10.5
times as fast.) Telegram is a session that takes every request at once and keeps nothing; the model
a coroutine that answers at once; state a dict.

The handler says what domain/conversation.py has said: /start, /help and /refresh in the user's
language, silence for a command of another bot; "typing" and the model's answer for words, beside a
picture or alone, quoted in groups; for each other content, once a chat and kind, that only text is
understood; nothing for edits, members and service messages. measure_replay.py compares all that
both sides say before it measures.
"""

import asyncio
import json
import logging
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import uvloop
from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.filters import Command, CommandObject
from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import Chat, Message, Update, User

from tests.bench.passes import serve, timed, updates_of


class Telegram(BaseSession):
    """Takes every request at once. `kept` holds what was asked, where that is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Any] | None = None
        self._message = Message(message_id=1, date=0, chat=Chat(id=1, type="private"))

    async def make_request(
        self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None
    ) -> Any:
        if self.kept is not None:
            self.kept.append(_told(method))
        return self._message if isinstance(method, SendMessage) else True

    async def stream_content(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no file is downloaded here")

    async def close(self) -> None:
        pass


class Chats:
    """The bot's handlers, and all that it knows."""

    def __init__(self, me: User, said: dict[str, Any]) -> None:
        self._username = (me.username or "").lower()
        self._words = said["words"]
        self._answer = said["answer"]
        self._unsupported = frozenset(said["unsupported"])
        self._told: defaultdict[tuple[int, int | None], set[str]] = defaultdict(set)

    async def command(self, message: Message, command: CommandObject) -> None:
        """/start, /help, /refresh."""
        user = message.from_user
        if user is None or user.is_bot:
            return
        if command.mention is not None and command.mention.lower() != self._username:
            return
        if command.command == "refresh":
            self._told.pop(_place(message), None)
        await self._say(message, self._words[command.command][_language(user)])

    async def message(self, message: Message, bot: Bot) -> None:
        """Words, or another content."""
        user = message.from_user
        if user is None or user.is_bot:
            return
        words = message.text or message.caption
        if words is not None:
            chat_id, topic_id = _place(message)
            await bot.send_chat_action(chat_id, "typing", message_thread_id=topic_id)
            await self._say(message, await self._model(words))
            return
        kind = message.content_type
        if kind not in self._unsupported or kind in (told := self._told[_place(message)]):
            return
        told.add(kind)
        await self._say(message, self._words["unsupported"][_language(user)])

    async def _model(self, words: str) -> str:
        return self._answer

    async def _say(self, message: Message, text: str) -> None:
        if message.chat.type == "private":
            await message.answer(text)
        else:
            await message.reply(text)


class Side:
    """The bot with its updates; every pass begins with chats that nobody knows."""

    def __init__(self, updates: list[bytes], said: dict[str, Any]) -> None:
        self._updates = updates
        self._said = said
        self._telegram = Telegram()
        self._me = User(
            id=7_000_001, is_bot=True, first_name="Rehearsal", username=said["username"]
        )
        self._bot = Bot(f"{self._me.id}:{'r' * 35}", session=self._telegram)
        self._context = {"bot": self._bot}
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)

    def said(self) -> list[Any]:
        """All that is said, update by update."""
        self._telegram.kept = kept = []
        answers = []
        dispatcher = self._dispatcher()
        for update in self._updates:
            self._runner.run(dispatcher.feed_update(self._bot, self._decode(update)))
            answers.append(kept.copy())
            kept.clear()
        self._telegram.kept = None
        return answers

    def decoded(self) -> float:
        """JSON to its end."""
        dispatcher = self._dispatcher()

        async def run() -> None:
            for update in self._updates:
                await dispatcher.feed_update(self._bot, self._decode(update))

        return timed(lambda: self._runner.run(run()))

    def handled(self) -> float:
        """Updates that are decoded already."""
        dispatcher = self._dispatcher()
        updates = [self._decode(update) for update in self._updates]

        async def run() -> None:
            for update in updates:
                await dispatcher.feed_update(self._bot, update)

        return timed(lambda: self._runner.run(run()))

    def _decode(self, update: bytes) -> Update:
        return Update.model_validate_json(update, context=self._context)

    def _dispatcher(self) -> Dispatcher:
        chats = Chats(self._me, self._said)
        dispatcher = Dispatcher()
        known = Command("start", "help", "refresh", ignore_mention=True)
        dispatcher.message.register(chats.command, known)
        dispatcher.message.register(chats.message)
        return dispatcher


def _place(message: Message) -> tuple[int, int | None]:
    return message.chat.id, message.message_thread_id if message.is_topic_message else None


def _language(user: User) -> str:
    return "ru" if (user.language_code or "").lower().split("-")[0] == "ru" else "en"


def _told(method: TelegramMethod[Any]) -> list[Any]:
    if isinstance(method, SendMessage):
        quoted = method.reply_parameters and method.reply_parameters.message_id
        return [method.chat_id, method.message_thread_id, quoted, method.text]
    return [method.chat_id, method.message_thread_id, method.action]


if __name__ == "__main__":
    logging.disable()
    side = Side(updates_of(Path(sys.argv[1])), json.loads(sys.argv[2]))
    serve({"said": side.said, "decoded": side.decoded, "handled": side.handled})
