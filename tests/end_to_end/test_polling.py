"""Pollers: one for each bot, whatever starts or dies."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.system import System


@pytest.fixture
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as running:
        await running.start("api", "worker", "poller")
        await running.sign_in()
        yield running


async def test_two_pollers_never_meet_and_one_takes_over_from_a_dead_one(system: System) -> None:
    bot = await system.bot("POLLING")
    bot.say("/sandbox:echo one", user=1002)
    await bot.answers(1, chat=1002)
    await system.start("poller-2")
    await asyncio.sleep(4)
    refused = [
        call
        for call in system.sandbox.telegram.calls
        if call.method == "getUpdates" and call.status == 409
    ]
    assert refused == []
    await system.kill("poller", signal.SIGKILL)
    bot.say("/sandbox:echo two", user=1002)
    assert await bot.answers(2, chat=1002) == ["one", "two"]


async def test_nothing_is_lost_while_no_poller_runs(system: System) -> None:
    bot = await system.bot("POLLING")
    await system.kill("poller", signal.SIGKILL)
    for number in range(5):
        bot.say(f"/sandbox:echo {number}", user=1002)
    await system.start("poller")
    assert await bot.answers(5, chat=1002) == [str(number) for number in range(5)]


async def test_a_revoked_token_disables_the_bot_and_alerts(system: System) -> None:
    bot = await system.bot("POLLING")
    system.sandbox.faults.add("telegram", "unauthorized", method="getUpdates", bot=bot.telegram_id)
    system.sandbox.telegram.say(bot.telegram_id, 1002, "wakes the long poll")

    async def disabled() -> bool:
        seen = await system.ask("GET", f"/api/bots/{bot.id}")
        return not seen["enabled"] and "401" in seen["error"]

    await system.until(disabled, 40)

    async def alerted() -> bool:
        return bool(await system.rows("SELECT FROM alerts WHERE bot_id = $1", bot.id))

    await system.until(alerted)


async def test_strange_texts_do_not_hold_up_what_comes_after_them(system: System) -> None:
    bot = await system.bot("POLLING")
    bot.say("lone \ud800 surrogate", user=1002)
    bot.say("null \x00 byte", user=1002)
    bot.say("/sandbox:echo after", user=1002)
    assert (await bot.answers(3, chat=1002))[2] == "after"
    pending = system.sandbox.telegram.bot(bot.telegram_id).pending

    async def confirmed() -> bool:
        return not pending

    await system.until(confirmed, 10)


async def test_a_poll_that_fails_waits_as_it_is_told(system: System) -> None:
    bot = await system.bot("POLLING")
    system.sandbox.faults.add(
        "telegram", "rate_limited", method="getUpdates", bot=bot.telegram_id, times=2, retry_after=2
    )
    bot.say("wakes the long poll", user=1002)
    await bot.answers(1, chat=1002)
    bot.say("/sandbox:echo after", user=1002)
    assert (await bot.answers(2, chat=1002))[1] == "after"
    refused = [
        call.at
        for call in system.sandbox.telegram.calls
        if call.method == "getUpdates" and call.status == 429
    ]
    assert len(refused) == 2
    assert refused[1] - refused[0] >= 2


async def test_a_poll_ends_when_its_lease_does(system: System) -> None:
    bot = await system.bot("POLLING")
    bot.say("/sandbox:echo one", user=1002)
    await bot.answers(1, chat=1002)
    polls = len([call for call in system.sandbox.telegram.calls if call.method == "getUpdates"])
    await system.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name LIKE 'kotodom poller %'"
    )

    async def polled_anew() -> bool:
        calls = [call for call in system.sandbox.telegram.calls if call.method == "getUpdates"]
        return len(calls) > polls

    await system.until(polled_anew, 10)  # well before the 25 seconds of a long poll
    bot.say("/sandbox:echo two", user=1002)
    assert await bot.answers(2, chat=1002) == ["one", "two"]
    assert 409 not in {call.status for call in system.sandbox.telegram.calls}
