"""The Telegram stand-in's memory: bots, people, chats with their messages, calls, violations.

The HTTP handlers and the Python API of the tests work on one `TelegramWorld`. Everything in it is
bounded: the newest messages of a chat, the newest calls and violations are kept. Bots, people and
chats are `Telegram`, one struct that server.py keeps on disk between runs.
"""

import re
import time
from collections import deque
from typing import Any

from msgspec import Struct, field

from entrypoints.sandbox.faults import Faults
from entrypoints.sandbox.feed import Feed, Pulse
from entrypoints.sandbox.telegram_people import (
    Person,
    chat_of_id,
    kind_content,
    member_update,
    ready_groups,
    ready_people,
)

KEPT_MESSAGES = 1000
KEPT_CALLS = 50_000
KEPT_VIOLATIONS = 1000
TOKEN = re.compile(r"(\d{1,19}):[A-Za-z0-9_-]{20,}")

# Update ids must not repeat when the stand-in forgets them: they begin with the time, and stay
# below 2^31 until 2030. Sixteen a second is more than a bot gets from a person at a page.
_EPOCH_2026 = 1_767_225_600
_IDS_A_SECOND = 16
# Without an explicit list Telegram leaves these out (Bot API, setWebhook, allowed_updates).
_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})

Message = dict[str, Any]
Update = dict[str, Any]


class Webhook(Struct):
    url: str
    secret_token: str = ""
    max_connections: int = 40
    has_custom_certificate: bool = False


class Chat(Struct):
    """A chat as one bot sees it; `about` is its Chat object."""

    about: dict[str, Any]
    next_message_id: int
    messages: list[Message] = field(default_factory=list)


class Bot(Struct):
    id: int
    token: str
    first_name: str
    username: str
    next_update_id: int
    webhook: Webhook | None = None
    allowed_updates: list[str] | None = None
    commands: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    pending: dict[int, Update] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    last_error_date: int | None = None
    last_error_message: str | None = None
    revoked: bool = False
    logged_out: bool = False

    def as_user(self) -> dict[str, Any]:
        """The bot's User object, as other people's messages carry it."""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.first_name,
            "username": self.username,
        }


class Telegram(Struct):
    """What survives a restart."""

    bots: dict[int, Bot] = field(default_factory=dict)
    people: dict[int, Person] = field(
        default_factory=lambda: {person.id: person for person in ready_people()}
    )
    groups: dict[int, dict[str, Any]] = field(
        default_factory=lambda: {group["id"]: group for group in ready_groups()}
    )


class Call(Struct):
    """A Bot API call as it came in and how it was answered; `at` is Unix time."""

    seq: int
    at: float
    bot: int
    method: str
    params: dict[str, Any]
    status: int = 0
    description: str | None = None
    milliseconds: float = 0
    violations: list[str] = field(default_factory=list)


class Violation(Struct):
    """What one call did against the Bot API's documentation."""

    seq: int
    bot: int
    method: str
    problem: str
    params: dict[str, Any]


class TelegramWorld:
    """Bots, people and what passes between them."""

    def __init__(self, feed: Feed, faults: Faults, *, accept_any_token: bool = True) -> None:
        self.kept = Telegram()
        self.feed = feed
        self.faults = faults
        self.accept_any_token = accept_any_token
        self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self.violations: deque[Violation] = deque(maxlen=KEPT_VIOLATIONS)
        self.call_count = 0
        self.changed = Pulse()
        self.update_added = _ignore

    def bot(self, bot_id: int) -> Bot:
        """Raises KeyError."""
        return self.kept.bots[bot_id]

    def add_bot(self, token: str, name: str | None = None, username: str | None = None) -> Bot:
        """Registers a token. Raises ValueError where it has not the form of one."""
        match = TOKEN.fullmatch(token)
        if match is None:
            raise ValueError("not the form of a bot token")
        bot_id = int(match.group(1))
        bot = Bot(
            id=bot_id,
            token=token,
            first_name=name or "Kotodom Sandbox",
            username=username or f"sandbox_{bot_id}_bot",
            next_update_id=int((time.time() - _EPOCH_2026) * _IDS_A_SECOND),
        )
        known = self.kept.bots.get(bot_id)
        if known is not None:
            known.token = token
            known.first_name = name or known.first_name
            known.username = username or known.username
            bot = known
        self.kept.bots[bot_id] = bot
        self.feed.publish("bots")
        return bot

    def add_person(self, first_name: str, language_code: str) -> Person:
        person_id = max(self.kept.people) + 1
        person = Person(person_id, first_name, language_code)
        self.kept.people[person_id] = person
        self.feed.publish("people")
        return person

    def chat(self, bot: Bot, chat_id: int) -> Chat:
        """The chat as the bot sees it, made on first sight."""
        chat = bot.chats.get(chat_id)
        if chat is None:
            about = self.kept.groups.get(chat_id) or chat_of_id(chat_id, self.kept.people)
            # As with update ids: a number that an earlier life of the sandbox did not give.
            chat = Chat(about, next_message_id=int(time.time()) - _EPOCH_2026)
            bot.chats[chat_id] = chat
        return chat

    def messages(self, bot_id: int, chat_id: int) -> list[Message]:
        """The newest messages of a chat, oldest first."""
        bot = self.kept.bots.get(bot_id)
        chat = bot.chats.get(chat_id) if bot else None
        return list(chat.messages) if chat else []

    def bot_texts(self, bot_id: int, chat_id: int) -> list[str]:
        """The texts that the bot has sent to a chat, oldest first."""
        return [m.get("text", "") for m in self.messages(bot_id, chat_id) if m["from"]["is_bot"]]

    async def wait_for_bot_texts(
        self, bot_id: int, chat_id: int, count: int, seconds: float = 10
    ) -> list[str]:
        """Waits for that many answers in a chat. Raises TimeoutError."""
        ends = time.monotonic() + seconds
        while len(texts := self.bot_texts(bot_id, chat_id)) < count:
            left = ends - time.monotonic()
            if left <= 0 or not await self.changed.wait(left):
                raise TimeoutError(f"{len(texts)} of {count} answers in chat {chat_id}: {texts}")
        return texts

    def keep_message(
        self, bot: Bot, chat: Chat, sender: dict[str, Any], content: Message
    ) -> Message:
        """Numbers a message and keeps it in the chat."""
        message: Message = {
            "message_id": chat.next_message_id,
            "from": sender,
            "chat": chat.about,
            "date": int(time.time()),
            **content,
        }
        chat.next_message_id += 1
        chat.messages.append(message)
        if len(chat.messages) > 2 * KEPT_MESSAGES:
            del chat.messages[:KEPT_MESSAGES]
        self.changed.fire()
        self.feed.publish("message", bot=bot.id, chat=chat.about["id"], message=message)
        return message

    def change_message(self, bot: Bot, chat_id: int, message_id: int, content: Message) -> Message:
        """Keeps an edited message in the place of the old one. Raises KeyError."""
        messages = bot.chats[chat_id].messages
        for index in range(len(messages) - 1, -1, -1):
            if messages[index]["message_id"] == message_id:
                kept = {name: v for name, v in messages[index].items() if name != "entities"}
                messages[index] = {**kept, **content, "edit_date": int(time.time())}
                self.changed.fire()
                self.feed.publish("edited", bot=bot.id, chat=chat_id, message=messages[index])
                return messages[index]
        raise KeyError(message_id)

    def push(self, bot: Bot, payload: Update) -> Update:
        """Numbers an update, puts it into the bot's queue and has it delivered."""
        update = {"update_id": bot.next_update_id, **payload}
        bot.next_update_id += 1
        kind = next(iter(payload))
        allowed = bot.allowed_updates
        if kind in allowed if allowed else kind not in _NOT_BY_DEFAULT:
            bot.pending[update["update_id"]] = update
            self.update_added(bot, update)
        return update

    def say(
        self,
        bot_id: int,
        user_id: int,
        text: str,
        *,
        chat_id: int | None = None,
        kind: str = "text",
        topic: int | None = None,
    ) -> Update:
        """A person writes to the bot, in private or in a group; returns the update.

        Raises KeyError for an unknown bot and ValueError for an unknown kind.
        """
        bot = self.bot(bot_id)
        person = self.kept.people.get(user_id) or Person(user_id, f"User {user_id}", "en")
        self.kept.people.setdefault(user_id, person)
        content = kind_content(kind, text)
        if topic is not None:
            content |= {"message_thread_id": topic, "is_topic_message": True}
        chat = self.chat(bot, user_id if chat_id is None else chat_id)
        message = self.keep_message(bot, chat, person.as_user(), content)
        return self.push(bot, {"message": message})

    def edit(self, bot_id: int, chat_id: int, message_id: int, text: str) -> Update:
        """A person edits a message of theirs. Raises KeyError."""
        bot = self.bot(bot_id)
        message = self.change_message(bot, chat_id, message_id, kind_content("text", text))
        return self.push(bot, {"edited_message": message})

    def block(self, bot_id: int, user_id: int, *, blocked: bool) -> Update:
        """A person blocks or unblocks the bot; sends to them are then 403. Raises KeyError."""
        bot, person = self.bot(bot_id), self.kept.people[user_id]
        for fault in self.faults.list():
            if (fault.kind, fault.bot, fault.chat) == ("blocked", bot_id, user_id):
                self.faults.remove(fault.id)
        if blocked:
            self.faults.add("telegram", "blocked", bot=bot_id, chat=user_id)
        update = member_update(person, bot.as_user(), int(time.time()), blocked=blocked)
        return self.push(bot, update)

    def forget(self) -> None:
        """Forgets chats, updates, calls and violations; bots and people stay."""
        for bot in self.kept.bots.values():
            bot.chats.clear()
            bot.pending.clear()
        self.calls.clear()
        self.violations.clear()
        self.feed.publish("reload")


def find_message(chat: Chat, message_id: int) -> Message | None:
    for message in reversed(chat.messages):
        if message["message_id"] == message_id:
            return message
    return None


def _ignore(bot: Bot, update: Update) -> None:
    """Nobody delivers yet."""
