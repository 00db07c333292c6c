"""Revision 0006: indexes made while the system works on, and again after a try that broke."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.embedded_postgres import PostgresAddress
from adapters.postgres_migrations import migrate
from adapters.postgres_transactions import engine as make_engine

NAME = "kotodom_lists"


@pytest.fixture
async def connection(postgres: PostgresAddress) -> AsyncIterator[asyncpg.Connection]:
    """A database as it was before the revision."""
    admin = await asyncpg.connect(postgres.dsn("postgres"))
    await admin.execute(f'CREATE DATABASE "{NAME}" TEMPLATE template0')
    before = make_engine(postgres.dsn(NAME), pool_size=1)
    await migrate(before, "0005")
    await before.dispose()
    connection = await asyncpg.connect(postgres.dsn(NAME))
    yield connection
    await connection.close()
    await admin.execute(f'DROP DATABASE "{NAME}"')
    await admin.close()


@pytest.fixture
async def old(
    postgres: PostgresAddress, connection: asyncpg.Connection
) -> AsyncIterator[AsyncEngine]:
    made = make_engine(postgres.dsn(NAME), pool_size=1)
    yield made
    await made.dispose()


async def test_a_try_that_broke_is_made_again(
    old: AsyncEngine, connection: asyncpg.Connection
) -> None:
    await connection.execute("CREATE EXTENSION pg_trgm")
    # As an interrupted CREATE INDEX CONCURRENTLY leaves it: there, and of no use.
    await connection.execute("CREATE INDEX ix_messages_text_trigrams ON messages (id)")
    await connection.execute(
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'ix_messages_text_trigrams'::regclass"
    )
    await migrate(old, "0006")
    rows = await connection.fetch("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")
    assert rows == []
    (definition,) = await connection.fetchrow(
        "SELECT pg_get_indexdef('ix_messages_text_trigrams'::regclass)"
    )
    assert "search_letters(text)" in definition


async def test_what_is_there_already_is_found(
    old: AsyncEngine, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO bots (name, token, token_fingerprint, telegram_mode)"
        " VALUES ('b', 't', 't', 'POLLING')"
    )
    await connection.execute(
        "INSERT INTO chats (id, telegram_chat_id, bot_id, name) VALUES ('1:1', 1, 1, 'Ёжик')"
    )
    await connection.execute(
        "INSERT INTO messages (chat_id, bot_id, sender, text) VALUES ('1:1', 1, 'USER', 'Привет')"
    )
    await migrate(old, "0006")
    for table, column, words in (("chats", "name", "ёжик"), ("messages", "text", "ПРИВЕТ")):
        found = await connection.fetchval(
            f"SELECT count(*) FROM {table} WHERE search_letters({column}) ILIKE search_letters($1)",
            f"%{words}%",
        )
        assert found == 1
