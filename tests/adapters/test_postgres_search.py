"""Lists that may be long: however one looks, the same rows in one order, a few at a time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import postgres_chats, postgres_search, postgres_transactions
from adapters.postgres_chats import PostgresChats
from adapters.postgres_processing import PostgresProcessing
from adapters.postgres_schema import chats, message_processing, messages, tg_users
from adapters.postgres_transactions import engine as make_engine
from adapters.postgres_transactions import reading, transaction
from application.chats import ChatFilter
from application.jobs import Busy, TookTooLong
from application.paging import Stretch
from application.processing import ProcessingFilter
from domain.turn import Status
from tests.adapters.bot_rows import Rows

ANNA, BORIS = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2))
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
COUNT = 240
RARE = 3  # the number of the message that alone has a word of its own
LIMIT = 4


@pytest.fixture(scope="module")
async def bots(engine: AsyncEngine) -> AsyncIterator[dict[str, list[int]]]:
    """Anna has a busy bot and 30 quiet ones, Boris has one: messages of all of them, mixed."""
    rows = Rows(engine)
    for number, user in enumerate((ANNA, BORIS)):
        await rows.run(
            "INSERT INTO users (id, email, password_hash, role) VALUES (:id, :email, 'x', 'USER')",
            id=UUID(user),
            email=f"{number}@example.org",
        )
    mine = [await rows.bot(owner_user_id=UUID(ANNA)) for _ in range(31)]
    others = [await rows.bot(owner_user_id=UUID(BORIS))]
    async with transaction(engine) as connection:
        for number in range(COUNT):
            bot = others[0] if number % 4 == 1 else mine[0] if number % 4 else mine[number % 31]
            at = BEGAN + timedelta(minutes=number // 3)  # three at a time
            chat = f"{bot}:{number}"
            said = "погода сегодня" if number % 2 else "сегодня погода"
            await connection.execute(
                insert(tg_users).values(id=number + 1, username=f"user_{number}")
            )
            await connection.execute(
                insert(chats).values(
                    id=chat,
                    bot_id=bot,
                    telegram_chat_id=number,
                    tg_user_id=number + 1,
                    name=f"{said} {number}" + (" редкая" if number == RARE else ""),
                    last_message_at=at,
                )
            )
            await connection.execute(
                insert(messages).values(
                    id=number + 1,
                    chat_id=chat,
                    bot_id=bot,
                    sender="USER",
                    text=f"{said} {number}" + (" редкая" if number == RARE else ""),
                )
            )
            await connection.execute(
                insert(message_processing).values(
                    id=number + 1,
                    user_message_id=number + 1,
                    bot_id=bot,
                    chat_id=chat,
                    status="TERMINAL" if number % 5 == 0 else "COMPLETED",
                    created_at=at,
                )
            )
    yield {ANNA: mine, BORIS: others}


@pytest.fixture(autouse=True)
def little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_search, "WINDOW", 20)
    monkeypatch.setattr(postgres_chats, "WINDOW", 20)
    monkeypatch.setattr(postgres_search, "LEAST_SHARE", 2)
    monkeypatch.setattr(postgres_search, "FEW", dict.fromkeys(postgres_search.FEW, 10))


@pytest.fixture
async def analyzed(engine: AsyncEngine) -> AsyncIterator[None]:
    async with transaction(engine) as connection:
        await connection.execute(text("ANALYZE messages, chats, tg_users"))
    yield


Page = Any


async def _all(page: Page, key: Any) -> tuple[list[Any], int]:
    """Every row, page by page as the cursors lead, and how many pages that takes."""
    found: list[Any] = []
    before, pages = None, 0
    while True:
        stretch: Stretch[Any, Any] = await page(before)
        pages += 1
        found += stretch.rows[:LIMIT]
        if len(stretch.rows) > LIMIT:
            before = key(stretch.rows[LIMIT - 1])
        elif stretch.beyond is not None:
            before = stretch.beyond
        else:
            return found, pages


def _expected(bots: dict[str, list[int]], owner: str | None, bot: int | None) -> list[int]:
    """The numbers of the messages that are seen, newest first."""
    numbers = []
    for number in range(COUNT):
        of = (
            bots[BORIS][0]
            if number % 4 == 1
            else bots[ANNA][0]
            if number % 4
            else bots[ANNA][number % 31]
        )
        if (owner is None or of in bots[owner]) and bot in (None, of):
            numbers.append(number)
    return numbers[::-1]


WORDS = [
    (None, lambda number: True),
    ("погода", lambda number: True),
    ("погода сегодня", lambda number: number % 2 == 1),
    ("сегодня сегодня", lambda number: False),
    ("редкая", lambda number: number == RARE),
    ("нигде", lambda number: False),
    ("...", lambda number: False),
    ("%", lambda number: False),
    ("11", lambda number: "11" in str(number)),
]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(("words", "has"), WORDS, ids=[str(words) for words, _ in WORDS])
async def test_every_way_finds_the_same(
    engine: AsyncEngine, bots: dict[str, list[int]], words: str | None, has: Any, known: bool
) -> None:
    if known:
        async with transaction(engine) as connection:
            await connection.execute(text("ANALYZE messages, chats, tg_users"))
    processing, listed = PostgresProcessing(engine), PostgresChats(engine)
    for owner in (None, ANNA, BORIS):
        for bot in (None, bots[ANNA][0], bots[BORIS][0], 10**9):
            seen = _expected(bots, owner, bot)
            for status in (None, Status.TERMINAL):
                asked = ProcessingFilter(status, bot, words)
                rows, _ = await _all(
                    lambda before, asked=asked: processing.page(owner, asked, before, LIMIT + 1),  # noqa: B023
                    lambda row: (row.created_at, row.id),
                )
                expected = [n for n in seen if has(n) and (status is None or n % 5 == 0)]
                assert [row.id - 1 for row in rows] == expected, (owner, bot, status)
            chosen = ChatFilter(bot, words)
            rows, _ = await _all(
                lambda before, asked=chosen: listed.page(owner, asked, before, LIMIT + 1),  # noqa: B023
                lambda row: (row.last_message_at, row.id),
            )
            expected = sorted(
                (n for n in seen if has(n)), key=lambda n: (n // 3, _chat(bots, n)), reverse=True
            )
            assert [row.telegram_chat_id for row in rows] == expected, (owner, bot)
            # The file has the list's own filter.
            rows, _ = await _all(
                lambda after, asked=chosen: listed.by_id(owner, asked, after, LIMIT + 1),  # noqa: B023
                lambda row: row.id,
            )
            assert [row.id for row in rows] == sorted(_chat(bots, n) for n in expected)


def _chat(bots: dict[str, list[int]], number: int) -> str:
    of = bots[BORIS][0] if number % 4 == 1 else bots[ANNA][0 if number % 4 else number % 31]
    return f"{of}:{number}"


@pytest.mark.parametrize("owner", [None, ANNA, BORIS])
@pytest.mark.parametrize("words", ["сегодня сегодня", "...", "a b"])
async def test_a_search_looks_through_so_many_at_a_time(
    engine: AsyncEngine, bots: dict[str, list[int]], analyzed: None, words: str, owner: str | None
) -> None:
    found = await PostgresProcessing(engine).page(owner, ProcessingFilter(q=words), None, LIMIT + 1)
    assert found.rows == [] and found.beyond is not None
    newer = [n for n in _expected(bots, owner, None) if _key(n) >= found.beyond]
    assert 0 < len(newer) <= 20
    named = await PostgresChats(engine).page(owner, ChatFilter(q=words), None, LIMIT + 1)
    assert named.rows == [] and named.beyond is not None


def _key(number: int) -> tuple[datetime, int]:
    return BEGAN + timedelta(minutes=number // 3), number + 1


async def test_a_rare_word_is_found_at_once_however_old(
    engine: AsyncEngine, bots: dict[str, list[int]], analyzed: None
) -> None:
    for owner in (None, ANNA):
        found = await PostgresProcessing(engine).page(owner, ProcessingFilter(q="редкая"), None, 9)
        assert ([row.id for row in found.rows], found.beyond) == ([RARE + 1], None)
        named = await PostgresChats(engine).page(owner, ChatFilter(q="редкая"), None, 9)
        assert ([row.telegram_chat_id for row in named.rows], named.beyond) == ([RARE], None)


@pytest.mark.parametrize(
    ("words", "rare"),
    [
        ("редкая", True),
        ("нигде", True),
        ("погода", False),
        ("погода сегодня", False),
        ("сегодня погода нигде", True),
        ("...", False),
        ("%%%", False),
        ("a b", False),
        ("🙂", False),
        ("яя", False),
    ],
)
async def test_which_words_are_rare(
    engine: AsyncEngine, bots: dict[str, list[int]], analyzed: None, words: str, rare: bool
) -> None:
    async with transaction(engine) as connection:
        assert await postgres_search.is_rare(connection, words, "messages_trigrams") is rare


async def test_a_list_that_takes_too_long_is_given_up(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_transactions, "LOOKING", 0.05)
    with pytest.raises(TookTooLong):
        async with reading(engine) as connection:
            await connection.execute(text("SELECT pg_sleep(60)"))
    async with transaction(engine) as connection:  # it was for that transaction alone
        assert await connection.scalar(text("SHOW statement_timeout")) == "0"


async def test_a_pool_that_is_all_in_use_is_busy(database_url: str) -> None:
    small = make_engine(database_url, pool_size=1)
    small.pool._timeout = 0.05  # type: ignore[attr-defined]
    async with transaction(small):
        with pytest.raises(Busy):
            async with asyncio.timeout(20), transaction(small):
                pass
    await small.dispose()
