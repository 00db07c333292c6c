"""Transactions on PostgreSQL, with every way of being away told as application.jobs.Unavailable."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from application.jobs import Unavailable


def engine(url: str, *, pool_size: int, hot: bool = False) -> AsyncEngine:
    """An engine for PostgreSQL; `url` as in DATABASE_URL (postgresql://…).

    `hot`: for the loop's own statements. They all go by index; a plan made while a table was still
    empty would keep its sequential scan (SPEED.md, trap 3), so they are planned without any.
    """
    server_settings = {"application_name": "kotodom", "jit": "off"}
    if hot:
        server_settings["enable_seqscan"] = "off"
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=15,
        connect_args={"server_settings": server_settings, "timeout": 10},
    )


def sqlalchemy_url(url: str) -> str:
    """DATABASE_URL for SQLAlchemy's asyncpg dialect, whichever driver it names."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}" if separator and scheme != "sqlite" else url


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed at the end. Raises Unavailable, or the statement's own error."""
    try:
        async with engine.begin() as connection:
            yield connection
    except (OperationalError, InterfaceError, PoolTimeout, OSError, TimeoutError) as error:
        raise Unavailable(f"PostgreSQL is away: {error}") from error
    except DBAPIError as error:
        if error.connection_invalidated or _away(error.orig):
            raise Unavailable(f"PostgreSQL is away: {error.orig}") from error
        raise
    except asyncpg.PostgresConnectionError as error:
        raise Unavailable(f"PostgreSQL is away: {error}") from error


def _away(error: BaseException | None) -> bool:
    """Class 08 (connection), 53 (resources), 57 (operator intervention) of SQLSTATE."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    return str(state)[:2] in {"08", "53", "57"}


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
