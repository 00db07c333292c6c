"""A running system whose alerts go to a chat, with recorded answers before its stand-ins."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.system import Bot, System
from tests.failures.many_stories import ManyStories
from tests.failures.recorded_answers import RecordedAnswers
from tests.failures.story import ADMIN, hurry


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    """An api and two workers; calls that get no answer fail sooner than usual."""
    patience = {"TELEGRAM_TIMEOUT": "6", "OPENAI_TIMEOUT": "8", "LOG_LEVEL": "ERROR"}
    async with ManyStories(database_url, valkey_url, **patience) as running:
        await running.start("api", "worker", "worker-2")
        await running.sign_in()
        yield running


@pytest.fixture(scope="module")
async def alerts(system: System) -> Bot:
    """The bot of the settings, which tells the administrator."""
    bot = await system.bot()
    token = f"{bot.telegram_id}:{'t' * 35}"
    await system.ask(
        "PUT", "/api/settings", {"alerts.botToken": token, "alerts.chatId": str(ADMIN)}
    )
    return bot


@pytest.fixture(scope="module")
async def answers(system: System) -> AsyncIterator[RecordedAnswers]:
    async with RecordedAnswers(system.sandbox.url) as server:
        yield server


@pytest.fixture(scope="module")
async def hurried(system: System) -> AsyncIterator[None]:
    """Retries are due at once."""
    task = asyncio.create_task(hurry(system.database_url))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
