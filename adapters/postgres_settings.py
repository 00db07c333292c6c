"""Settings in PostgreSQL, secrets encrypted (fulfils application.settings.SettingsStore)."""

from collections.abc import Mapping

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_schema import settings
from adapters.postgres_transactions import transaction
from adapters.secret_box import SecretBox, SecretUnreadable
from application.settings import SECRETS

log = structlog.get_logger(__name__)


class PostgresSettings:
    """The store."""

    def __init__(self, engine: AsyncEngine, box: SecretBox) -> None:
        self._engine = engine
        self._box = box

    async def read(self) -> dict[str, str]:
        """Those that are set, secrets decrypted; one that cannot be is told to the log."""
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(select(settings.c.id, settings.c.value))).all()
        readable: dict[str, str] = {}
        for name, value in rows:
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
        async with transaction(self._engine) as connection:
            if cleared:
                await connection.execute(delete(settings).where(settings.c.id.in_(cleared)))
            if rows:
                statement = insert(settings).values(rows)
                await connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=[settings.c.id], set_={"value": statement.excluded.value}
                    )
                )
