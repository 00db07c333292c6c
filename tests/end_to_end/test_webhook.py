"""What the webhook takes, what it refuses, and that what it refuses leaves nothing."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import asyncpg
import pytest

from adapters.secret_box import SecretBox
from tests.end_to_end.system import SECRET_KEY, Bot, System

HEADER = "X-Telegram-Bot-Api-Secret-Token"


def update(update_id: int, **message: Any) -> dict[str, Any]:
    person = {"id": 77, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    chat = {"id": 77, "type": "private", "first_name": "Ada"}
    return {
        "update_id": update_id,
        "message": {"message_id": update_id, "date": 1, "chat": chat, "from": person, **message},
    }


async def post(
    system: System, bot_id: object, body: bytes, secret: str | None = "right"
) -> tuple[int, dict[str, str]]:
    """Post a body as Telegram does; the status and the headers of the answer."""
    headers = {"Content-Type": "application/json"}
    if secret == "right":
        secret = SecretBox(SECRET_KEY).webhook_secret(int(str(bot_id)))
    if secret is not None:
        headers[HEADER] = secret
    async with system.http.post(f"/webhook/{bot_id}", data=body, headers=headers) as answer:
        await answer.read()
        return answer.status, dict(answer.headers)


async def kept(system: System, bot: Bot) -> int:
    return int(
        (await system.rows("SELECT count(*) FROM telegram_updates WHERE bot_id = $1", bot.id))[0][0]
    )


async def test_a_forged_secret_is_401_and_leaves_nothing(system: System) -> None:
    bot = await system.bot()
    body = json.dumps(update(1, text="hello")).encode()
    for secret in (None, "", "wrong", "é", SecretBox(SECRET_KEY).webhook_secret(bot.id + 1)):
        assert (await post(system, bot.id, body, secret))[0] == 401
    assert await kept(system, bot) == 0


@pytest.mark.parametrize("bot_id", ["99999999", "0", "abc", "-1", "9" * 40])
async def test_an_unknown_bot(system: System, bot_id: str) -> None:
    body = json.dumps(update(1, text="hello")).encode()
    assert (await post(system, bot_id, body, "wrong"))[0] == 401
    if bot_id.isdecimal() and len(bot_id) < 19:
        assert (await post(system, bot_id, body))[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[1, 2]",
        b'"text"',
        b"null",
        b'{"update_id": "7"}',
        b'{"update_id": 7.5}',
        b'{"update_id": true}',
        b'{"message": {}}',
        b'{"update_id": 1e400}',
        b'{"update_id": 99999999999999999999999999}',
        b"\xff\xfe{}",
        b'{"update_id": 7, "message": "\xc3\x28"}',
        b"[" * 100_000,
        b'{"update_id":' + b"[" * 100_000,
    ],
)
async def test_a_body_that_is_no_update_is_400(system: System, body: bytes) -> None:
    bot = await system.bot()
    assert (await post(system, bot.id, body))[0] == 400
    assert await kept(system, bot) == 0


async def test_a_body_of_5_megabytes_is_413(system: System) -> None:
    bot = await system.bot()
    body = json.dumps(update(1, text="x" * 5_000_000)).encode()
    assert (await post(system, bot.id, body))[0] == 413
    assert await kept(system, bot) == 0


@pytest.mark.parametrize(("secret", "status"), [("right", 413), ("wrong", 401)])
async def test_who_sends_a_long_body_before_reading_sees_the_answer(
    system: System, secret: str, status: int
) -> None:
    bot = await system.bot()
    token = SecretBox(SECRET_KEY).webhook_secret(bot.id) if secret == "right" else secret
    request = urllib.request.Request(
        f"{system.url}/webhook/{bot.id}", b"x" * 5_000_000, {HEADER: token}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as answer:
        await asyncio.to_thread(urllib.request.urlopen, request)
    assert answer.value.code == status


async def test_a_duplicate_is_200_and_changes_nothing(system: System) -> None:
    bot = await system.bot()
    body = json.dumps(update(5, text="/sandbox:echo once")).encode()
    statuses = await asyncio.gather(*(post(system, bot.id, body) for _ in range(10)))
    assert {status for status, _ in statuses} == {200}
    assert await bot.answers(1, chat=77) == ["once"]
    assert (await post(system, bot.id, body))[0] == 200
    await system.settled(bot, 1)
    assert await kept(system, bot) == 1
    assert bot.texts(77) == ["once"]


@pytest.mark.parametrize(
    "body",
    [
        {"update_id": 8, "edited_message": {"message_id": 1}},
        {"update_id": 8, "my_chat_member": {"chat": {"id": 1}}},
        {"update_id": 8, "poll": {"id": "1"}},
        {"update_id": 8, "a_kind_of_the_future": {"x": 1}},
        {"update_id": 8},
        update(8, new_chat_title="title"),
        update(8, text="from a bot", **{"from": {"id": 5, "is_bot": True, "first_name": "b"}}),
    ],
)
async def test_what_we_do_not_answer_is_kept_and_is_no_failure(
    system: System, body: dict[str, Any]
) -> None:
    bot = await system.bot()
    assert (await post(system, bot.id, json.dumps(body).encode()))[0] == 200
    (row,) = await system.rows("SELECT * FROM telegram_updates WHERE bot_id = $1", bot.id)
    assert row["state"] == "IGNORED"
    assert json.loads(row["payload"]) == body
    assert await system.processing(bot) == []


async def test_a_genuine_update_that_cannot_be_understood_is_kept_and_marked(
    system: System,
) -> None:
    bot = await system.bot()
    strange = {"update_id": 9, "message": {"message_id": "not a number", "chat": []}}
    assert (await post(system, bot.id, json.dumps(strange).encode()))[0] == 200
    (row,) = await system.rows("SELECT * FROM telegram_updates WHERE bot_id = $1", bot.id)
    assert row["state"] == "UNREADABLE"
    assert json.loads(row["payload"]) == strange


@pytest.mark.parametrize(
    "message",
    [
        {"text": "hello", "chat": {"id": 10**30, "type": "private"}},
        {"text": "hello", "message_thread_id": 10**30, "is_topic_message": True},
    ],
)
async def test_ids_that_no_column_holds_are_kept_and_marked(
    system: System, message: dict[str, Any]
) -> None:
    bot = await system.bot()
    assert (await post(system, bot.id, json.dumps(update(9, **message)).encode()))[0] == 200
    (row,) = await system.rows("SELECT * FROM telegram_updates WHERE bot_id = $1", bot.id)
    assert row["state"] == "UNREADABLE"


async def test_a_null_byte_in_a_name_is_no_bug(system: System) -> None:
    bot = await system.bot()
    person = {
        "id": 78,
        "is_bot": False,
        "first_name": "A\0",
        "username": "b\0",
        "language_code": "e\0",
    }
    body = update(9, text="/sandbox:echo hello", **{"from": person})
    assert (await post(system, bot.id, json.dumps(body).encode()))[0] == 200
    assert await bot.answers(1, chat=77) == ["hello"]


async def test_a_disabled_bots_update_is_kept_and_waits(system: System) -> None:
    bot = await system.bot()
    await system.ask("POST", f"/api/bots/{bot.id}/disable")
    body = json.dumps(update(3, text="/sandbox:echo at last")).encode()
    assert (await post(system, bot.id, body))[0] == 200
    await asyncio.sleep(1)
    assert bot.texts(77) == []
    await system.ask("POST", f"/api/bots/{bot.id}/enable")
    assert await bot.answers(1, chat=77) == ["at last"]


async def test_with_the_database_away_telegram_is_told_to_come_again(system: System) -> None:
    bot = await system.bot()
    name = (await system.rows("SELECT current_database() AS name"))[0]["name"]
    other = await asyncpg.connect(system.database_url, database="postgres")
    await other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    await system.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    body = json.dumps(update(6, text="/sandbox:echo here")).encode()
    status, headers = await post(system, bot.id, body)
    assert (status, headers["Retry-After"].isdecimal()) == (503, True)
    assert await kept(system, bot) == 0
    await other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    await other.close()
    assert (await post(system, bot.id, body))[0] == 200
    assert await bot.answers(1, chat=77) == ["here"]


async def test_waiting_longer_than_a_day_for_a_disabled_bot_is_terminal(system: System) -> None:
    bot = await system.bot()
    await system.ask("POST", f"/api/bots/{bot.id}/disable")
    body = json.dumps(update(4, text="too late")).encode()
    assert (await post(system, bot.id, body))[0] == 200
    await system.rows(
        "UPDATE telegram_updates SET received_at = now() - interval '25 hours' WHERE bot_id = $1",
        bot.id,
    )
    await system.rows(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload) "
        "VALUES (0, 'queued', 'bot.handle_update', convert_to($1, 'UTF8'))",
        f"{bot.id}:77",
    )
    (row,) = await system.settled(bot, 1)
    assert (row["status"], row["terminal_reason"]) == ("TERMINAL", "bot disabled")
    assert bot.texts(77) == []
