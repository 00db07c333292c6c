"""Days that are over are counted once, and what is told is what is there, whatever comes later."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import postgres_statistics
from adapters.child_process import wait_until
from adapters.postgres_chat_actions import PostgresChatActions
from adapters.postgres_processing import PostgresProcessing
from adapters.postgres_retries import try_again
from adapters.postgres_statistics import PostgresStatistics
from adapters.postgres_transactions import transaction
from application import statistics
from application.statistics import LONGEST_DAYS, DayCounting, StatsFilter
from tests.adapters.bot_rows import Rows

TODAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL = StatsFilter(TODAY - timedelta(days=9), TODAY)


class Clock:
    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def jitter(self) -> float:
        return 1.0


class Messages:
    """Rows of two bots over five days, one of them today."""

    def __init__(self, rows: Rows, bots: list[int]) -> None:
        self.rows = rows
        self.bots = bots

    async def keep(self, bot: int, days_ago: int, status: str, seconds: float | None = 2) -> int:
        at = NOON - timedelta(days=days_ago)
        ((message,),) = await self.rows.run(
            "INSERT INTO messages (chat_id, bot_id, sender, text)"
            " VALUES (:chat, :bot, 'USER', 'x') RETURNING id",
            chat=f"{bot}:1",
            bot=bot,
        )
        await self.rows.run(
            "INSERT INTO message_processing (id, user_message_id, bot_id, chat_id, status, turn,"
            " created_at, response_sent_at, input_tokens, output_tokens, price)"
            " VALUES (:id, :id, :bot, :chat, :status, '{}', :at, :sent, 3, 4, 0.5)",
            id=message,
            bot=bot,
            chat=f"{bot}:1",
            status=status,
            at=at,
            sent=at + timedelta(seconds=seconds) if seconds is not None else None,
        )
        return int(message)


@pytest.fixture
async def messages(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Messages]:
    monkeypatch.setattr(statistics, "PAUSE", 0)
    rows = Rows(engine)
    for table in ("bot_days", "counted_days", "uncounted_bot_days", "chats, messages", "pgqueuer"):
        await rows.run(f"TRUNCATE {table} CASCADE")
    made = Messages(rows, [await rows.bot(), await rows.bot()])
    for bot in made.bots:
        await rows.run(
            "INSERT INTO chats (id, bot_id, telegram_chat_id) VALUES (:chat, :bot, 1)",
            chat=f"{bot}:1",
            bot=bot,
        )
        for days_ago in range(5):
            await made.keep(bot, days_ago, "COMPLETED", days_ago + bot)
            await made.keep(bot, days_ago, "COMPLETED", None)
            await made.keep(bot, days_ago, "TERMINAL")
    yield made
    await rows.run("DELETE FROM bots")


async def _sums(engine: AsyncEngine, asked: StatsFilter = ALL) -> dict[Any, Any]:
    """What the tallies come to, by what they are of."""
    sums: dict[Any, Any] = {}
    for tally in await PostgresStatistics(engine).tallies(None, asked):
        of = (tally.day, tally.bot_id, tally.status)
        whole = sums.setdefault(of, [0, 0, 0, Decimal(0), {}])
        for place, more in enumerate((tally.messages, tally.input_tokens, tally.output_tokens)):
            whole[place] += more
        whole[3] += tally.price or 0
        whole[4] = whole[4] | dict(tally.answers)
    return sums


async def _as_if_never_counted(engine: AsyncEngine, messages: Messages) -> dict[Any, Any]:
    """The sums of the messages themselves."""
    days = await messages.rows.run("DELETE FROM counted_days RETURNING day")
    found = await _sums(engine)
    for (day,) in days:
        await messages.rows.run("INSERT INTO counted_days VALUES (:day)", day=day)
    return found


async def _count(engine: AsyncEngine, at: datetime = NOON) -> None:
    await DayCounting(PostgresStatistics(engine), Clock(at)).run()


async def test_days_that_are_over_are_counted_once(engine: AsyncEngine, messages: Messages) -> None:
    before = await _sums(engine)
    day = TODAY - timedelta(days=2)
    assert before[day, None, "COMPLETED"][:4] == [4, 12, 16, Decimal("2.0")]
    assert sum(before[day, None, "COMPLETED"][4].values()) == 2
    await _count(engine)
    counted = [row[0] for row in await messages.rows.run("SELECT day FROM counted_days ORDER BY 1")]
    assert counted[-1] == TODAY - timedelta(days=1) and len(counted) == LONGEST_DAYS + 1
    assert await _sums(engine) == before
    for bot in messages.bots:
        of_bot = await _sums(engine, StatsFilter(ALL.since, ALL.until, bot))
        assert of_bot[None, bot, "COMPLETED"] == before[None, bot, "COMPLETED"]
        assert {key[1] for key in of_bot} == {None, bot}
    # No message of those days is looked at any more; today's are.
    await messages.rows.run("UPDATE message_processing SET price = 7")
    await messages.keep(messages.bots[0], 0, "RECEIVED")
    after = await _sums(engine)
    assert after[TODAY, None, "RECEIVED"][0] == 1
    assert {key: sums for key, sums in after.items() if key[0] not in (None, TODAY)} == {
        key: sums for key, sums in before.items() if key[0] not in (None, TODAY)
    }


async def test_a_day_is_not_over_before_its_last_message_is_there(
    engine: AsyncEngine, messages: Messages
) -> None:
    await _count(engine, datetime(2026, 11, 20, 0, 9, tzinfo=UTC))
    days = [row[0] for row in await messages.rows.run("SELECT day FROM counted_days ORDER BY 1")]
    assert days[-1] == TODAY - timedelta(days=2)
    await _count(engine, datetime(2026, 11, 20, 0, 11, tzinfo=UTC))
    days = [row[0] for row in await messages.rows.run("SELECT day FROM counted_days ORDER BY 1")]
    assert days[-1] == TODAY - timedelta(days=1)


@pytest.mark.parametrize("status", ["RECEIVED", "PROCESSING", "FAILED"])
async def test_what_was_not_over_then_is_counted_later(
    engine: AsyncEngine, messages: Messages, status: str
) -> None:
    message = await messages.keep(messages.bots[0], 3, status)
    before = await _sums(engine)
    await _count(engine)
    assert await _sums(engine) == before
    await _end(messages, message)
    ended = await _sums(engine)
    assert ended == await _as_if_never_counted(engine, messages) != before
    await _count(engine)
    assert await messages.rows.run("SELECT 1 FROM uncounted_bot_days") == []
    assert await _sums(engine) == ended


async def test_what_is_tried_again_is_counted_again(
    engine: AsyncEngine, messages: Messages
) -> None:
    old = await messages.keep(messages.bots[0], 3, "TERMINAL")
    await _count(engine)
    attempt = await PostgresProcessing(engine).try_again(old)
    assert attempt is not None and attempt.after == "RECEIVED"
    for _ in range(2):
        assert await _sums(engine) == await _as_if_never_counted(engine, messages)
        await _count(engine)
    await _end(messages, old)
    assert await _sums(engine) == await _as_if_never_counted(engine, messages)
    await _count(engine)
    assert await messages.rows.run("SELECT 1 FROM uncounted_bot_days") == []
    assert await _sums(engine) == await _as_if_never_counted(engine, messages)


async def test_a_try_that_begins_while_its_day_is_counted_again(
    engine: AsyncEngine, messages: Messages
) -> None:
    first = await messages.keep(messages.bots[0], 3, "TERMINAL")
    second = await messages.keep(messages.bots[0], 3, "FAILED")
    await _count(engine)
    await _end(messages, second)

    async def begin_again() -> None:
        async with transaction(engine) as connection:
            assert await try_again(connection, [first])

    async def waits() -> bool:
        return bool(
            await messages.rows.run(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )

    async with transaction(engine) as counting:
        rows = await counting.exec_driver_sql(postgres_statistics._SETTLED, (9,))
        ((bot, day),) = rows.all()
        beginning = asyncio.create_task(begin_again())
        await wait_until(waits, 20)
        for statement, values in (
            (postgres_statistics._SETTLE, (bot, day)),
            (postgres_statistics._FORGET, (day, bot)),
            (postgres_statistics._COUNT, (day, bot)),
        ):
            await counting.exec_driver_sql(statement, values)
    await beginning
    assert await _sums(engine) == await _as_if_never_counted(engine, messages)


async def test_a_try_that_begins_while_days_are_looked_for(
    engine: AsyncEngine, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It commits between the snapshot of the look and the look's lock."""
    first = await messages.keep(messages.bots[0], 3, "TERMINAL")
    second = await messages.keep(messages.bots[0], 3, "FAILED")
    await _count(engine)
    await _end(messages, second)
    slow = postgres_statistics._SETTLED.replace(
        "WHERE", "WHERE (SELECT pg_sleep(1)) IS NOT NULL AND", 1
    )
    assert slow != postgres_statistics._SETTLED
    monkeypatch.setattr(postgres_statistics, "_SETTLED", slow)

    async def sleeps() -> bool:
        return bool(
            await messages.rows.run(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event = 'PgSleep'"
            )
        )

    counting = asyncio.create_task(_count(engine))
    await wait_until(sleeps, 20)
    async with transaction(engine) as connection:
        assert await try_again(connection, [first])
    await counting
    await _end(messages, first)
    assert await _sums(engine) == await _as_if_never_counted(engine, messages)


async def test_an_erased_chat_is_counted_no_more(engine: AsyncEngine, messages: Messages) -> None:
    await _count(engine)
    async with PostgresChatActions(engine).transaction() as erasing:
        await erasing.erase(f"{messages.bots[0]}:1")
    for _ in range(2):
        sums = await _sums(engine)
        assert {key[1] for key in sums} == {None, messages.bots[1]}
        assert sums == await _as_if_never_counted(engine, messages)
        await _count(engine)


async def test_a_deleted_bot_is_counted_no_more(engine: AsyncEngine, messages: Messages) -> None:
    await _count(engine)
    await messages.rows.run("DELETE FROM bots WHERE id = :id", id=messages.bots[0])
    assert {key[1] for key in await _sums(engine)} == {None, messages.bots[1]}


async def test_one_worker_does_it(engine: AsyncEngine, messages: Messages) -> None:
    async with transaction(engine) as other:
        await other.exec_driver_sql(postgres_statistics._ALONE)
        await _count(engine)
    assert await messages.rows.run("SELECT 1 FROM counted_days") == []


async def _end(messages: Messages, message: int) -> None:
    await messages.rows.run(
        "UPDATE message_processing SET status = 'COMPLETED' WHERE id = :id", id=message
    )
