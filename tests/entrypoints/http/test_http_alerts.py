"""Setting the alerts up: a test alert, and a code that finds the chat."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from dishka import make_async_container
from valkey.asyncio import Valkey

from adapters.child_process import wait_until
from adapters.secret_box import SecretBox
from application.alert_link_polling import AlertLinkPolling
from entrypoints.poller_wiring import PollerProvider
from entrypoints.sandbox.server import SandboxServer
from entrypoints.settings import Settings
from entrypoints.wiring import SharedProvider
from tests.entrypoints.http.conftest import Api, Person, Run, make_bot, new_token

PERSON = 1001
ADMIN = "admin@example.com"
LINKED = "This chat gets the alerts of Kotodom GPT from now on."


@pytest.fixture
async def token(admin: Person) -> AsyncIterator[str]:
    """The alerts' bot, which is none of ours."""
    made = new_token()
    answer = await admin.put("/api/settings", {"alerts.botToken": made, "alerts.chatId": None})
    assert answer.status == 200
    yield made
    await admin.put("/api/settings", {"alerts.botToken": None, "alerts.chatId": None})


@pytest.fixture
async def poller(api: Api) -> AsyncIterator[None]:
    """The part of the poller process that listens for codes."""
    container = make_async_container(
        SharedProvider(), PollerProvider(), context={Settings: api.settings}
    )
    stopping = asyncio.Event()
    listening = asyncio.create_task((await container.get(AlertLinkPolling)).run(stopping))
    yield
    stopping.set()
    await asyncio.wait_for(listening, 5)
    await container.close()


async def _chat(admin: Person) -> Any:
    return (await admin.get("/api/settings")).json["alerts.chatId"]


def _is(admin: Person, chat: str | None) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return bool(await _chat(admin) == chat)

    return holds


async def _kept(admin: Person) -> tuple[Any, ...]:
    """The newest row of the audit log about a chat that said its code, once it is there."""
    rows: list[Any] = []

    async def found() -> bool:
        answer = await admin.get("/api/audit?action=link_alerts_by_code&limit=1")
        rows[:] = answer.json["items"]
        return bool(rows)

    await wait_until(found, 5)
    (row,) = rows
    before, after = (row[side]["alerts.chatId"] for side in ("before", "after"))
    return row["actor"], row["target"], before, after, row["status"], row["address"]


def _identity(token: str) -> int:
    return int(token.partition(":")[0])


async def test_a_test_alert(admin: Person, token: str, sandbox: SandboxServer) -> None:
    answer = await admin.post("/api/settings/alerts/test")
    assert answer.status == 409
    assert answer.json["detail"] == "Set the chat that gets the alerts in the settings first."
    await admin.put("/api/settings", {"alerts.chatId": "77"})
    answer = await admin.post("/api/settings/alerts/test")
    assert (answer.status, answer.json) == (200, {"delivered": True})
    assert sandbox.telegram.bot_texts(_identity(token), 77) == [
        "This is a test alert of Kotodom GPT. Alerts arrive in this chat."
    ]


async def test_nothing_is_set(admin: Person) -> None:
    for path in ("test", "link"):
        answer = await admin.post(f"/api/settings/alerts/{path}")
        assert answer.status == 409
        assert answer.json["detail"] == "Set the token of the alerts' bot in the settings first."


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [("unauthorized", 409, "Unauthorized"), ("server_error", 502, "Telegram")],
)
async def test_telegram_refuses(
    admin: Person, token: str, sandbox: SandboxServer, kind: str, status: int, words: str
) -> None:
    await admin.put("/api/settings", {"alerts.chatId": "77"})
    sandbox.faults.add("telegram", kind)
    try:
        for path in ("test", "link"):
            answer = await admin.post(f"/api/settings/alerts/{path}")
            assert answer.status == status, answer.json
            assert words in answer.json["detail"] and token not in answer.json["detail"]
    finally:
        sandbox.faults.clear()


async def test_only_admin(manager: Person, user: Person, nobody: Person) -> None:
    for person, status in ((manager, 403), (user, 403), (nobody, 401)):
        for path in ("test", "link"):
            assert (await person.post(f"/api/settings/alerts/{path}")).status == status


async def test_a_bot_that_is_none_of_ours(
    admin: Person, token: str, sandbox: SandboxServer, poller: None, valkey: Valkey
) -> None:
    bot = _identity(token)
    answer = await admin.post("/api/settings/alerts/link")
    assert answer.status == 201
    code, username = answer.json["code"], answer.json["botUsername"]
    assert re.fullmatch("[A-Z0-9]{8}", code)
    assert answer.json["link"] == f"https://t.me/{username}?start={code}"
    assert answer.json["problem"] is None
    left = datetime.fromisoformat(answer.json["expiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    sandbox.telegram.say(bot, 1002, "/link AAAAAAAA")
    sandbox.telegram.say(bot, 1002, "hello")
    sandbox.telegram.say(bot, PERSON, f"/start {code}")
    assert await sandbox.telegram.wait_for_bot_texts(bot, PERSON, 1) == [LINKED]
    await wait_until(_is(admin, str(PERSON)), 5)
    told = f"Telegram user {PERSON} in chat {PERSON}"
    assert await _kept(admin) == (ADMIN, "settings", None, str(PERSON), None, told)
    assert sandbox.telegram.bot_texts(bot, 1002) == []
    assert await valkey.get("kotodom:alert-link") is None
    assert (await admin.post("/api/settings/alerts/test")).status == 200

    async def confirmed() -> bool:
        return not sandbox.telegram.kept.bots[bot].pending

    await wait_until(confirmed, 5)
    # It is used up: the next one who says it is not heard.
    sandbox.telegram.say(bot, 1002, f"/link {code}")
    await asyncio.sleep(1.5)
    assert await _chat(admin) == str(PERSON)


async def test_one_code_at_a_time(
    admin: Person, token: str, sandbox: SandboxServer, poller: None
) -> None:
    bot = _identity(token)
    first = (await admin.post("/api/settings/alerts/link")).json["code"]
    second = (await admin.post("/api/settings/alerts/link")).json["code"]
    sandbox.telegram.say(bot, 1002, f"/link {first}")
    sandbox.telegram.say(bot, PERSON, f"/link@a_bot {second.lower()}")
    await wait_until(_is(admin, str(PERSON)), 10)
    assert sandbox.telegram.bot_texts(bot, 1002) == []


async def test_a_foreign_webhook_is_told_and_stays(
    admin: Person, token: str, sandbox: SandboxServer, poller: None
) -> None:
    url = "https://elsewhere.example/secret-path"
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{sandbox.telegram_url}/bot{token}/setWebhook", json={"url": url}) as answer,
    ):
        assert answer.status == 200
    made = await admin.post("/api/settings/alerts/link")
    assert made.status == 201
    assert "elsewhere.example" in made.json["problem"] and "secret" not in made.json["problem"]
    await asyncio.sleep(1.5)
    webhook = sandbox.telegram.kept.bots[_identity(token)].webhook
    assert webhook is not None and webhook.url == url


async def test_one_of_our_bots(
    admin: Person, api: Api, sandbox: SandboxServer, sql: Run, poller: None
) -> None:
    token = new_token()
    bot = await make_bot(admin, token=token, telegramMode="POLLING")
    await admin.put("/api/settings", {"alerts.botToken": token, "alerts.chatId": "77"})
    refused = await admin.post("/api/settings/alerts/link")
    assert refused.status == 409 and "enable it first" in refused.json["detail"]
    await admin.post(f"/api/bots/{bot['id']}/enable")
    code = (await admin.post("/api/settings/alerts/link")).json["code"]
    # Its updates come through its own intake; nobody else polls it.
    secret = SecretBox(api.settings.secret_key or "").webhook_secret(bot["id"])

    async def deliver(update_id: int, chat: int, text: str) -> None:
        message = {
            "message_id": update_id,
            "date": 1,
            "chat": {"id": chat, "type": "private"},
            "from": {"id": chat, "is_bot": False, "first_name": "Anna"},
            "text": text,
        }
        answer = await admin.post(
            f"/webhook/{bot['id']}",
            {"update_id": update_id, "message": message},
            headers={"X-Telegram-Bot-Api-Secret-Token": secret},
        )
        assert answer.status == 200

    await deliver(1, 501, "/link AAAAAAAA")
    await deliver(2, 502, f"/start {code}")
    await deliver(2, 502, f"/start {code}")
    assert await sandbox.telegram.wait_for_bot_texts(_identity(token), 502, 1) == [LINKED]
    await wait_until(_is(admin, "502"), 5)
    told = "Telegram user 502 in chat 502"
    assert await _kept(admin) == (ADMIN, "settings", "77", "502", None, told)
    await deliver(3, 503, f"/link {code}")
    states = await sql(
        "SELECT update_id, state, chat_id FROM telegram_updates WHERE bot_id = :bot ORDER BY 1",
        bot=bot["id"],
    )
    # What is no open code is a message like any other; the code itself makes no turn.
    assert [tuple(row) for row in states] == [
        (1, "WAITING", f"{bot['id']}:501"),
        (2, "IGNORED", None),
        (3, "WAITING", f"{bot['id']}:503"),
    ]
    assert [
        call
        for call in sandbox.telegram.calls
        if call.method == "getUpdates" and call.bot == _identity(token)
    ] == []
    await admin.put("/api/settings", {"alerts.botToken": None, "alerts.chatId": None})
