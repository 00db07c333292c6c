"""Logtail gets the lines of real processes, with their fields. Where it hangs: test_hanging.py."""

import signal
from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.collectors import Logtail
from tests.end_to_end.system import PASSWORD, SECRET_KEY, System

TOKEN = "a-source-token-of-the-tests"


@pytest.fixture(scope="module")
async def logtail() -> AsyncIterator[Logtail]:
    async with Logtail(202) as server:
        yield server


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str, logtail: Logtail) -> AsyncIterator[System]:
    environment = {"LOGTAIL_SOURCE_TOKEN": TOKEN, "LOGTAIL_HOST": logtail.url, "LOG_LEVEL": "INFO"}
    async with System(database_url, valkey_url, **environment) as running:
        await running.start("api", "worker", "poller")
        await running.sign_in()
        yield running


async def test_each_process_sends_its_lines_with_their_fields(
    system: System, logtail: Logtail
) -> None:
    async def started() -> bool:
        return {line["part"] for line in logtail.lines} == {"api", "worker", "poller"}

    await system.until(started)
    for path, headers, _ in logtail.requests:
        assert (path, headers["Authorization"]) == ("/", f"Bearer {TOKEN}")
        assert headers["Content-Type"] == "application/msgpack"
    (line,) = logtail.events("worker.started")
    assert line.pop("dt")[:2] == "20"
    assert line == {
        "message": "worker.started",
        "level": "info",
        "logger": "worker",
        "part": "worker",
    }
    (signed_in,) = [
        line
        for line in logtail.events("request.answered")
        if (line["method"], line["path"]) == ("POST", "/api/auth/login")
    ]
    assert signed_in["status"] == 200 and len(signed_in["request_id"]) == 32


async def test_a_line_of_a_turn_says_whose_it_is(system: System, logtail: Logtail) -> None:
    bot = await system.bot()
    system.sandbox.faults.add("telegram", "server_error", method="sendChatAction", times=1)
    update = bot.say("/sandbox:slow 1", user=1002)
    (row,) = await system.settled(bot, 1)
    (line,) = await system.until(_seen(logtail, "telegram.action_not_shown"))
    assert line["job"] > 0
    assert (line["bot"], line["chat"], line["update"], line["processing"]) == (
        bot.id,
        f"{bot.id}:1002",
        update,
        row["id"],
    )


async def test_no_line_holds_a_secret_or_what_people_wrote(
    system: System, logtail: Logtail
) -> None:
    """Also where something fails: alerts, refusals, retries and bugs have lines."""
    bot = await system.bot()
    words = ("first-words-of-a-person", "second-words-of-a-person")
    bot.say(f"/sandbox:echo {words[0]}", user=1003)
    assert await bot.answers(1, chat=1003) == [words[0]]
    bot.say(f"/sandbox:refusal {words[1]}", user=1003)
    (_, refused) = await system.settled(bot, 2)
    await system.ask("GET", "/api/chats?q=words-that-an-admin-searches")
    (alert,) = await system.until(_seen(logtail, "admin.alert"))
    assert alert["bot"] == bot.id and alert["text"].endswith("the model refused")

    async def searched() -> bool:
        return "/api/chats" in str(logtail.lines)

    await system.until(searched)
    everything = str(logtail.lines)
    said = refused["terminal_reason"].partition(": ")[2]
    assert said
    secrets = (bot.token, "sk-of-the-stand-in", PASSWORD, SECRET_KEY, TOKEN)
    for secret in (*words, said, "words-that-an-admin-searches", *secrets):
        assert secret not in everything


async def test_the_last_line_of_a_process_arrives(system: System, logtail: Logtail) -> None:
    assert await system.kill("poller", signal.SIGTERM) == 0
    assert [line["part"] for line in logtail.events("poller.stopped")] == ["poller"]


def _seen(logtail: Logtail, event: str) -> object:
    async def seen() -> list[dict[str, object]]:
        return logtail.events(event)

    return seen
