"""GET /health/ready, each part of a system that runs or does not; and the lights of bots."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.child_process import wait_until
from adapters.pgqueuer_worker import session_name
from adapters.postgres_polled_bots import PostgresPolledBots
from tests.entrypoints.http.conftest import Person, Run, make_bot, new_token
from tests.entrypoints.http.rows import keep_chat, keep_message

SOON = 20.0
"""Seconds: a look is shared for one of them."""


@pytest.fixture(scope="module")
def environ(environ: dict[str, str]) -> dict[str, str]:
    """No key of a model, whatever the machine's environment says."""
    return environ | {"OPENAI_API_KEY": ""}


@pytest.fixture
async def worker(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A worker, as PostgreSQL sees one."""
    session = await _session(database_url, "worker")
    yield session
    session.terminate()


async def _session(url: str, part: str) -> asyncpg.Connection:
    named = {"application_name": session_name(part, 7)}
    session = await asyncpg.connect(url, server_settings=named)
    await session.execute("SELECT 1")
    return session


async def _until(nobody: Person, **expected: Any) -> dict[str, Any]:
    """The answer, once these of its fields are so."""
    last: dict[str, Any] = {}

    async def is_so() -> bool:
        answer = await nobody.get("/health/ready")
        last.clear()
        last.update(answer.json, httpStatus=answer.status)
        return all(last[name] == value for name, value in expected.items())

    await wait_until(is_so, SOON)
    return last


async def test_every_part(
    nobody: Person,
    admin: Person,
    sql: Run,
    engine: AsyncEngine,
    database_url: str,
    worker: asyncpg.Connection,
) -> None:
    bot = await make_bot(admin, telegramMode="POLLING")
    await sql("UPDATE bots SET enabled = true, is_active = true WHERE id = :id", id=bot["id"])
    without = await _until(nobody, polling={"pollers": 0, "bots": 1, "leases": 0})
    assert (without["status"], without["parts"]["pollers"]) == ("degraded", "down")
    poller = await _session(database_url, "poller")
    leases = PostgresPolledBots(engine, None, database_url)  # type: ignore[arg-type]
    async with leases.lease(bot["id"]):
        told = await _until(nobody, polling={"pollers": 2, "bots": 1, "leases": 1})
    await leases.close()
    poller.terminate()
    assert told["status"] == "ok"
    assert told["parts"] == {
        "postgres": "ok",
        "migrations": "ok",
        "valkey": "ok",
        "queue": "ok",
        "workers": "ok",
        "pollers": "ok",
        "openai": "unset",
        "telegram": "ok",
    }
    assert (told["workersAlive"], told["queueAgeSeconds"]) == (1, 0)
    assert told["bots"] == {"statuses": {"answering": 1}, "troubled": []}
    assert told["pool"]["size"] > 0
    assert (told["pool"]["waiting"], told["openaiAskedAt"] is None) == (0, False)
    await sql("DELETE FROM bots")


async def test_down_is_when_messages_wait_and_no_worker_is_there(
    nobody: Person, sql: Run, database_url: str
) -> None:
    await sql(
        "INSERT INTO pgqueuer (priority, status, entrypoint, execute_after)"
        " VALUES (0, 'queued', 'x', now() - interval '61 seconds')"
    )
    down = await _until(nobody, status="down", httpStatus=503, workersAlive=0)
    assert (down["parts"]["workers"], down["parts"]["queue"]) == ("down", "late")
    session = await _session(database_url, "worker")
    late = await _until(nobody, status="degraded", httpStatus=200)
    assert (late["parts"]["workers"], late["parts"]["queue"]) == ("ok", "late")
    session.terminate()
    await sql("DELETE FROM pgqueuer")
    idle = await _until(nobody, status="degraded", workersAlive=0)
    assert (idle["parts"]["workers"], idle["parts"]["queue"]) == ("down", "ok")


async def test_bots_are_told_by_id_and_nothing_of_theirs_else(
    nobody: Person, admin: Person, sql: Run
) -> None:
    token = new_token()
    silent = await make_bot(admin, name="A secret name", token=token)
    await sql(
        "UPDATE bots SET enabled = true, is_active = true, trouble_since = now(),"
        " looked_at = now(), silent_reason = 'its webhook leads to elsewhere' WHERE id = :id",
        id=silent["id"],
    )
    broken = await make_bot(admin)
    await sql("UPDATE bots SET error = 'OpenAI 401: sk-x' WHERE id = :id", id=broken["id"])
    told = await _troubled(nobody, 2)
    assert told["bots"]["statuses"] == {"silent": 1, "error": 1}
    assert told["parts"]["telegram"] == "down"
    seen = [(one["id"], one["status"]) for one in told["bots"]["troubled"]]
    assert seen == [(silent["id"], "silent"), (broken["id"], "error")]
    assert told["bots"]["troubled"][0]["lookedAt"] is not None
    assert not any(word in str(told) for word in ("A secret", token, "elsewhere", "OpenAI 401"))
    await sql("DELETE FROM bots")


async def test_a_bots_light(admin: Person, sql: Run) -> None:
    bot = await make_bot(admin)
    path = f"/api/bots/{bot['id']}"

    async def light(**columns: Any) -> dict[str, Any]:
        for name, value in columns.items():
            await sql(f"UPDATE bots SET {name} = :value WHERE id = :id", value=value, id=bot["id"])
        health: dict[str, Any] = (await admin.get(path)).json["health"]
        (listed,) = [
            one for one in (await admin.get("/api/bots")).json["items"] if one["id"] == bot["id"]
        ]
        assert listed["health"] == health
        return health

    assert bot["health"] == {"status": "disabled", "reason": None, "since": None, "lookedAt": None}
    assert (await light(enabled=True))["status"] == "connecting"
    assert (await light(is_active=True))["status"] == "answering"
    chat = await keep_chat(sql, bot["id"], 1)
    failing = await keep_message(sql, chat, "x", "FAILED", last_error="Telegram 500: oh")
    assert await light() == {
        "status": "retrying",
        "reason": "Telegram 500: oh",
        "since": None,
        "lookedAt": None,
    }
    await sql("UPDATE message_processing SET status = 'COMPLETED' WHERE id = :id", id=failing)
    await sql("UPDATE bots SET trouble_since = now() WHERE id = :id", id=bot["id"])
    assert (await light())["status"] == "answering", "trouble has to last"
    silent = await light(silent_reason="no webhook")
    assert (silent["status"], silent["reason"]) == ("silent", "no webhook")
    assert silent["since"] is not None
    assert (await light(error="dead key"))["reason"] == "dead key"
    await admin.delete(path)


async def _troubled(nobody: Person, count: int) -> dict[str, Any]:
    """The answer, once so many bots are in trouble."""
    told: dict[str, Any] = {}

    async def are_seen() -> bool:
        told.update((await nobody.get("/health/ready")).json)
        return len(told["bots"]["troubled"]) == count

    await wait_until(are_seen, SOON)
    return told
