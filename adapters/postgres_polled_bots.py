"""application.polling.PolledBots on PostgreSQL: a session's advisory lock is a poller's lease.

The lock lives as long as its connection, so a poller that dies, or loses the database, lets go of
all its bots at once.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.pgqueuer_worker import session_name
from adapters.postgres_bot_access import PostgresBotAccess
from adapters.postgres_transactions import fetch, transaction
from application.jobs import Unavailable
from application.ports import TelegramAccess

_CLASS = 0x706F6C6C
"""The advisory locks' first number: "poll" in ASCII; the second is the bot's id."""


LEASED = f"""
SELECT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND classid = {_CLASS} AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""The bots whose leases are held, each by the low 32 bits of its id."""


class AdvisoryLease:
    """application.polling.PollLease: it is held while its connection lives."""

    def __init__(self, gone: asyncio.Event) -> None:
        self._gone = gone

    async def lost(self) -> None:
        await self._gone.wait()


class PostgresPolledBots:
    """`dsn`: a direct one, not a pooler's: a session's lock needs a session."""

    def __init__(self, engine: AsyncEngine, bots: PostgresBotAccess, dsn: str) -> None:
        self._engine = engine
        self._bots = bots
        self._dsn = dsn
        self._connection: asyncpg.Connection | None = None
        self._gone = asyncio.Event()
        self._turn = asyncio.Lock()

    async def enabled(self) -> Sequence[int]:
        await self._connected()
        async with transaction(self._engine) as connection:
            rows = await fetch(
                connection, "SELECT id FROM bots WHERE enabled AND telegram_mode = 'POLLING'"
            )
        return [row[0] for row in rows]

    async def access(self, bot_id: int) -> TelegramAccess:
        return (await self._bots.get(bot_id)).telegram

    async def error(self, bot_id: int) -> str | None:
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, "SELECT error FROM bots WHERE id = $1", bot_id)
        return rows[0][0] if rows else None

    @asynccontextmanager
    async def lease(self, bot_id: int) -> AsyncIterator[AdvisoryLease | None]:
        """Raises Unavailable where PostgreSQL is away."""
        connection = await self._connected()
        gone = self._gone
        if not await self._run(connection, "SELECT pg_try_advisory_lock($1, $2)", bot_id):
            yield None
            return
        try:
            yield AdvisoryLease(gone)
        finally:
            if not connection.is_closed():
                # Raised from here, it would take the place of the cancellation that ends a poll.
                with suppress(Unavailable):
                    await self._run(connection, "SELECT pg_advisory_unlock($1, $2)", bot_id)

    async def close(self) -> None:
        """Let go of every lease."""
        if self._connection is not None:
            self._connection.terminate()

    async def _run(self, connection: asyncpg.Connection, sql: str, bot_id: int) -> bool:
        # The two-number form takes int4: ids beyond it fold, and two bots may then take turns.
        folded = (bot_id & 0x7FFFFFFF) - (bot_id & 0x80000000)
        try:
            async with self._turn:
                return bool(await connection.fetchval(sql, _CLASS, folded))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unavailable(f"PostgreSQL is away: {error}") from error

    async def _connected(self) -> asyncpg.Connection:
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                try:
                    self._connection = await asyncpg.connect(
                        self._dsn,
                        timeout=5,
                        command_timeout=5,
                        server_settings={"application_name": session_name("poller", os.getpid())},
                    )
                except (OSError, asyncpg.PostgresError, TimeoutError) as error:
                    raise Unavailable(f"PostgreSQL is away: {error}") from error
                self._gone = gone = asyncio.Event()
                self._connection.add_termination_listener(lambda _: gone.set())
            return self._connection
