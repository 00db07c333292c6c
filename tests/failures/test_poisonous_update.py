"""An update on which our own code breaks: it ends, its traceback is kept, its chat goes on."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.end_to_end.system import Bot, System
from tests.failures.many_stories import ManyStories
from tests.failures.story import ADMIN, ERROR, USER
from tests.journal_steps import decoded

WORKER = Path(__file__).with_name("worker_with_a_bug.py")
MOMENT = 0.5
"""Seconds in which a second alert would come."""


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    """An api, and a worker whose code breaks on certain words (worker_with_a_bug.py)."""
    async with ManyStories(database_url, valkey_url, LOG_LEVEL="ERROR") as running:
        await running.start("api")
        root = {**running.environment, "PYTHONPATH": str(Path.cwd())}
        running.processes["worker"] = await asyncio.create_subprocess_exec(
            sys.executable, str(WORKER), "worker", env=root
        )
        await running.sign_in()
        yield running


POISONS = [
    ("poison begins", "a bug in the handler", 1),
    ("/sandbox:echo poison answered", "a bug in the middle", 3),
    ("/sandbox:echo poison rendered", "a bug in an adapter", 3),
]
"""What the user writes, what is raised then, and how often before the message ends."""


@pytest.mark.parametrize(("poison", "error", "times"), POISONS)
async def test_it_ends_and_its_chat_goes_on(
    system: System, alerts: Bot, hurried: None, poison: str, error: str, times: int
) -> None:
    bot = await system.bot(name=f"Bot of {error}")
    row, after = await _say_and_go_on(system, bot, poison)
    reason = f"a bug: ZeroDivisionError: {error}"
    assert (row["status"], row["terminal_reason"]) == ("TERMINAL", reason)
    assert after["status"] == "COMPLETED"
    assert bot.texts(USER) == [ERROR, "after"]
    assert len(await _breaks(system, row["id"])) == times
    runs = system.sandbox.openai.runs_by_metadata("processing_id")
    assert runs.get(str(row["id"]), 0) <= 1, "the model was paid twice"

    message = f"{bot.row['name']}: message {row['id']} was not answered. {reason}"
    await _quiet(system)
    told = [text for text in alerts.texts(ADMIN) if text.startswith(bot.row["name"])]
    assert told == [message]
    assert [dict(alert) for alert in await _kept(system, bot)] == [{"suppressed": 0}]


@pytest.mark.parametrize(("poison", "error", "times"), POISONS)
async def test_its_traceback_is_kept(
    system: System, hurried: None, poison: str, error: str, times: int
) -> None:
    bot = await system.bot()
    row, _ = await _say_and_go_on(system, bot, poison)
    for traceback in await _breaks(system, row["id"]):
        assert "Traceback (most recent call last)" in traceback
        assert WORKER.name in traceback
        assert traceback.rstrip().endswith(f"ZeroDivisionError: {error}")


async def _say_and_go_on(system: System, bot: Bot, poison: str) -> list[asyncpg.Record]:
    """The poison and another message, when both are over."""
    bot.say(poison, user=USER)
    bot.say("/sandbox:echo after", user=USER)
    return await system.settled(bot, 2)


async def _quiet(system: System) -> None:
    """Wait until every effect is carried out, and a moment more: what comes twice comes by then."""

    async def nothing_to_do() -> bool:
        return not await system.rows("SELECT id FROM pgqueuer WHERE entrypoint = 'effect.perform'")

    await system.until(nothing_to_do, 30)
    await asyncio.sleep(MOMENT)
    await system.until(nothing_to_do, 30)


async def _kept(system: System, bot: Bot) -> list[asyncpg.Record]:
    """How often each cause of an alert was held back, after it was told."""
    return await system.rows("SELECT suppressed FROM alerts WHERE bot_id = $1", bot.id)


async def _breaks(system: System, message_id: int) -> list[str]:
    """The tracebacks in the message's journal, one for each time it broke."""
    rows = await system.rows(
        "SELECT event FROM journal WHERE turn_id = $1 ORDER BY seq", message_id
    )
    events = [decoded(row["event"]) for row in rows]
    return [event.get("traceback", "") for event in events if event["type"] == "turn.broke"]
