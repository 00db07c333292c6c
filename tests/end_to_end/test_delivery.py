"""Updates as Telegram may deliver them: again, ten times at once, out of order, with ids anew."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.end_to_end.system import KOTODOM, Bot, System, free_port

CHAT = 1002
HEADER = "X-Telegram-Bot-Api-Secret-Token"
BETWEEN_POLLS = 0.2


@pytest.fixture(scope="module")
async def apis(system: System) -> Sequence[str]:
    """The addresses of two api processes on one database."""
    port = free_port()
    system.processes["api-2"] = await asyncio.create_subprocess_exec(
        str(KOTODOM), "api", env={**system.environment, "PORT": str(port)}
    )
    url = f"http://127.0.0.1:{port}"

    async def ready() -> bool:
        try:
            async with system.http.get(f"{url}/health/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    await system.until(ready, 30)
    return (system.url, url)


async def test_ids_that_restart_lower_after_a_week_of_silence(system: System) -> None:
    """Bot API, Update: without updates for a week, the next id is chosen randomly."""
    bot = await system.bot()
    bot.say("/sandbox:echo last year's", user=CHAT)
    await bot.answers(1, chat=CHAT)
    _restart_ids(bot, lower_by=1_000_000)
    for text in ("one", "two", "three"):
        bot.say(f"/sandbox:echo {text}", user=CHAT)
    assert (await bot.answers(4, chat=CHAT))[1:] == ["one", "two", "three"]
    assert system.sandbox.telegram.bot(bot.telegram_id).pending == {}


async def test_a_poller_that_meets_ids_that_restarted_lower(system: System) -> None:
    async with _short_polls(system) as url:
        bot = await system.bot("POLLING", telegramApiUrl=url)
        bot.say("/sandbox:echo last year's", user=CHAT)
        await bot.answers(1, chat=CHAT)
        await asyncio.sleep(3 * BETWEEN_POLLS)  # what was kept is confirmed, and nothing came
        _restart_ids(bot, lower_by=1_000_000)
        for text in ("one", "two", "three"):
            bot.say(f"/sandbox:echo {text}", user=CHAT)
        assert (await bot.answers(4, chat=CHAT))[1:] == ["one", "two", "three"]
        await system.ask("POST", f"/api/bots/{bot.id}/disable")


@pytest.mark.parametrize("update", ["kept", "pruned"])
async def test_ids_that_restart_at_one_that_was_used_before(system: System, update: str) -> None:
    """Telegram keeps an update for a day (Bot API, "Getting updates"); this one is another."""
    bot = await system.bot()
    update_id = bot.say("/sandbox:echo last year's", user=CHAT)
    await bot.answers(1, chat=CHAT)
    await system.settled(bot, 1)
    past = "UPDATE telegram_updates SET received_at = received_at - interval '8 days'"
    prune = "DELETE FROM telegram_updates"
    await system.rows(f"{past if update == 'kept' else prune} WHERE bot_id = $1", bot.id)
    system.sandbox.telegram.bot(bot.telegram_id).next_update_id = update_id
    bot.say("/sandbox:echo new", user=CHAT)
    bot.say("/sandbox:echo after it", user=CHAT)
    assert (await bot.answers(3, chat=CHAT, seconds=5))[1:] == ["new", "after it"]


async def test_one_update_ten_times_at_once(system: System, apis: Sequence[str]) -> None:
    bot = await system.bot()
    update = _update(5, "/sandbox:echo once")
    statuses = await asyncio.gather(
        *(_post(system, apis[number % 2], bot, update) for number in range(10))
    )
    assert statuses == [200] * 10
    await system.settled(bot, 1)
    assert await _post(system, apis[1], bot, update) == 200
    bot_rows = await system.processing(bot)
    assert [row["telegram_update_id"] for row in bot_rows] == [5]
    assert bot.texts(CHAT) == ["once"]


async def test_out_of_order_by_two_apis_is_answered_in_order(
    system: System, apis: Sequence[str]
) -> None:
    """While nobody serves the chat: all of them wait, and go by update_id."""
    bot = await system.bot()
    await system.kill("worker")
    numbers = list(range(1, 41))
    random.Random(7).shuffle(numbers)
    statuses = await asyncio.gather(
        *(
            _post(system, apis[index % 2], bot, _update(number, f"/sandbox:echo {number}"))
            for index, number in enumerate(numbers)
        )
    )
    assert statuses == [200] * 40
    await system.start("worker")
    answers = await bot.answers(40, chat=CHAT, seconds=30)
    assert answers == [str(number) for number in range(1, 41)]


async def test_out_of_order_while_the_chat_is_served_is_next(
    system: System, apis: Sequence[str]
) -> None:
    """An update that arrives after its successor has begun comes next: it is never lost."""
    bot = await system.bot()
    assert await _post(system, apis[0], bot, _update(20, "/sandbox:slow 2")) == 200
    await system.until(lambda: system.processing(bot))
    for api, number in ((apis[1], 30), (apis[0], 10), (apis[1], 25)):
        assert await _post(system, api, bot, _update(number, f"/sandbox:echo {number}")) == 200
    rows = await system.settled(bot, 4)
    assert [row["telegram_update_id"] for row in rows] == [20, 10, 25, 30]
    assert [row["status"] for row in rows] == ["COMPLETED"] * 4
    assert bot.texts(CHAT)[1:] == ["10", "25", "30"]


def _restart_ids(bot: Bot, lower_by: int) -> None:
    bot.system.sandbox.telegram.bot(bot.telegram_id).next_update_id -= lower_by


def _update(update_id: int, text: str) -> dict[str, Any]:
    person = {"id": CHAT, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    chat = {"id": CHAT, "type": "private", "first_name": "Ada"}
    message = {"message_id": update_id, "date": 1, "chat": chat, "from": person, "text": text}
    return {"update_id": update_id, "message": message}


async def _post(system: System, api: str, bot: Bot, update: dict[str, Any]) -> int:
    """Deliver an update to one of the apis, with the bot's secret; the status of its answer."""
    webhook = system.sandbox.telegram.bot(bot.telegram_id).webhook
    assert webhook is not None
    url, headers = f"{api}/webhook/{bot.id}", {HEADER: webhook.secret_token}
    async with system.http.post(url, json=update, headers=headers) as answer:
        return answer.status


@asynccontextmanager
async def _short_polls(system: System) -> AsyncIterator[str]:
    """A Telegram that does not hold a getUpdates: what comes, comes between two of them."""

    async def carry(request: web.Request) -> web.Response:
        body = await request.json() if request.body_exists else {}
        if request.path.endswith("/getUpdates"):
            await asyncio.sleep(BETWEEN_POLLS)
            body["timeout"] = 0
        async with system.http.post(f"{system.sandbox.url}{request.path}", json=body) as told:
            return web.Response(
                status=told.status, body=await told.read(), content_type="application/json"
            )

    app = web.Application()
    app.router.add_post("/{path:.*}", carry)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
    finally:
        await runner.cleanup()
