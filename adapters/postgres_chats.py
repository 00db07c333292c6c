"""Chats and messages in PostgreSQL, to be looked at (fulfils application.chats.ChatRepository).

The loop's own way to chats is adapters/postgres_conversations.py. Lists go by index, as in
adapters/postgres_processing.py.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, func, or_, select, true, tuple_, union
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from adapters.postgres_processing import RECENT, TRIGRAM, holds, like
from adapters.postgres_schema import bots, chats, message_processing, messages, tg_users
from adapters.postgres_transactions import transaction
from application.chats import (
    ChatFilter,
    ChatKey,
    ChatView,
    LastMessage,
    MessageView,
    ProcessingRef,
)
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
_by_latest = (chats.c.last_message_at.desc(), chats.c.id.desc())


class PostgresChats:
    """The repository."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, owner: str | None, asked: ChatFilter, before: ChatKey | None, limit: int
    ) -> Sequence[ChatView]:
        """The latest message first, after `before`."""
        latest = _latest(owner, asked, before, limit).subquery()
        statement = _shown.join(latest, latest.c.id == chats.c.id).order_by(*_by_latest)
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_chat(row) for row in rows]

    async def get(self, chat_id: str, owner: str | None) -> ChatView | None:
        """None: there is none, or it is of another user's bot."""
        statement = _shown.where(chats.c.id == chat_id, *_owned(owner))
        async with transaction(self._engine) as connection:
            row = (await connection.execute(statement)).mappings().first()
        return _chat(row) if row is not None else None

    async def by_id(
        self, owner: str | None, asked: ChatFilter, after: str | None, limit: int
    ) -> Sequence[ChatView]:
        """The chats of a list in another order, which stays while people write."""
        conditions = [chats.c.last_message_at.is_not(None), *_owned(owner)]
        if asked.bot_id is not None:
            conditions.append(chats.c.bot_id == asked.bot_id)
        if asked.active_since is not None:
            conditions.append(chats.c.last_message_at >= asked.active_since)
        if asked.q is not None:
            conditions.append(_matches(chats.c, asked.q))
        if after is not None:
            conditions.append(chats.c.id > after)
        statement = _shown.where(*conditions).order_by(chats.c.id).limit(limit)
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_chat(row) for row in rows]

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
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_message(row) for row in rows]


def _latest(
    owner: str | None, asked: ChatFilter, before: ChatKey | None, limit: int
) -> Select[Any]:
    """The ids of a page. Each way to match is a page of its own, which an index can give; they
    are then one.
    """
    conditions: list[ColumnElement[bool]] = [chats.c.last_message_at.is_not(None)]
    if before is not None:
        conditions.append(tuple_(chats.c.last_message_at, chats.c.id) < tuple_(*before))
    if asked.active_since is not None:
        conditions.append(chats.c.last_message_at >= asked.active_since)
    if asked.bot_id is not None:
        conditions += [chats.c.bot_id == asked.bot_id, *_owned(owner)]
    statement = select(chats.c.id, chats.c.last_message_at).where(*conditions)
    narrowed = owner if asked.bot_id is None else None
    if asked.q is None:
        return _first(statement, narrowed, limit)
    if len(asked.q) < TRIGRAM:
        shown = statement.add_columns(chats.c.name, chats.c.tg_user_id, chats.c.telegram_chat_id)
        recent = _first(shown, narrowed, RECENT).subquery()
        found = select(recent.c.id, recent.c.last_message_at)
        found = found.outerjoin(tg_users, tg_users.c.id == recent.c.tg_user_id)
        found = found.where(_matches(recent.c, asked.q))
        return found.order_by(recent.c.last_message_at.desc(), recent.c.id.desc()).limit(limit)
    named = statement.where(holds(chats.c.name, asked.q))
    of_user = statement.join(tg_users, tg_users.c.id == chats.c.tg_user_id)
    ways = [named, of_user.where(holds(tg_users.c.username, asked.q))]
    if (number := _number(asked.q)) is not None:
        ways.append(statement.where(chats.c.telegram_chat_id == number))
    pages = union(*(select(_first(way, narrowed, limit).subquery()) for way in ways)).subquery()
    by_latest = (pages.c.last_message_at.desc(), pages.c.id.desc())
    return select(pages).order_by(*by_latest).limit(limit)


def _first(statement: Select[Any], owner: str | None, limit: int) -> Select[Any]:
    """The statement's first chats; of one user's bots each is asked for its own."""
    if owner is None:
        return statement.order_by(*_by_latest).limit(limit)
    each = statement.where(chats.c.bot_id == bots.c.id).correlate(bots)
    of_bot = each.order_by(*_by_latest).limit(limit).lateral()
    together = select(of_bot).select_from(bots.join(of_bot, true()))
    mine = together.where(bots.c.owner_user_id == UUID(owner))
    return mine.order_by(of_bot.c.last_message_at.desc(), of_bot.c.id.desc()).limit(limit)


def _matches(of: ReadOnlyColumnCollection[str, ColumnElement[Any]], q: str) -> ColumnElement[bool]:
    ways = [like(of["name"], q), like(tg_users.c.username, q)]
    if (number := _number(q)) is not None:
        ways.append(of["telegram_chat_id"] == number)
    return or_(*ways)


def _number(q: str) -> int | None:
    """Telegram's id of a chat, where the words are one."""
    digits = q.removeprefix("-")
    known = digits.isascii() and digits.isdecimal() and len(digits) <= 18
    return int(q) if known else None


def _owned(owner: str | None) -> list[ColumnElement[bool]]:
    if owner is None:
        return []
    return [chats.c.bot_id.in_(select(bots.c.id).where(bots.c.owner_user_id == UUID(owner)))]


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
        created_at=row["created_at"],
        tg_user_id=row["tg_user_id"],
        telegram_update_id=row["telegram_update_id"],
        processing=processing,
    )
