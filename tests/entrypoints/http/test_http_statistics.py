"""Statistics over HTTP: what is counted, for whom, and for how long it is kept."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from dishka import make_async_container
from valkey.asyncio import Valkey

from entrypoints.http.app import create_app
from entrypoints.http_wiring import HttpProvider
from entrypoints.settings import Settings, load
from entrypoints.wiring import SharedProvider
from tests.entrypoints.http.conftest import Person, Run, make_bot, serving
from tests.entrypoints.http.rows import keep_chat, keep_message


@pytest.fixture(autouse=True)
async def nothing_kept(valkey: Valkey) -> None:
    for key in await valkey.keys("kotodom:cache:*"):
        await valkey.delete(key)


async def _message(sql: Run, chat: str, status: str, days_ago: int, **columns: Any) -> None:
    at = datetime.now(UTC) - timedelta(days=days_ago)
    answered = columns.pop("seconds", None)
    if answered is not None:
        columns["response_sent_at"] = at + timedelta(seconds=answered)
    await keep_message(sql, chat, "Words", status, created_at=at, **columns)


async def _bot(person: Person, sql: Run, name: str) -> tuple[int, str]:
    bot = (await make_bot(person, name=name))["id"]
    return bot, await keep_chat(sql, bot, 5)


async def test_by_day_and_by_bot(user: Person, sql: Run) -> None:
    bot, chat = await _bot(user, sql, "Counted")
    paid = {"price": Decimal("0.5"), "input_tokens": 3, "output_tokens": 4}
    for seconds in (1, 2, 3, 40):
        await _message(sql, chat, "COMPLETED", 0, seconds=seconds, **paid)
    await _message(sql, chat, "TERMINAL", 1, seconds=500)
    await _message(sql, chat, "COMPLETED", 7)
    answer = await user.get(f"/api/stats?days=7&botId={bot}")
    assert answer.status == 200
    found = answer.json
    today = datetime.now(UTC).date()
    assert found["to"] == str(today)
    assert found["from"] == str(today - timedelta(days=6))
    assert [day["messages"] for day in found["days"]] == [0, 0, 0, 0, 0, 1, 4]
    last = found["days"][-1]
    assert last["day"] == str(today)
    assert last["statuses"] == {
        "RECEIVED": 0,
        "PROCESSING": 0,
        "COMPLETED": 4,
        "FAILED": 0,
        "TERMINAL": 0,
    }
    assert last["answerSecondsP50"] == pytest.approx(2, rel=0.02)
    assert last["answerSecondsP95"] == pytest.approx(40, rel=0.02)
    assert (last["inputTokens"], last["outputTokens"], last["price"]) == (12, 16, 2.0)
    assert found["days"][-2]["answerSecondsP50"] is None
    (of_bot,) = found["bots"]
    assert (of_bot["botId"], of_bot["name"], of_bot["messages"]) == (bot, "Counted", 5)
    assert found["total"]["messages"] == 5


async def test_each_sees_its_own(admin: Person, manager: Person, user: Person, sql: Run) -> None:
    mine, my_chat = await _bot(user, sql, "Mine")
    theirs, their_chat = await _bot(admin, sql, "Theirs")
    await _message(sql, my_chat, "COMPLETED", 0)
    await _message(sql, their_chat, "COMPLETED", 0)
    seen = {bot["botId"] for bot in (await user.get("/api/stats")).json["bots"]}
    assert mine in seen and theirs not in seen
    for person in (admin, manager):
        everything = {bot["botId"] for bot in (await person.get("/api/stats")).json["bots"]}
        assert {mine, theirs} <= everything
    for number in (theirs, 10**9, 0, -1, 2**63):
        other = await user.get(f"/api/stats?botId={number}")
        assert (other.status, other.json["total"]["messages"]) == (200, 0)
        assert other.json["bots"] == []


async def test_answers_are_kept_a_while(user: Person, sql: Run, valkey: Valkey) -> None:
    bot, chat = await _bot(user, sql, "Kept")
    path = f"/api/stats?days=1&botId={bot}"
    first = (await user.get(path)).json
    await _message(sql, chat, "COMPLETED", 0)
    assert (await user.get(path)).json == first
    (key,) = await valkey.keys("kotodom:cache:*")
    assert 0 < await valkey.ttl(key) <= 30
    assert (await user.get(f"/api/stats?days=2&botId={bot}")).json["total"]["messages"] == 1
    await valkey.delete(key)
    assert (await user.get(path)).json["total"]["messages"] == 1


async def test_without_valkey_they_are_counted_anew(
    environ: dict[str, str], user: Person, sql: Run
) -> None:
    bot, chat = await _bot(user, sql, "Alone")
    made = await user.post("/api/api-keys", {"name": "script", "role": "USER"})
    by_key = {"Authorization": f"Bearer {made.json['key']}"}
    settings = load(environ | {"REDIS_URL": "redis://127.0.0.1:1/0"})
    container = make_async_container(SharedProvider(), HttpProvider(), context={Settings: settings})
    async with serving(create_app(container, settings)) as url, aiohttp.ClientSession() as session:
        person = Person(session, url)
        for count in (0, 1):
            answer = await person.get(f"/api/stats?days=1&botId={bot}", headers=by_key)
            assert (answer.status, answer.json["total"]["messages"]) == (200, count)
            await _message(sql, chat, "COMPLETED", 0)


async def test_nobody_sees_them(nobody: Person) -> None:
    assert (await nobody.get("/api/stats")).status == 401


@pytest.mark.parametrize(
    "query", [{"days": "0"}, {"days": "91"}, {"days": "x"}, {"botId": "x"}, {"days": ""}]
)
async def test_bad_parameters_are_400_and_named(admin: Person, query: dict[str, str]) -> None:
    answer = await admin.get("/api/stats", params=query)
    assert (answer.status, answer.fields) == (400, list(query))
