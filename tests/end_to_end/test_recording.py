"""A conversation with retries, a crash, a split and a repair, recorded from the running system."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.journal_compression import unpacked
from tests.end_to_end.system import KOTODOM, SECRET_KEY, Bot, System

USER = 1002
BYTES_A_MESSAGE = 500
"""In the four steps of an answered message, its few words included; ids as long as OpenAI's."""
BYTES_A_STEP = 60
"""In each step of a bot's own, as it is enabled."""


@pytest.fixture
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as running:
        await running.start("api", "worker")
        await running.sign_in()
        yield running


async def _kotodom(system: System, *arguments: object) -> tuple[int, str]:
    """A command in the system's environment; its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        str(KOTODOM),
        *map(str, arguments),
        env=system.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, said.decode()


async def _converse(system: System, bot: Bot) -> None:
    """Everything that makes a turn long, one message after the other."""
    faults = system.sandbox.faults
    bot.say("/sandbox:server_error 2", user=USER)  # two retries
    await system.settled(bot, 1)
    faults.add("telegram", "cant_parse", method="sendMessage", bot=bot.telegram_id, times=1)
    bot.say("/sandbox:markdown", user=USER)  # a repair: plain text
    await system.settled(bot, 2)
    faults.add("telegram", "reset_after", method="sendMessage", bot=bot.telegram_id, times=1)
    bot.say("/sandbox:text 9000", user=USER)  # a split, the first part of it ambiguous
    await system.settled(bot, 3)
    bot.say("/sandbox:slow 3", user=USER)  # a crash

    async def begun() -> bool:
        return any(row["status"] == "PROCESSING" for row in await system.processing(bot))

    await system.until(begun)
    await system.kill("worker", signal.SIGKILL)
    await system.start("worker")
    await system.settled(bot, 4, seconds=40)
    bot.say("/sandbox:refusal 1", user=USER)  # the model refuses, and a person tries it again
    refused = (await system.settled(bot, 5))[-1]
    assert refused["status"] == "TERMINAL"
    await system.ask("POST", f"/api/processing/{refused['id']}/retry", status=202)

    async def answered() -> bool:
        return (await system.processing(bot))[-1]["status"] == "COMPLETED"

    await system.until(answered)
    bot.say("/refresh", user=USER)
    await system.settled(bot, 6)


async def test_what_the_running_system_did_replays_the_same(system: System, tmp_path: Path) -> None:
    bot = await system.bot()
    await _converse(system, bot)
    recording, redacted = tmp_path / "whole.jsonl", tmp_path / "redacted.jsonl"
    code, said = await _kotodom(system, "record", "--bot", bot.id, "--out", recording)
    assert code == 0, said
    tags = [json.loads(line)["event"]["type"] for line in recording.read_text().splitlines()]
    assert {"turn.resumed", "openai.replyFailed", "telegram.messageFailed"} <= set(tags)
    assert {"processing.retryAsked", "telegram.webhookEnsured"} <= set(tags)
    assert tags.count("telegram.messageSent") >= 8
    assert '"died":true' in recording.read_text()
    for secret in (bot.token, "sk-of-the-stand-in", SECRET_KEY):
        assert secret not in recording.read_text()
    for path in (recording, redacted):
        if path is redacted:
            code, said = await _kotodom(
                system, "record", "--bot", bot.id, "--redact", "--out", redacted
            )
            assert code == 0, said
        code, said = await _kotodom(system, "replay", path)
        assert code == 0, said
        assert said.startswith(f"{len(tags)} steps")
    assert "sandbox" not in redacted.read_text()
    content = recording.read_text()
    index = content.rindex("telegram.sendMessage")
    changed = tmp_path / "changed.jsonl"
    changed.write_text(content[:index] + "telegram.sendTelepathy" + content[index + 20 :])
    code, said = await _kotodom(system, "replay", changed)
    assert code == 1
    assert "telegram.sendTelepathy" in said


async def test_one_message_is_taken_along_and_replayed_over_http(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:server_error 1", user=USER)
    (row,) = await system.settled(bot, 1)
    async with system.http.get(f"/api/processing/{row['id']}/recording") as answer:
        recording = await answer.read()
    timeline = (await system.ask("GET", f"/api/processing/{row['id']}"))["timeline"]
    assert len(recording.splitlines()) == len(timeline) >= 5
    async with system.http.post(
        "/api/replay", data=recording, headers={"Content-Type": "application/x-ndjson"}
    ) as answer:
        assert answer.status == 200, await answer.text()
        assert await answer.json() == {
            "steps": len(timeline),
            "events": len(timeline),
            "effects": sum(len(step["effects"]) for step in timeline),
            "differing": 0,
            "differences": [],
        }


async def test_a_message_costs_the_journal_little_beside_its_text(system: System) -> None:
    """A bot's own texts, however long, and an answer's second copy are no part of it."""
    long = "Ask me. " * 500
    bot = await system.bot(helpText=long, startMessage=long)
    for text in ("/sandbox:echo first", "/sandbox:echo second"):
        bot.say(text, user=USER)
    first, second = await system.settled(bot, 2)
    rows = await system.rows(
        "SELECT from_state, event, effects FROM journal WHERE turn_id = $1 ORDER BY seq",
        second["id"],
    )
    assert len(rows) == 4
    columns = [column for row in rows for column in row if column is not None]
    said = sum(unpacked(column).count(b'"second"') for column in columns)
    assert said == 2  # the reply, and its sending
    assert sum(map(len, columns)) < BYTES_A_MESSAGE
    assert first["id"] < second["id"]
    rows = await system.rows(
        "SELECT from_state, event, effects FROM journal WHERE key = $1", f"bot:{bot.id}"
    )
    assert len(rows) == 2
    assert all(sum(len(column or b"") for column in row) < BYTES_A_STEP for row in rows)
