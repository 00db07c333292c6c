"""Whose model answers: the stand-in without a key, the real one as soon as there is one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from entrypoints.sandbox.server import SandboxServer
from tests.end_to_end.system import System


@pytest.fixture
async def real() -> AsyncIterator[SandboxServer]:
    """Another server, in the place of api.openai.com."""
    async with SandboxServer() as server:
        yield server


@pytest.fixture
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as running:
        running.environment["KOTODOM_SANDBOX_URL"] = running.sandbox.url
        await running.start("api", "worker")
        await running.sign_in()
        yield running


async def test_a_key_turns_the_answers_into_the_real_models(
    system: System, real: SandboxServer
) -> None:
    plain = await system.bot(baseUrl=None, apiKey=None)
    ready = await system.bot(apiKey=None)  # its baseUrl is the sandbox's, as the ready bot's is
    own = await system.bot(apiKey="sk-of-its-own")
    for bot in (plain, ready, own):
        bot.say("hello", user=1002)
        await bot.answers(1, chat=1002)
    assert _asked(system.sandbox) == 3
    settings = {"openai.apiKey": "sk-real", "openai.baseUrl": real.openai_url}
    await system.ask("PUT", "/api/settings", settings)
    await asyncio.sleep(2.5)  # a worker looks at the settings every two seconds
    for bot in (plain, ready, own):
        bot.say("hello again", user=1002)
        await bot.answers(2, chat=1002)
    assert _asked(real) == 2
    assert _asked(system.sandbox) == 4, "a bot's own server and key stay its own"


async def test_without_any_key_the_bot_says_what_is_missing(
    database_url: str, valkey_url: str
) -> None:
    async with System(database_url, valkey_url) as system:
        await system.start("api", "worker")
        await system.sign_in()
        await system.ask("PUT", "/api/settings", {"openai.apiKey": None, "openai.baseUrl": None})
        bot = await system.bot(baseUrl=None, apiKey=None)
        bot.say("hello", user=1002)
        (row,) = await system.settled(bot, 1)
        assert row["status"] == "TERMINAL"
        assert "OPENAI_API_KEY" in row["terminal_reason"]


def _asked(server: SandboxServer) -> Any:
    return sum(server.openai.runs_by_metadata("processing_id").values())
