"""Transactions on PostgreSQL, with every way of being away told as application.jobs.Unavailable."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from application.jobs import Unavailable


def engine(url: str, *, pool_size: int, hot: bool = False) -> AsyncEngine:
    """An engine for PostgreSQL; `url` as in DATABASE_URL, with whatever asyncpg knows (sslmode …).

    `hot`: for the loop's own statements. They all go by index; a plan made while a table was still
    empty would keep its sequential scan (SPEED.md, trap 3), so they are planned without any.
    """
    server_settings = {"application_name": "kotodom", "jit": "off"}
    if hot:
        server_settings["enable_seqscan"] = "off"

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            dsn(url),
            timeout=10,
            # One statement that hangs would hold up every chat behind it.
            command_timeout=30 if hot else None,
            server_settings=server_settings,
        )

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=pool_size,
        max_overflow=0,
        # Away from the loop, a look before each use costs less than an error after a restart.
        pool_pre_ping=not hot,
        pool_timeout=15,
        hide_parameters=True,  # what people wrote belongs in no log
    )


def dsn(url: str) -> str:
    """DATABASE_URL for asyncpg, whichever driver it names."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql{separator}{rest}" if scheme else url


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed at the end. Raises Unavailable, or the statement's own error."""
    with telling_away():
        async with engine.begin() as connection:
            yield connection


@contextmanager
def telling_away() -> Iterator[None]:
    """Every way in which PostgreSQL can be away becomes Unavailable, with its reason."""
    try:
        yield
    except DBAPIError as error:
        away = isinstance(error, OperationalError | InterfaceError) or _away(error.orig)
        if away or error.connection_invalidated:
            raise Unavailable(f"PostgreSQL is away: {error.orig}") from error
        raise
    except asyncpg.PostgresError as error:
        # Raised bare while connecting: a refused password, a database that is not there.
        raise Unavailable(f"PostgreSQL refuses: {error}") from error
    except (PoolTimeout, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise Unavailable(f"PostgreSQL is away: {str(error) or repr(error)}") from error


def _away(error: BaseException | None) -> bool:
    """SQLSTATE's classes: connection, user, database, resources, state of the server, operator.

    So are a deadlock and its kin (40), a server that is a standby by now (25006), its disks (58).
    """
    state = str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")
    return state == "25006" or state[:2] in {"08", "28", "3D", "40", "53", "55", "57", "58"}


async def fetch(
    connection: AsyncConnection, sql: str, *arguments: object
) -> Sequence[Sequence[Any]]:
    """Rows of a statement with $1-style parameters, past SQLAlchemy's compiler (SPEED.md)."""
    result = await connection.exec_driver_sql(sql, arguments)
    return result.fetchall()


async def execute(connection: AsyncConnection, sql: str, *arguments: object) -> int:
    """Run a statement with $1-style parameters; the number of rows it touched."""
    result = await connection.exec_driver_sql(sql, arguments)
    return result.rowcount
