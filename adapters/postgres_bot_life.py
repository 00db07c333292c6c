"""A bot's own steps in PostgreSQL, each in one transaction (application.bot_life.BotStore)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters import pgqueuer_jobs
from adapters.postgres_schema import bots, journal
from adapters.postgres_transactions import transaction
from application.bot_life import BotTransaction
from application.conversations import JournalRow
from application.jobs import Job, Pick
from domain.bot import Bot, TelegramMode


class PostgresBotStore:
    """A bot's own steps, each in one transaction (fulfils application.bot_life.BotStore)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[BotTransaction]:
        """Committed at the end. Raises Unavailable."""
        async with transaction(self._engine) as connection:
            yield PostgresBotTransaction(connection)


class PostgresBotTransaction:
    """One transaction over one bot (application.bot_life.BotTransaction)."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def load(self, bot_id: int) -> Bot | None:
        """The bot, locked; those that only refer to its row need not wait."""
        statement = select(bots).where(bots.c.id == bot_id).with_for_update(key_share=True)
        row = (await self._connection.execute(statement)).mappings().first()
        if row is None:
            return None
        mode = TelegramMode(row["telegram_mode"])
        return Bot(row["id"], row["name"], mode, row["enabled"], row["is_active"], row["error"])

    async def save(self, bot: Bot, row: JournalRow, jobs: list[Job]) -> None:
        """The state, its journal row, and the jobs that it wished for."""
        await self._connection.execute(
            update(bots)
            .where(bots.c.id == bot.id)
            .values(
                telegram_mode=bot.mode,
                enabled=bot.enabled,
                is_active=bot.is_active,
                error=bot.error,
                updated_at=row.at,
                # What a look had found was true of the bot as it was.
                trouble_since=None,
                silent_reason=None,
                look_again_at=None,
            )
        )
        await self._connection.execute(
            insert(journal).values(
                key=row.key,
                at=row.at,
                id=row.id,
                turn_id=row.turn_id,
                from_state=row.from_state,
                event=row.event,
                effects=row.effects,
                state=row.state,
            )
        )
        await pgqueuer_jobs.publish(self._connection, jobs)

    async def acknowledge(self, pick: Pick) -> None:
        """Fenced: a job that another worker holds by now stays."""
        await pgqueuer_jobs.acknowledge(self._connection, [pick])

    async def publish(self, job: Job) -> None:
        """In this transaction."""
        await pgqueuer_jobs.publish(self._connection, [job])
