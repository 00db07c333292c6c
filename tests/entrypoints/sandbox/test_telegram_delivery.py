"""Updates on their way: getUpdates with its conflicts, the webhook with its retries and order."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from entrypoints.sandbox.botapi_schema import BotApiSchema
from entrypoints.sandbox.feed import Pulse
from entrypoints.sandbox.server import SandboxServer
from tests.entrypoints.sandbox.conftest import BOT, CHAT, TOKEN, Call

Hook = Callable[[web.Request, dict[str, Any]], web.Response]


class Receiver:
    """A webhook: keeps what it got, answers as `answer` says."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.headers: list[str | None] = []
        self.at_once = self.most_at_once = 0
        self.answer: Hook = lambda request, update: web.Response()
        self.got = Pulse()
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        update = await request.json()
        await asyncio.sleep(0.005)
        self.at_once -= 1
        response = self.answer(request, update)
        self.headers.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        if response.status == 200:
            self.updates.append(update)
            self.got.fire()
        return response

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.updates) < count:
                await self.got.wait()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


async def test_get_updates_waits_and_confirms_by_offset(
    sandbox: SandboxServer, telegram: Call
) -> None:
    assert (await telegram("getUpdates"))[1]["result"] == []
    waiting = asyncio.create_task(telegram("getUpdates", timeout=5))
    await asyncio.sleep(0.05)
    said = sandbox.telegram.say(BOT, CHAT, "/start now")
    assert (await waiting)[1]["result"] == [said]
    assert said["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert BotApiSchema().check_type("Update", said) == []
    sandbox.telegram.say(BOT, CHAT, "again")
    assert len((await telegram("getUpdates", limit=1))[1]["result"]) == 1
    _, answer = await telegram("getUpdates", offset=said["update_id"] + 1)
    assert [update["message"]["text"] for update in answer["result"]] == ["again"]
    assert (await telegram("getWebhookInfo"))[1]["result"]["pending_update_count"] == 1


async def test_the_older_of_two_pollers_is_told(sandbox: SandboxServer, telegram: Call) -> None:
    older = asyncio.create_task(telegram("getUpdates", timeout=5))
    await asyncio.sleep(0.05)
    newer = asyncio.create_task(telegram("getUpdates", timeout=5))
    status, answer = await older
    assert status == 409
    assert answer["description"] == (
        "Conflict: terminated by other getUpdates request; "
        "make sure that only one bot instance is running"
    )
    sandbox.telegram.say(BOT, CHAT, "hi")
    assert len((await newer)[1]["result"]) == 1


async def test_a_webhook_ends_polling(telegram: Call, receiver: Receiver) -> None:
    waiting = asyncio.create_task(telegram("getUpdates", timeout=5))
    await asyncio.sleep(0.05)
    set_it = await telegram("setWebhook", url=receiver.url, secret_token="s3cret")
    assert set_it[1]["description"] == "Webhook was set"
    assert (await waiting)[0] == 409
    again = await telegram("setWebhook", url=receiver.url, secret_token="s3cret")
    assert again[1]["description"] == "Webhook is already set"
    status, answer = await telegram("getUpdates")
    assert status == 409 and "while webhook is active" in answer["description"]
    gone = await telegram("deleteWebhook")
    assert gone[1]["description"] == "Webhook was deleted"
    assert (await telegram("getUpdates"))[0] == 200


async def test_a_webhook_gets_each_chat_in_order_and_many_chats_at_once(
    sandbox: SandboxServer, telegram: Call, receiver: Receiver
) -> None:
    await telegram("setWebhook", url=receiver.url, secret_token="s3cret", max_connections=50)
    for number in range(4):
        for person in range(60):
            sandbox.telegram.say(BOT, 1000 + person, str(number))
    await receiver.wait(240)
    by_chat = defaultdict(list)
    for update in receiver.updates:
        by_chat[update["message"]["chat"]["id"]].append(update["message"]["text"])
    assert all(texts == ["0", "1", "2", "3"] for texts in by_chat.values())
    assert len(by_chat) == 60
    assert 10 < receiver.most_at_once <= 50
    assert set(receiver.headers) == {"s3cret"}
    assert (await telegram("getWebhookInfo"))[1]["result"]["pending_update_count"] == 0


async def test_a_failed_delivery_is_made_again_and_holds_its_chat(
    sandbox: SandboxServer, telegram: Call, receiver: Receiver
) -> None:
    failures = [web.Response(status=503, headers={"Retry-After": "0.2"}), web.Response(status=500)]

    def answer(request: web.Request, update: dict[str, Any]) -> web.Response:
        first = update["message"]["text"] == "first"
        return failures.pop(0) if first and failures else web.Response()

    receiver.answer = answer
    await telegram("setWebhook", url=receiver.url)
    sandbox.telegram.say(BOT, CHAT, "first")
    sandbox.telegram.say(BOT, CHAT, "second")
    sandbox.telegram.say(BOT, CHAT + 1, "elsewhere")
    await asyncio.sleep(0.1)
    info = (await telegram("getWebhookInfo"))[1]["result"]
    assert info["pending_update_count"] == 2
    assert info["last_error_message"].startswith("Wrong response from the webhook: 503")
    await receiver.wait(3)
    assert [update["message"]["text"] for update in receiver.updates] == [
        "elsewhere",
        "first",
        "second",
    ]


async def test_an_unreachable_webhook_keeps_its_updates(
    sandbox: SandboxServer, telegram: Call
) -> None:
    await telegram("setWebhook", url="http://127.0.0.1:9/hook")
    sandbox.telegram.say(BOT, CHAT, "hi")
    await asyncio.sleep(0.2)
    assert sandbox.telegram.bot(BOT).last_error_message == "Connection refused"
    await telegram("deleteWebhook")
    assert len((await telegram("getUpdates"))[1]["result"]) == 1


async def test_allowed_updates(sandbox: SandboxServer, telegram: Call) -> None:
    await telegram("getUpdates", allowed_updates=["message"])
    sandbox.telegram.say(BOT, CHAT, "one")
    number = sandbox.telegram.messages(BOT, CHAT)[0]["message_id"]
    sandbox.telegram.edit(BOT, CHAT, number, "two")
    updates = (await telegram("getUpdates"))[1]["result"]
    assert [update["message"]["text"] for update in updates] == ["one"]


async def test_bots_and_conversations_survive_a_restart(tmp_path: Path) -> None:
    async with SandboxServer(state_dir=tmp_path) as first:
        first.telegram.add_bot(TOKEN, "Kotodom")
        update = first.telegram.say(BOT, CHAT, "before")
        conversation = first.openai.create_conversation({"a": "b"})
    async with SandboxServer(state_dir=tmp_path) as second:
        bot = second.telegram.bot(BOT)
        assert (bot.token, bot.first_name) == (TOKEN, "Kotodom")
        assert list(bot.pending.values()) == [update]
        assert second.telegram.say(BOT, CHAT, "after")["update_id"] > update["update_id"]
        assert second.openai.conversation(conversation.id).metadata == {"a": "b"}
    async with SandboxServer() as forgetful:
        forgetful.telegram.add_bot(TOKEN)
        assert forgetful.telegram.say(BOT, CHAT, "new")["update_id"] >= update["update_id"]
    assert (tmp_path / "sandbox.json").stat().st_mode & 0o077 == 0


async def test_a_lone_surrogate_is_delivered_as_an_escape(
    sandbox: SandboxServer, http: aiohttp.ClientSession, telegram: Call
) -> None:
    await telegram("getMe")
    body = json.dumps({"bot": BOT, "user": CHAT, "text": "half \ud83d"})
    async with http.post(f"{sandbox.url}/control/send", data=body) as response:
        assert response.status == 200
    async with http.get(f"{sandbox.telegram_url}/bot{TOKEN}/getUpdates") as response:
        assert b"half \\ud83d" in await response.read()
