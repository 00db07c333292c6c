"""The default model server, as it was seen last: never waited for, asked once a minute."""

import asyncio
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

import pytest

from adapters.child_process import wait_until
from adapters.openai_health import EVERY, OpenAIHealth
from application.jobs import Unavailable
from application.readiness import Asked, PartStatus
from entrypoints.sandbox.server import SandboxServer

START = datetime(2026, 11, 27, tzinfo=UTC)


ASKER: ContextVar[str] = ContextVar("asker", default="nobody")


class World:
    """The clock and the settings."""

    openai_api_key: str | None = "sk-x"
    openai_base_url: str | None
    away = False

    def __init__(self, base_url: str, stand_in: str | None = None) -> None:
        self.at = START
        self.openai_base_url = base_url
        self.probe = OpenAIHealth(self, self, stand_in)  # type: ignore[arg-type]

    def now(self) -> datetime:
        return self.at

    async def current(self) -> "World":
        self.asker = ASKER.get()
        if self.away:
            raise Unavailable("PostgreSQL is away")
        return self

    async def seen(self) -> PartStatus:
        """What a new look comes to."""
        self.at += EVERY
        self.probe.last()

        async def looked() -> bool:
            return self.probe.last().at == self.at

        await wait_until(looked, 10)
        return self.probe.last().status


async def test_it_answers(sandbox: SandboxServer) -> None:
    world = World(sandbox.openai_url)
    token = ASKER.set("somebody")
    assert world.probe.last() == Asked(PartStatus.UNKNOWN, None)
    assert await world.seen() is PartStatus.OK
    ASKER.reset(token)
    assert world.asker == "nobody", "a look is no part of the request that was first"
    before = world.at
    world.openai_base_url = "http://127.0.0.1:1"
    world.at += EVERY - timedelta(seconds=1)
    assert world.probe.last() == Asked(PartStatus.OK, before)
    assert await world.seen() is PartStatus.DOWN


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("unauthorized", PartStatus.REFUSED),
        ("server_error", PartStatus.DOWN),
        ("reset_before", PartStatus.DOWN),
        ("rate_limited", PartStatus.OK),
    ],
)
async def test_what_it_says(sandbox: SandboxServer, fault: str, status: PartStatus) -> None:
    sandbox.faults.add("openai", fault, method="models")
    assert await World(sandbox.openai_url).seen() is status
    sandbox.faults.clear()


async def test_a_key_or_none(sandbox: SandboxServer) -> None:
    world = World("http://127.0.0.1:1")
    world.openai_api_key = None
    assert await world.seen() is PartStatus.UNSET
    with_stand_in = World("http://127.0.0.1:1", sandbox.openai_url)
    with_stand_in.openai_api_key = None
    assert await with_stand_in.seen() is PartStatus.OK
    world.openai_api_key, world.openai_base_url = "sk-\u2026", "http://[broken"
    assert await world.seen() is PartStatus.DOWN


async def test_with_the_settings_away_the_last_look_stays(sandbox: SandboxServer) -> None:
    world = World(sandbox.openai_url)
    assert await world.seen() is PartStatus.OK
    seen = world.probe.last()
    world.away = True
    world.at += EVERY
    assert world.probe.last() == seen
    await asyncio.sleep(0)  # the settings are asked
    world.away = False
    world.at += timedelta(seconds=1)
    world.probe.last()

    async def looked() -> bool:
        return world.probe.last().at == world.at

    await wait_until(looked, 10)
    await world.probe.close()
