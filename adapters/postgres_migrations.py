"""Runs the Alembic revisions of migrations/ on a database, once, however many start at once.

Triggered by `kotodom migrate` and by every command that needs a current schema. A session-level
advisory lock makes whoever comes second wait, and then find nothing to do. It is asked for
again and again: an index that is made concurrently waits for whoever waits inside a statement.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations
from adapters.newer_schema import NewerSchemaError
from adapters.postgres_transactions import telling_away
from application.jobs import Unavailable

ADVISORY_KEY = 0x6B6F746F646F6D
"""The advisory lock's number: "kotodom" in ASCII."""
_TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, with the connection that migrations/env.py takes."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__path__[0])))
    config.attributes["connection"] = connection
    return config


async def migrate(engine: AsyncEngine, revision: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema up (or, by a named revision, down); the revisions (before, after).

    Raises NewerSchemaError, Unavailable.
    """

    def move(connection: Connection) -> tuple[str | None, str | None]:
        before = _revision(connection)
        if before is not None and not knows(before):
            raise NewerSchemaError(before)
        connection.commit()  # each revision has transactions of its own
        config = alembic_config(connection)
        if revision == "head" or before is None:
            command.upgrade(config, revision)
        else:
            _towards(config, before, revision)(config, revision)
        return before, _revision(connection)

    with telling_away():
        return await _migrate(engine, move)


async def _migrate(
    engine: AsyncEngine, move: Callable[[Connection], tuple[str | None, str | None]]
) -> tuple[str | None, str | None]:
    async with engine.connect() as connection:
        while not await connection.scalar(_TRY_LOCK, {"key": ADVISORY_KEY}):
            await connection.commit()
            await asyncio.sleep(0.2)
        await connection.commit()
        try:
            result = await connection.run_sync(move)
            await connection.commit()
        finally:
            await connection.rollback()
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_KEY})
            await connection.commit()
    return result


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the database has the revision that this code was written for, or that of a newer
    Kotodom: beside its processes older ones work on. Raises Unavailable.
    """
    with telling_away():
        async with engine.connect() as connection:
            revision = await connection.run_sync(_revision)
    if revision is None:
        return False
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    return revision == head or not knows(revision)


async def require_current(engine: AsyncEngine) -> None:
    """Raises Unavailable where the schema is not up to date, in words for who gave a command."""
    if not await is_current(engine):
        raise Unavailable("its schema is not up to date; run `kotodom migrate` first")


def knows(revision: str) -> bool:
    """Whether this code has a revision of this name: a database that has it can be brought up."""
    script = ScriptDirectory.from_config(alembic_config())
    return any(each.revision == revision for each in script.walk_revisions())


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _towards(config: Config, before: str, revision: str) -> Callable[[Config, str], None]:
    """upgrade or downgrade, whichever leads from the one revision to the other."""
    if revision == "base":
        return command.downgrade
    script = ScriptDirectory.from_config(config)
    newer = {item.revision for item in script.iterate_revisions("head", before)}
    return command.upgrade if revision in newer else command.downgrade
