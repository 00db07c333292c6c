"""`kotodom health PART` tells a container whether what it runs is alive."""

import asyncio

import asyncpg
import pytest

from adapters.pgqueuer_worker import session_name
from tests.entrypoints.commands import run


@pytest.mark.parametrize("part", ["worker", "poller"])
async def test_a_part_is_seen_by_its_session(database_url: str, part: str) -> None:
    ran = await run("health", part, DATABASE_URL=database_url)
    assert (ran.code, ran.told) == (1, f"kotodom health: no {part} runs here")
    named = {"application_name": session_name(part, 1)}
    session = await asyncpg.connect(database_url, server_settings=named)
    ran = await run("health", part, DATABASE_URL=database_url)
    assert (ran.code, ran.errors) == (0, "")
    await session.close()


async def test_the_api_is_asked(database_url: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readline()
        code = b"200" if asked.startswith(b"GET /health ") else b"404"
        writer.write(b"HTTP/1.1 " + code + b" x\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = str(server.sockets[0].getsockname()[1])
    ran = await run("health", "api", PORT=port, HOST="0.0.0.0")
    assert (ran.code, ran.errors) == (0, "")
    server.close()
    ran = await run("health", "api", PORT=port)
    assert (ran.code, ran.told) == (1, "kotodom health: no api runs here")


async def test_what_it_cannot_know() -> None:
    ran = await run("health", "worker", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert ran.code == 1 and "PostgreSQL is away" in ran.told
    ran = await run("health", "worker")
    assert ran.code == 2 and "DATABASE_URL: required" in ran.told
