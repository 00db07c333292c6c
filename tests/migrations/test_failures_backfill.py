"""Revision 0005: the failures that are there already get their kinds, as the code finds them."""

from itertools import count

import asyncpg
import pytest

from adapters.embedded_postgres import PostgresAddress
from adapters.postgres_migrations import migrate
from adapters.postgres_transactions import engine as make_engine
from domain.alerts import fingerprint

_numbers = count(1)
REASONS = [
    "gave up: HTTP 503 after 12.5 s",
    "the model refused: I am sorry,\nbut 5 is too many",
    "a malformed answer: <html>17</html>",
    "ошибка5 сервера 10.0.0.7, run resp_abc-1.x",
    "x1" * 300,
    "bot disabled",
]


@pytest.mark.parametrize("status", ["FAILED", "TERMINAL"])
async def test_kinds_of_former_failures(postgres: PostgresAddress, status: str) -> None:
    name = f"kotodom_backfill_{next(_numbers)}"
    connection = await asyncpg.connect(postgres.dsn("postgres"))
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    await connection.close()
    engine = make_engine(postgres.dsn(name), pool_size=1)
    await migrate(engine, "0004")
    connection = await asyncpg.connect(postgres.dsn(name))
    column = "last_error" if status == "FAILED" else "terminal_reason"
    await connection.execute(
        "INSERT INTO bots (name, token, token_fingerprint, telegram_mode)"
        " VALUES ('Ann', 't', 't', 'POLLING')"
    )
    for number, reason in enumerate([*REASONS, None, "never failed: 5"], 1):
        await connection.execute(
            "INSERT INTO chats (id, telegram_chat_id, bot_id) VALUES ($1, $2, 1)",
            f"1:{number}",
            number,
        )
        await connection.execute(
            "INSERT INTO messages (id, chat_id, bot_id, sender, text)"
            " VALUES ($1, $2, 1, 'USER', 'Hi')",
            number,
            f"1:{number}",
        )
        await connection.execute(
            "INSERT INTO message_processing"
            f" (id, user_message_id, bot_id, chat_id, status, {column})"
            " VALUES ($1, $1, 1, $2, $3, $4)",
            number,
            f"1:{number}",
            status if number < len(REASONS) + 2 else "COMPLETED",
            reason,
        )
    await migrate(engine, "0005")
    rows = await connection.fetch("SELECT fingerprint FROM message_processing ORDER BY id")
    await connection.close()
    await engine.dispose()
    assert [row[0] for row in rows] == [*map(fingerprint, REASONS), "", None]
