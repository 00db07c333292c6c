"""Chats and their messages, as a person in the admin sees them.

Triggered by the HTTP API. A chat is listed from its first message on, the one with the latest
message first; messages come newest first.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Literal, Protocol

from msgspec import Struct

from application.paging import Page, Stretch, known_id, page, read_cursor
from application.refusals import NotFound
from domain.access import Actor, owner_filter
from domain.turn import Status

Sender = Literal["USER", "BOT", "OPERATOR"]
ChatKey = tuple[datetime, str]
"""What chats are ordered by: when the last message came, and the chat's id."""

CHAT_ID = re.compile(r"[0-9]{1,18}:-?[0-9]{1,18}(:[0-9]{1,18})?")


class LastMessage(Struct, frozen=True, rename="camel"):
    """The beginning of a chat's last message (300 characters at most)."""

    sender: Sender
    text: str
    created_at: datetime


class ChatView(Struct, frozen=True, rename="camel"):
    """A chat. `id` is "{bot}:{chat}" or "{bot}:{chat}:{topic}", `threadId` the conversation's."""

    id: str
    bot_id: int
    telegram_chat_id: int
    topic_id: int | None
    name: str | None
    username: str | None
    thread_id: str | None
    tg_user_id: int | None
    paused_at: datetime | None
    created_at: datetime
    last_message_at: datetime | None
    last_message: LastMessage | None


class ProcessingRef(Struct, frozen=True, rename="camel"):
    """What became of a message that asked for an answer."""

    id: int
    status: Status


class MessageView(Struct, frozen=True, rename="camel"):
    """One message of a chat; `processing` where it asked for an answer. `markdown`: whether its
    text is the Markdown of a model's answer; all others are as Telegram shows them.
    """

    id: int
    sender: Sender
    text: str
    markdown: bool
    created_at: datetime
    tg_user_id: int | None
    telegram_update_id: int | None
    processing: ProcessingRef | None


class ChatFilter(Struct, frozen=True):
    """`q`: in the chat's name or the user's, or Telegram's id of the chat; `active_since`: UTC."""

    bot_id: int | None = None
    q: str | None = None
    active_since: datetime | None = None


class ChatRepository(Protocol):
    """Where chats are kept. `owner` narrows to one user's bots. Every method raises Unavailable."""

    async def page(
        self, owner: str | None, asked: ChatFilter, before: ChatKey | None, limit: int
    ) -> Stretch[ChatView, ChatKey]:
        """The latest message first, after `before`."""
        ...

    async def get(self, chat_id: str, owner: str | None) -> ChatView | None: ...

    async def messages(
        self, chat_id: str, before: int | None, limit: int
    ) -> Sequence[MessageView]: ...


class Chats:
    """The use case."""

    def __init__(self, repository: ChatRepository) -> None:
        self._repository = repository

    async def browse(
        self, actor: Actor, asked: ChatFilter, limit: int, cursor: str | None
    ) -> Page[ChatView]:
        """The latest message first. Raises Malformed."""
        before: ChatKey | None = read_cursor(cursor, tuple[datetime, str])
        if asked.bot_id is not None and not known_id(asked.bot_id):
            return Page([], None)
        found = await self._repository.page(owner_filter(actor), asked, before, limit + 1)
        return page(found.rows, limit, attrgetter("last_message_at", "id"), found.beyond)

    async def get(self, actor: Actor, chat_id: str) -> ChatView:
        """Raises NotFound."""
        chat = None
        if is_chat_id(chat_id):
            chat = await self._repository.get(chat_id, owner_filter(actor))
        if chat is None:
            raise NotFound("chat")
        return chat

    async def messages(
        self, actor: Actor, chat_id: str, limit: int, cursor: str | None
    ) -> Page[MessageView]:
        """Newest first. Raises NotFound, Malformed."""
        before = read_cursor(cursor, int)
        await self.get(actor, chat_id)
        rows = await self._repository.messages(chat_id, before, limit + 1)
        return page(rows, limit, key=lambda message: message.id)


def is_chat_id(text: str) -> bool:
    """Whether a text can be a chat's id at all."""
    return CHAT_ID.fullmatch(text) is not None
