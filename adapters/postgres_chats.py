"""Chats and messages in PostgreSQL, to be looked at (fulfils application.chats.ChatRepository).

The loop's own way to chats is adapters/postgres_conversations.py. How lists are read and searched:
adapters/postgres_search.py.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CTE, RowMapping, Select, func, or_, select, true, union
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres_schema import chats, message_processing, messages, tg_users
from adapters.postgres_search import (
    WINDOW,
    Newest,
    found_in,
    holds,
    is_rare,
    like,
    looked,
    of_bot,
    seen,
)
from adapters.postgres_transactions import reading
from application.chats import (
    ChatFilter,
    ChatKey,
    ChatView,
    LastMessage,
    MessageView,
    ProcessingRef,
)
from application.paging import Stretch
from domain.turn import Status

_last = (
    select(
        messages.c.sender.label("last_sender"),
        func.left(messages.c.text, 300).label("last_text"),
        messages.c.created_at.label("last_created_at"),
    )
    .where(messages.c.chat_id == chats.c.id)
    .order_by(messages.c.id.desc())
    .limit(1)
    .lateral("last")
)
_shown = (
    select(chats, tg_users.c.username, _last)
    .select_from(chats)
    .outerjoin(tg_users, tg_users.c.id == chats.c.tg_user_id)
    .outerjoin(_last, true())
)
_latest = Newest(chats.c.last_message_at, chats.c.id, chats.c.bot_id, "")


class PostgresChats:
    """The repository."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, owner: str | None, asked: ChatFilter, before: ChatKey | None, limit: int
    ) -> Stretch[ChatView, ChatKey]:
        """The latest message first, after `before`."""
        keys = _keys(asked).where(_latest.older(before))
        async with reading(self._engine) as connection:
            ids: Any
            beyond: ChatKey | None = None
            if asked.q is None:
                ids = select(_latest.first(keys, asked.bot_id, owner, limit).subquery().c.id)
            elif await _is_rare(connection, asked.q):
                ids = _by_trigrams(keys, asked, asked.q, owner, limit)
            else:
                window, more = _latest.window(keys, asked.bot_id, owner)
                search = found_in(window, more, _named(window, asked.q), limit)
                ids, beyond = await looked(connection, search)
            shown = _shown.where(chats.c.id.in_(ids)).order_by(*_latest.order)
            rows = (await connection.execute(shown)).mappings().all()
        return Stretch([_chat(row) for row in rows], beyond)

    async def get(self, chat_id: str, owner: str | None) -> ChatView | None:
        """None: there is none, or it is of another user's bot."""
        statement = _shown.where(chats.c.id == chat_id, seen(chats.c.bot_id, owner))
        async with reading(self._engine) as connection:
            row = (await connection.execute(statement)).mappings().first()
        return _chat(row) if row is not None else None

    async def by_id(
        self, owner: str | None, asked: ChatFilter, after: str | None, limit: int
    ) -> Stretch[ChatView, str]:
        """The chats of a list in another order, which stays while people write."""
        its = of_bot(chats.c.bot_id, asked.bot_id, owner)
        keys = _keys(asked).where(*its, chats.c.id > (after or ""))
        many = limit if asked.q is None else WINDOW
        window = keys.order_by(chats.c.id).limit(many).cte("stretch")
        found = select(window.c.id) if asked.q is None else _named(window, asked.q)
        async with reading(self._engine) as connection:
            last = select(func.max(window.c.id), func.count()).select_from(window)
            beyond, count = (await connection.execute(last)).one()
            shown = _shown.where(chats.c.id.in_(found)).order_by(chats.c.id)
            rows = (await connection.execute(shown)).mappings().all()
        return Stretch([_chat(row) for row in rows], beyond if count == many else None)

    async def messages(self, chat_id: str, before: int | None, limit: int) -> Sequence[MessageView]:
        """Newest first, with ids below `before`."""
        statement = (
            select(
                messages,
                message_processing.c.id.label("processing_id"),
                message_processing.c.status.label("processing_status"),
            )
            .outerjoin(message_processing, message_processing.c.user_message_id == messages.c.id)
            .where(messages.c.chat_id == chat_id)
            .order_by(messages.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(messages.c.id < before)
        async with reading(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_message(row) for row in rows]


def _keys(asked: ChatFilter) -> Select[Any]:
    """The keys of what a filter asks for, but for its bot and its words."""
    keys = select(chats.c.id, chats.c.last_message_at.label("at"))
    keys = keys.where(chats.c.last_message_at.is_not(None))
    if asked.active_since is not None:
        keys = keys.where(chats.c.last_message_at >= asked.active_since)
    return keys


async def _is_rare(connection: AsyncConnection, words: str) -> bool:
    names = await is_rare(connection, words, "chats_trigrams")
    return names and await is_rare(connection, words, "tg_users_trigrams")


def _by_trigrams(
    keys: Select[Any], asked: ChatFilter, words: str, owner: str | None, limit: int
) -> Select[Any]:
    """The ids of a page, from the indexes of trigrams."""
    named = select(tg_users.c.id).where(holds(tg_users.c.username, words))
    users = named.cte("users").prefix_with("MATERIALIZED")
    # User by user, whatever the planner thinks: one may be in most chats.
    of_user = select(chats.c.id).where(chats.c.tg_user_id == users.c.id)
    theirs = of_user.offset(0).lateral("theirs")
    ways = [
        select(chats.c.id).where(holds(chats.c.name, words)),
        select(theirs.c.id).select_from(users.join(theirs, true())),
    ]
    if (number := _number(words)) is not None:
        ways.append(select(chats.c.id).where(chats.c.telegram_chat_id == number))
    found = union(*ways).cte("found").prefix_with("MATERIALIZED")
    keys = keys.where(*of_bot(chats.c.bot_id, asked.bot_id, owner))
    return _latest.of_found(found, keys, limit)


def _named(window: CTE, words: str) -> Select[Any]:
    """The ids of those in a window that have the words: the meaning of `q`."""
    # One by one by their ids, whatever the planner thinks.
    user = select(tg_users.c.username).where(tg_users.c.id == chats.c.tg_user_id).limit(1)
    ways = [like(chats.c.name, words), like(user.scalar_subquery(), words)]
    if (number := _number(words)) is not None:
        ways.append(chats.c.telegram_chat_id == number)
    chat = select(true()).where(chats.c.id == window.c.id, or_(*ways))
    named = chat.limit(1).lateral("named")
    return select(window.c.id).join(named, true())


def _number(q: str) -> int | None:
    """Telegram's id of a chat, where the words are one."""
    digits = q.removeprefix("-")
    known = digits.isascii() and digits.isdecimal() and len(digits) <= 18
    return int(q) if known else None


def _chat(row: RowMapping) -> ChatView:
    last = None
    if row["last_sender"] is not None:
        last = LastMessage(row["last_sender"], row["last_text"], row["last_created_at"])
    return ChatView(
        id=row["id"],
        bot_id=row["bot_id"],
        telegram_chat_id=row["telegram_chat_id"],
        topic_id=row["topic_id"],
        name=row["name"],
        username=row["username"],
        thread_id=row["thread_id"],
        tg_user_id=row["tg_user_id"],
        paused_at=row["paused_at"],
        created_at=row["created_at"],
        last_message_at=row["last_message_at"],
        last_message=last,
    )


def _message(row: RowMapping) -> MessageView:
    processing = None
    if row["processing_id"] is not None:
        processing = ProcessingRef(row["processing_id"], Status(row["processing_status"]))
    return MessageView(
        id=row["id"],
        sender=row["sender"],
        text=row["text"],
        # What a bot says itself the model does not hear of.
        markdown=row["sender"] == "BOT" and row["in_context"],
        created_at=row["created_at"],
        tg_user_id=row["tg_user_id"],
        telegram_update_id=row["telegram_update_id"],
        processing=processing,
    )
