"""What is too old leaves, in batches; what waits, and what is young, stays."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import postgres_retention
from adapters.postgres_retention import PostgresRetention
from application.retention import AUDIT_DAYS, Keep

KEEP = Keep(updates=30, journal=20, job_log=7, audit=AUDIT_DAYS)
AGED = "now() - make_interval(days => CAST(:days AS int))"
NUMBERS = "generate_series(CAST(:first AS int), :last) AS i"
OLD = 40
"""Rows of each kind that are a day too old; as many are a day younger than that."""


@pytest.fixture
async def engine_in_use(engine: AsyncEngine) -> AsyncEngine:
    """Every kind of row, half of it too old."""
    async with engine.begin() as connection:
        for table in ("journal", "pgqueuer_log", "chat_requests", "audit_log", "bots"):
            await connection.execute(text(f"DELETE FROM {table}"))
        (bot,) = (
            await connection.execute(
                text(
                    "INSERT INTO bots (name, token, token_fingerprint, telegram_mode) "
                    "VALUES ('a', 't', 'f', 'POLLING') RETURNING id"
                )
            )
        ).one()
        await connection.execute(
            text("INSERT INTO chats (id, bot_id, telegram_chat_id) VALUES (:chat, :bot, 1)"),
            {"bot": bot, "chat": f"{bot}:1"},
        )
        for days, first in ((1, 0), (-1, OLD)):
            ago = {"first": first + 1, "last": first + OLD, "bot": bot, "chat": f"{bot}:1"}
            for statement, kept in (
                (
                    "INSERT INTO telegram_updates "
                    "(bot_id, update_id, payload, chat_id, state, received_at) "
                    "SELECT CAST(:bot AS bigint), i, '{}', :chat, "
                    f"CASE WHEN i % 4 = 0 THEN 'WAITING' ELSE 'TAKEN' END, {AGED} FROM {NUMBERS}",
                    KEEP.updates,
                ),
                (
                    "INSERT INTO chat_requests (chat_id, kind, payload, taken_at) "
                    f"SELECT :chat, 'REFRESH', '', CASE WHEN i % 4 > 0 THEN {AGED} END "
                    f"FROM {NUMBERS}",
                    KEEP.updates,
                ),
                (
                    "INSERT INTO journal (key, at, id, event, effects, state) "
                    f"SELECT :chat, {AGED}, i::text, '{{}}', '[]', '' FROM {NUMBERS}",
                    KEEP.journal,
                ),
                (
                    "INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint) "
                    f"SELECT {AGED}, i, 'successful', 0, 'bot.handle_update' FROM {NUMBERS}",
                    KEEP.job_log,
                ),
                (
                    "INSERT INTO audit_log (at, actor, action) "
                    f"SELECT {AGED}, 'ann@example.org', 'put_settings' FROM {NUMBERS}",
                    KEEP.audit,
                ),
            ):
                await connection.execute(text(statement), {**ago, "days": kept + days})
    return engine


async def counts(engine: AsyncEngine) -> dict[str, int]:
    async with engine.connect() as connection:
        return {
            table: (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
            for table in (
                "telegram_updates",
                "chat_requests",
                "journal",
                "pgqueuer_log",
                "audit_log",
            )
        }


async def test_old_rows_leave_in_batches(
    engine_in_use: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_retention, "BATCH", 25)
    retention = PostgresRetention(engine_in_use)
    assert await retention.prune(KEEP) == 5 * 25
    assert await retention.prune(KEEP) == 2 * 5 + 3 * 15  # every fourth update and request waits
    assert await retention.prune(KEEP) == 0
    assert await counts(engine_in_use) == {
        "telegram_updates": OLD + OLD // 4,
        "chat_requests": OLD + OLD // 4,
        "journal": OLD,
        "pgqueuer_log": OLD,
        "audit_log": OLD,
    }


async def test_nobody_waits_while_it_deletes(engine_in_use: AsyncEngine) -> None:
    """Its rows are locked, and no table: what comes in, and what is served, goes on meanwhile."""
    statements = [
        postgres_retention._UPDATES,
        postgres_retention._REQUESTS,
        postgres_retention._JOURNAL,
        postgres_retention._JOB_LOG,
        postgres_retention._AUDIT,
        postgres_retention._ALERTS,
    ]
    async with engine_in_use.connect() as pruning:
        for statement in statements:
            await pruning.exec_driver_sql(statement, (1, 5_000))
        async with engine_in_use.begin() as serving:
            await serving.execute(text("SET LOCAL lock_timeout = '200ms'"))
            for statement in (
                "INSERT INTO journal (key, at, id, event, effects, state) "
                "VALUES ('3:1', now(), 'x', '{}', '[]', '')",
                "INSERT INTO telegram_updates (bot_id, update_id, payload, state) "
                "SELECT id, -1, '{}', 'IGNORED' FROM bots",
                "UPDATE telegram_updates SET state = 'TAKEN' WHERE state = 'WAITING'",
                "UPDATE chat_requests SET taken_at = now() WHERE taken_at IS NULL",
                "INSERT INTO alerts (bot_id, cause, sent_at) VALUES (1, 'new', now())",
                "INSERT INTO audit_log (actor, action) VALUES ('ann@example.org', 'sign_in')",
            ):
                assert (await serving.execute(text(statement))).rowcount > 0, statement
        await pruning.rollback()


async def test_alerts_that_are_quiet_for_a_day_are_forgotten(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO alerts (bot_id, cause, sent_at) VALUES "
                "(7, 'old', now() - interval '25 hours'), (7, 'young', now() - interval '1 hour')"
            )
        )
    await PostgresRetention(engine).prune(KEEP)
    async with engine.connect() as connection:
        kept = await connection.execute(text("SELECT cause FROM alerts WHERE bot_id = 7"))
    assert kept.scalars().all() == ["young"]


async def test_one_worker_does_it(engine_in_use: AsyncEngine) -> None:
    before = await counts(engine_in_use)
    async with engine_in_use.begin() as other:
        await other.execute(text(postgres_retention._ALONE))
        assert await PostgresRetention(engine_in_use).prune(KEEP) == 0
    assert await counts(engine_in_use) == before
    assert await PostgresRetention(engine_in_use).prune(KEEP) > 0
