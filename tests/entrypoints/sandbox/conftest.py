"""A running sandbox for a test, at no pace, and clients that speak to it as a product would."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import openai
import pytest

from entrypoints.sandbox.server import SandboxServer

BOT = 4200042
TOKEN = f"{BOT}:AAAAbbbbCCCCddddEEEEffffGGGGhhhh123"
CHAT = 700100201

Answer = tuple[int, dict[str, Any]]
Call = Callable[..., Awaitable[Answer]]


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    async with SandboxServer() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def telegram(sandbox: SandboxServer, http: aiohttp.ClientSession) -> Call:
    """Calls a Bot API method with JSON; the status and the decoded body come back."""

    async def call(method: str, /, **params: Any) -> Answer:
        url = f"{sandbox.telegram_url}/bot{TOKEN}/{method}"
        async with http.post(url, json=params) as response:
            return response.status, await response.json()

    return call


@pytest.fixture
async def client(sandbox: SandboxServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        api_key="sk-test", base_url=sandbox.openai_url, max_retries=0, timeout=10
    ) as made:
        yield made
