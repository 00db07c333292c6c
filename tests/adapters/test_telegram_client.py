"""The client against a real server that answers as the Bot API does, or breaks as networks do."""

import asyncio
import json
import re
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from adapters.telegram_client import TelegramClient
from adapters.telegram_requests import ALLOWED_UPDATES
from application.ports import BotCard, Failed, Telegram, TelegramAccess, WebhookStatus
from domain.effects import Entity
from domain.failures import (
    Ambiguous,
    ChatMigrated,
    EntitiesRefused,
    Failure,
    Fatal,
    Retryable,
    Terminal,
)
from tests.application.memory_meter import MemoryMeter

TOKEN = "123456:AA-secret_Token"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers every call with `answer`, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer = self.nothing
        self.calls: list[tuple[str, Any]] = []
        self.url = ""

    async def nothing(self, request: web.Request) -> web.Response:
        raise AssertionError("the test said no answer")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls.append((request.path, await request.json()))
        return await self.answer(request)

    def says(self, body: str | bytes | dict[str, Any], status: int = 200) -> None:
        text = json.dumps(body) if isinstance(body, dict) else body
        data = text.encode() if isinstance(text, str) else text

        async def answer(request: web.Request) -> web.Response:
            return web.Response(body=data, status=status)

        self.answer = answer

    def refuses(self, code: int, description: str, **parameters: int) -> None:
        body = {"ok": False, "error_code": code, "description": description}
        self.says({**body, "parameters": parameters} if parameters else body, code)

    @property
    def access(self) -> TelegramAccess:
        return TelegramAccess(1, TOKEN, self.url)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    fake = Server()
    app = web.Application()
    app.router.add_post("/{path:.*}", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    fake.url = f"http://{host}:{port}"
    yield fake
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[TelegramClient]:
    async with TelegramClient(0.6, MemoryMeter()) as opened:
        yield opened


async def failure(call: Awaitable[object]) -> Failure:
    """The failure of a call that must fail; and its exception must not tell the token."""
    with pytest.raises(Failed) as caught:
        await call
    error = caught.value
    for text in (str(error), repr(error), "".join(traceback.format_exception(error))):
        assert TOKEN not in text
    assert error.__context__ is None
    assert error.__cause__ is None
    return error.failure


async def test_sends_only_what_is_told(server: Server, client: TelegramClient) -> None:
    server.says({"ok": True, "result": {"message_id": 77, "chat": {"id": 5}, "text": "Hi"}})
    port: Telegram = client
    assert await port.send_message(server.access, 5, "Hi") == 77
    assert server.calls == [(f"/bot{TOKEN}/sendMessage", {"chat_id": 5, "text": "Hi"})]


async def test_sends_entities_topic_and_reply(server: Server, client: TelegramClient) -> None:
    server.says({"ok": True, "result": {"message_id": 1}})
    entities = (Entity("bold", 0, 2), Entity("text_link", 3, 1, url="https://a.example"))
    await client.send_message(server.access, -100, "Hi x", entities, topic_id=9, reply_to=4)
    assert server.calls[0][1] == {
        "chat_id": -100,
        "text": "Hi x",
        "entities": [
            {"type": "bold", "offset": 0, "length": 2},
            {"type": "text_link", "offset": 3, "length": 1, "url": "https://a.example"},
        ],
        "message_thread_id": 9,
        "reply_parameters": {"message_id": 4, "allow_sending_without_reply": True},
    }


async def test_a_lone_surrogate_is_mended_on_its_way(
    server: Server, client: TelegramClient
) -> None:
    server.says({"ok": True, "result": {"message_id": 1}})
    await client.send_message(server.access, 5, "a\ud800b \U0001f600", (Entity("bold", 0, 1),))
    assert server.calls[0][1] == {
        "chat_id": 5,
        "text": "a\ufffdb \U0001f600",
        "entities": [{"type": "bold", "offset": 0, "length": 1}],
    }


async def test_a_message_sent_to_a_chat_with_a_strange_name_was_sent(
    server: Server, client: TelegramClient
) -> None:
    server.says(r'{"ok":true,"result":{"message_id":8,"chat":{"id":5,"first_name":"\ud800"}}}')
    assert await client.send_message(server.access, 5, "Hi") == 8


async def test_the_other_methods(server: Server, client: TelegramClient) -> None:
    server.says({"ok": True, "result": True})
    await client.send_chat_action(server.access, 5, "typing", topic_id=2)
    await client.set_webhook(server.access, "https://a.example/webhook/1", "s3cret")
    await client.delete_webhook(server.access)
    await client.set_my_commands(server.access, [("start", "Begin")], None)
    await client.set_my_commands(server.access, [("start", "Начать")], "ru")
    assert [(path.rsplit("/", 1)[1], body) for path, body in server.calls] == [
        ("sendChatAction", {"chat_id": 5, "action": "typing", "message_thread_id": 2}),
        (
            "setWebhook",
            {
                "url": "https://a.example/webhook/1",
                "secret_token": "s3cret",
                "max_connections": 100,
                "allowed_updates": list(ALLOWED_UPDATES),
            },
        ),
        ("deleteWebhook", {}),
        ("setMyCommands", {"commands": [{"command": "start", "description": "Begin"}]}),
        (
            "setMyCommands",
            {
                "commands": [{"command": "start", "description": "Начать"}],
                "language_code": "ru",
            },
        ),
    ]


async def test_get_me(server: Server, client: TelegramClient) -> None:
    result = {"id": 42, "is_bot": True, "first_name": "Koto", "last_name": "Dom"}
    server.says({"ok": True, "result": {**result, "username": "koto_bot"}})
    assert await client.get_me(server.access) == BotCard(42, "Koto Dom", "koto_bot")


async def test_get_webhook_info(server: Server, client: TelegramClient) -> None:
    result = {"url": "", "has_custom_certificate": False, "pending_update_count": 3}
    server.says({"ok": True, "result": result})
    assert await client.get_webhook_info(server.access) == WebhookStatus("", 3)


async def test_updates_are_kept_byte_for_byte(server: Server, client: TelegramClient) -> None:
    server.says('{"ok":true, "result":[{"update_id":1,  "новое":1.50},\n{"update_id":"strange"}]}')
    updates = await client.get_updates(server.access, None, 0)
    assert updates == ['{"update_id":1,  "новое":1.50}'.encode(), b'{"update_id":"strange"}']
    asked = {"timeout": 0, "limit": 100, "allowed_updates": list(ALLOWED_UPDATES)}
    assert server.calls[0][1] == asked
    await client.get_updates(server.access, 0, 0)
    assert server.calls[1][1] == {**asked, "offset": 0}


async def test_an_update_with_a_lone_surrogate_is_kept(
    server: Server, client: TelegramClient
) -> None:
    server.says(r'{"ok":true,"result":[{"update_id":1,"message":{"text":"a\ud800 \ud83d\ude00"}}]}')
    updates = await client.get_updates(server.access, 1, 0)
    assert updates == [rb'{"update_id": 1, "message": {"text": "a\ud800 \ud83d\ude00"}}']


async def test_a_long_poll_waits_longer_than_a_call(server: Server, client: TelegramClient) -> None:
    async def late(request: web.Request) -> web.Response:
        await asyncio.sleep(1.0)
        return web.json_response({"ok": True, "result": []})

    server.answer = late
    assert await client.get_updates(server.access, 1, 1) == []


@pytest.mark.parametrize("token", ["", "123", "123:", "abc:def", "1:a/b", "1:a\n", "١:a", "1:a?b"])
async def test_a_token_of_another_form_asks_nobody(
    server: Server, client: TelegramClient, token: str
) -> None:
    access = TelegramAccess(1, token, server.url)
    expected = Fatal("The bot's token is not of Telegram's form", token_dead=True)
    assert await failure(client.get_me(access)) == expected
    assert await failure(client.send_message(access, 1, "Hi")) == expected
    assert server.calls == []


@pytest.mark.parametrize(
    "url", ["", "x", "//x", "http://", "ftp://x", "http://[x", "http://x:99999", "http://a..b"]
)
async def test_a_server_address_that_is_none(client: TelegramClient, url: str) -> None:
    expected = Fatal("The address of the bot's Telegram server is not an HTTP URL")
    assert await failure(client.get_me(TelegramAccess(1, TOKEN, url))) == expected


async def test_refusals_are_typed(server: Server, client: TelegramClient) -> None:
    server.refuses(429, "Too Many Requests: retry after 3", retry_after=3)
    said = "Telegram 429: Too Many Requests: retry after 3"
    assert await failure(client.send_message(server.access, 5, "Hi")) == Retryable(said, after=3.0)

    server.refuses(401, "Unauthorized")
    dead = Fatal("Telegram 401: Unauthorized", token_dead=True)
    assert await failure(client.get_updates(server.access, None, 0)) == dead

    server.refuses(403, "Forbidden: bot was blocked by the user")
    gone = Terminal("Telegram 403: Forbidden: bot was blocked by the user", chat_gone=True)
    assert await failure(client.send_message(server.access, 5, "Hi")) == gone

    server.refuses(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1005)
    assert await failure(client.send_message(server.access, 5, "Hi")) == ChatMigrated(-1005)


async def test_only_a_message_can_be_sent_without_entities(
    server: Server, client: TelegramClient
) -> None:
    server.refuses(400, "Bad Request: ENTITY_BOUNDS_INVALID")
    said = "Telegram 400: Bad Request: ENTITY_BOUNDS_INVALID"
    entities = (Entity("bold", 0, 1),)
    refused = await failure(client.send_message(server.access, 5, "Hi", entities))
    assert refused == EntitiesRefused(said)
    assert await failure(client.delete_webhook(server.access)) == Terminal(said)


async def test_html_from_a_proxy(server: Server, client: TelegramClient) -> None:
    server.says("<html><h1>502 Bad Gateway</h1></html>", status=502)
    reason = "Telegram 502: Bad Gateway, not an answer of the Bot API"
    # The server behind the proxy may have sent it.
    assert await failure(client.send_message(server.access, 5, "Hi")) == Ambiguous(reason)
    assert await failure(client.get_me(server.access)) == Retryable(reason)


async def test_a_redirect_is_not_followed(server: Server, client: TelegramClient) -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": server.url + "/elsewhere"})

    server.answer = elsewhere
    expected = Retryable("Telegram 301: Moved Permanently, not an answer of the Bot API")
    assert await failure(client.send_message(server.access, 5, "Hi")) == expected
    assert len(server.calls) == 1


@pytest.mark.parametrize("body", [b'{"ok":true,"resul', b"", b"<html>", b'{"ok":true,"result":5}'])
async def test_an_unreadable_success(server: Server, client: TelegramClient, body: bytes) -> None:
    server.says(body)
    said = "Telegram 200: OK, not an answer of the Bot API"
    assert await failure(client.send_message(server.access, 5, "Hi")) == Ambiguous(said)
    assert await failure(client.get_me(server.access)) == Retryable(said)
    assert await failure(client.get_updates(server.access, None, 0)) == Retryable(said)


async def test_an_endless_body_is_cut(
    server: Server, client: TelegramClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.telegram_client.MAX_ANSWER", 100_000)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 50_000)

    server.answer = endless
    said = "Telegram 200: OK, not an answer of the Bot API"
    assert await failure(client.get_me(server.access)) == Retryable(said)


async def test_a_slow_answer(server: Server, client: TelegramClient) -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.json_response({"ok": True, "result": True})

    server.answer = slow
    sent, acted = await asyncio.gather(
        failure(client.send_message(server.access, 5, "Hi")),
        failure(client.send_chat_action(server.access, 5, "typing")),
    )
    assert sent == Ambiguous("Telegram: no answer in 0.6 s")
    assert acted == Retryable("Telegram: no answer in 0.6 s")


async def test_a_connection_lost_after_the_request(server: Server, client: TelegramClient) -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        raise asyncio.CancelledError

    server.answer = hang_up
    sent = await failure(client.send_message(server.access, 5, "Hi"))
    assert isinstance(sent, Ambiguous)
    assert re.fullmatch(r"Telegram: the connection was lost \(\w+\)", sent.reason)
    assert isinstance(await failure(client.get_me(server.access)), Retryable)
    assert len(server.calls) == 2, "no request was made again behind our back"


async def test_a_body_that_ends_too_soon(server: Server, client: TelegramClient) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"ok":true,"result":{"message_id":1')
        assert request.transport is not None
        request.transport.close()
        return response

    server.answer = cut
    sent = await failure(client.send_message(server.access, 5, "Hi"))
    assert sent == Ambiguous("Telegram: the connection was lost (ClientPayloadError)")


async def test_a_server_that_is_not_there(client: TelegramClient) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        access = TelegramAccess(1, TOKEN, f"http://127.0.0.1:{held.getsockname()[1]}")
        sent = await failure(client.send_message(access, 5, "Hi"))
    assert isinstance(sent, Retryable)
    assert sent.reason.startswith("Telegram: cannot connect to 127.0.0.1: ")


async def test_a_server_whose_name_is_unknown(client: TelegramClient) -> None:
    sent = await failure(client.send_message(TelegramAccess(1, TOKEN, "http://x.invalid"), 5, "Hi"))
    assert isinstance(sent, Retryable)


async def test_a_handshake_that_never_ends_has_sent_nothing(client: TelegramClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        access = TelegramAccess(1, TOKEN, f"https://127.0.0.1:{silent.getsockname()[1]}")
        sent = await failure(client.send_message(access, 5, "Hi"))
    assert sent == Retryable("Telegram: no connection in 0.4 s")


async def test_connections_are_shared(server: Server, client: TelegramClient) -> None:
    peers = set()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.json_response({"ok": True, "result": {"message_id": 1}})

    server.answer = answer
    for _ in range(20):
        await client.send_message(server.access, 5, "Hi")
    assert len(peers) == 1


async def test_it_is_used_inside_its_context() -> None:
    with pytest.raises(RuntimeError, match="outside of its context"):
        await TelegramClient(1, MemoryMeter()).get_me(TelegramAccess(1, TOKEN, "http://127.0.0.1"))
