"""Closes an engine's connections at once, whatever PostgreSQL does.

Called where a process ends. A connection's goodbye would wait for the server to read it, for ever
where it hangs; PostgreSQL takes a session that is gone for one that has ended.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakSet

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


@asynccontextmanager
async def closing(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """Yields the engine; at the end its connections are cut, those in use as well."""
    connections: WeakSet[asyncpg.Connection] = WeakSet()

    def made(connection: Any, _: object) -> None:  # noqa: ANN401 - SQLAlchemy's adapted connection
        connections.add(connection.driver_connection)

    event.listen(engine.sync_engine, "connect", made)
    yield engine
    for connection in list(connections):
        connection.terminate()
    await engine.dispose(close=False)
