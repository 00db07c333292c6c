"""The sandbox's own HTTP and its page, and who may reach them."""

import json
import re
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from entrypoints.sandbox.page_files import PAGE
from entrypoints.sandbox.server import SandboxServer, create_app
from tests.entrypoints.sandbox.conftest import BOT, CHAT, TOKEN, Call


async def ask(
    http: aiohttp.ClientSession, sandbox: SandboxServer, method: str, path: str, body: Any = None
) -> tuple[int, Any]:
    url = f"{sandbox.url}/control/{path}"
    async with http.request(method, url, json=body) as response:
        return response.status, await response.json()


async def test_a_person_writes_and_the_bot_answers(
    sandbox: SandboxServer, http: aiohttp.ClientSession, telegram: Call
) -> None:
    new = {"token": TOKEN, "name": "Kotodom", "username": "kotodom_bot"}
    assert (await ask(http, sandbox, "POST", "bots", new))[0] == 201
    _, state = await ask(http, sandbox, "GET", "state")
    assert state["bots"][0]["username"] == "kotodom_bot"
    assert TOKEN not in json.dumps(state)
    assert [person["language_code"] for person in state["people"]] == ["ru", "en", "fr"]
    deed = {"bot": BOT, "user": CHAT, "text": "hi"}
    _, sent = await ask(http, sandbox, "POST", "send", deed)
    await telegram("sendMessage", chat_id=CHAT, text="hello", bogus=1)
    _, found = await ask(http, sandbox, "GET", f"messages?bot={BOT}&chat={CHAT}")
    assert [message["text"] for message in found["messages"]] == ["hi", "hello"]
    edit = {**deed, "kind": "edit", "text": "hey"}
    edit["message_id"] = sent["update"]["message"]["message_id"]
    _, edited = await ask(http, sandbox, "POST", "send", edit)
    assert edited["update"]["edited_message"]["text"] == "hey"
    _, calls = await ask(http, sandbox, "GET", f"calls?bot={BOT}&method=sendMessage")
    assert [call["violations"] for call in calls["calls"]] == [
        ["sendMessage has no parameter 'bogus'"]
    ]
    _, found = await ask(http, sandbox, "GET", "violations")
    assert found["violations"][0]["params"]["text"] == "hello"


@pytest.mark.parametrize("kind", ["photo", "sticker", "voice", "document", "location"])
async def test_messages_of_other_kinds(
    sandbox: SandboxServer, http: aiohttp.ClientSession, telegram: Call, kind: str
) -> None:
    await telegram("getMe")
    group = next(iter(sandbox.telegram.kept.groups))
    deed = {"bot": BOT, "user": CHAT, "chat": group, "kind": kind}
    _, sent = await ask(http, sandbox, "POST", "send", deed)
    message = sent["update"]["message"]
    assert kind in message and message["chat"]["type"] == "supergroup"


async def test_blocking_the_bot(
    sandbox: SandboxServer, http: aiohttp.ClientSession, telegram: Call
) -> None:
    await telegram("getMe")
    deed = {"bot": BOT, "user": CHAT, "kind": "block"}
    _, sent = await ask(http, sandbox, "POST", "send", deed)
    assert sent["update"]["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    assert (await telegram("sendMessage", chat_id=CHAT, text="x"))[0] == 403
    await ask(http, sandbox, "POST", "send", {**deed, "kind": "unblock"})
    assert (await telegram("sendMessage", chat_id=CHAT, text="x"))[0] == 200


async def test_faults_pace_people_and_runs(
    sandbox: SandboxServer, http: aiohttp.ClientSession
) -> None:
    fault = {"side": "openai", "kind": "slow", "delay": 3}
    status, made = await ask(http, sandbox, "POST", "faults", fault)
    assert status == 201
    _, listed = await ask(http, sandbox, "GET", "faults")
    assert [one["id"] for one in listed["faults"]] == [made["fault"]["id"]]
    await ask(http, sandbox, "DELETE", f"faults/{made['fault']['id']}")
    assert sandbox.faults.list() == []
    await ask(http, sandbox, "PUT", "pace", {"first_token": 0.5, "tokens_per_second": 9})
    assert sandbox.openai.pace.first_token == 0.5
    person = {"first_name": "Zoë", "language_code": "de"}
    _, made = await ask(http, sandbox, "POST", "people", person)
    assert sandbox.telegram.kept.people[made["person"]["id"]].first_name == "Zoë"
    assert await ask(http, sandbox, "GET", "runs?key=processing") == (200, {"counts": {}})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "faults", {"side": "telegram", "kind": "earthquake"}, 400),
        ("POST", "faults", {"side": "moon", "kind": "slow"}, 400),
        ("POST", "send", {"bot": 1, "user": 2}, 404),
        ("POST", "bots", {"token": "x"}, 400),
        ("POST", "people", {"first_name": " "}, 400),
        ("DELETE", "faults/99", None, 404),
        ("GET", "messages?bot=x", None, 400),
    ],
)
async def test_wrong_requests(
    sandbox: SandboxServer,
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    body: Any,
    status: int,
) -> None:
    got, answer = await ask(http, sandbox, method, path, body)
    assert got == status and answer["error"]


async def test_the_feed_tells_the_page_what_happens(
    sandbox: SandboxServer, http: aiohttp.ClientSession, telegram: Call
) -> None:
    await telegram("getMe")
    async with http.get(f"{sandbox.url}/control/events") as stream:
        assert stream.content_type == "text/event-stream"
        await telegram("sendChatAction", chat_id=CHAT, action="typing")
        await telegram("sendMessage", chat_id=CHAT, text="hi")
        news = []
        while len(news) < 4:
            line = await stream.content.readline()
            if line.startswith(b"data: "):
                news.append(json.loads(line.removeprefix(b"data: ")))
    assert [one["type"] for one in news] == ["action", "call", "message", "call"]


async def test_another_site_and_another_machine_are_refused(
    sandbox: SandboxServer, http: aiohttp.ClientSession
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with http.post(f"{sandbox.url}/control/forget", headers=headers) as response:
        assert response.status == 403
    for peer, status in [("192.0.2.7", 403), ("::ffff:127.0.0.1", 200), ("::1", 200)]:
        app = create_app()
        request = make_mocked_request("GET", "/").clone(remote=peer)
        app.freeze()
        middleware = app.middlewares[0]
        assert (await middleware(request, _fine)).status == status


async def _fine(request: web.Request) -> web.Response:
    return web.Response()


async def test_the_page_is_whole_and_asks_nobody_else(
    sandbox: SandboxServer, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{sandbox.url}/") as response:
        page = await response.text()
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert "style=" not in page and "<style" not in page and "onclick" not in page
    used = set(re.findall(r'(?:src|href)="(page/[^"]+)"', page))
    for source in PAGE.glob("*.js"):
        used |= {f"page/{name}" for name in re.findall(r'from "\./([^"]+)"', source.read_text())}
    assert used == {f"page/{path.name}" for path in PAGE.iterdir()} - {"page/index.html"}
    for address in used:
        async with http.get(f"{sandbox.url}/{address}") as response:
            assert response.status == 200
    async with http.get(f"{sandbox.url}/page/..%2fserver.py") as response:
        assert response.status == 404
    for name in [
        "message-input",
        "send-button",
        "typing",
        "user-select",
        "bot-select",
        "chat-select",
        "call-log",
    ]:
        assert f'data-testid="{name}"' in page
