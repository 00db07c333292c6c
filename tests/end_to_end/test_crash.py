"""Workers are killed; nothing is lost, and nothing is paid for twice."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.system import Bot, System
from tests.journal_steps import decoded


@pytest.fixture
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as running:
        await running.start("api", "worker")
        await running.sign_in()
        yield running


async def _thinking(system: System, bot: Bot) -> None:
    """Wait until the model's run has begun and its id is saved."""

    async def begun() -> bool:
        return any(row["run_id"] for row in await system.processing(bot))

    await system.until(begun)


async def _deaths(system: System, bot: Bot) -> list[int]:
    """The messages that a job took over from a worker that had died."""
    steps = await system.rows("SELECT turn_id, event FROM journal WHERE key LIKE $1", f"{bot.id}:%")
    return [row["turn_id"] for row in steps if decoded(row["event"]).get("died")]


async def test_a_run_is_resumed_and_not_paid_for_twice(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:slow 3", user=1002)
    await _thinking(system, bot)
    await system.kill("worker", signal.SIGKILL)
    await system.start("worker")
    (row,) = await system.settled(bot, 1, seconds=40)
    assert row["status"] == "COMPLETED"
    assert len(bot.texts(1002)) == 1
    assert system.sandbox.openai.runs_by_metadata("processing_id")[str(row["id"])] == 1


async def test_a_stopped_worker_hands_its_turns_over_at_once(system: System) -> None:
    bot = await system.bot()
    await system.start("worker-2")
    for chat in range(800_001, 800_011):
        bot.say("/sandbox:slow 6", user=chat)
    await _thinking(system, bot)
    assert await system.kill("worker", signal.SIGTERM) == 0
    rows = await system.settled(bot, 10, seconds=40)
    assert {row["status"] for row in rows} == {"COMPLETED"}
    assert all(len(bot.texts(chat)) == 1 for chat in range(800_001, 800_011))
    runs = system.sandbox.openai.runs_by_metadata("processing_id")
    assert all(runs[str(row["id"])] == 1 for row in rows)
    assert not await _deaths(system, bot)


async def test_one_poisonous_message_ends_and_blames_nobody_else(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:slow 600", user=1002)
    epoch = 0
    for number in range(4):
        epoch = await _taken_again(system, bot, epoch)
        bot.say(f"/sandbox:echo neighbour {number}", user=1003)
        await asyncio.sleep(0.3)
        await system.kill("worker", signal.SIGKILL)
        await system.start("worker")
    rows = await system.settled(bot, 5, seconds=60)
    assert rows[0]["status"] == "TERMINAL"
    assert "killed" in rows[0]["terminal_reason"]
    assert {row["status"] for row in rows[1:]} == {"COMPLETED"}
    assert bot.texts(1003)[-1] == "neighbour 3"


async def _taken_again(system: System, bot: Bot, epoch: int) -> int:
    """Wait until a worker has taken the chat under a later epoch; that epoch."""

    async def later() -> int:
        rows = await system.rows("SELECT epoch FROM chats WHERE id = $1", f"{bot.id}:1002")
        return int(rows[0]["epoch"]) if rows and rows[0]["epoch"] > epoch else 0

    taken: int = await system.until(later, 40)
    return taken


async def test_a_paused_worker_loses_its_job_and_changes_nothing_later(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:slow 3", user=1002)
    await _thinking(system, bot)
    system.processes["worker"].send_signal(signal.SIGSTOP)
    await system.start("worker-2")
    (row,) = await system.settled(bot, 1, seconds=40)
    assert row["status"] == "COMPLETED"
    system.processes["worker"].send_signal(signal.SIGCONT)
    await asyncio.sleep(2)
    (after,) = await system.processing(bot)
    assert after == row
    assert len(bot.texts(1002)) == 1


async def test_a_pause_of_postgresql_is_nobodys_death(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:slow 20", user=1002)
    await _thinking(system, bot)
    folder = (await system.rows("SHOW data_directory"))[0][0]
    postmaster = psutil.Process(int((Path(folder) / "postmaster.pid").read_text().split()[0]))
    servers = [postmaster, *postmaster.children(recursive=True)]
    for server in servers:
        server.suspend()
    await asyncio.sleep(12)
    for server in servers:
        server.resume()
    (row,) = await system.settled(bot, 1, seconds=60)
    assert row["status"] == "COMPLETED"
    assert len(bot.texts(1002)) == 1
    assert system.sandbox.openai.runs_by_metadata("processing_id")[str(row["id"])] == 1
    assert not await _deaths(system, bot)


async def test_a_turn_that_cannot_be_read_ends_and_its_chat_goes_on(system: System) -> None:
    """A person's hand in the database, or a bug of another version: nobody waits behind it."""
    bot = await system.bot()
    bot.say("/sandbox:slow 5", user=1002)
    await _thinking(system, bot)
    await system.kill("worker", signal.SIGKILL)
    await system.rows(
        "UPDATE message_processing SET turn = '{\"token\": 1}' WHERE bot_id = $1", bot.id
    )
    bot.say("/sandbox:echo next", user=1002)
    await system.start("worker")
    broken, after = await system.settled(bot, 2, seconds=40)
    assert (broken["status"], after["status"]) == ("TERMINAL", "COMPLETED")
    assert "cannot be read" in broken["terminal_reason"]
    assert bot.texts(1002)[-1] == "next"
    alerts = await system.rows("SELECT cause FROM alerts WHERE bot_id = $1", bot.id)
    assert ["cannot be read" in row["cause"] for row in alerts] == [True]
    retry = f"/api/processing/{broken['id']}/retry"
    await system.ask("POST", retry, status=202)

    async def ended() -> bool:
        return (await system.processing(bot))[0]["status"] == "TERMINAL"

    await system.until(ended)
