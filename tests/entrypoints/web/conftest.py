"""`system`: api, worker and poller for the stories of one module; `bot`: one for a story."""

from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.system import Bot, System
from tests.entrypoints.web.admin_stories import USER


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as system:
        system.environment["OPENAI_BASE_URL"] = system.sandbox.openai_url
        system.environment["OPENAI_API_KEY"] = "sk-of-the-stand-in"
        await system.start("api", "worker", "poller")
        await system.sign_in()
        await system.ask("POST", "/api/users", {**USER, "role": "USER"})
        yield system


@pytest.fixture
async def bot(system: System) -> Bot:
    """A bot that polls, whose chats and messages nobody else's story touches."""
    return await system.bot("POLLING")
