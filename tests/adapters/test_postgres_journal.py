"""The journal, read: by bot, chat, time and message, in order, some rows at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import postgres_journal
from adapters.embedded_postgres import PostgresAddress
from adapters.postgres_journal import PostgresJournal
from adapters.postgres_schema import PackedJson
from adapters.postgres_transactions import engine as make_engine
from application.jobs import Unavailable
from application.recordings import RecordingFilter, StoredStep
from tests.domain.given import NOW

KEYS = ("1:7", "11:5", "bot:1", "1:7:3", "bot:11", "1:-7", "21:7", "1:77")
EVERYTHING = RecordingFilter()
PACKED = [bindparam(name, type_=PackedJson) for name in ("from_state", "event", "effects")]


async def insert(engine: AsyncEngine, steps: Sequence[StoredStep], turn: int | None = None) -> None:
    """Rows of the journal, with the seqs that they have."""
    async with engine.begin() as connection:
        for step in steps:
            row = {name: getattr(step, name) for name in StoredStep.__struct_fields__}
            await connection.execute(
                text(
                    "INSERT INTO journal (seq, key, at, id, turn_id, from_state, event, effects, "
                    "state) OVERRIDING SYSTEM VALUE VALUES (:seq, :key, :at, :id, :turn, "
                    ":from_state, :event, :effects, :state)"
                ).bindparams(*PACKED),
                row | {"turn": turn},
            )


async def empty(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for table in ("journal", "message_processing", "messages", "chats", "bots", "users"):
            await connection.execute(text(f"DELETE FROM {table}"))


def step(seq: int, key: str = "1:7", at: datetime = NOW) -> StoredStep:
    """A row; what is in it is nothing to its reader."""
    return StoredStep(seq, key, at, f"id {seq}", None if seq % 2 else "{}", "{ }", "[ ]", "ж👛")


@pytest.fixture
async def journal(engine: AsyncEngine) -> PostgresJournal:
    await empty(engine)
    return PostgresJournal(engine)


async def read(journal: PostgresJournal, asked: RecordingFilter) -> list[int]:
    """The seqs of what is asked for, from the first to the last there is."""
    batches = [each async for each in journal.steps(asked, *await journal.span(asked))]
    assert all(batches), "a batch holds something"
    return [row.seq for batch in batches for row in batch]


async def test_nothing_is_there(journal: PostgresJournal) -> None:
    assert await journal.span(EVERYTHING) == (0, -1)
    assert await read(journal, EVERYTHING) == []


async def test_a_row_is_read_as_it_stands_there(
    engine: AsyncEngine, journal: PostgresJournal
) -> None:
    steps = [step(2), step(5)]
    await insert(engine, steps)
    assert [batch async for batch in journal.steps(EVERYTHING, 2, 5)] == [steps]


async def test_the_order_is_that_of_seq(engine: AsyncEngine, journal: PostgresJournal) -> None:
    """Whatever time it was, and in whatever order they were written."""
    rows = [step(9, at=NOW), step(3, at=NOW + timedelta(hours=1)), step(5, at=NOW)]
    await insert(engine, rows)
    assert await journal.span(EVERYTHING) == (3, 9)
    assert await read(journal, EVERYTHING) == [3, 5, 9]


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        (RecordingFilter(bot_id=1), ["1:7", "bot:1", "1:7:3", "1:-7", "1:77"]),
        (RecordingFilter(bot_id=11), ["11:5", "bot:11"]),
        (RecordingFilter(bot_id=2), []),
        (RecordingFilter(bot_id=-1), []),
        (RecordingFilter(bot_id=10**30), []),
        (RecordingFilter(chat="1:7"), ["1:7"]),
        (RecordingFilter(chat="1:7:3"), ["1:7:3"]),
        (RecordingFilter(chat="bot:1"), ["bot:1"]),
        (RecordingFilter(chat="1:%"), []),
        (RecordingFilter(bot_id=1, chat="1:7"), ["1:7"]),
        (RecordingFilter(bot_id=11, chat="1:7"), []),
        (EVERYTHING, list(KEYS)),
    ],
)
async def test_steps_are_of_a_bot_or_a_chat(
    engine: AsyncEngine, journal: PostgresJournal, asked: RecordingFilter, keys: list[str]
) -> None:
    await insert(engine, [step(seq, key) for seq, key in enumerate(KEYS, 1)])
    assert [KEYS[seq - 1] for seq in await read(journal, asked)] == keys


async def test_steps_are_of_a_time(engine: AsyncEngine, journal: PostgresJournal) -> None:
    await insert(engine, [step(hour, at=NOW + timedelta(hours=hour)) for hour in range(1, 6)])
    since = RecordingFilter(since=NOW + timedelta(hours=3))
    assert await journal.span(since) == (3, 5)
    assert await read(journal, since) == [3, 4, 5]
    never = RecordingFilter(since=NOW + timedelta(hours=6))
    assert await journal.span(never) == (0, -1)
    assert await read(journal, never) == []


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7])
async def test_rows_come_some_at_a_time(
    engine: AsyncEngine, journal: PostgresJournal, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_journal, "_BATCH", size)
    seqs = [2, 3, 7, 8, 20, 21]
    await insert(engine, [step(seq, "1:7" if seq != 7 else "2:7") for seq in seqs])
    batches = [batch async for batch in journal.steps(EVERYTHING, 2, 21)]
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert [row.seq for batch in batches for row in batch] == seqs
    assert await read(journal, RecordingFilter(bot_id=1)) == [2, 3, 8, 20, 21]


async def test_what_is_written_meanwhile_is_not_of_the_span(
    engine: AsyncEngine, journal: PostgresJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_journal, "_BATCH", 1)
    await insert(engine, [step(1), step(2)])
    found = []
    async for batch in journal.steps(EVERYTHING, *await journal.span(EVERYTHING)):
        found += [row.seq for row in batch]
        await insert(engine, [step(10 + len(found))])
    assert found == [1, 2]


async def processing(engine: AsyncEngine, owner: UUID | None) -> int:
    """A message that is processed, of a bot of this owner's."""
    async with engine.begin() as connection:
        if owner is not None:
            await connection.execute(
                text(
                    "INSERT INTO users (id, email, password_hash, role) "
                    "VALUES (:id, :mail, '', 'USER')"
                ),
                {"id": owner, "mail": f"{owner}@example.org"},
            )
        bot = (
            await connection.execute(
                text(
                    "INSERT INTO bots (name, token, token_fingerprint, telegram_mode, "
                    "owner_user_id) VALUES ('a', 't', :print, 'POLLING', :owner) RETURNING id"
                ),
                {"print": str(uuid4()), "owner": owner},
            )
        ).scalar_one()
        named = {"chat": f"{bot}:7", "bot": bot}
        await connection.execute(
            text("INSERT INTO chats (id, bot_id, telegram_chat_id) VALUES (:chat, :bot, 7)"), named
        )
        message = (
            await connection.execute(
                text(
                    "INSERT INTO messages (chat_id, bot_id, sender, text, in_context, created_at) "
                    "VALUES (:chat, :bot, 'USER', '', true, now()) RETURNING id"
                ),
                named,
            )
        ).scalar_one()
        await connection.execute(
            text(
                "INSERT INTO message_processing (id, user_message_id, bot_id, chat_id, status, "
                "created_at, updated_at) VALUES (:id, :id, :bot, :chat, 'COMPLETED', now(), now())"
            ),
            named | {"id": message},
        )
    return int(message)


async def test_a_message_has_its_steps(engine: AsyncEngine, journal: PostgresJournal) -> None:
    ann, bob = uuid4(), uuid4()
    hers, nobodys = await processing(engine, ann), await processing(engine, None)
    await insert(engine, [step(4), step(2)], hers)
    await insert(engine, [step(3)], nobodys)
    await insert(engine, [step(5)])
    for owner in (None, str(ann)):
        found = await journal.turn(hers, owner)
        assert found == [replace(step(seq), turn_id=hers) for seq in (2, 4)]
    assert await journal.turn(hers, str(bob)) == []
    assert await journal.turn(nobodys, None) == [replace(step(3), turn_id=nobodys)]
    assert await journal.turn(nobodys, str(ann)) == []
    assert await journal.turn(2**63 - 1, None) == []
    await insert(engine, [step(6)], 2**63 - 1)
    assert await journal.turn(2**63 - 1, None) == [], "its message is no more"


async def test_a_database_without_tables_is_said(postgres: PostgresAddress) -> None:
    bare = make_engine(postgres.dsn("postgres"), pool_size=1)
    with pytest.raises(Unavailable, match=r"^the database has no tables yet \(kotodom migrate\)$"):
        await PostgresJournal(bare).span(EVERYTHING)
    await bare.dispose()
