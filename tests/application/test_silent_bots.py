"""Looks at many bots: Telegram is asked gently, and one cause of many silences is told once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from application import silent_bots
from application.live import Changed
from application.ports import Failed, TelegramAccess, WebhookStatus
from application.silent_bots import AGAIN, AGAIN_AT_PEACE, AT_ONCE, MOST, SilentBots, WatchedBot
from domain.bot import TelegramMode
from domain.effects import AdminAlert
from domain.events import BotEvent, BotFailed
from domain.failures import Fatal, Terminal
from domain.silence import Verdict

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
BOT = WatchedBot(
    id=1,
    name="Bot 1",
    mode=TelegramMode.WEBHOOK,
    since=None,
    silent=False,
    heard_at=None,
    polled=False,
    version=NOW,
)


class World:
    """Everything around the use case, in memory. `hooks`: the url that Telegram has for a bot."""

    def __init__(self, bots: Sequence[WatchedBot]) -> None:
        self.bots = {bot.id: bot for bot in bots}
        self.due = dict.fromkeys(self.bots, NOW)
        self.hooks: dict[int, str] = {}
        self.failures: dict[int, Fatal | Terminal] = {}
        self.pending = 0
        self.changed_meanwhile: set[int] = set()
        self.hanging: set[int] = set()
        self.asked: list[int] = []
        self.at_once = self.most_at_once = 0
        self.kept: dict[int, tuple[Verdict, datetime]] = {}
        self.sent: list[AdminAlert] = []
        self.put_events: list[tuple[int, BotEvent]] = []
        self.live: list[Changed] = []
        self.at = NOW

    async def round(self) -> None:
        use_case = SilentBots(self, self, self, self, self, self, "https://ours")  # type: ignore[arg-type]
        await use_case.run()

    def now(self) -> datetime:
        return self.at

    def jitter(self) -> float:
        return 0.5

    async def claim(self, now: datetime, again: datetime, limit: int) -> Sequence[WatchedBot]:
        due = sorted(bot_id for bot_id, at in self.due.items() if at <= now)[:limit]
        self.due |= dict.fromkeys(due, again)
        return [self.bots[bot_id] for bot_id in due]

    async def access(self, bot_id: int) -> TelegramAccess:
        return TelegramAccess(bot_id, "1:x", "https://telegram")

    async def keep(
        self, bot: WatchedBot, verdict: Verdict, looked_at: datetime, again: datetime
    ) -> bool:
        if bot.id in self.changed_meanwhile:
            return False
        self.kept[bot.id] = verdict, again
        self.due[bot.id] = again
        self.bots[bot.id] = replace(bot, since=verdict.since, silent=verdict.reason is not None)
        return True

    async def get_webhook_info(self, access: TelegramAccess) -> WebhookStatus:
        self.asked.append(access.bot_id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(3600 if access.bot_id in self.hanging else 0)
        finally:
            self.at_once -= 1
        if access.bot_id in self.failures:
            raise Failed(self.failures[access.bot_id])
        url = self.hooks.get(access.bot_id, f"https://ours/webhook/{access.bot_id}")
        return WebhookStatus(url, self.pending)

    async def send(self, alert: AdminAlert, at: datetime) -> None:
        self.sent.append(alert)

    async def put(self, bot_id: int, event: BotEvent) -> None:
        self.put_events.append((bot_id, event))

    def tell(self, events: Sequence[Changed]) -> None:
        self.live += events


def many(count: int) -> list[WatchedBot]:
    return [replace(BOT, id=number, name=f"Bot {number}") for number in range(1, count + 1)]


async def test_a_thousand_bots_are_asked_about_some_at_a_time() -> None:
    world = World(many(1000))
    for minute in range(4):
        world.at = NOW + minute * timedelta(minutes=1)
        await world.round()
        assert len(world.asked) == min(MOST * (minute + 1), 1000)
    assert len(set(world.asked)) == 1000
    assert world.most_at_once == AT_ONCE
    assert {again - NOW for _, again in world.kept.values()} >= {AGAIN_AT_PEACE}
    assert world.sent == []


async def test_a_bot_that_was_heard_lately_is_not_asked_about() -> None:
    world = World([replace(BOT, heard_at=NOW - timedelta(minutes=4), since=NOW, silent=True)])
    await world.round()
    assert world.asked == []
    assert world.kept[1] == (Verdict(), NOW + AGAIN_AT_PEACE)
    assert world.live == [Changed("bot", 1, 1)]


async def test_a_bot_in_trouble_is_looked_at_again_soon() -> None:
    world = World([BOT])
    world.pending = 1
    await world.round()
    assert world.kept[1] == (Verdict(since=NOW), NOW + AGAIN)
    assert (world.live, world.sent) == ([], [])


async def test_each_of_a_few_has_an_alert_at_each_look_and_the_book_makes_one_of_them() -> None:
    world = World(many(2))
    world.hooks = {1: "https://theirs/x", 2: "https://theirs/x"}
    await world.round()
    await world.round()
    assert [alert.bot_id for alert in world.sent] == [1, 2]
    world.at += AGAIN
    await world.round()
    assert [alert.bot_id for alert in world.sent] == [1, 2, 1, 2]
    assert {alert.cause for alert in world.sent} == {"silent: foreign webhook"}
    assert len(world.live) == 2, "pages are told of changes alone"


async def test_one_alert_for_many_that_are_silent_for_one_cause() -> None:
    world = World(many(50))
    world.hooks = dict.fromkeys(range(1, 41), "") | {50: "https://theirs/x"}
    await world.round()
    assert [(alert.bot_id, alert.cause) for alert in world.sent] == [
        (50, "silent: foreign webhook"),
        (0, "silent: no webhook"),
    ]
    assert world.sent[1].text == (
        "No update reaches 40 bots (Bot 1, Bot 2, Bot 3, …). Of the first: Telegram has no webhook "
        "for it any more: set the webhook again"
    )


async def test_a_fatal_refusal_is_the_bots_error_and_any_other_says_nothing() -> None:
    world = World(many(2))
    world.failures = {1: Fatal("Telegram 401: Unauthorized", token_dead=True), 2: Terminal("gone")}
    await world.round()
    assert world.put_events == [(1, BotFailed("Telegram 401: Unauthorized", token_dead=True))]
    assert (world.kept, world.sent) == ({}, [])


async def test_a_bot_that_changed_meanwhile_is_judged_anew() -> None:
    world = World([BOT])
    world.hooks, world.changed_meanwhile = {1: ""}, {1}
    await world.round()
    assert (world.sent, world.live) == ([], [])


async def test_a_telegram_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silent_bots, "LOOK_SECONDS", 0.01)
    world = World(many(AT_ONCE + 1))
    world.hanging = {1}
    await world.round()
    assert set(world.kept) == set(world.bots) - {1}


async def test_a_round_ends_and_what_it_found_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silent_bots, "ROUND_SECONDS", 0.05)
    world = World(many(2 * AT_ONCE))
    world.hooks, world.hanging = {1: ""}, {AT_ONCE + 1}
    await world.round()
    assert [alert.bot_id for alert in world.sent] == [1]
