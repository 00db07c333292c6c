"""What /metrics reads from PostgreSQL: bounded in time, and asked for rarely."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client.metrics_core import Metric
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import prometheus_database
from adapters.postgres_transactions import engine as make_engine
from adapters.prometheus_database import FAMILIES, DatabaseMetrics


def values(families: Sequence[Metric]) -> dict[tuple[str, ...], float]:
    """The samples' values, by name and labels' values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


async def hold(engine: AsyncEngine, status: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO pgqueuer (priority, entrypoint, status, updated, execute_after) VALUES"
                f" (0, 'bot.handle_update', '{status}', now() - interval '5 minutes',"
                " now() - interval '5 minutes')"
            )
        )


async def test_jobs_are_told_by_status_and_age(engine: AsyncEngine) -> None:
    empty = values(await DatabaseMetrics(engine).read())
    assert {name for name, *_ in empty} == FAMILIES.keys() - {"kotodom_jobs"}
    for status in ("queued", "picked", "failed"):
        await hold(engine, status)
    told = values(await DatabaseMetrics(engine).read())
    for status in ("queued", "picked", "failed"):
        assert told["kotodom_jobs", "bot.handle_update", status] == 1
        assert 300 <= told["kotodom_oldest_job_age_seconds", status] < 600


async def test_it_is_asked_once_in_five_seconds(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = DatabaseMetrics(engine)
    first, second = await asyncio.gather(metrics.read(), metrics.read())
    assert first is second
    monkeypatch.setattr(prometheus_database, "KEPT_SECONDS", 0.0)
    assert await metrics.read() is first
    await hold(engine, "failed")
    fresh = DatabaseMetrics(engine)
    held = values(await fresh.read())["kotodom_jobs", "bot.handle_update", "failed"]
    await hold(engine, "failed")
    assert values(await fresh.read())["kotodom_jobs", "bot.handle_update", "failed"] == held + 1


async def test_postgresql_that_is_slow_is_waited_for_no_longer(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_database, "PATIENCE", 0.2)
    metrics = DatabaseMetrics(engine)
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE message_processing"))
        assert values(await metrics.read()) == {("kotodom_database_up",): 0}


async def test_an_older_schema_hides_nothing_else(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE message_processing RENAME TO elsewhere"))
    try:
        assert values(await DatabaseMetrics(engine).read()) == {("kotodom_database_up",): 0}
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE elsewhere RENAME TO message_processing"))


async def test_postgresql_that_is_away_is_told() -> None:
    away = make_engine("postgresql://postgres@127.0.0.1:1/kotodom", pool_size=1)
    assert values(await DatabaseMetrics(away).read()) == {("kotodom_database_up",): 0}
