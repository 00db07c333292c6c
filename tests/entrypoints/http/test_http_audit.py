"""The audit log: a row for every unsafe request, what it shows, who may read it."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.child_process import wait_until
from application.audit import NOBODYS_EMAIL
from domain.access import Role
from entrypoints.http import audit_trail
from tests.entrypoints.http.conftest import (
    PASSWORD,
    Api,
    Person,
    Run,
    make_bot,
    new_token,
)
from tests.entrypoints.http.rows import keep_chat, keep_message

UNSAFE = ("post", "put", "patch", "delete")
KEY = "sk-proj-a-key-that-nobody-may-read"
WRONG = "a wrong password nobody may read"


@pytest.fixture(scope="module")
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"TRUSTED_PROXIES": "127.0.0.1"}


async def _rows(admin: Person, **asked: Any) -> list[dict[str, Any]]:
    answer = await admin.get("/api/audit", params={"limit": 200, **asked})
    assert answer.status == 200, answer.json
    items: list[dict[str, Any]] = answer.json["items"]
    return items


async def test_a_bots_life(admin: Person, user: Person) -> None:
    bot = await make_bot(user, telegramMode="POLLING", apiKey=KEY)
    path, target = f"/api/bots/{bot['id']}", f"bot:{bot['id']}"
    await user.patch(path, {"name": "Another", "instructions": "Be kind."})
    await user.post(f"{path}/enable")
    assert (await user.delete(path)).status == 202
    deleted, enabled, changed, created = await _rows(admin, target=target)
    assert [row["action"] for row in (created, changed, enabled, deleted)] == [
        "create_bot",
        "change_bot",
        "enable_bot",
        "delete_bot",
    ]
    assert [row["status"] for row in (created, changed, enabled, deleted)] == [201, 200, 202, 202]
    assert created["before"] is None
    assert created["after"] == {name: bot[name] for name in bot if name != "health"}
    assert created["actor"] == "user@example.com" and created["address"] == "127.0.0.1"
    assert created["userId"] == bot["ownerUserId"]
    # Of a change: what differs.
    del changed["before"]["updatedAt"], changed["after"]["updatedAt"]
    assert changed["before"] == {"name": "Bot", "instructions": None}
    assert changed["after"] == {"name": "Another", "instructions": "Be kind."}
    assert enabled["before"]["enabled"] is False and enabled["after"]["enabled"] is True
    assert deleted["before"]["name"] == "Another" and deleted["after"] is None


async def test_refused_ones_leave_a_row_as_well(
    api: Api, admin: Person, user: Person, nobody: Person
) -> None:
    assert (await user.put("/api/settings", {"defaults.model": "m"})).status == 403
    assert (await user.post("/api/bots", {"name": "Bot", "token": "none"})).status == 422
    assert (await user.post("/api/bots/1234567/enable")).status == 404
    assert (await nobody.post("/api/bots/1234567/disable")).status == 401
    foreign = await nobody.post("/api/auth/logout", headers={"Origin": "https://evil.example"})
    assert foreign.status == 403
    assert (await nobody.post("/api/no/such/route")).status == 404
    assert (await nobody.post("/api/audit")).status == 405
    rows = (await _rows(admin))[:7]
    assert [(row["action"], row["status"], row["target"], row["actor"]) for row in rows[::-1]] == [
        ("put_settings", 403, "/api/settings", "user@example.com"),
        ("create_bot", 422, "/api/bots", "user@example.com"),
        ("enable_bot", 404, "/api/bots/1234567/enable", "user@example.com"),
        ("disable_bot", 401, "/api/bots/1234567/disable", ""),
        ("none", 403, "/api/auth/logout", ""),
        ("none", 404, "/api/…/…/…", ""),
        ("none", 405, "/api/audit", ""),
    ]
    assert all(row["before"] is None and row["after"] is None for row in rows)
    # Reading leaves none.
    assert (await _rows(admin))[0]["id"] == rows[0]["id"]


async def test_signing_in_and_out(api: Api, admin: Person, nobody: Person) -> None:
    await nobody.sign_in("Nobody@Example.com", WRONG)
    await nobody.sign_in("USER@example.com", WRONG)
    await nobody.sign_in(WRONG, PASSWORD)
    await nobody.post("/api/auth/login", {"email": "user@example.com"})
    signed_in = await nobody.sign_in("USER@example.com")
    await nobody.post("/api/auth/logout")
    await nobody.post("/api/auth/logout")
    rows = (await _rows(admin))[:7][::-1]
    user_id = signed_in.json["id"]
    assert [(row["action"], row["status"], row["actor"], row["userId"]) for row in rows] == [
        ("login", 401, NOBODYS_EMAIL, None),
        ("login", 401, "USER@example.com", None),
        ("login", 401, NOBODYS_EMAIL, None),
        ("login", 422, "", None),
        ("login", 200, "user@example.com", user_id),
        ("logout", 204, "user@example.com", user_id),
        ("logout", 204, "", None),
    ]
    assert [row["target"] for row in rows][4:6] == [f"user:{user_id}"] * 2


async def test_settings_and_a_password(api: Api, admin: Person, nobody: Person, sql: Run) -> None:
    await admin.put("/api/settings", {"openai.apiKey": KEY, "retention.journalDays": 5})
    await admin.put("/api/settings", {"openai.apiKey": None, "retention.journalDays": None})
    cleared, written = await _rows(admin, target="settings", action="put_settings")
    assert written["before"] == {"openai.apiKey": None, "retention.journalDays": 30}
    assert written["after"] == {"openai.apiKey": "…read", "retention.journalDays": 5}
    assert cleared["before"] == written["after"] and cleared["after"] == written["before"]
    await nobody.sign_in("manager@example.com")
    change = {"currentPassword": PASSWORD, "newPassword": "another correct one"}
    assert (await nobody.post("/api/auth/password", change)).status == 204
    await nobody.sign_in("manager@example.com", "another correct one")
    back = {"currentPassword": "another correct one", "newPassword": PASSWORD}
    assert (await nobody.post("/api/auth/password", back)).status == 204
    first = (await _rows(admin, action="change_password", actor="MANAGER@example.com"))[-1]
    assert first["status"] == 204 and first["target"] == f"user:{first['userId']}"


async def test_filters_and_pages(admin: Person, user: Person) -> None:
    for number in range(5):
        await user.post(f"/api/bots/{7_000_000 + number}/enable")
    everything = await _rows(admin)
    assert [row["id"] for row in everything] == sorted(
        (row["id"] for row in everything), reverse=True
    )
    mine = [row for row in everything if row["actor"].lower() == "user@example.com"]
    assert await _rows(admin, actor="User@Example.COM") == mine
    only = [row for row in mine if row["action"] == "enable_bot"]
    assert len(only) >= 5
    assert await _rows(admin, actor="user@example.com", action="enable_bot") == only
    middle = only[2]
    earlier = await _rows(admin, action="enable_bot", to=middle["at"])
    assert [row["id"] for row in earlier] == [row["id"] for row in only[3:]]
    later = await _rows(admin, action="enable_bot", **{"from": middle["at"]})
    assert [row["id"] for row in later] == [row["id"] for row in only[:3]]
    assert await _rows(admin, target="/api/bots/7000002/enable") == [only[2]]
    assert await _rows(admin, actor="stranger@example.com") == []
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2, "action": "enable_bot"} | ({"cursor": cursor} if cursor else {})
        page = (await admin.get("/api/audit", params=params)).json
        found += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
        assert len(page["items"]) == 2
    assert found == await _rows(admin, action="enable_bot")


async def test_bad_parameters(admin: Person) -> None:
    for params in ({"cursor": "x"}, {"limit": 0}, {"from": "yesterday"}, {"cursor": "WzFd"}):
        assert (await admin.get("/api/audit", params=params)).status == 400


async def test_the_address_is_the_clients_and_not_the_proxys(admin: Person) -> None:
    for forwarded, address in (
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.7, 2001:db8::1", "2001:db8::1"),
    ):
        await admin.post("/api/bots/1/enable", headers={"X-Forwarded-For": forwarded})
        assert (await _rows(admin, action="enable_bot"))[0]["address"] == address


async def test_a_flood_of_strangers_leaves_no_flood_of_rows(
    admin: Person, nobody: Person, sql: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_trail, "STRANGERS", 5)
    for _ in range(20):
        assert (await nobody.post("/api/bots/99/enable")).status == 401
    assert len(await _rows(admin, target="/api/bots/99/enable")) == 5
    assert (await admin.post("/api/bots/99/enable")).status == 404
    assert len(await _rows(admin, target="/api/bots/99/enable")) == 6


async def test_only_admin(manager: Person, user: Person, nobody: Person) -> None:
    for person, status in ((manager, 403), (user, 403), (nobody, 401)):
        assert (await person.get("/api/audit")).status == status


async def test_what_cannot_be_written_breaks_no_answer(admin: Person, sql: Run) -> None:
    await sql("ALTER TABLE audit_log RENAME TO audit_log_away")
    try:
        assert (await admin.put("/api/settings", {"defaults.model": "m"})).status == 200
        assert (await admin.put("/api/settings", {"defaults.model": 5})).status == 422
    finally:
        await sql("ALTER TABLE audit_log_away RENAME TO audit_log")
    before = len(await _rows(admin))
    assert (await admin.put("/api/settings", {"defaults.model": None})).status == 200
    assert len(await _rows(admin)) == before + 1


async def test_a_write_that_hangs_holds_up_no_answer_for_long(
    admin: Person, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE audit_log IN EXCLUSIVE MODE"))
        answer = await admin.put("/api/settings", {"defaults.model": None})
    assert answer.status == 200


async def test_each_row_holds_what_its_request_changed(
    admin: Person, people: Callable[[], Person], api: Api
) -> None:
    """Two administrators change one bot, the settings and a chat at the same time."""
    await api.users.create_user("second@example.com", PASSWORD, Role.ADMIN)
    second = people()
    assert (await second.sign_in("second@example.com")).status == 200
    bot = await make_bot(admin)
    path, target = f"/api/bots/{bot['id']}", f"bot:{bot['id']}"
    former = (await _rows(admin))[0]["id"]
    for number in range(12):
        await asyncio.gather(
            admin.patch(path, {"name": f"Name {number}"}),
            second.patch(path, {"instructions": f"Instructions {number}"}),
            admin.put("/api/settings", {"defaults.model": f"model-{number}"}),
            second.put("/api/settings", {"defaults.helpText": f"Help {number}"}),
            admin.post(f"{path}/enable"),
            second.post(f"{path}/disable"),
        )
    changes = {
        ("change_bot", "admin@example.com"): {"name"},
        ("change_bot", "second@example.com"): {"instructions"},
        ("put_settings", "admin@example.com"): {"defaults.model"},
        ("put_settings", "second@example.com"): {"defaults.helpText"},
        ("enable_bot", "admin@example.com"): {"enabled"},
        ("disable_bot", "second@example.com"): {"enabled"},
    }
    rows = [*await _rows(admin, target=target), *await _rows(admin, target="settings")]
    found = [row for row in rows if row["id"] > former]
    assert len(found) == 72
    for row in found:
        assert set(row["after"]) - {"updatedAt"} <= changes[row["action"], row["actor"]], row
    # One after the other: where one ended the next one began.
    for names in ({"name"}, {"instructions"}, {"enabled"}):
        (name,) = names
        steps = [row for row in found if row["target"] == target and name in (row["after"] or {})]
        after = {_at(row, "after"): row for row in steps}
        assert len(after) == len(steps) >= 6
        for row in steps:
            before = after.get(_at(row, "before"))
            if before is not None and name in before["after"]:
                assert before["after"][name] == row["before"][name]
    await admin.put("/api/settings", {"defaults.model": None, "defaults.helpText": None})


def _at(row: dict[str, Any], when: str) -> str:
    return str(row[when]["updatedAt"])


async def test_a_pause_and_a_retry_note_their_own_change_alone(
    admin: Person, sql: Run, engine: AsyncEngine
) -> None:
    bot = await make_bot(admin)
    chat = await keep_chat(sql, bot["id"], 77)
    message = await keep_message(sql, await keep_chat(sql, bot["id"], 78), "hi", "TERMINAL")
    async with engine.begin() as connection:
        # Something else has hold of the chats, and changes one and the other's message.
        locked = text("SELECT 1 FROM chats WHERE bot_id = :bot FOR UPDATE")
        await connection.execute(locked, {"bot": bot["id"]})
        asked = [
            asyncio.create_task(admin.post(f"/api/chats/{chat}/pause")),
            asyncio.create_task(admin.post(f"/api/processing/{message}/retry")),
        ]
        await wait_until(lambda: _waiting(sql, 2), 10)
        await connection.execute(
            text("UPDATE chats SET name = 'Another', last_message_at = now() WHERE id = :id"),
            {"id": chat},
        )
        await connection.execute(
            text("UPDATE message_processing SET status = 'FAILED' WHERE id = :id"), {"id": message}
        )
    assert [answer.status for answer in await asyncio.gather(*asked)] == [200, 202]
    (paused,) = await _rows(admin, target=f"chat:{chat}")
    assert (paused["before"], paused["after"]) == ({"paused": False}, {"paused": True})
    (retried,) = await _rows(admin, target=f"processing:{message}")
    assert (retried["before"], retried["after"]) == ({}, {})  # it is FAILED as before


async def _waiting(sql: Run, many: int) -> bool:
    ((count,),) = await sql(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return int(count) >= many


async def test_a_key_is_named(admin: Person, nobody: Person) -> None:
    made = await admin.post("/api/api-keys", {"name": "nightly export", "role": "ADMIN"})
    shown = {"Authorization": f"Bearer {made.json['key']}"}
    assert (await nobody.post("/api/bots/1234567/enable", headers=shown)).status == 404
    (row, *_) = await _rows(admin, target="/api/bots/1234567/enable")
    assert row["actor"] == "admin@example.com"
    assert (row["apiKeyId"], row["apiKeyName"]) == (made.json["id"], "nightly export")
    me = (await nobody.get("/api/auth/me", headers=shown)).json
    assert set(me) == {"id", "email", "role", "status", "createdAt", "updatedAt"}
    (row, *_) = await _rows(admin, action="create_api_key")
    assert (row["apiKeyId"], row["apiKeyName"]) == (None, None)


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("DELETE", "/api/api-keys/kd_SECRETsecretSECRET", "/api/api-keys/…"),
        ("PATCH", "/api/bots/7001:TOKEN", "/api/bots/…"),
        ("PATCH", f"/api/users/kd_{'S' * 43}", "/api/users/…"),
        ("POST", f"/api/chats/7001:{'T' * 35}/pause", "/api/chats/…/pause"),
        ("POST", "/api/my-password-is-hunter2", "/api/…"),
    ],
)
async def test_a_secret_in_a_path_is_not_kept(
    admin: Person, method: str, path: str, target: str
) -> None:
    assert (await admin.ask(method, path, {})).status in (404, 405)
    assert (await _rows(admin))[0]["target"] == target


async def test_a_bots_name_may_be_its_token(admin: Person) -> None:
    token = new_token()
    bot = await make_bot(admin, token=token, name=token)
    (row,) = await _rows(admin, target=f"bot:{bot['id']}")
    assert row["after"]["name"] == "…"


async def test_no_secret_stands_in_it(
    api: Api, admin: Person, user: Person, nobody: Person, sql: Run
) -> None:
    """Every unsafe route of the document, with objects that are there and with secrets in all."""
    token, other = new_token(), new_token()
    bot = await make_bot(admin, token=token, apiKey=KEY, telegramMode="POLLING")
    chat = await keep_chat(sql, bot["id"], 4242)
    message = await keep_message(sql, chat, "my secret words", "TERMINAL")
    made = await admin.post("/api/api-keys", {"name": "a key", "role": "USER"})
    secrets = [token, other, KEY, PASSWORD, WRONG, "my secret words", "another correct one"]
    secrets += [str(value) for value in made.json.values() if len(str(value)) > 30]
    document = (await admin.get("/schema/openapi.json")).json
    bodies: dict[str, Any] = {
        "createBot": {"name": "B", "token": other, "apiKey": KEY, "telegramMode": "POLLING"},
        "changeBot": {"token": new_token(), "apiKey": f"{KEY}2"},
        "checkToken": {"token": other},
        "putSettings": {"openai.apiKey": KEY, "alerts.botToken": token, "alerts.chatId": "5"},
        "login": {"email": "admin@example.com", "password": WRONG},
        "changePassword": {"currentPassword": WRONG, "newPassword": "another correct one"},
        "createUser": {"email": "new@example.com", "password": WRONG, "role": "USER"},
        "changeUser": {"password": "another correct one"},
        "createApiKey": {"name": "b", "role": "USER"},
        "writeMessage": {"text": "my secret words"},
    }
    users = (await admin.get("/api/users")).json["items"]
    names = {
        "bot_id": bot["id"],
        "chat_id": chat,
        "processing_id": message,
        "user_id": next(item["id"] for item in users if item["email"] == "user@example.com"),
        "key_id": made.json.get("id", 1),
        "job_id": 1,
    }
    asked: list[tuple[str, str, str]] = []
    for path, operations in document["paths"].items():
        if not path.startswith("/api/"):
            continue
        for method in UNSAFE:
            if method in operations:
                asked.append((method, path, operations[method]["operationId"]))
    assert len(asked) >= 15
    # What erases goes last; signing out goes to a person of its own.
    asked.sort(key=lambda item: (item[0] == "delete", item[1]))
    for method, path, operation in asked:
        real = re.sub(r"\{(\w+)\}", lambda match: str(names.get(match[1], 1)), path)
        person = nobody if operation in ("logout", "login") else admin
        body = bodies.get(operation, {"text": KEY, "token": token, "password": WRONG})
        answer = await person.ask(method.upper(), real, body)
        assert answer.status < 500 or answer.status == 502, (operation, answer.json)
    rows = await sql("SELECT row_to_json(audit_log)::text FROM audit_log")
    written = "\n".join(row[0] for row in rows)
    actions = {json.loads(row[0])["action"] for row in rows}
    assert {_snake(operation) for _, _, operation in asked} <= actions
    for secret in secrets:
        assert secret not in written, secret
        assert secret.partition(":")[2] not in written or ":" not in secret


def _snake(operation: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", operation)
