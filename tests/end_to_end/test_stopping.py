"""SIGTERM ends each process within ten seconds, also while PostgreSQL hangs; nothing is lost."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from adapters.secret_box import SecretBox
from tests.end_to_end.system import SECRET_KEY, System

WITHIN = 10.0
UPDATE = {
    "update_id": 77,
    "message": {
        "message_id": 1,
        "date": 1_790_000_000,
        "chat": {"id": 1002, "type": "private", "first_name": "Ada"},
        "from": {"id": 1002, "is_bot": False, "first_name": "Ada"},
        "text": "posted while PostgreSQL hangs",
    },
}


@pytest.fixture
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as running:
        await running.start("api", "worker", "poller")
        await running.sign_in()
        yield running


@contextmanager
def hanging(folder: str) -> Iterator[None]:
    """PostgreSQL takes connections, and answers nothing."""
    postmaster = psutil.Process(int((Path(folder) / "postmaster.pid").read_text().split()[0]))
    servers = [postmaster, *postmaster.children(recursive=True)]
    for server in servers:
        server.suspend()
    try:
        yield
    finally:
        for server in servers:
            server.resume()


async def test_a_hanging_postgresql_holds_up_no_sigterm(system: System) -> None:
    webhook, polled = await system.bot(), await system.bot("POLLING")
    for bot in (webhook, polled):
        bot.say("/sandbox:echo before", user=1002)
        assert await bot.answers(1, chat=1002) == ["before"]
        bot.say("/sandbox:slow 4", user=1003)

    async def thinking() -> bool:
        rows = [*await system.processing(webhook), *await system.processing(polled)]
        return sum(row["run_id"] is not None for row in rows) == 4

    await system.until(thinking)
    (folder,) = (await system.rows("SHOW data_directory"))[0]
    headers = {"X-Telegram-Bot-Api-Secret-Token": SecretBox(SECRET_KEY).webhook_secret(webhook.id)}
    with hanging(folder):
        post = system.http.post(f"/webhook/{webhook.id}", json=UPDATE, headers=headers)
        requests = [
            asyncio.ensure_future(request)
            for request in (post, system.http.get("/api/bots"), system.http.get("/health/ready"))
        ]
        polled.say("/sandbox:echo polled", user=1004)
        await asyncio.sleep(2)
        ends = await asyncio.gather(*(_terminated(system, name) for name in list(system.processes)))
        # The last one, /health/ready, may tell of a look that is a second old.
        answers = (await asyncio.gather(*requests, return_exceptions=True))[:-1]
    assert {name: code for name, code, _ in ends} == dict.fromkeys(("api", "worker", "poller"), 0)
    assert max(seconds for *_, seconds in ends) < WITHIN, ends
    kept = [one for one in answers if isinstance(one, aiohttp.ClientResponse) and one.status == 200]
    assert kept == []
    await system.start("api", "worker", "poller")
    rows = [*await system.settled(webhook, 2, seconds=60)]
    rows += await system.settled(polled, 3, seconds=60)
    assert {row["status"] for row in rows} == {"COMPLETED"}
    assert await polled.answers(1, chat=1004, seconds=60) == ["polled"]
    for bot in (webhook, polled):
        assert len(bot.texts(1003)) == 1


async def _terminated(system: System, name: str) -> tuple[str, int | None, float]:
    """Its exit code, None where it had to be killed, and how long it took."""
    process = system.processes.pop(name)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    try:
        code = await asyncio.wait_for(process.wait(), 3 * WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()
        return name, None, time.monotonic() - began
    return name, code, time.monotonic() - began
