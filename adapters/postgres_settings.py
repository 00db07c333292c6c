"""Settings in PostgreSQL, secrets encrypted (fulfils application.settings.SettingsStore)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres_schema import settings
from adapters.postgres_transactions import transaction
from adapters.secret_box import SecretBox, SecretUnreadable
from application.settings import SECRETS, SettingsTransaction

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('kotodom settings'))")

log = structlog.get_logger(__name__)


class PostgresSettings:
    """The store."""

    def __init__(self, engine: AsyncEngine, box: SecretBox) -> None:
        self._engine = engine
        self._box = box

    async def read(self) -> dict[str, str]:
        """Those that are set, secrets decrypted; one that cannot be is told to the log."""
        async with self._opened() as transaction:
            return await transaction.read()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SettingsTransaction]:
        """Until it ends, no other one changes settings. Raises Unavailable."""
        async with self._opened() as transaction:
            await transaction.lock()
            yield transaction

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator["_SettingsTransaction"]:
        async with transaction(self._engine) as connection:
            yield _SettingsTransaction(connection, self._box)


class _SettingsTransaction:
    def __init__(self, connection: AsyncConnection, box: SecretBox) -> None:
        self._connection = connection
        self._box = box

    async def lock(self) -> None:
        await self._connection.execute(_LOCK)

    async def read(self) -> dict[str, str]:
        """Those that are set, secrets decrypted; one that cannot be is told to the log."""
        found = await self._connection.execute(select(settings.c.id, settings.c.value))
        readable: dict[str, str] = {}
        for name, value in found:
            try:
                readable[name] = self._box.decrypt(value) if name in SECRETS else value
            except SecretUnreadable as error:
                log.error("settings.unreadable", setting=name, reason=str(error))
        return readable

    async def write(self, changes: Mapping[str, str | None]) -> None:
        """None: it is set no more."""
        cleared = [name for name, value in changes.items() if value is None]
        rows = [
            {"id": name, "value": self._box.encrypt(value) if name in SECRETS else value}
            for name, value in sorted(changes.items())
            if value is not None
        ]
        if cleared:
            await self._connection.execute(delete(settings).where(settings.c.id.in_(cleared)))
        if rows:
            statement = insert(settings).values(rows)
            await self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[settings.c.id], set_={"value": statement.excluded.value}
                )
            )
