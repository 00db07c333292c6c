"""Bots that are due for a look: claimed by one, known as they are, kept as they were."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_bot_life import PostgresBotStore
from adapters.postgres_polled_bots import PostgresPolledBots
from adapters.postgres_silent_bots import PostgresSilentBots
from adapters.system_clock import SystemClock
from application.bot_life import BotLife
from domain.events import WebhookAsked
from domain.silence import Cause, Verdict
from tests.adapters.bot_rows import Rows

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
AGAIN = NOW + timedelta(minutes=1)
LOST = Verdict(NOW, Cause.NO_WEBHOOK, "no webhook")


@pytest.fixture
async def rows(engine: AsyncEngine) -> AsyncIterator[Rows]:
    made = Rows(engine)
    yield made
    await made.run("DELETE FROM bots")


@pytest.fixture
def bots(engine: AsyncEngine) -> PostgresSilentBots:
    return PostgresSilentBots(engine, cast("Any", None))


async def test_active_bots_that_are_due_the_longest_waiting_first(
    rows: Rows, bots: PostgresSilentBots
) -> None:
    await rows.bot(enabled=False)
    await rows.bot(is_active=False)
    await rows.bot(error="the key is wrong")
    await rows.bot(look_again_at=AGAIN)
    late = await rows.bot(look_again_at=NOW)
    later = await rows.bot(look_again_at=NOW - timedelta(minutes=9))
    new = await rows.bot()
    claimed = await bots.claim(NOW, AGAIN, 2)
    assert {bot.id for bot in claimed} == {new, later}
    assert [bot.id for bot in await bots.claim(NOW, AGAIN, 9)] == [late]
    assert await bots.claim(NOW, AGAIN, 9) == []
    assert len(await bots.claim(AGAIN, AGAIN, 9)) == 4


async def test_no_bot_is_claimed_twice(rows: Rows, bots: PostgresSilentBots) -> None:
    made = {await rows.bot() for _ in range(20)}
    claims = await asyncio.gather(*(bots.claim(NOW, AGAIN, 7) for _ in range(4)))
    claimed = [bot.id for claim in claims for bot in claim]
    assert sorted(claimed) == sorted(set(claimed))
    assert set(claimed) <= made


async def test_when_a_bot_was_heard(rows: Rows, bots: PostgresSilentBots) -> None:
    bot = await rows.bot()
    (unheard,) = await bots.claim(NOW, NOW, 1)
    assert unheard.heard_at is None
    insert = (
        "INSERT INTO telegram_updates (bot_id, update_id, received_at, payload, state)"
        " VALUES (:bot, :update, :at, '{}', 'IGNORED')"
    )
    for update, minutes in ((5, 90), (7, 60), (6, 70)):
        await rows.run(insert, bot=bot, update=update, at=NOW - timedelta(minutes=minutes))
    (heard,) = await bots.claim(NOW, NOW, 1)
    assert heard.heard_at == NOW - timedelta(minutes=60)
    # Telegram numbers anew after a silent week: the newest update is not the one of highest id.
    await rows.run(
        "INSERT INTO chats (id, telegram_chat_id, bot_id) VALUES (:chat, 1, :bot)",
        chat=f"{bot}:1",
        bot=bot,
    )
    ((message,),) = await rows.run(
        "INSERT INTO messages (chat_id, bot_id, sender, text) VALUES (:chat, :bot, 'USER', 'x')"
        " RETURNING id",
        chat=f"{bot}:1",
        bot=bot,
    )
    await rows.run(
        "INSERT INTO message_processing (id, user_message_id, bot_id, chat_id, status, created_at)"
        " VALUES (:id, :id, :bot, :chat, 'COMPLETED', :at)",
        id=message,
        bot=bot,
        chat=f"{bot}:1",
        at=NOW - timedelta(minutes=2),
    )
    (heard,) = await bots.claim(NOW, NOW, 1)
    assert heard.heard_at == NOW - timedelta(minutes=2)


async def test_whose_lease_is_held(
    rows: Rows, bots: PostgresSilentBots, engine: AsyncEngine, database_url: str
) -> None:
    huge = 2**31 + 5  # a lease's number has 31 bits and a sign
    held = [
        await rows.bot(telegram_mode="POLLING"),
        await rows.bot(id=huge, telegram_mode="POLLING"),
    ]
    await rows.bot(telegram_mode="POLLING")
    webhook = await rows.bot()
    poller = PostgresPolledBots(engine, cast("Any", None), database_url)
    async with AsyncExitStack() as stack:
        for bot_id in (*held, webhook):
            await stack.enter_async_context(poller.lease(bot_id))
        claimed = await bots.claim(NOW, NOW, 9)
    await poller.close()
    assert {bot.id for bot in claimed if bot.polled} == set(held)


async def test_what_a_look_found_is_kept_until_the_bots_life_goes_on(
    rows: Rows, bots: PostgresSilentBots, engine: AsyncEngine
) -> None:
    await rows.bot()
    (bot,) = await bots.claim(NOW, AGAIN, 1)
    assert await bots.keep(bot, LOST, NOW, NOW)
    (again,) = await bots.claim(NOW, AGAIN, 1)
    assert (again.since, again.silent) == (NOW, True)
    await BotLife(PostgresBotStore(engine), SystemClock()).put(bot.id, WebhookAsked())
    assert not await bots.keep(again, LOST, NOW, NOW), "it was looked at before that"
    (anew,) = await bots.claim(NOW, AGAIN, 1)
    assert (anew.since, anew.silent) == (None, False)
