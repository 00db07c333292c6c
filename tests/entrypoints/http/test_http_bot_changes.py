"""A change of a bot is whole or not at all; neither Telegram nor another change gets into it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.secret_box import SecretBox
from application import bot_tokens
from entrypoints.sandbox.server import SandboxServer
from tests.entrypoints.http.conftest import (
    SECRET_KEY,
    Answer,
    Person,
    Run,
    make_bot,
    new_token,
)
from tests.entrypoints.http.rows import somebody_waits


async def test_a_telegram_that_hangs_is_not_waited_for(
    admin: Person, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await make_bot(admin)
    path = f"/api/bots/{bot['id']}"
    monkeypatch.setattr(bot_tokens, "CHECK_SECONDS", 0.2)
    fault = sandbox.faults.add("telegram", "hang", delay=1.5)  # its calls would fail at 2 s
    for method, where, body in (
        ("POST", "/api/bots", {"name": "Bot", "token": new_token()}),
        ("POST", "/api/bots/check-token", {"token": new_token()}),
        ("PATCH", path, {"token": new_token()}),
    ):
        answer = await admin.ask(method, where, body)
        assert answer.status == 502
        assert answer.json["detail"].endswith("no answer in 0.2 s")
    assert (await admin.get(path)).json == bot
    looked = await admin.get(f"{path}/telegram")
    assert (looked.status, looked.json["error"]) == (200, "Telegram: no answer in 0.2 s")
    sandbox.faults.remove(fault.id)


async def test_a_farewell_is_no_part_of_the_request(
    admin: Person, sandbox: SandboxServer, sql: Run
) -> None:
    former, next_one = new_token(), new_token()
    bot = await make_bot(admin, token=former)
    path = f"/api/bots/{bot['id']}"
    assert (await admin.patch(path, {"token": next_one})).status == 200
    assert (await admin.patch(path, {"telegramApiUrl": f"{sandbox.telegram_url}/"})).status == 200
    assert (await admin.delete(path)).status == 202
    rows = await sql(
        "SELECT convert_from(payload, 'UTF8') FROM pgqueuer WHERE entrypoint = 'effect.perform'"
        " AND convert_from(payload, 'UTF8') LIKE '%removeFormerWebhook%'"
        " AND convert_from(payload, 'UTF8')::json->>'bot_id' = :id ORDER BY id",
        id=str(bot["id"]),
    )
    assert len(rows) == 3
    assert not any(token in str(rows) for token in (former, next_one))
    assert not [call for call in sandbox.telegram.calls if call.method == "deleteWebhook"]
    shown = [job["effect"] for job in (await admin.get("/api/jobs")).json["items"]]
    farewells = [effect for effect in shown if effect["type"] == "telegram.removeFormerWebhook"]
    assert len(farewells) >= 3 and not any("sealed_token" in effect for effect in farewells)


async def test_where_its_consequence_cannot_be_kept_nothing_is_changed(
    admin: Person, sql: Run
) -> None:
    bot = await make_bot(admin)
    path = f"/api/bots/{bot['id']}"
    bot = (await admin.post(f"{path}/enable")).json
    await sql("ALTER TABLE journal RENAME TO journal_away")
    try:
        assert (await admin.patch(path, {"token": new_token(), "name": "New"})).status == 500
    finally:
        await sql("ALTER TABLE journal_away RENAME TO journal")
    assert (await admin.get(path)).json == bot


async def test_a_token_is_checked_on_the_server_that_it_is_for(
    admin: Person, engine: AsyncEngine, sql: Run
) -> None:
    bot = await make_bot(admin)
    asked = admin.patch(f"/api/bots/{bot['id']}", {"token": new_token()})
    async with _meanwhile(engine, sql, bot["id"], asked) as (connection, answer):
        await _set(connection, bot["id"], "telegram_api_url", "http://another")
    assert (await answer).status == 409


async def test_a_token_that_was_the_bots_own_is_checked_where_it_is_no_more(
    admin: Person, engine: AsyncEngine, sql: Run
) -> None:
    token = new_token()
    bot, other = await make_bot(admin, token=token), await make_bot(admin)
    asked = admin.patch(f"/api/bots/{bot['id']}", {"token": token})
    async with _meanwhile(engine, sql, bot["id"], asked) as (connection, answer):
        await connection.execute(text("DELETE FROM bots WHERE id = :id"), {"id": other["id"]})
        ((another,),) = await sql("SELECT token FROM bots WHERE id = :id", id=other["id"])
        await _set(connection, bot["id"], "token", another)
    assert (await answer).status == 409


async def test_an_address_that_an_administrator_changes_meanwhile_is_named_by_nobody_else(
    admin: Person, manager: Person, engine: AsyncEngine, sql: Run
) -> None:
    bot = await make_bot(manager)
    path = f"/api/bots/{bot['id']}"
    assert (await admin.patch(path, {"baseUrl": "http://m/v1"})).status == 200
    asked = manager.patch(path, {"baseUrl": "http://m/v1"})
    async with _meanwhile(engine, sql, bot["id"], asked) as (connection, answer):
        await _set(connection, bot["id"], "base_url", "http://better/v1")
    assert (await answer).status == 403
    assert (await admin.get(path)).json["baseUrl"] == "http://better/v1"


async def test_a_bot_is_deleted_as_the_change_before_it_left_it(
    admin: Person, engine: AsyncEngine, sql: Run
) -> None:
    former, next_one = new_token(), new_token()
    bot, other = await make_bot(admin, token=former), await make_bot(admin, token=next_one)
    ((sealed,),) = await sql("SELECT token FROM bots WHERE id = :id", id=other["id"])
    await admin.delete(f"/api/bots/{other['id']}")
    asked = admin.delete(f"/api/bots/{bot['id']}")
    async with _meanwhile(engine, sql, bot["id"], asked) as (connection, answer):
        await _set(connection, bot["id"], "token", sealed)
        await _set(connection, bot["id"], "name", "Renamed")
        chat = {"id": f"{bot['id']}:5", "bot": bot["id"]}
        await connection.execute(
            text("INSERT INTO chats (id, telegram_chat_id, bot_id) VALUES (:id, 5, :bot)"), chat
        )
    assert ((await answer).status, (await answer).json["chats"]) == (202, 1)
    ((farewell,),) = await sql(
        "SELECT convert_from(payload, 'UTF8')::json->>'sealed_token' FROM pgqueuer"
        " WHERE convert_from(payload, 'UTF8') LIKE :farewell",
        farewell=f'%removeFormerWebhook","bot_id":{bot["id"]},%',
    )
    assert SecretBox(SECRET_KEY).decrypt(farewell) == next_one
    noted = (await admin.get(f"/api/audit?target=bot:{bot['id']}&action=delete_bot")).json["items"]
    (before,) = [row["before"] for row in noted]
    assert (before["name"], before["erased"]["chats"]) == ("Renamed", 1)


@asynccontextmanager
async def _meanwhile(
    engine: AsyncEngine, sql: Run, bot_id: int, asked: Awaitable[Answer]
) -> AsyncIterator[tuple[AsyncConnection, asyncio.Future[Answer]]]:
    """A transaction that has hold of the bot while a request comes to its change."""
    async with engine.begin() as connection:
        locked = text("SELECT 1 FROM bots WHERE id = :id FOR UPDATE")
        await connection.execute(locked, {"id": bot_id})
        answer = asyncio.ensure_future(asked)
        await somebody_waits(sql)
        yield connection, answer


async def _set(connection: AsyncConnection, bot_id: int, column: str, value: Any) -> None:
    statement = text(f"UPDATE bots SET {column} = :value WHERE id = :id")
    await connection.execute(statement, {"value": value, "id": bot_id})
