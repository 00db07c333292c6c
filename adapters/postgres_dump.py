"""A database into a file and back, by PostgreSQL's pg_dump and pg_restore (custom format, gzip).

Triggered by `kotodom backup` and `kotodom restore`.

A backup is of one moment: the counts and pg_dump's rows are of the same exported snapshot. A
restore is one transaction: what fails leaves the database as it was.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg

from adapters.postgres_programs import PLAIN, DumpError, find_program, for_libpq, run
from adapters.postgres_schema import metadata
from adapters.postgres_transactions import dsn, telling_away

_MAGIC = b"PGDMP"
_LOCK_WAIT = "60s"
"""How long pg_dump waits for a table that a migration holds."""
_OURS = ("alembic_version", "pgqueuer", *metadata.tables)
_NOT_OURS = ("--no-owner", "--no-privileges", "--no-comments", "--no-security-labels")
"""Not restored: who owned what, and what an extension's own maker alone may say of it."""

_TABLES = """
SELECT tablename FROM pg_tables
WHERE (schemaname = 'public' OR schemaname = ANY (current_schemas(false)))
  AND tablename = ANY ($1) ORDER BY tablename
"""
_SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND starts_with(application_name, 'kotodom')
"""
_MAY_CREATE = """
SELECT has_database_privilege(current_database(), 'CREATE')
       AND has_schema_privilege(to_regnamespace('public'), 'CREATE') IS NOT FALSE
"""
_SNAPSHOT = """
SELECT pg_export_snapshot(), (SELECT version_num FROM alembic_version),
       (SELECT count(*) FROM bots), (SELECT count(*) FROM messages)
"""
_CONTENTS = """
SELECT (SELECT count(*) FROM bots), (SELECT count(*) FROM messages),
       (SELECT count(*) FROM message_processing WHERE status IN ('PROCESSING', 'FAILED'))
       + (SELECT count(*) FROM telegram_updates WHERE state = 'WAITING')
"""
_LISTED = {b"alembic_version", b"bots", b"pgqueuer"}
_TABLE = re.compile(rb" TABLE \S+ (\S+) ")
_REVISION_ROW = re.compile(rb"^COPY \S*alembic_version .*\n([^\n\\]+)\n", re.MULTILINE)
_TAKEN = re.compile(rb"^; Archive created at (.+)$", re.MULTILINE)


class PlaceNotEmptyError(DumpError):
    """There is a system already where a backup was to go."""


class Snapshot(NamedTuple):
    """A moment of a database: what is in it, and the name by which pg_dump may look at it."""

    name: str
    server: int
    """The major version of PostgreSQL."""
    revision: str
    bots: int
    messages: int


class Archive(NamedTuple):
    """A file that is a backup of ours, and what it says of itself."""

    path: Path
    revision: str
    taken_at: str


class Contents(NamedTuple):
    """What a restored database has. `open`: messages whose answers are still to be sent."""

    bots: int
    messages: int
    open: int


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """The database as it is now, for as long as the context lasts; nobody is held up by it.

    `url`: a direct one, not a pooler's. Raises DumpError, Unavailable.
    """
    async with _connected(url) as connection:
        with telling_away():
            if "alembic_version" not in await _tables(connection):
                raise DumpError(
                    "there is nothing to back up: the database has no tables of Kotodom"
                )
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            (row,) = await connection.fetch(_SNAPSHOT)
        yield Snapshot(row[0], connection.get_server_version().major, *row[1:])


async def dump(url: str, seen: Snapshot, out: Path | int) -> None:
    """Write the snapshot to a file or a descriptor. Cancelled, it ends pg_dump first.

    To a file by its name: to one that is redirected pg_dump writes its contents' list twice.
    Raises DumpError; BrokenPipeError where the reader left.
    """
    program = await find_program("pg_dump", seen.server)
    address, environment = for_libpq(url)
    how = ("--format=custom", f"--snapshot={seen.name}", f"--lock-wait-timeout={_LOCK_WAIT}")
    argv = [str(program), *how, "--dbname", address]
    if isinstance(out, int):
        await run(argv, environment, out)
    else:
        await run([*argv, "--file", str(out)], environment)


async def archive(path: Path, name: object) -> Archive:
    """What a backup says of itself; nothing is asked but the file. `name`: as a person knows it.

    Raises DumpError where it cannot be read, or is no backup of ours.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(len(_MAGIC))
    except OSError as error:
        raise DumpError(f"{name}: {error.strerror}") from None
    if begins != _MAGIC:
        raise DumpError(f"{name} is no file of `kotodom backup`")
    program = str(await find_program("pg_restore", 0))
    only = ("--data-only", "--table=alembic_version", "--file=-")
    try:
        listed = await run([program, "--list", str(path)], PLAIN)
        schema = await run([program, *only, str(path)], PLAIN)
    except DumpError as error:
        raise DumpError(f"{name} cannot be read as a backup: {error}") from None
    row = _REVISION_ROW.search(schema)
    if row is None or _LISTED - set(_TABLE.findall(listed)):
        raise DumpError(f"{name} is a backup of PostgreSQL, but not of Kotodom")
    taken = _TAKEN.search(listed)
    return Archive(path, row[1].decode(), taken[1].decode() if taken else "a moment unknown")


async def check_empty(url: str) -> int:
    """The major version of a server whose database has nothing of ours, and nobody who wants it.

    It is known by then that we may make tables there.
    Raises PlaceNotEmptyError, DumpError, Unavailable.
    """
    async with _connected(url) as connection:
        with telling_away():
            if tables := await _tables(connection):
                raise PlaceNotEmptyError(
                    f"the place is not empty, it has tables of Kotodom ({', '.join(tables[:3])}, …)"
                )
            if sessions := await connection.fetchval(_SESSIONS):
                raise DumpError(
                    f"Kotodom is connected to the database (sessions: {sessions}): stop every part"
                )
            if not await connection.fetchval(_MAY_CREATE):
                raise DumpError(
                    "DATABASE_URL's user may make no tables in its database: it has to be the "
                    "database's owner (createdb --owner=USER NAME)"
                )
        return connection.get_server_version().major


async def restore(url: str, stored: Archive, server: int) -> None:
    """Bring all of it into an empty database, in one transaction. Raises DumpError.

    Cancelled, it ends pg_restore first: PostgreSQL then undoes what that had begun.
    """
    program = await find_program("pg_restore", server)
    address, environment = for_libpq(url)
    how = ("--single-transaction", *_NOT_OURS, "--dbname", address)
    await run([str(program), *how, str(stored.path)], environment)


async def take_stock(url: str) -> Contents:
    """Let PostgreSQL learn what is in the tables, or it plans for empty ones; and what is in them.

    The schema is current. Raises Unavailable.
    """
    async with _connected(url) as connection:
        with telling_away():
            await connection.execute("ANALYZE")
            (row,) = await connection.fetch(_CONTENTS)
            return Contents(*row)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    with telling_away():
        connection = await asyncpg.connect(dsn(url), timeout=10)
    try:
        yield connection
    finally:
        connection.terminate()


async def _tables(connection: asyncpg.Connection) -> list[str]:
    return [row["tablename"] for row in await connection.fetch(_TABLES, list(_OURS))]
