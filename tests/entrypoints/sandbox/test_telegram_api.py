"""The Bot API stand-in: methods, parameter checks, texts and faults, over HTTP."""

import aiohttp
import pytest

from entrypoints.sandbox.botapi_schema import BotApiSchema
from entrypoints.sandbox.server import SandboxServer
from tests.entrypoints.sandbox.conftest import BOT, CHAT, TOKEN, Call


def problems(sandbox: SandboxServer) -> list[str]:
    return [violation.problem for violation in sandbox.telegram.violations]


async def test_a_message_is_kept_as_telegram_answers_it(
    sandbox: SandboxServer, telegram: Call
) -> None:
    bold = {"type": "bold", "offset": 3, "length": 2}
    text = "hi 😀 /help"
    status, answer = await telegram("sendMessage", chat_id=CHAT, text=text, entities=[bold])
    message = answer["result"]
    assert status == 200
    assert message["from"]["id"] == BOT and message["chat"]["first_name"] == "Анна"
    assert message["entities"] == [bold, {"type": "bot_command", "offset": 6, "length": 5}]
    assert sandbox.telegram.messages(BOT, CHAT) == [message]
    assert BotApiSchema().check_type("Message", message) == []
    later = await telegram("sendMessage", chat_id=CHAT, text="second")
    assert later[1]["result"]["message_id"] == message["message_id"] + 1
    assert problems(sandbox) == []


@pytest.mark.parametrize(
    ("method", "params", "description"),
    [
        ("sendMessage", {"chat_id": CHAT, "text": " \n "}, "message text is empty"),
        ("sendMessage", {"chat_id": CHAT, "text": "😀" * 2049}, "message is too long"),
        ("sendMessage", {"text": "x"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": CHAT}, "message text is empty"),
        ("sendMessage", {"chat_id": "five", "text": ["x"]}, "text should be String"),
        (
            "sendMessage",
            {"chat_id": 1, "text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
            "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 1",
        ),
        (
            "sendMessage",
            {"chat_id": 1, "text": "😀", "entities": [{"type": "bold", "offset": 0, "length": 1}]},
            "entity beginning at UTF-16 offset 0 begins or ends in a middle of a UTF-16 symbol",
        ),
        (
            "sendChatAction",
            {"chat_id": CHAT, "action": "dance"},
            "wrong parameter action",
        ),
        ("setWebhook", {"url": "https://a.example", "secret_token": "no spaces"}, "secret token"),
        ("setWebhook", {"url": "http://a.example/hook"}, "bad webhook: An HTTPS URL"),
        (
            "setMyCommands",
            {"commands": [{"command": "Start", "description": "x"}]},
            "BOT_COMMAND_INVALID",
        ),
        ("getFile", {}, "file_id is required"),
    ],
)
async def test_a_call_that_breaks_the_documentation_is_refused_and_noted(
    sandbox: SandboxServer,
    telegram: Call,
    method: str,
    params: dict[str, object],
    description: str,
) -> None:
    status, answer = await telegram(method, **params)
    assert status == 400
    assert answer["description"].startswith(f"Bad Request: {description}")
    assert len(problems(sandbox)) >= 1


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"chat_id": CHAT, "text": "x", "color": "red"}, "sendMessage has no parameter 'color'"),
        ({"chat_id": CHAT, "text": 5}, "text should be String"),
        ({"chat_id": CHAT, "text": "x", "message_thread_id": "7"}, "not text"),
        ({"chat_id": CHAT, "text": "x", "parse_mode": None}, "parse_mode is null"),
        (
            {"chat_id": CHAT, "text": "x", "link_preview_options": {"off": True}},
            "LinkPreviewOptions has no field 'off'",
        ),
    ],
)
async def test_what_the_real_server_forgives_is_noted_all_the_same(
    sandbox: SandboxServer, telegram: Call, params: dict[str, object], problem: str
) -> None:
    status, _ = await telegram("sendMessage", **params)
    assert status == 200
    assert [found for found in problems(sandbox) if problem in found]


async def test_markup_is_parsed_and_its_refusal_is_no_violation(
    sandbox: SandboxServer, telegram: Call
) -> None:
    _, html = await telegram(
        "sendMessage", chat_id=CHAT, text="<b>a</b> <code>b</code>", parse_mode="HTML"
    )
    assert html["result"]["text"] == "a b"
    assert [entity["type"] for entity in html["result"]["entities"]] == ["bold", "code"]
    _, marked = await telegram(
        "sendMessage", chat_id=CHAT, text="*a* [b](https://c.example)\\.", parse_mode="MarkdownV2"
    )
    assert marked["result"]["text"] == "a b."
    status, refused = await telegram(
        "sendMessage", chat_id=CHAT, text="a.b", parse_mode="MarkdownV2"
    )
    assert status == 400 and "can't parse entities" in refused["description"]
    assert problems(sandbox) == []


async def test_tokens(sandbox: SandboxServer, http: aiohttp.ClientSession) -> None:
    async def get_me(token: str) -> int:
        async with http.get(f"{sandbox.telegram_url}/bot{token}/getMe") as response:
            return response.status

    assert await get_me(TOKEN) == 200
    assert await get_me(TOKEN[:-1] + "x") == 401
    assert await get_me("no-token") == 404
    sandbox.telegram.bot(BOT).revoked = True
    assert await get_me(TOKEN) == 401
    sandbox.telegram.accept_any_token = False
    assert await get_me("77:" + "a" * 35) == 401


async def test_query_form_and_multipart_calls(
    sandbox: SandboxServer, http: aiohttp.ClientSession
) -> None:
    url = f"{sandbox.telegram_url}/bot{TOKEN}"
    entities = '[{"type":"bold","offset":0,"length":1}]'
    fields = {"chat_id": str(CHAT), "text": "x", "entities": entities}
    async with http.get(f"{url}/SENDmessage", params=fields) as response:
        assert (await response.json())["result"]["entities"][0]["type"] == "bold"
    async with http.post(f"{url}/sendMessage", data=fields) as response:
        assert response.status == 200
    form = aiohttp.FormData()
    form.add_field("chat_id", str(CHAT))
    form.add_field("photo", b"png", filename="cat.png")
    async with http.post(f"{url}/sendPhoto", data=form) as response:
        assert (await response.json())["result"]["text"] == "[photo]"
    assert problems(sandbox) == []


async def test_every_documented_method_answers(sandbox: SandboxServer, telegram: Call) -> None:
    """With no parameters at all: an answer, or a documented refusal, and never a crash."""
    for method in BotApiSchema().methods():
        if method == "logOut":
            continue
        status, answer = await telegram(method)
        assert (status, answer["ok"]) in ((200, True), (400, False)), method
    status, answer = await telegram("inventMessage")
    assert (status, answer["description"]) == (404, "Not Found")
    assert problems(sandbox)[-1] == "unknown method"


async def test_commands_edits_and_deletions(sandbox: SandboxServer, telegram: Call) -> None:
    commands = [{"command": "start", "description": "Begin"}]
    await telegram("setMyCommands", commands=commands)
    assert (await telegram("getMyCommands"))[1]["result"] == commands
    await telegram("deleteMyCommands")
    assert (await telegram("getMyCommands"))[1]["result"] == []
    sent = (await telegram("sendMessage", chat_id=CHAT, text="one"))[1]["result"]["message_id"]
    same = await telegram("editMessageText", chat_id=CHAT, message_id=sent, text="one")
    assert "message is not modified" in same[1]["description"]
    await telegram("editMessageText", chat_id=CHAT, message_id=sent, text="two")
    assert sandbox.telegram.bot_texts(BOT, CHAT) == ["two"]
    assert (await telegram("deleteMessage", chat_id=CHAT, message_id=sent))[0] == 200
    assert sandbox.telegram.messages(BOT, CHAT) == []
    assert problems(sandbox) == []


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("rate_limited", 429, "Too Many Requests: retry after 7"),
        ("server_error", 500, "Internal Server Error"),
        ("blocked", 403, "Forbidden: bot was blocked by the user"),
        ("chat_not_found", 400, "Bad Request: chat not found"),
        ("cant_parse", 400, "Bad Request: can't parse entities"),
        ("migrated", 400, "group chat was upgraded to a supergroup chat"),
        ("unauthorized", 401, "Unauthorized"),
    ],
)
async def test_faults_that_are_answers(
    sandbox: SandboxServer, telegram: Call, kind: str, status: int, words: str
) -> None:
    sandbox.faults.add(
        "telegram", kind, method="sendMessage", times=1, retry_after=7, migrate_to=-100123
    )
    assert (await telegram("getMe"))[0] == 200
    got, answer = await telegram("sendMessage", chat_id=CHAT, text="x")
    assert got == status and words in answer["description"]
    expected = {"rate_limited": {"retry_after": 7}, "migrated": {"migrate_to_chat_id": -100123}}
    assert answer.get("parameters") == expected.get(kind)
    assert (await telegram("sendMessage", chat_id=CHAT, text="x"))[0] == 200


@pytest.mark.parametrize(("kind", "kept"), [("reset_before", []), ("reset_after", ["x"])])
async def test_a_reset_connection_leaves_what_was_accepted(
    sandbox: SandboxServer, telegram: Call, kind: str, kept: list[str]
) -> None:
    sandbox.faults.add("telegram", kind, chat=CHAT, times=1)
    with pytest.raises(aiohttp.ClientError):
        await telegram("sendMessage", chat_id=CHAT, text="x")
    assert sandbox.telegram.bot_texts(BOT, CHAT) == kept


async def test_faults_of_a_proxy(
    sandbox: SandboxServer, http: aiohttp.ClientSession, telegram: Call
) -> None:
    url = f"{sandbox.telegram_url}/bot{TOKEN}/getMe"
    sandbox.faults.add("telegram", "bad_gateway", times=1)
    async with http.get(url) as response:
        assert response.status == 502 and response.content_type == "text/html"
    sandbox.faults.add("telegram", "malformed", times=1)
    async with http.get(url) as response:
        half = await response.text()
        assert '"ok":true' in half and not half.endswith("}")
    sandbox.faults.add("telegram", "slow", delay=0.05, seconds=0.2)
    assert (await telegram("getMe"))[0] == 200
    assert sandbox.faults.list()[0].hits == 1
