"""Chats in PostgreSQL: application.conversations.ConversationStore, one statement a fact.

Triggered by react's batches. The order of the statements matters: new chats first (sorted, or two
workers deadlock), then the locks, then the load in a statement of its own (its snapshot must be
newer than the locks, or it can miss an inbox row and strand it), then publish, save, acknowledge.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters import pgqueuer_jobs, postgres_turn_rows
from adapters.postgres_transactions import execute, fetch, transaction
from application.conversations import (
    Change,
    ConversationTransaction,
    Entry,
    Loaded,
    Unreadable,
)
from application.jobs import Pick, StatementFailed
from domain.events import BotProfile
from domain.telegram import User
from domain.turn import Conversation, Turn

_CREATE = """
INSERT INTO chats (id, bot_id, telegram_chat_id, topic_id)
SELECT ask.id, bots.id, split_part(ask.id, ':', 2)::bigint,
       NULLIF(split_part(ask.id, ':', 3), '')::bigint
FROM unnest($1::text[]) AS ask (id)
JOIN bots ON bots.id = split_part(ask.id, ':', 1)::bigint
-- A chat begins with a message; one that was deleted while its job ran stays away without one.
WHERE EXISTS (SELECT FROM telegram_updates line
              WHERE line.chat_id = ask.id AND line.state = 'WAITING')
ORDER BY ask.id
FOR KEY SHARE OF bots
ON CONFLICT DO NOTHING
"""

# Of a bot that is gone nothing is locked: others do not wait for what is being erased.
_LOCK = """
SELECT chats.id FROM chats JOIN bots ON bots.id = chats.bot_id
WHERE chats.id = ANY($1::text[]) ORDER BY chats.id FOR NO KEY UPDATE OF chats
"""

_LOAD = """
SELECT chat.id, chat.telegram_chat_id, chat.topic_id, chat.thread_id, chat.thread_upto,
       chat.context_from, chat.paused_at IS NOT NULL, chat.told, chat.epoch,
       processing.id, processing.turn,
       bot.id, bot.name, bot.username, bot.enabled, bot.error IS NOT NULL, bot.start_message,
       COALESCE(bot.help_text, (SELECT value FROM settings WHERE id = 'defaults.helpText')),
       COALESCE(bot.error_message, (SELECT value FROM settings WHERE id = 'defaults.errorMessage')),
       chat.owner_job_id, owner.status IN ('queued', 'picked'), held.id IS NOT NULL,
       line.update_id, line.payload, line.received_at,
       request.id, request.kind, request.payload, request.created_at,
       request.processing_id, request.turn,
       nextval('messages_id_seq')
FROM unnest($1::text[], $2::bigint[], $3::uuid[], $4::timestamptz[])
  AS ask (chat, job_id, manager, updated)
JOIN chats chat ON chat.id = ask.chat
JOIN bots bot ON bot.id = chat.bot_id
LEFT JOIN message_processing processing
  ON processing.chat_id = chat.id AND processing.status IN ('PROCESSING', 'FAILED')
LEFT JOIN pgqueuer owner ON owner.id = chat.owner_job_id
LEFT JOIN pgqueuer held
  ON held.id = ask.job_id AND held.queue_manager_id = ask.manager
 AND held.updated = ask.updated AND held.status = 'picked'
LEFT JOIN LATERAL (
    SELECT update_id, payload, received_at FROM telegram_updates
    WHERE chat_id = chat.id AND state = 'WAITING' ORDER BY update_id LIMIT 1
) line ON true
LEFT JOIN LATERAL (
    SELECT waiting.id, waiting.kind, waiting.payload, waiting.created_at,
           waiting.processing_id, again.turn
    FROM chat_requests waiting
    LEFT JOIN message_processing again ON again.id = waiting.processing_id
    WHERE waiting.chat_id = chat.id AND waiting.taken_at IS NULL ORDER BY waiting.id LIMIT 1
) request ON true
"""

_KNOW_USERS = """
INSERT INTO tg_users (id, username, name, full_name, language_code)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])
ON CONFLICT (id) DO UPDATE SET
    username = excluded.username, name = excluded.name,
    full_name = excluded.full_name, language_code = excluded.language_code
"""

_KNOWN = 100_000
"""How many chats and users a process remembers as being in the database already."""


class PostgresConversations:
    """The store. One instance per process: it remembers which chats and users exist."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._chats: set[str] = set()
        self._users: dict[int, User] = {}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[ConversationTransaction]:
        """One transaction; what it learnt is remembered after the commit, never before."""
        try:
            async with transaction(self._engine) as connection:
                current = _Transaction(connection, self._chats, self._users)
                yield current
        except DBAPIError as error:
            # Its words repeat what people wrote; they go into the timeline and to alerts.
            state = getattr(error.orig, "sqlstate", None)
            raise StatementFailed(f"{type(error).__name__} {state}") from None
        if len(self._chats) > _KNOWN:
            self._chats.clear()
        if len(self._users) > _KNOWN:
            self._users.clear()
        self._chats |= current.found
        self._chats -= current.missing
        self._users.update(current.learnt)


def conversations_on(connection: AsyncConnection) -> ConversationTransaction:
    """Chats in a transaction that others write in as well; nothing is remembered of them."""
    return _Transaction(connection, set(), {})


class _Transaction:
    def __init__(
        self, connection: AsyncConnection, chats: set[str], users: dict[int, User]
    ) -> None:
        self._connection = connection
        self._chats = chats
        self._users = users
        self.found: set[str] = set()
        self.missing: set[str] = set()
        self.learnt: dict[int, User] = {}

    async def load(self, asked: Sequence[tuple[str, Pick]]) -> dict[str, Loaded]:
        keys = sorted(key for key, _ in asked)
        loaded = await self._load(keys, [key for key in keys if key not in self._chats], asked)
        if lost := [key for key in keys if key not in loaded and key in self._chats]:
            # Deleted since we met it; it is made anew where somebody has written since then.
            loaded |= await self._load(lost, lost, [ask for ask in asked if ask[0] in lost])
        self.found = set(loaded)
        self.missing = set(keys) - self.found
        return loaded

    async def _load(
        self, keys: list[str], new: list[str], asked: Sequence[tuple[str, Pick]]
    ) -> dict[str, Loaded]:
        if new:
            await execute(self._connection, _CREATE, new)
        await fetch(self._connection, _LOCK, keys)
        rows = await fetch(
            self._connection,
            _LOAD,
            [key for key, _ in asked],
            [pick.job_id for _, pick in asked],
            [pick.manager for _, pick in asked],
            [pick.updated for _, pick in asked],
        )
        return {row[0]: _loaded(row) for row in rows}

    async def save(self, changes: Sequence[Change]) -> None:
        retries = [change for change in changes if change.retry is not None]
        jobs = [job for change in changes for job in change.jobs]
        job_ids = await pgqueuer_jobs.publish(
            self._connection, [*(change.retry for change in retries if change.retry), *jobs]
        )
        owners = dict(zip((change.chat for change in retries), job_ids, strict=False))
        await self._know_users(changes)
        saved = [change for change in changes if change.journal or change.owner != "keep"]
        if saved:
            await postgres_turn_rows.save(self._connection, saved, owners)
        await pgqueuer_jobs.acknowledge(
            self._connection, [change.pick for change in changes if change.acknowledge]
        )

    async def _know_users(self, changes: Sequence[Change]) -> None:
        for change in changes:
            incoming = change.begun.incoming if change.begun is not None else None
            user = incoming.from_user if incoming is not None else None
            if user is not None and self._users.get(user.id) != user:
                self.learnt[user.id] = user
        if not self.learnt:
            return
        users = [self.learnt[user_id] for user_id in sorted(self.learnt)]
        await execute(
            self._connection,
            _KNOW_USERS,
            [user.id for user in users],
            [postgres_turn_rows.storable(user.username) for user in users],
            [postgres_turn_rows.storable(user.first_name) for user in users],
            [postgres_turn_rows.storable(user.full_name) for user in users],
            [postgres_turn_rows.storable(user.language_code) for user in users],
        )


def _loaded(row: Sequence[Any]) -> Loaded:
    (
        key, chat_id, topic_id, thread_id, thread_upto, context_from, paused, told, epoch,
        processing_id, turn,
        bot_id, name, username, enabled, failing, start_message, help_text, error_message,
        owner_job_id, owner_lives, pick_held,
        update_id, update, received_at,
        request_id, kind, request, asked_at, again_id, again,
        new_id,
    ) = row  # fmt: skip
    unfinished = _turn(processing_id, turn)
    return Loaded(
        conversation=Conversation(
            id=key,
            chat_id=chat_id,
            topic_id=topic_id,
            thread_id=thread_id,
            thread_upto=thread_upto,
            context_from=context_from,
            paused=paused,
            told=tuple(told),
            epoch=epoch,
            turn=unfinished if isinstance(unfinished, Turn) else None,
        ),
        profile=BotProfile(
            id=bot_id,
            name=name,
            username=username,
            enabled=enabled,
            failing=failing,
            start_message=start_message,
            help_text=help_text,
            error_message=error_message,
        ),
        owner_job_id=owner_job_id,
        owner_lives=bool(owner_lives),
        pick_held=pick_held,
        update=None if update_id is None else Entry("UPDATE", update_id, update, received_at),
        request=(
            None
            if request_id is None
            else Entry(kind, request_id, request, asked_at, _turn(again_id, again))
        ),
        new_id=new_id,
        unreadable=unfinished if isinstance(unfinished, Unreadable) else None,
    )


def _turn(processing_id: int, text: str | None) -> Turn | Unreadable | None:
    """One chat's row must not take the batch along: what cannot be read is told as such."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Turn)
    except msgspec.MsgspecError as error:
        return Unreadable(processing_id, f"its turn cannot be read: {error}")
