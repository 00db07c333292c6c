"""Alerts: one an hour for each bot and cause, with a count; and what becomes of one that fails."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.alerts import fingerprint
from tests.end_to_end.system import KOTODOM, Bot, System
from tests.failures.many_stories import ManyStories
from tests.failures.recorded_answers import RecordedAnswers, recorded
from tests.failures.story import ADMIN, ERROR, USER

ALERTS = "alerts"
"""The name under which the settings' bot reaches Telegram."""
MOMENT = 0.5
"""Seconds in which an alert too many would come."""


class Watched(ManyStories):
    """A system whose workers' log is kept, and whose alerts pass through `answers`."""

    answers: RecordedAnswers
    log: Path

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture(scope="module")
async def system(
    database_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watched]:
    """An api and three workers; what they count together is at /metrics."""
    folder = tmp_path_factory.mktemp(ALERTS)
    told = {"LOG_LEVEL": "ERROR", "LOG_FORMAT": "json", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    async with (
        Watched(database_url, valkey_url, **told) as running,
        RecordedAnswers(running.sandbox.url) as answers,
    ):
        running.environment["TELEGRAM_API_URL"] = answers.telegram_url(ALERTS)
        running.answers, running.log = answers, folder / "worker.log"
        await running.start("api")
        with running.log.open("wb") as log:
            for name in ("worker", "worker-2", "worker-3"):
                running.processes[name] = await asyncio.create_subprocess_exec(
                    str(KOTODOM), "worker", env=running.environment, stderr=log
                )
        await running.sign_in()
        yield running


async def test_once_an_hour_with_a_count(system: System, alerts: Bot) -> None:
    bot = await _bot(system)
    await _refuse(system, bot, 3)
    first, *rest = _told(alerts, bot)
    assert first.startswith(f"{bot.row['name']}: message ") and "more like it" not in first
    assert rest == []
    assert await _suppressed(system, bot) == 2
    await _let_pass(system, bot, "1 hour")
    await _refuse(system, bot, 1)
    second = _told(alerts, bot)[1]
    assert second.endswith("(and 2 more like it in the last hour)")
    assert await _suppressed(system, bot) == 0


async def test_another_cause_is_another_alert(system: System, alerts: Bot) -> None:
    bot = await _bot(system)
    for text in ("/sandbox:refusal", "/sandbox:content_filter", "/sandbox:model_not_found"):
        bot.say(text, user=USER)
    await system.settled(bot, 3)
    await _quiet(system, bot)
    assert len(_told(alerts, bot)) == 3


async def test_workers_that_alert_at_the_same_time_alert_once(system: System, alerts: Bot) -> None:
    bot = await _bot(system)
    for user in range(2000, 2030):
        bot.say("/sandbox:refusal", user=user)
    await system.settled(bot, 30)
    await _quiet(system, bot)
    assert len(_told(alerts, bot)) == 1
    assert await _suppressed(system, bot) == 29


@pytest.mark.parametrize("how", ["403-bot-was-blocked", "401-unauthorized", "silence", "away"])
async def test_an_alert_that_cannot_be_sent(system: Watched, alerts: Bot, how: str) -> None:
    """It breaks no turn, is in the log, and is counted; the next one of its kind tells of it."""
    bot = await _bot(system)
    before = await _undelivered(system)
    if how == "away":
        await system.answers.stop()
    else:
        system.answers.play(ALERTS, recorded(f"telegram/{how}"))
    await _refuse(system, bot, 1)
    if how == "away":
        await system.answers.start()
    assert bot.texts(USER) == [ERROR]
    assert _told(alerts, bot) == []
    assert await _undelivered(system) == before + 1
    lines = system.logged()
    cause = fingerprint("the model refused: I'm sorry, but I can't help with that.")
    kept, undelivered = [line for line in lines if line.get("bot") == bot.id]
    assert kept["event"] == "admin.alert" and kept["text"].startswith(bot.row["name"])
    assert kept["text"].endswith("the model refused")  # and not its words
    assert undelivered["event"] == "admin.alert_undelivered"
    assert kept["cause"] == undelivered["cause"] == cause
    settings_bot = await system.ask("GET", f"/api/bots/{alerts.id}")
    assert settings_bot["enabled"] and settings_bot["error"] is None
    await _let_pass(system, bot, "1 minute")
    await _refuse(system, bot, 1)
    (told,) = _told(alerts, bot)
    assert told.endswith("(and 1 more like it in the last hour)")


async def _bot(system: System) -> Bot:
    """A bot that reaches the stand-in by itself, whatever its alerts do."""
    return await system.bot(telegramApiUrl=system.sandbox.telegram_url)


async def _refuse(system: System, bot: Bot, times: int) -> None:
    """So many more messages that end TERMINAL, and their alerts carried out."""
    before = len(await system.processing(bot))
    for _ in range(times):
        bot.say("/sandbox:refusal", user=USER)
    await system.settled(bot, before + times)
    await _quiet(system, bot)


async def _quiet(system: System, bot: Bot) -> None:
    """Wait until the bot's jobs are done, and a moment more: what comes twice comes by then."""

    async def nothing_to_do() -> bool:
        jobs = await system.rows("SELECT payload FROM pgqueuer WHERE entrypoint <> 'none'")
        return not any(f'"bot_id":{bot.id},'.encode() in job["payload"] for job in jobs)

    await system.until(nothing_to_do, 30)
    await asyncio.sleep(MOMENT)
    await system.until(nothing_to_do, 30)


def _told(alerts: Bot, bot: Bot) -> list[str]:
    return [text for text in alerts.texts(ADMIN) if text.startswith(f"{bot.row['name']}: ")]


async def _suppressed(system: System, bot: Bot) -> int:
    (row,) = await system.rows("SELECT suppressed FROM alerts WHERE bot_id = $1", bot.id)
    return int(row["suppressed"])


async def _let_pass(system: System, bot: Bot, time: str) -> None:
    await system.rows(
        f"UPDATE alerts SET sent_at = sent_at - interval '{time}' WHERE bot_id = $1", bot.id
    )


async def _undelivered(system: System) -> float:
    async with system.http.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    name = "kotodom_alerts_undelivered_total "
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))
