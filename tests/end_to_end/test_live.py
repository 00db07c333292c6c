"""Live events from every process, and a page that does not hold up the api's end."""

import asyncio
import json
import signal
import time
from typing import Any

import aiohttp

from tests.end_to_end.system import System


async def _read(response: aiohttp.ClientResponse, heard: list[dict[str, Any]]) -> None:
    async for line in response.content:
        if line.startswith(b"data: "):
            heard.append(json.loads(line[6:]))


async def test_a_message_is_heard_of_from_the_worker_and_the_api_ends_in_time(
    system: System,
) -> None:
    bot = await system.bot()
    heard: list[dict[str, Any]] = []
    timeout = aiohttp.ClientTimeout(total=None)
    async with system.http.get("/api/events", timeout=timeout) as response:
        assert response.status == 200
        reading = asyncio.create_task(_read(response, heard))
        bot.say("/sandbox:echo hi")
        await bot.answers(1)
        (row,) = await system.settled(bot, 1)

        async def told() -> bool:
            message, chat = {"type": "message", "id": row["id"]}, f"{bot.id}:1001"
            return message in heard and {"type": "chat", "id": chat} in heard

        await system.until(told, 5)
        began = time.monotonic()
        assert await system.kill("api", signal.SIGTERM) == 0
        assert time.monotonic() - began < 3
        await asyncio.wait_for(reading, 3)
    await system.start("api")
