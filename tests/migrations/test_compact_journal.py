"""Revision 0008: the journal's JSON becomes bytes, and text again on the way back."""

from collections.abc import AsyncIterator
from itertools import count

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.embedded_postgres import PostgresAddress
from adapters.journal_compression import packed
from adapters.postgres_journal import PostgresJournal
from adapters.postgres_migrations import migrate
from adapters.postgres_transactions import engine as make_engine
from application.recordings import RecordingFilter, StoredStep
from tests.domain.given import NOW

_numbers = count(1)
STEPS = [
    StoredStep(1, "3:42", NOW, "a", '{"id":"3:42"}', '{"type":"ж👛\\u0000"}', "[]", "x", 7),
    StoredStep(2, "3:42", NOW, "b", None, '{"type":"é"}', '[{"type":"ы"}, 1]', "y", 7),
    StoredStep(3, "bot:3", NOW, "c", "{}", f'{{"long":"{"Слово " * 5_000}"}}', "[ ]", "z"),
]
LATER = StoredStep(
    4,
    *("3:42", NOW, "d"),
    '{"type":"chat","id":"3:42","chat_id":42}',
    '{"type":"telegram.messageSent","turn":{"id":5,"epoch":1}}',
    '[{"type":"telegram.sendMessage","turn":{"id":5,"epoch":1}}]',
    "v",
)
"""Written after the revision, by the loop."""
PACKED = [packed(json.encode()) for json in (LATER.from_state, LATER.event, LATER.effects) if json]
_TEXT = ["seq", "key", "at", "id", "turn_id", "from_state", "event", "effects", "state"]


@pytest.fixture
async def url(postgres: PostgresAddress) -> AsyncIterator[str]:
    name = f"kotodom_compact_{next(_numbers)}"
    admin = await asyncpg.connect(postgres.dsn("postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield postgres.dsn(name)
    await admin.execute(f'DROP DATABASE "{name}"')
    await admin.close()


@pytest.fixture
async def former(url: str) -> AsyncIterator[AsyncEngine]:
    """A database as it was before the revision, with a journal."""
    made = make_engine(url, pool_size=1)
    await migrate(made, "0007")
    connection = await asyncpg.connect(url)
    await connection.executemany(
        f"INSERT INTO journal ({', '.join(_TEXT)}) OVERRIDING SYSTEM VALUE"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [tuple(getattr(step, name) for name in _TEXT) for step in STEPS],
    )
    await connection.close()
    yield made
    await made.dispose()


async def _read(engine: AsyncEngine) -> list[StoredStep]:
    journal = PostgresJournal(engine)
    batches = [batch async for batch in journal.steps(RecordingFilter(), 1, 10)]
    return [step for batch in batches for step in batch]


async def test_steps_of_before_are_read_and_go_back(former: AsyncEngine, url: str) -> None:
    await migrate(former, "0008")
    assert await _read(former) == STEPS
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO journal (seq, key, at, id, from_state, event, effects, state)"
        " OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(LATER.seq, LATER.key, LATER.at, LATER.id),
        *PACKED,
        LATER.state,
    )
    await connection.execute(  # more than are unpacked at once
        "INSERT INTO journal (seq, key, at, id, event, effects, state) OVERRIDING SYSTEM VALUE"
        " SELECT n, '', now(), '', $1, '[]', '' FROM generate_series(11, 5011) n",
        PACKED[1],
    )
    await migrate(former, "0007")
    gone = await connection.execute(
        "DELETE FROM journal WHERE seq > 10 AND event = $1", LATER.event
    )
    assert gone == "DELETE 5001"
    rows = await connection.fetch(f"SELECT {', '.join(_TEXT)} FROM journal ORDER BY seq")
    assert [StoredStep(**row) for row in rows] == [*STEPS, LATER]
    await migrate(former, "0008")
    assert await _read(former) == [*STEPS, LATER]
    await connection.close()
