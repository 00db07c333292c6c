"""The revisions: up and down one by one, the schema that the code expects, several at once."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pgqueuer.adapters.persistence.queries import Queries
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_migrations import alembic_config, is_current, migrate
from adapters.postgres_schema import metadata
from adapters.postgres_transactions import engine as make_engine

REVISIONS = [
    script.revision
    for script in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))
]


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(empty_url, pool_size=3)
    yield made
    await made.dispose()


async def _catalogue(url: str) -> list[tuple[object, ...]]:
    """Every table, column, index, constraint, enum and extended statistics of the public schema."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        """
        SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
               pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relname <> 'alembic_version' AND c.relname <> 'alembic_version_pkc'
        UNION ALL SELECT 'index', tablename, indexname, indexdef, NULL FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION ALL SELECT 'constraint', conrelid::regclass::text, conname,
               pg_get_constraintdef(oid), NULL
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
          AND conrelid <> 0 AND conrelid::regclass::text <> 'alembic_version'
        UNION ALL SELECT 'type', typname, '', typtype::text, NULL FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
        UNION ALL SELECT 'statistics', stxname, stxstattarget::text,
               pg_get_statisticsobjdef(oid), NULL
        FROM pg_statistic_ext WHERE stxnamespace = 'public'::regnamespace
        ORDER BY 1, 2, 3
        """
    )
    await connection.close()
    return [tuple(row) for row in rows]


async def test_stairway(empty: AsyncEngine, empty_url: str) -> None:
    """Each revision goes up, down and up again, and leaves what it left the first time."""
    for number, revision in enumerate(REVISIONS):
        before = await _catalogue(empty_url)
        await migrate(empty, revision)
        there = await _catalogue(empty_url)
        assert there != before
        await migrate(empty, REVISIONS[number - 1] if number else "base")
        assert await _catalogue(empty_url) == before
        await migrate(empty, revision)
        assert await _catalogue(empty_url) == there
    assert await is_current(empty)


async def test_the_revisions_make_the_schema_of_the_code(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        def ours(name: str | None, kind: str, _: object) -> bool:
            return not (kind == "table" and str(name).startswith("pgqueuer"))

        options = {"include_name": ours, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_pgqueuer_finds_the_schema_it_declares(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    plan = await Queries.from_asyncpg_connection(connection).plan_upgrade()
    await connection.close()
    assert list(plan.statements) == []


async def test_the_schema_of_a_newer_version_is_left_alone(
    empty: AsyncEngine, empty_url: str
) -> None:
    await migrate(empty)
    connection = await asyncpg.connect(empty_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert await is_current(empty)
    told = await _kotodom("migrate", empty_url)
    assert told == (
        2,
        "kotodom migrate: the database's schema is 9999, of a newer Kotodom, which this one does "
        "not know: install that version again, or restore a backup of before\n",
    )
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9999"
    await connection.close()


async def test_several_that_start_at_once(empty: AsyncEngine, empty_url: str) -> None:
    told = await asyncio.gather(*(_kotodom("migrate", empty_url) for _ in range(4)))
    assert [code for code, _ in told] == [0, 0, 0, 0], told
    assert await is_current(empty)
    assert sum("→" in line for _, line in told) == 1


async def _kotodom(command: str, url: str) -> tuple[int | None, str]:
    """A command's exit code, and what it tells."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "SECRET_KEY": "a-secret-key-of-the-tests-and-of-nothing-else",
    }
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("kotodom")),
        command,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    return process.returncode, told.decode()
