"""What a person does in a chat, in PostgreSQL (fulfils application.chat_actions.ChatActionStore).

The chat's lock comes first, and what is decided is read after it, in a statement of its own.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters import pgqueuer_jobs
from adapters.postgres_conversations import conversations_on
from adapters.postgres_statistics import COUNT_AGAIN
from adapters.postgres_transactions import fetch, transaction
from application.chat_actions import ChatTransaction, Erased, LockedChat, Waiting
from application.conversations import Change, EntryKind, Loaded
from application.jobs import Job, Pick
from domain.effects import HANDLE_UPDATE

_SEEN = """
SELECT bot_id, thread_id FROM chats WHERE id = $1
AND bot_id IN (SELECT id FROM bots WHERE $2::uuid IS NULL OR owner_user_id = $2::uuid)
"""
_LOCK = f"{_SEEN} FOR NO KEY UPDATE"
_LOCK_WHOLE = f"{_SEEN} FOR UPDATE"

_ASK = """
INSERT INTO chat_requests (chat_id, kind, payload) VALUES ($1, $2, $3) RETURNING id, created_at
"""

# One statement: of an update that arrives meanwhile, row and job are both seen, or neither is.
# Jobs are locked in the order in which heartbeats lock them. Updates go that wait, and that became
# its messages: both are found by index. What became none (an edited one, a reaction) is looked for
# among all of the bot's, which takes long, and so afterwards (application/erasure.py).
_ERASE = f"""
WITH jobs AS (
    DELETE FROM pgqueuer WHERE id IN (
        SELECT id FROM pgqueuer
        WHERE entrypoint = $2 AND payload = convert_to($1, 'UTF8') ORDER BY id FOR UPDATE)
    RETURNING id, entrypoint, priority
), logged AS (
    INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
    SELECT id, 'deleted', entrypoint, priority FROM jobs
), updates AS (
    DELETE FROM telegram_updates
    WHERE (bot_id, update_id) IN (
        SELECT bot_id, update_id FROM telegram_updates WHERE chat_id = $1 AND state = 'WAITING'
      UNION
        SELECT bot_id, telegram_update_id FROM messages
        WHERE chat_id = $1 AND telegram_update_id IS NOT NULL)
    RETURNING 1
), uncounted AS (
    {COUNT_AGAIN.format(which="id IN (SELECT id FROM messages WHERE chat_id = $1)")}
), others AS (
    INSERT INTO erasures (bot_id, chat_id) VALUES ($3, $1)
), requests AS (
    DELETE FROM chat_requests WHERE chat_id = $1 RETURNING 1
), processed AS (
    DELETE FROM message_processing
    WHERE id IN (SELECT id FROM messages WHERE chat_id = $1) RETURNING 1
), written AS (
    DELETE FROM messages WHERE chat_id = $1 RETURNING 1
), steps AS (
    DELETE FROM journal WHERE key = $1 RETURNING 1
), chat AS (
    DELETE FROM chats WHERE id = $1
)
SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM processed),
       (SELECT count(*) FROM updates), (SELECT count(*) FROM requests),
       (SELECT count(*) FROM steps), (SELECT count(*) FROM jobs)
"""


class PostgresChatActions:
    """The store."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[ChatTransaction]:
        """Committed at the end. Raises Unavailable."""
        async with transaction(self._engine) as connection:
            yield _ChatTransaction(connection)


class _ChatTransaction:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._conversations = conversations_on(connection)

    async def load(self, chat_id: str, owner: str | None, pick: Pick) -> Loaded | None:
        """None: it is not there, or it is of another user's bot."""
        if await self._seen(_LOCK, chat_id, owner) is None:
            return None
        return (await self._conversations.load([(chat_id, pick)])).get(chat_id)

    async def lock_whole(self, chat_id: str, owner: str | None) -> LockedChat | None:
        """Not even a row that only refers to the chat can come in."""
        row = await self._seen(_LOCK_WHOLE, chat_id, owner)
        return LockedChat(*row) if row is not None else None

    async def ask(self, chat_id: str, kind: EntryKind, payload: str) -> Waiting:
        """Its job is committed with it."""
        ((request_id, created_at),) = await fetch(self._connection, _ASK, chat_id, kind, payload)
        await self.publish(Job(HANDLE_UPDATE, chat_id.encode()))
        return Waiting(request_id, chat_id, kind, created_at)

    async def save(self, change: Change) -> None:
        """As react does."""
        await self._conversations.save([change])

    async def erase(self, chat_id: str) -> Erased:
        """Everything but its users' names, who may be in other chats."""
        bot_id = int(chat_id.partition(":")[0])
        (counts,) = await fetch(self._connection, _ERASE, chat_id, HANDLE_UPDATE, bot_id)
        return Erased(chat_id, *counts)

    async def publish(self, job: Job) -> None:
        """In this transaction."""
        await pgqueuer_jobs.publish(self._connection, [job])

    async def _seen(self, lock: str, chat_id: str, owner: str | None) -> Sequence[Any] | None:
        rows = await fetch(
            self._connection, lock, chat_id, UUID(owner) if owner is not None else None
        )
        return rows[0] if rows else None
