"""Transactions on PostgreSQL, with every way of being away told as application.jobs.Unavailable."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from adapters.postgres_pool import WatchedPool
from application.jobs import Busy, TookTooLong, Unavailable

CONNECTING = 10.0
"""Seconds that a new connection may take."""
LOOKING = 5.0
"""Seconds that a list may take: a hundred times what it should, and then it is given up."""
CANCELLED = "57014"
"""SQLSTATE query_canceled: by statement_timeout."""


def engine(
    url: str,
    *,
    pool_size: int,
    patience: float | None = None,
    hot: bool = False,
    name: str = "kotodom",
) -> AsyncEngine:
    """An engine for PostgreSQL; `url` as in DATABASE_URL, with whatever asyncpg knows (sslmode …).

    `name`: its connections' application_name. `patience`: seconds that a statement may take; then
    PostgreSQL is taken to be away, for a server that hangs, or a network that swallows everything,
    would else be waited for for ever.

    `hot`: for the loop's own statements. They all go by index; a plan made while a table was still
    empty would keep its sequential scan (SPEED.md, trap 3), so they are planned without any.
    """
    server_settings = {"application_name": name, "jit": "off"}
    if hot:
        server_settings["enable_seqscan"] = "off"

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            dsn(url),
            timeout=min(CONNECTING, patience or CONNECTING),
            command_timeout=patience,
            server_settings=server_settings,
        )

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        poolclass=WatchedPool,
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


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction for what people look at. Raises Unavailable; TookTooLong after LOOKING."""
    async with transaction(engine) as connection:
        await execute(connection, f"SET LOCAL statement_timeout = {round(LOOKING * 1000)}")
        try:
            yield connection
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != CANCELLED:
                raise
            raise TookTooLong(f"given up after {LOOKING:g} s") from error


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
    except PoolTimeout as error:
        raise Busy(f"every connection to PostgreSQL is in use: {error}") from error
    except (asyncpg.InterfaceError, OSError, TimeoutError) as error:
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
