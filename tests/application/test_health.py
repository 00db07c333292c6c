"""Looks at the system's parts: shared by who asks at once, and over in time whatever hangs."""

import asyncio
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

import pytest

from application import health
from application.health import SHARED, Health
from application.jobs import Unavailable
from application.readiness import Asked, DatabaseState, PartStatus, Pool
from application.refusals import SessionsAway

ASKER: ContextVar[str] = ContextVar("asker", default="nobody")


class World:
    """PostgreSQL, Valkey and a model that answer, until they are told not to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 27, tzinfo=UTC)
        self.looks = 0
        self.asker = ""
        self.database_error: Exception | None = None
        self.valkey_error: Exception | None = None
        self.database_hangs = self.valkey_hangs = False
        self.stubborn = asyncio.Event()
        self.health = Health(self, self, self, self)  # type: ignore[arg-type]

    def now(self) -> datetime:
        return self.at

    async def look(self) -> DatabaseState:
        self.looks += 1
        self.asker = ASKER.get()
        try:
            await asyncio.sleep(3600 if self.database_hangs else 0)
        except asyncio.CancelledError:  # as a connection that waits for its server's goodbye
            await self.stubborn.wait()
            raise Unavailable from None
        if self.database_error is not None:
            raise self.database_error
        return DatabaseState(schema_current=True, workers=1)

    def pool(self) -> Pool:
        return Pool(5, 0, 0)

    async def ping(self) -> None:
        await asyncio.sleep(3600 if self.valkey_hangs else 0)
        if self.valkey_error is not None:
            raise self.valkey_error

    def last(self) -> Asked:
        return Asked(PartStatus.OK, self.at)


async def test_who_asks_within_a_second_shares_a_look() -> None:
    world = World()
    await asyncio.gather(*(world.health.readiness() for _ in range(50)))
    await world.health.readiness()
    assert world.looks == 1
    world.at += SHARED
    await asyncio.gather(*(world.health.readiness() for _ in range(50)))
    assert world.looks == 2


async def test_a_look_is_nobodys_request() -> None:
    world = World()
    token = ASKER.set("somebody")
    await world.health.readiness()
    ASKER.reset(token)
    assert world.asker == "nobody"


async def test_one_who_asks_and_leaves_takes_the_look_from_nobody() -> None:
    world = World()
    leaves = asyncio.create_task(world.health.readiness())
    stays = asyncio.create_task(world.health.readiness())
    await asyncio.sleep(0)
    leaves.cancel()
    assert (await stays).status == "ok"


async def test_parts_that_are_away() -> None:
    world = World()
    world.valkey_error = SessionsAway()
    world.database_error = Unavailable("gone")
    parts = (await world.health.readiness()).parts
    assert (parts.postgres, parts.valkey) == (PartStatus.DOWN, PartStatus.DOWN)


async def test_parts_that_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    world = World()
    world.database_hangs = world.valkey_hangs = True
    parts = (await world.health.readiness()).parts  # the look itself is not over yet
    assert (parts.postgres, parts.valkey) == (PartStatus.DOWN, PartStatus.DOWN)
    world.database_hangs = world.valkey_hangs = False
    world.at += timedelta(seconds=1)
    assert (await world.health.readiness()).status == "ok"
    world.stubborn.set()
