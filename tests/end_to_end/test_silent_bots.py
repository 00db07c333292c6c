"""A bot whose updates do not come is found, told once, shown, and cleared when they come again.

The looks of these tests are the worker's own, made here under a clock that runs ahead: what must
last for minutes need not be waited for. The last test leaves them to a worker.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from dishka import Provider, Scope, make_async_container, provide

from application.ports import Clock
from application.silent_bots import SilentBots
from entrypoints.settings import Settings, load
from entrypoints.wiring import SharedProvider
from entrypoints.worker_wiring import WorkerProvider
from tests.chaos.road import Road
from tests.end_to_end.system import Bot, System

ADMIN = 1001
HEARD_LATELY = 5.0
"""Minutes after its last update in which a bot is not looked at closely."""


class Ahead(Provider):
    """A clock that runs `minutes` ahead."""

    scope = Scope.APP
    minutes = 0.0

    @provide(override=True)
    def clock(self) -> Clock:
        return self

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=self.minutes)

    def jitter(self) -> float:
        return 0.5


class Watched(System):
    """A system whose webhooks come by `road`, and whose bots are looked at by `look`."""

    road: Road
    ahead: Ahead
    silent_bots: SilentBots
    alerts: Bot
    polled: Bot
    made: list[Bot]

    async def bot_to_look_at(self, bot: Bot | None = None) -> Bot:
        """A bot that nothing has happened to yet; the looks that follow are at it alone."""
        bot = bot or self.made.pop()
        await self.rows(
            "UPDATE bots SET look_again_at = CASE WHEN id <> $1 THEN 'infinity'::timestamptz END",
            bot.id,
        )
        return bot

    async def look(self, minutes: float) -> None:
        """One round, so many minutes from now."""
        self.ahead.minutes = minutes
        await self.silent_bots.run()

    async def health(self, bot: Bot) -> dict[str, Any]:
        """The bot's light."""
        health: dict[str, Any] = (await self.ask("GET", f"/api/bots/{bot.id}"))["health"]
        return health

    async def status(self, bot: Bot) -> str:
        return str((await self.health(bot))["status"])

    def told(self, bot: Bot) -> list[str]:
        """What the administrator was told of the bot."""
        return [text for text in self.alerts.texts(ADMIN) if bot.row["name"] in text]


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str) -> AsyncIterator[Watched]:
    """An api. A worker made the bots that the tests are about, and is gone."""
    async with Watched(database_url, valkey_url) as running, Road(running.url) as road:
        running.road = road
        running.environment["PUBLIC_URL"] = road.url
        await running.start("api")
        await running.sign_in()
        await running.start("worker")
        running.alerts = await running.bot()
        token = running.alerts.token
        values = {"alerts.botToken": token, "alerts.chatId": str(ADMIN)}
        await running.ask("PUT", "/api/settings", values)
        running.made = [await running.bot() for _ in range(4)]
        running.polled = await running.bot("POLLING")
        await running.kill("worker")
        running.ahead = Ahead()
        container = make_async_container(
            SharedProvider(),
            WorkerProvider(),
            running.ahead,
            context={Settings: load(running.environment)},
        )
        running.silent_bots = await container.get(SilentBots)
        yield running
        await container.close()


async def test_a_webhook_that_cannot_be_reached(system: Watched) -> None:
    bot = await system.bot_to_look_at()
    bot.say("hello")
    pending = system.sandbox.telegram.bot(bot.telegram_id).pending
    await system.until(lambda: _is(not pending))
    await system.look(0)
    assert await system.status(bot) == "answering"
    system.road.close()
    bot.say("is anybody there?")
    await system.until(lambda: _is(_error(system, bot) is not None))
    await system.look(HEARD_LATELY + 1)
    assert await system.status(bot) == "answering", "it may be a restart"
    assert system.told(bot) == []
    for minutes in (7.5, 9):
        await system.look(minutes)
    health = await system.health(bot)
    assert health["status"] == "silent"
    assert health["reason"] == "Telegram cannot deliver its updates (1 wait): Connection refused"
    assert health["since"] < health["lookedAt"]
    assert system.told(bot) == [f"{bot.row['name']}: no update reaches it. {health['reason']}"]
    seen = await system.until(lambda: _troubled(system))
    assert [(one["id"], one["status"]) for one in seen] == [(bot.id, "silent")]
    await system.road.open()
    await system.until(lambda: _is(not pending), 30)
    await system.look(17)
    assert await system.status(bot) == "answering"
    assert len(system.told(bot)) == 1


async def test_a_bot_that_nobody_polls(system: Watched) -> None:
    bot = await system.bot_to_look_at(system.polled)
    await system.look(20)
    assert await system.status(bot) == "answering", "the poller may be starting"
    await system.look(21.1)
    reason = "nobody polls Telegram for it: see that `kotodom poller` runs"
    assert (await system.health(bot))["reason"] == reason
    assert system.told(bot) == [f"{bot.row['name']}: no update reaches it. {reason}"]
    await system.start("poller")
    leased = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted"
    await system.until(lambda: system.rows(leased, bot.id))
    await system.look(23)
    assert await system.status(bot) == "answering"
    await system.kill("poller")


async def test_a_dead_token(system: Watched) -> None:
    bot = await system.bot_to_look_at()
    fault = {"method": "getWebhookInfo", "bot": bot.telegram_id, "times": 1}
    system.sandbox.faults.add("telegram", "unauthorized", **fault)
    await system.look(30)
    shown = await system.ask("GET", f"/api/bots/{bot.id}")
    assert not shown["enabled"]
    assert shown["health"]["status"] == "error"
    assert "401" in shown["health"]["reason"]


async def test_a_telegram_that_does_not_answer_says_nothing_of_a_bot(system: Watched) -> None:
    bot = await system.bot_to_look_at()
    fault = system.sandbox.faults.add("telegram", "server_error", method="getWebhookInfo")
    for minutes in (40, 45, 50):
        await system.look(minutes)
    system.sandbox.faults.remove(fault.id)
    health = await system.health(bot)
    assert (health["status"], health["lookedAt"]) == ("answering", None)


async def test_a_worker_finds_somebody_elses_webhook(system: Watched) -> None:
    bot = await system.bot_to_look_at()
    url = f"{system.sandbox.telegram_url}/bot{bot.token}/setWebhook"
    async with aiohttp.ClientSession() as session:
        await session.post(url, json={"url": "http://127.0.0.1:9/theirs"})
    await system.start("worker")

    async def silent() -> bool:
        return await system.status(bot) == "silent"

    await system.until(silent)
    assert "127.0.0.1:9:" in (await system.health(bot))["reason"]
    await system.until(lambda: _is(len(system.told(bot)) == 1))
    await system.until(lambda: _metric(system, "kotodom_silent_bots 1.0"))
    await system.ask("POST", f"/api/bots/{bot.id}/webhook")

    async def answering() -> bool:
        return await system.status(bot) == "answering"

    await system.until(answering)
    await system.until(lambda: _metric(system, "kotodom_silent_bots 0.0"))


async def _is(what: bool) -> bool:
    await asyncio.sleep(0)
    return what


def _error(system: System, bot: Bot) -> str | None:
    return system.sandbox.telegram.bot(bot.telegram_id).last_error_message


async def _troubled(system: System) -> list[dict[str, Any]]:
    async with system.http.get("/health/ready") as answer:
        troubled: list[dict[str, Any]] = (await answer.json())["bots"]["troubled"]
        return troubled


async def _metric(system: System, line: str) -> bool:
    async with system.http.get("/metrics") as answer:
        return line in (await answer.text()).splitlines()
