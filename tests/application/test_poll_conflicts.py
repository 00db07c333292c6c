"""When a bot hears that somebody else has its updates, and when that is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from application.bot_life import BotLife
from application.conversations import JournalRow
from application.jobs import Job, Pick
from application.poll_conflicts import (
    OTHER_POLLER,
    OTHER_WEBHOOK,
    PEACE,
    REMOVED_EVERY,
    TOLD_AT,
    PollConflicts,
)
from application.ports import PollConflict
from domain.bot import Bot, TelegramMode
from domain.failures import Retryable

DEAD_KEY = "OpenAI 401: Incorrect API key provided"


class World:
    """The bot, its jobs, and the clock."""

    def __init__(self, *, webhook: bool) -> None:
        self.bot = Bot(1, "Ada", TelegramMode.POLLING, enabled=True, is_active=True)
        self.jobs: list[str] = []
        self.at = datetime(2026, 11, 24, tzinfo=UTC)
        self.conflict = PollConflict(Retryable("Telegram 409: Conflict: …"), webhook=webhook)
        self.conflicts = self.poller()

    def poller(self) -> PollConflicts:
        return PollConflicts(1, self, BotLife(self, self), self)

    async def met(self, times: int) -> None:
        for _ in range(times):
            await self.conflicts.met(self.conflict)

    async def polled(self, seconds: float) -> None:
        """A poll that took so long."""
        began = self.at
        self.at += timedelta(seconds=seconds)
        await self.conflicts.polled(began)

    def carried_out(self, part: str) -> int:
        """How many jobs of a kind there were."""
        return sum(part in job for job in self.jobs)

    def now(self) -> datetime:
        return self.at

    def jitter(self) -> float:
        return 0.5

    async def error(self, bot_id: int) -> str | None:
        return self.bot.error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["World"]:
        yield self

    async def load(self, bot_id: int) -> Bot:
        return self.bot

    async def save(self, bot: Bot, journal: JournalRow, jobs: list[Job]) -> None:
        self.bot = bot
        self.jobs += [job.payload.decode() for job in jobs]

    async def acknowledge(self, pick: Pick) -> None:
        raise AssertionError("the poller has no job")


@pytest.mark.parametrize(("webhook", "reason"), [(False, OTHER_POLLER), (True, OTHER_WEBHOOK)])
async def test_one_that_stays_is_told_once(webhook: bool, reason: str) -> None:
    world = World(webhook=webhook)
    await world.met(TOLD_AT - 1)
    assert world.bot.error is None
    await world.met(5)
    assert (world.bot.error, world.bot.enabled) == (reason, True)
    assert world.carried_out("adminAlert") == 1


async def test_one_that_passes_is_not_told() -> None:
    world = World(webhook=False)
    for _ in range(5):
        await world.met(TOLD_AT - 1)
        await world.polled(PEACE.total_seconds())
    assert world.bot.error is None
    assert world.jobs == []


async def test_two_pollers_that_take_turns_are_no_peace() -> None:
    world = World(webhook=False)
    for _ in range(TOLD_AT):
        await world.met(1)
        await world.polled(PEACE.total_seconds() - 1)
    assert world.bot.error == OTHER_POLLER
    await world.polled(1)
    assert world.bot.error is None


async def test_it_is_over_when_polling_works_again_also_for_another_poller() -> None:
    world = World(webhook=False)
    await world.met(TOLD_AT)
    world.conflicts = world.poller()
    await world.polled(PEACE.total_seconds() - 1)
    assert world.bot.error == OTHER_POLLER
    await world.polled(1)
    assert world.bot.error is None


async def test_what_else_is_wrong_with_the_bot_stays() -> None:
    world = World(webhook=False)
    world.bot = replace(world.bot, error=DEAD_KEY)
    await world.met(TOLD_AT - 1)
    await world.polled(PEACE.total_seconds())
    assert world.bot.error == DEAD_KEY


async def test_a_webhook_is_removed_now_and_then() -> None:
    world = World(webhook=True)
    await world.met(1)
    assert world.carried_out("removeWebhook") == 1
    await world.met(REMOVED_EVERY)
    assert world.carried_out("removeWebhook") == 2


async def test_a_bot_that_was_given_webhook_mode_a_moment_ago_keeps_its_webhook() -> None:
    world = World(webhook=True)
    world.bot = replace(world.bot, mode=TelegramMode.WEBHOOK)
    await world.met(1)
    assert world.jobs == []
