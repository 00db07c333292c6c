"""Bots over HTTP: what one may send, what comes back, and what is kept of it."""

import asyncio
from typing import Any

import pytest

from adapters import postgres_bots
from application import bot_deletion
from entrypoints.sandbox.server import SandboxServer
from tests.entrypoints.http.conftest import Api, Person, Run, make_bot, new_token
from tests.entrypoints.http.rows import keep_chat, keep_message
from tests.journal_steps import decoded

KEYS = [
    *("id", "name", "tokenMask", "username", "model", "modelApi", "instructions", "temperature"),
    *("maxOutputTokens", "historyMessages", "assistantId", "startMessage", "helpText"),
    *("errorMessage", "enabled", "isActive", "error", "health", "telegramMode"),
    *("telegramApiUrl", "baseUrl", "apiKeyMask", "ownerUserId", "createdAt", "updatedAt"),
]


async def test_a_new_bot(admin: Person, api: Api) -> None:
    token = new_token()
    fields = {
        "name": "  Anna ",
        "token": f" {token} ",
        "modelApi": "CHAT_COMPLETIONS",
        "model": "llama",
        "temperature": 1,
        "maxOutputTokens": 16,
        "historyMessages": 0,
        "startMessage": " ",
        "helpText": "🦊" * 2048,
        "baseUrl": "http://127.0.0.1:1/v1/",
        "apiKey": "sk-test-0123456789",
    }
    answer = await admin.post("/api/bots", fields)
    assert answer.status == 201
    bot = answer.json
    assert list(bot) == KEYS
    expected = {
        "name": "Anna",
        "tokenMask": f"{token.partition(':')[0]}:…h123",
        "model": "llama",
        "modelApi": "CHAT_COMPLETIONS",
        "temperature": 1.0,
        "maxOutputTokens": 16,
        "historyMessages": 0,
        "startMessage": None,
        "helpText": "🦊" * 2048,
        "baseUrl": "http://127.0.0.1:1/v1",
        "apiKeyMask": "…6789",
        "telegramMode": "POLLING",
        "enabled": False,
        "isActive": False,
        "error": None,
    }
    assert {key: bot[key] for key in expected} == expected
    assert bot["username"]
    assert isinstance(bot["id"], int)
    assert (await admin.get(f"/api/bots/{bot['id']}")).json == bot
    assert (await admin.get("/api/bots?limit=1")).json["items"] == [bot]


async def test_secrets_are_encrypted_and_never_shown(admin: Person, sql: Run) -> None:
    token = new_token()
    bot = await make_bot(admin, token=token, apiKey="sk-very-secret-key")
    (row,) = await sql(
        "SELECT token, api_key, token_fingerprint FROM bots WHERE id = :id", id=bot["id"]
    )
    assert token not in row[0] and "secret" not in row[1] and token not in row[2]
    for path in (f"/api/bots/{bot['id']}", "/api/bots"):
        shown = str((await admin.get(path)).json)
        assert token not in shown and "sk-very-secret-key" not in shown


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": None}, "name"),
        ({"token": "no token"}, "token"),
        ({"token": 5}, "token"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"maxOutputTokens": 15}, "maxOutputTokens"),
        ({"historyMessages": 201}, "historyMessages"),
        ({"historyMessages": True}, "historyMessages"),
        ({"helpText": "🦊" * 2049}, "helpText"),
        ({"startMessage": "a\x00b"}, "startMessage"),
        ({"telegramMode": "PIGEON"}, "telegramMode"),
        ({"telegramMode": "WEBHOOK"}, "telegramMode"),
        ({"baseUrl": "ftp://host"}, "baseUrl"),
        ({"telegramApiUrl": "http://user:pw@host"}, "telegramApiUrl"),
        ({"apiKey": "with space"}, "apiKey"),
        ({"enabled": True}, "enabled"),
    ],
)
async def test_wrong_fields_are_422_and_named(
    admin: Person, wrong: dict[str, Any], field: str
) -> None:
    answer = await admin.post("/api/bots", {"name": "Bot", "token": new_token()} | wrong)
    assert (answer.status, answer.fields) == (422, [field])
    assert field in answer.json["detail"]


async def test_webhook_without_public_url_says_what_to_set(admin: Person) -> None:
    bot = {"name": "Bot", "token": new_token(), "telegramMode": "WEBHOOK"}
    assert "PUBLIC_URL" in (await admin.post("/api/bots", bot)).json["detail"]


async def test_a_token_is_one_bots(admin: Person, user: Person) -> None:
    token = new_token()
    await make_bot(admin, token=token)
    assert (await user.post("/api/bots", {"name": "Thief", "token": token})).status == 409
    other = await make_bot(user)
    assert (await user.patch(f"/api/bots/{other['id']}", {"token": token})).status == 409


async def test_telegram_refuses_or_is_away(admin: Person, sandbox: SandboxServer) -> None:
    revoked = {"name": "Bot", "token": new_token()}
    sandbox.telegram.add_bot(revoked["token"]).revoked = True
    answer = await admin.post("/api/bots", revoked)
    assert (answer.status, answer.fields) == (422, ["token"])
    assert revoked["token"] not in str(answer.json)
    away = {"name": "Bot", "token": new_token(), "telegramApiUrl": "http://127.0.0.1:1"}
    answer = await admin.post("/api/bots", away)
    assert answer.status == 502
    assert "connect" in answer.json["detail"]
    checked = await admin.post("/api/bots/check-token", {"token": revoked["token"]})
    assert (checked.status, checked.fields) == (422, ["token"])


async def test_check_token(user: Person) -> None:
    token = new_token()
    answer = await user.post("/api/bots/check-token", {"token": token})
    assert answer.status == 200
    assert answer.json["id"] == int(token.partition(":")[0])
    assert answer.json["taken"] is False
    await make_bot(user, token=token)
    assert (await user.post("/api/bots/check-token", {"token": token})).json["taken"] is True
    assert (await user.post("/api/bots/check-token", {"token": "x"})).fields == ["token"]


async def test_change(admin: Person, sql: Run) -> None:
    bot = await make_bot(admin, model="a", instructions="Be kind.")
    path = f"/api/bots/{bot['id']}"
    answer = await admin.patch(path, {"model": None, "name": "New", "apiKey": "sk-0123456789"})
    assert answer.status == 200
    changed = answer.json
    assert (changed["model"], changed["name"], changed["instructions"]) == (None, "New", "Be kind.")
    assert changed["apiKeyMask"] == "…6789"
    assert changed["updatedAt"] > bot["updatedAt"]
    assert (await admin.patch(path, {"apiKey": ""})).json["apiKeyMask"] is None
    assert (await admin.patch(path, {})).status == 200
    assert (await admin.patch(path, {"historyMessages": None})).fields == ["historyMessages"]
    assert await sql("SELECT 1 FROM journal WHERE key = :key", key=f"bot:{bot['id']}") == []


async def test_enable_and_disable_are_jobs(admin: Person, sql: Run) -> None:
    bot = await make_bot(admin)
    path = f"/api/bots/{bot['id']}"
    enabled = await admin.post(f"{path}/enable")
    assert (enabled.status, enabled.json["enabled"], enabled.json["isActive"]) == (202, True, False)
    assert await _journal(sql, bot) == ["bot.enableAsked"]
    assert await _jobs(sql, bot) == ["telegram.removeWebhook", "jobs.publishWaiting"]
    disabled = await admin.post(f"{path}/disable")
    assert (disabled.status, disabled.json["enabled"]) == (202, False)
    assert await _journal(sql, bot) == ["bot.enableAsked", "bot.disableAsked"]


async def test_a_new_token_connects_anew(admin: Person, sql: Run, sandbox: SandboxServer) -> None:
    former = new_token()
    bot = await make_bot(admin, token=former)
    path = f"/api/bots/{bot['id']}"
    await admin.post(f"{path}/enable")
    await sql(
        "INSERT INTO telegram_updates (bot_id, update_id, payload, state)"
        " VALUES (:bot, 1, '{}', 'TAKEN'), (:bot, 2, '{}', 'WAITING')",
        bot=bot["id"],
    )
    answer = await admin.patch(path, {"token": new_token()})
    assert answer.status == 200
    assert answer.json["username"] != bot["username"]
    assert answer.json["tokenMask"] != bot["tokenMask"]
    assert (await _journal(sql, bot))[-1] == "bot.edited"
    # Another Telegram bot numbers its updates anew.
    rows = await sql("SELECT update_id FROM telegram_updates WHERE bot_id = :id", id=bot["id"])
    assert [row[0] for row in rows] == [2]
    # The former one's webhook goes by a job of its own (tests/end_to_end/test_former_webhooks.py).
    assert "telegram.removeFormerWebhook" in await _jobs(sql, bot)
    calls = [call.method for call in sandbox.telegram.calls if call.bot == _number(former)]
    assert calls == ["getMe"]


async def test_delete_says_what_it_erases_and_the_bot_is_gone(
    admin: Person, user: Person, sql: Run
) -> None:
    token = new_token()
    bot = await make_bot(user, token=token)
    await user.post(f"/api/bots/{bot['id']}/enable")
    chat = await keep_chat(sql, bot["id"], 5)
    message = await keep_message(sql, chat, "Why?", "TERMINAL")
    await keep_message(sql, chat, "Said", None)
    await sql(
        "INSERT INTO telegram_updates (bot_id, update_id, payload, state)"
        " VALUES (:bot, 1, '{}', 'IGNORED')",
        bot=bot["id"],
    )
    path = f"/api/bots/{bot['id']}"
    answers = await asyncio.gather(*(user.delete(path) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [202, 404, 404]
    (erased,) = [answer.json for answer in answers if answer.status == 202]
    assert erased == {
        "botId": bot["id"],
        "chats": 1,
        "messages": 2,
        "processing": 1,
        "updates": 1,
        "orMore": False,
    }
    for person in (admin, user):
        for absent in (path, f"/api/chats/{chat}", f"/api/processing/{message}"):
            assert (await person.get(absent)).status == 404
        for action in ("retry", "recording"):
            method = "GET" if action == "recording" else "POST"
            answer = await person.ask(method, f"/api/processing/{message}/{action}")
            assert answer.status == 404
        for action in ("pause", "refresh"):
            assert (await person.post(f"/api/chats/{chat}/{action}")).status == 404
        for listed in ("chats", "processing", "processing?q=Why", "processing/failures", "stats"):
            told = (await person.get(f"/api/{listed}")).json
            assert str(bot["id"]) not in {
                str(number)
                for item in told.get("items", told.get("bots"))
                for number in (item.get("botId"), *item.get("bots", ()))
            }, listed
        assert (
            await person.post("/api/processing/retry", {"filter": {"botId": bot["id"]}})
        ).json == {
            "retried": 0,
            "left": 0,
        }
    # Its token is free.
    await make_bot(admin, token=token)
    noted = (await admin.get(f"/api/audit?target=bot:{bot['id']}&action=delete_bot")).json["items"]
    (row,) = [row for row in noted if row["before"] is not None]
    assert (row["status"], row["after"], row["before"]["erased"]) == (202, None, erased)
    assert await sql("SELECT bot_id, chat_id FROM erasures WHERE bot_id = :bot", bot=bot["id"]) == [
        (bot["id"], None)
    ]


async def test_what_a_large_bot_has_is_counted_so_far(
    admin: Person, sql: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_bots, "COUNTED_UPTO", 3)
    monkeypatch.setattr(bot_deletion, "COUNTED_UPTO", 3)
    bot = await make_bot(admin)
    for number in range(5):
        await keep_chat(sql, bot["id"], number + 1)
    erased = (await admin.delete(f"/api/bots/{bot['id']}")).json
    assert (erased["chats"], erased["messages"], erased["orMore"]) == (3, 0, True)


async def test_a_user_sees_only_its_own(admin: Person, manager: Person, user: Person) -> None:
    theirs, own = await make_bot(admin), await make_bot(user)
    for method, path in [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/enable"),
        ("POST", "/disable"),
        ("POST", "/webhook"),
        ("DELETE", "/webhook"),
        ("GET", "/telegram"),
    ]:
        assert (await user.ask(method, f"/api/bots/{theirs['id']}{path}")).status == 404
    assert (await user.patch(f"/api/bots/{theirs['id']}", {"name": "Mine"})).status == 404
    listed = {bot["id"] for bot in (await user.get("/api/bots?limit=200")).json["items"]}
    assert own["id"] in listed and theirs["id"] not in listed
    for sees_all in (admin, manager):
        listed = {bot["id"] for bot in (await sees_all.get("/api/bots?limit=200")).json["items"]}
        assert {own["id"], theirs["id"]} <= listed


async def test_only_admin_names_servers(manager: Person, user: Person, admin: Person) -> None:
    for person in (manager, user):
        form = {"name": "Bot", "token": new_token(), "baseUrl": "http://inside/"}
        assert (await person.post("/api/bots", form)).status == 403
        form = {"token": new_token(), "telegramApiUrl": "http://inside/"}
        assert (await person.post("/api/bots/check-token", form)).status == 403
        bot = await make_bot(person)
        path = f"/api/bots/{bot['id']}"
        assert (await person.patch(path, {"telegramApiUrl": "http://inside/"})).status == 403
        # What an administrator has set may be sent back as it is.
        assert (await admin.patch(path, {"baseUrl": "http://m/v1"})).status == 200
        assert (await person.patch(path, {"baseUrl": "http://m/v1", "name": "x"})).status == 200


@pytest.mark.parametrize("bot_id", ["0", "-1", "x", "1.5", "9" * 30, "9" * 5000, "%00", "999999"])
async def test_ids_that_are_none_are_404(admin: Person, bot_id: str) -> None:
    answer = await admin.get(f"/api/bots/{bot_id}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_pages(user: Person) -> None:
    made = [(await make_bot(user))["id"] for _ in range(5)]
    found: list[int] = []
    cursor = ""
    while True:
        answer = (await user.get(f"/api/bots?limit=2{cursor}")).json
        found += [bot["id"] for bot in answer["items"]]
        if answer["nextCursor"] is None:
            break
        cursor = f"&cursor={answer['nextCursor']}"
    assert found[:5] == made[::-1]
    assert len(found) == len(set(found))


async def test_what_telegram_says(admin: Person) -> None:
    bot = await make_bot(admin)
    answer = await admin.get(f"/api/bots/{bot['id']}/telegram")
    assert answer.status == 200
    assert answer.json["username"] == bot["username"]
    assert answer.json["webhook"]["url"] == ""
    assert answer.json["error"] is None


async def _journal(sql: Run, bot: dict[str, Any]) -> list[str]:
    rows = await sql(
        "SELECT event FROM journal WHERE key = :key ORDER BY seq", key=f"bot:{bot['id']}"
    )
    return [decoded(event)["type"] for (event,) in rows]


async def _jobs(sql: Run, bot: dict[str, Any]) -> list[str]:
    rows = await sql(
        "SELECT convert_from(payload, 'UTF8')::json->>'type' FROM pgqueuer"
        " WHERE entrypoint = 'effect.perform'"
        " AND convert_from(payload, 'UTF8')::json->>'bot_id' = :id ORDER BY id",
        id=str(bot["id"]),
    )
    return [row[0] for row in rows]


def _number(token: str) -> int:
    return int(token.partition(":")[0])
