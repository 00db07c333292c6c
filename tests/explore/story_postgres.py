"""story_hands.Hands on PostgreSQL: production's statements, and the few that have no code yet."""

from datetime import timedelta
from uuid import NAMESPACE_DNS, UUID, uuid4, uuid5

import asyncpg
import msgspec
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from pgqueuer.domain.types import QueueEntrypoint, QueueManagerId
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import pgqueuer_jobs
from adapters.pgqueuer_leases import HEARTBEAT_TIMEOUT, HeldLease, release
from adapters.postgres_conversations import PostgresConversations
from adapters.postgres_inbox import PostgresInbox
from adapters.postgres_processing import PostgresProcessing
from adapters.postgres_sweep import PostgresSweep
from adapters.postgres_transactions import execute, fetch, transaction
from adapters.system_clock import SystemClock
from application.conversations import ConversationStore, EntryKind
from application.intake import Receipt, incoming_update
from application.jobs import Job, Pick
from application.ports import Clock
from application.processing import Processing
from domain.access import Actor, Role
from domain.effects import HANDLE_UPDATE
from tests.explore.story_hands import CHAT, DAY, OPERATOR, End
from tests.journal_steps import decoded

ADMIN = Actor(str(uuid4()), "admin@example.com", Role.ADMIN)
_CLEAN = """
TRUNCATE bots, chats, messages, message_processing, telegram_updates, chat_requests, journal,
         pgqueuer, pgqueuer_log CASCADE
"""
_BOT = """
INSERT INTO bots (id, name, token, token_fingerprint, username, telegram_mode, enabled)
OVERRIDING SYSTEM VALUE VALUES (3, 'Kotodom', '', '', 'kotodom_bot', 'WEBHOOK', true)
"""
_MESSAGES = """
SELECT status, telegram_update_id, run_id, parts_sent, terminal_reason, attempts
FROM message_processing ORDER BY id
"""


class PostgresHands:
    """On a database that `begin` empties."""

    def __init__(self, engine: AsyncEngine, url: str) -> None:
        self._engine = engine
        self._url = url
        self.clock: Clock = SystemClock()

    async def begin(self) -> None:
        """Nothing but the bot."""
        async with transaction(self._engine) as connection:
            await execute(connection, _CLEAN)
            await execute(connection, _BOT)

    def store(self) -> ConversationStore:
        return PostgresConversations(self._engine)

    async def says(self, update_id: int, body: bytes) -> bool:
        (receipt,) = await PostgresInbox(self._engine).insert([incoming_update(3, body)])
        return receipt is Receipt.KEPT

    async def asks(self, kind: EntryKind) -> None:
        words = msgspec.json.encode(OPERATOR if kind == "OPERATOR_MESSAGE" else ()).decode()
        async with transaction(self._engine) as connection:
            await execute(
                connection,
                "INSERT INTO chat_requests (chat_id, kind, payload) VALUES ($1, $2, $3)",
                CHAT,
                kind,
                words,
            )
            await pgqueuer_jobs.publish(connection, [Job(HANDLE_UPDATE, CHAT.encode())])

    async def tries_again(self, processing_id: int) -> None:
        await Processing(PostgresProcessing(self._engine)).retry(ADMIN, processing_id)

    async def enables(self, enabled: bool) -> None:
        async with transaction(self._engine) as connection:
            await execute(connection, "UPDATE bots SET enabled = $1", enabled)
        if enabled:
            await PostgresSweep(self._engine).publish_waiting(3)

    async def picks(self, manager: str) -> Pick | None:
        query = QueryQueueBuilder().build_dequeue_query(
            batch_size=1,
            entrypoints=[QueueEntrypoint(HANDLE_UPDATE)],
            concurrency_limits=[0],
            queue_manager_id=QueueManagerId(_manager(manager)),
            global_concurrency_limit=None,
            heartbeat_timeout=timedelta(seconds=HEARTBEAT_TIMEOUT),
        )
        async with transaction(self._engine) as connection:
            result = await connection.exec_driver_sql(query.sql, tuple(query.args))
            row = result.mappings().first()
        return Pick(row["id"], str(_manager(manager)), row["updated"]) if row else None

    async def lapses(self, pick: Pick) -> None:
        await self._execute(
            "UPDATE pgqueuer SET heartbeat = now() - interval '1 minute' WHERE id = $1",
            pick.job_id,
        )

    async def hands_back(self, pick: Pick) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            await release(connection, [HeldLease(pick, CHAT.encode(), 0.0, again=False)])
        finally:
            await connection.close()

    async def becomes_due(self) -> None:
        await self._execute("UPDATE pgqueuer SET execute_after = now() WHERE status = 'queued'")

    async def a_day_passes(self) -> None:
        await self._execute(
            "UPDATE telegram_updates SET received_at = received_at - $1::interval", DAY
        )

    async def sweeps(self) -> int:
        return await PostgresSweep(self._engine).publish_stranded()

    async def end(self) -> End:
        async with transaction(self._engine) as connection:
            messages = await fetch(connection, _MESSAGES)
            updates = await fetch(
                connection,
                "SELECT update_id FROM telegram_updates WHERE state = 'WAITING' ORDER BY 1",
            )
            requests = await fetch(
                connection, "SELECT kind FROM chat_requests WHERE taken_at IS NULL ORDER BY id"
            )
            jobs = await fetch(
                connection,
                "SELECT status::text FROM pgqueuer WHERE entrypoint = $1 ORDER BY 1",
                HANDLE_UPDATE,
            )
            events = await fetch(connection, "SELECT event FROM journal ORDER BY seq")
            owned = await fetch(connection, "SELECT id FROM chats WHERE owner_job_id IS NOT NULL")
        return End(
            messages=[tuple(row) for row in messages],
            waiting_updates=[update for (update,) in updates],
            waiting_requests=[kind for (kind,) in requests],
            jobs=[status for (status,) in jobs],
            steps=[decoded(event)["type"] for (event,) in events],
            owned=bool(owned),
        )

    async def _execute(self, sql: str, *arguments: object) -> None:
        async with transaction(self._engine) as connection:
            await execute(connection, sql, *arguments)


def _manager(name: str) -> UUID:
    return uuid5(NAMESPACE_DNS, name)
