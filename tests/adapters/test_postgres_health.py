"""What PostgreSQL tells of the system's parts."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import postgres_health
from adapters.pgqueuer_worker import session_name
from adapters.postgres_health import PostgresHealth
from adapters.postgres_migrations import migrate
from adapters.postgres_transactions import engine as make_engine
from tests.adapters.bot_rows import Rows


@pytest.fixture
async def rows(engine: AsyncEngine) -> AsyncIterator[Rows]:
    made = Rows(engine)
    yield made
    await made.run("DELETE FROM bots")


async def _session(url: str, part: str) -> asyncpg.Connection:
    named = {"application_name": session_name(part, 7)}
    connection = await asyncpg.connect(url, server_settings=named)
    await connection.execute("SELECT 1")
    return connection


async def test_workers_and_pollers_are_their_sessions(
    engine: AsyncEngine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = PostgresHealth(engine)
    sessions = [await _session(database_url, part) for part in ("worker", "worker", "poller")]
    state = await probe.look()
    assert (state.workers, state.pollers) == (2, 1)
    monkeypatch.setattr(postgres_health, "QUIET", 0.0)
    state = await probe.look()
    assert (state.workers, state.pollers) == (0, 1), "a worker that asks for nothing hangs"
    for session in sessions:
        session.terminate()


async def test_bots(engine: AsyncEngine, rows: Rows) -> None:
    await rows.bot(enabled=False)
    ids = [
        await rows.bot(),
        await rows.bot(is_active=False),
        await rows.bot(silent_reason="x", telegram_mode="POLLING"),
        await rows.bot(error="x"),
        await rows.bot(error="dead", enabled=False),
    ]
    state = await PostgresHealth(engine).look()
    assert [(bot.id, bot.status.value) for bot in state.bots] == list(
        zip(ids, ["answering", "connecting", "silent", "error", "error"], strict=True)
    )
    assert (state.to_poll, state.polled) == (1, 0)


async def test_the_oldest_job_that_is_due(engine: AsyncEngine, rows: Rows) -> None:
    probe = PostgresHealth(engine)
    assert (await probe.look()).queue_age == 0
    for seconds in (70, 30, -500):
        await rows.run(
            "INSERT INTO pgqueuer (priority, status, entrypoint, execute_after) VALUES"
            " (0, 'queued', 'x', now() - make_interval(secs => :seconds))",
            seconds=seconds,
        )
    assert 70 <= (await probe.look()).queue_age < 130
    await rows.run("DELETE FROM pgqueuer")


async def test_a_schema_that_is_behind(database_url: str) -> None:
    made = make_engine(database_url, pool_size=1)
    probe = PostgresHealth(made)
    assert (await probe.look()).schema_current
    await migrate(made, "0001")
    state = await probe.look()
    assert not state.schema_current
    assert state.bots == ()
    await migrate(made)
    assert (await probe.look()).schema_current
    await made.dispose()


async def test_the_pool(database_url: str) -> None:
    made = make_engine(database_url, pool_size=2)
    probe = PostgresHealth(made)
    async with made.connect():
        pool = probe.pool()
    assert (pool.size, pool.in_use, pool.waiting) == (2, 1, 0)
    await made.dispose()
