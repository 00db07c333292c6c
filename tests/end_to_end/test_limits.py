"""Limits are kept before they are hit: of sends, of a model that is down, of a backlog."""

import re
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from adapters.model_circuits import OPEN_AFTER
from adapters.prometheus_meter import MULTIPROCESS
from application.backlog import MAX_WAITING
from tests.end_to_end.system import System

ADMINISTRATOR = 77


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str, tmp_path_factory) -> AsyncIterator[System]:
    counters: Path = tmp_path_factory.mktemp("counters")
    environment = {MULTIPROCESS: str(counters), "TELEGRAM_SEND_LIMITS": "on"}
    async with System(database_url, valkey_url, **environment) as running:
        await running.start("api", "worker", "worker-2")
        await running.sign_in()
        yield running


async def counted(system: System, name: str) -> float:
    """The sum of a metric's samples, as GET /metrics shows them."""
    async with system.http.get("/metrics") as answer:
        samples = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", await answer.text(), re.MULTILINE)
    return sum(map(float, samples))


@pytest.fixture
def sent(system: System, monkeypatch: pytest.MonkeyPatch) -> dict[int, list[float]]:
    """When each bot's messages came to Telegram's stand-in, by the bot's id there, in seconds."""
    telegram, moments = system.sandbox.telegram, defaultdict(list)
    keep_message = telegram.keep_message

    def noting(bot: Any, chat: Any, sender: dict[str, Any], content: Any) -> Any:
        if sender["is_bot"]:
            moments[bot.id].append(time.monotonic())
        return keep_message(bot, chat, sender, content)

    monkeypatch.setattr(telegram, "keep_message", noting)
    return moments


async def test_a_bots_answers_leave_thirty_a_second(
    system: System, sent: dict[int, list[float]]
) -> None:
    bot = await system.bot()
    chats = range(900_001, 900_091)
    for chat in chats:
        bot.say(f"/sandbox:echo {chat}", user=chat)
    await system.settled(bot, len(chats), seconds=40)
    assert all(bot.texts(chat) == [str(chat)] for chat in chats)
    times = sent[bot.telegram_id]
    assert times[-1] - times[0] >= (len(chats) - 1) / 30 * 0.95
    assert await counted(system, "kotodom_sends_held_back_total") > 30


async def test_an_answer_of_many_parts_leaves_as_a_private_chat_may_hear_it(
    system: System, sent: dict[int, list[float]]
) -> None:
    bot = await system.bot()
    bot.say("/sandbox:text 20000", user=1002)
    await system.settled(bot, 1)
    times = sent[bot.telegram_id]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) == 4
    assert sum(gaps) >= 1.8  # three at once, then one a second


async def test_a_model_that_is_down_is_asked_now_and_then_and_nothing_is_lost(
    system: System,
) -> None:
    alerting = await system.bot()
    await system.ask(
        "PUT",
        "/api/settings",
        {
            "alerts.botToken": f"{alerting.telegram_id}:{'t' * 35}",
            "alerts.chatId": str(ADMINISTRATOR),
        },
    )
    bot = await system.bot()
    fault = system.sandbox.faults.add("openai", "bad_gateway", times=None)
    chats = range(901_001, 901_041)
    for chat in chats:
        bot.say("first", user=chat)
        bot.say("second", user=chat)

    async def open_circuit() -> bool:
        return await counted(system, "kotodom_model_circuit_open") >= 1

    await system.until(open_circuit)
    (told,) = await alerting.answers(1, chat=ADMINISTRATOR)
    assert "is down. Messages wait for it, in order." in told
    system.sandbox.faults.remove(fault.id)
    rows = await system.settled(bot, 2 * len(chats), seconds=60)
    assert {row["status"] for row in rows} == {"COMPLETED"}
    # Each failed once or twice before the circuit opened; waiting behind it cost no attempt.
    assert sum(row["attempts"] for row in rows) < 3 * len(chats) + OPEN_AFTER
    assert fault.hits < 3 * len(chats)
    texts = await alerting.answers(2, chat=ADMINISTRATOR)
    assert "answers again" in texts[1]
    assert await counted(system, "kotodom_model_circuit_open") == 0


async def test_past_its_bound_a_bots_backlog_is_left_with_telegram(system: System) -> None:
    bot = await system.bot()
    other = await system.bot()
    for worker in ("worker", "worker-2"):
        await system.kill(worker, signal.SIGTERM)
    await system.rows(
        "INSERT INTO telegram_updates (bot_id, update_id, payload, chat_id, state) "
        "SELECT $1::bigint, -i, '{}', $1::bigint || ':1', 'WAITING' "
        "FROM generate_series(1, $2::int) AS i",
        bot.id,
        MAX_WAITING,
    )

    async def turned_away() -> bool:
        bot.say("Hello?", user=1002)
        return await counted(system, "kotodom_updates_turned_away_total") > 0

    await system.until(turned_away)
    await system.rows("DELETE FROM telegram_updates WHERE bot_id = $1 AND update_id < 0", bot.id)
    other.say("/sandbox:echo I was not held up", user=1002)
    await system.start("worker")
    assert await other.answers(1, chat=1002) == ["I was not held up"]
    assert await bot.answers(1, chat=1002, seconds=60)
