"""What was a deleted bot's goes in batches, in every table, and holds up nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters import postgres_erasure
from adapters.child_process import wait_until
from adapters.postgres_bots import PostgresBots
from adapters.postgres_conversations import PostgresConversations
from adapters.postgres_erasure import FORGETTING, PostgresErasure
from adapters.postgres_inbox import PostgresInbox
from adapters.postgres_schema import journal, metadata
from adapters.postgres_sweep import PostgresSweep
from adapters.postgres_transactions import transaction
from adapters.secret_box import SecretBox
from application.erasure import Erasure
from application.intake import InboxState, Incoming, Receipt
from application.jobs import Pick
from application.model import ModelAccess, ModelApi
from domain.effects import ForgetThreads
from tests.adapters.bot_rows import Rows, rows_of_bot

CHATS, EACH = 5, 3
NOW = datetime.now(UTC)
KEY = "a secret key of at least 32 characters"
PICK = Pick(1, "00000000-0000-0000-0000-000000000000", NOW)


@pytest.fixture
async def rows(engine: AsyncEngine) -> Rows:
    made = Rows(engine)
    for table in (*metadata.tables, "pgqueuer"):
        await made.run(f"TRUNCATE {table} CASCADE")
    return made


@pytest.fixture
def bots(engine: AsyncEngine) -> PostgresBots:
    return PostgresBots(engine, SecretBox(KEY), "http://127.0.0.1:1")


async def _full(rows: Rows, engine: AsyncEngine) -> int:
    """A bot with rows in every table; its id."""
    bot = await rows.bot()
    chats = [f"{bot}:{number}" for number in range(CHATS)]
    for number, chat in enumerate(chats):
        await rows.run(
            "INSERT INTO chats (id, telegram_chat_id, bot_id, last_message_at)"
            " VALUES (:chat, :number, :bot, :last)",
            chat=chat,
            number=number,
            bot=bot,
            last=NOW if number else None,
        )
        for each in range(EACH):
            await rows.run(
                "WITH said AS (INSERT INTO messages (chat_id, bot_id, sender, text)"
                " VALUES (:chat, :bot, 'USER', 'x') RETURNING id)"
                " INSERT INTO message_processing (id, user_message_id, bot_id, chat_id, status)"
                " SELECT id, id, :bot, :chat, :status FROM said",
                chat=chat,
                bot=bot,
                status="COMPLETED" if each else "PROCESSING",
            )
            await rows.run(
                "INSERT INTO telegram_updates (bot_id, update_id, payload, chat_id, state)"
                " VALUES (:bot, :update, '{}', :chat, 'WAITING')",
                bot=bot,
                update=number * EACH + each,
                chat=chat,
            )
        await rows.run(
            "INSERT INTO chat_requests (chat_id, kind, payload) VALUES (:chat, 'REFRESH', '')",
            chat=chat,
        )
        await _job(rows, "bot.handle_update", chat)
    async with transaction(engine) as connection:
        for key in (*chats, f"bot:{bot}"):
            step = {"key": key, "at": NOW, "id": "x", "event": "{}", "effects": "[]", "state": ""}
            await connection.execute(insert(journal), [step] * EACH)
    await rows.run("INSERT INTO alerts (bot_id, cause, sent_at) VALUES (:bot, 'x', now())", bot=bot)
    await rows.run(
        "INSERT INTO bot_days (bot_id, day, status, messages, input_tokens, output_tokens,"
        " buckets, answers) VALUES (:bot, '2026-01-01', 'COMPLETED', 1, 0, 0, '{}', '{}')",
        bot=bot,
    )
    await rows.run(
        "INSERT INTO uncounted_bot_days (bot_id, day) VALUES (:bot, '2026-01-02')",
        bot=bot,
    )
    for effect in (
        f'{{"type":"telegram.ensureWebhook","bot_id":{bot}}}',
        f'{{"type":"openai.resetThread","bot_id":{bot},"thread_id":"x"}}',
    ):
        await _job(rows, "effect.perform", effect)
    return bot


async def _job(rows: Rows, entrypoint: str, payload: str, status: str = "queued") -> None:
    await rows.run(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload)"
        " VALUES (0, :status, :entrypoint, :payload)",
        status=status,
        entrypoint=entrypoint,
        payload=payload.encode(),
    )


async def _left(rows: Rows, bot: int) -> dict[str, int]:
    return {table: (await rows.run(count))[0][0] for table, count in rows_of_bot(bot).items()}


async def _delete(bots: PostgresBots, bot: int, owner: str | None = None) -> bool:
    """As application/bots.py does; whether it was there."""
    async with bots.transaction() as transaction:
        seen = await transaction.lock(bot, owner) is not None
        if seen:
            await transaction.delete(bot)
    return seen


async def _run(engine: AsyncEngine) -> None:
    await Erasure(PostgresErasure(engine)).run()


async def test_everything_of_the_bot_goes_and_nothing_of_its_neighbours(
    engine: AsyncEngine, rows: Rows, bots: PostgresBots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_erasure, "BATCH", 2)
    monkeypatch.setattr(postgres_erasure, "CHATS", 2)
    before = await _full(rows, engine)
    neighbours = [await _full(rows, engine)]
    await rows.run("SELECT setval('bots_id_seq', :next)", next=before * 10 - 1)
    neighbours.append(await _full(rows, engine))  # its id begins with the other's
    kept = [await _left(rows, neighbour) for neighbour in neighbours]
    assert all(kept[0][table] for table in kept[0] if table != "erasures")
    await _delete(bots, before)
    assert await bots.get(before, None) is None
    # Whoever dies in the middle is followed by another.
    for _ in range(4):
        assert await PostgresErasure(engine).erase()
    assert any((await _left(rows, before)).values())
    await _run(engine)
    assert not any((await _left(rows, before)).values())
    assert [await _left(rows, neighbour) for neighbour in neighbours] == kept
    assert await PostgresErasure(engine).erase() is None


async def test_the_second_of_two_deletes_deletes_nothing(
    engine: AsyncEngine, rows: Rows, bots: PostgresBots
) -> None:
    bot = await rows.bot()
    done = await asyncio.gather(*(_delete(bots, bot) for _ in range(3)))
    assert sorted(done) == [False, False, True]
    assert len(await rows.run("SELECT 1 FROM erasures")) == 1
    other = await rows.bot()
    assert not await _delete(bots, other, "00000000-0000-0000-0000-000000000001")
    assert await bots.get(other, None) is not None


@asynccontextmanager
async def _open_batch(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[asyncio.Task[int | None]]:
    """A batch that has deleted its rows, and is not committed before the context is left."""
    deleted, commit = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def held(of: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with transaction(of) as connection:
            yield connection
            deleted.set()
            await commit.wait()

    monkeypatch.setattr(postgres_erasure, "transaction", held)
    batch = asyncio.create_task(PostgresErasure(engine).erase())
    await deleted.wait()
    yield batch
    assert not batch.done()
    commit.set()
    await batch
    monkeypatch.undo()


async def test_others_are_kept_and_served_while_a_batch_is_open(
    engine: AsyncEngine, rows: Rows, bots: PostgresBots, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, other = await _full(rows, engine), await _full(rows, engine)
    inbox, store = PostgresInbox(engine), PostgresConversations(engine)
    async with store.transaction() as before:  # it has met both
        assert len(await before.load([(f"{gone}:1", PICK), (f"{other}:1", PICK)])) == 2
    await _delete(bots, gone)
    both = [Incoming(bot, 1000, "{}", f"{bot}:1", InboxState.WAITING) for bot in (gone, other)]
    while any((await _left(rows, gone)).values()):
        async with _open_batch(engine, monkeypatch), asyncio.timeout(20):
            both = [
                Incoming(one.bot_id, one.update_id + 1, "{}", one.chat, one.state) for one in both
            ]
            assert await inbox.insert(both) == [Receipt.UNKNOWN_BOT, Receipt.KEPT]
            async with store.transaction() as serving:
                loaded = await serving.load([(f"{gone}:1", PICK), (f"{other}:1", PICK)])
            assert set(loaded) == {f"{other}:1"}
            # Heartbeats lock a worker's jobs, whoever's they are.
            await rows.run("UPDATE pgqueuer SET heartbeat = now() WHERE status = 'picked'")


async def test_a_message_that_comes_while_its_bot_goes_leaves_nothing(
    engine: AsyncEngine, rows: Rows, bots: PostgresBots
) -> None:
    bot = await rows.bot()
    inbox = PostgresInbox(engine)
    update = Incoming(bot, 1, "{}", f"{bot}:1", InboxState.WAITING)
    async with transaction(engine) as deleting:
        await deleting.exec_driver_sql(f"DELETE FROM bots WHERE id = {bot}")
        waiting = asyncio.create_task(inbox.insert([update]))
        await _blocked(rows)
    assert await waiting == [Receipt.UNKNOWN_BOT]
    assert not any((await _left(rows, bot)).values())


async def test_a_chat_that_begins_while_its_bot_goes_leaves_nothing(
    engine: AsyncEngine, rows: Rows
) -> None:
    bot = await rows.bot()
    await PostgresInbox(engine).insert([Incoming(bot, 1, "{}", f"{bot}:1", InboxState.WAITING)])
    store = PostgresConversations(engine)

    async def begin() -> int:
        async with store.transaction() as begun:
            return len(await begun.load([(f"{bot}:1", PICK)]))

    async with transaction(engine) as deleting:
        await deleting.exec_driver_sql(f"DELETE FROM bots WHERE id = {bot}")
        beginning = asyncio.create_task(begin())
        await _blocked(rows)
    assert await beginning == 0
    assert await rows.run("SELECT 1 FROM chats") == []


async def _blocked(rows: Rows) -> None:
    """Until somebody waits for a lock."""

    async def waits() -> bool:
        return bool(
            await rows.run(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )

    await wait_until(waits, 20)


async def test_a_job_in_a_workers_hands_is_left_to_it(
    engine: AsyncEngine, rows: Rows, bots: PostgresBots
) -> None:
    bot = await _full(rows, engine)
    await _job(rows, "bot.handle_update", f"{bot}:1", "picked")
    farewell = f'{{"type":"telegram.removeFormerWebhook","bot_id":{bot},"token":"x"}}'
    await _job(rows, "effect.perform", farewell)
    await _delete(bots, bot)
    await _run(engine)
    left = {table: count for table, count in (await _left(rows, bot)).items() if count}
    assert left == {"pgqueuer": 2, "erasures": 1, "alerts": 1}
    # Nobody is sent after it: its messages are unfinished, but its bot is gone.
    assert await PostgresSweep(engine).publish_stranded() == 0
    await rows.run("DELETE FROM pgqueuer")
    await _run(engine)
    assert not any((await _left(rows, bot)).values())


async def test_the_sweep_leaves_what_is_being_erased_alone(
    engine: AsyncEngine, rows: Rows, bots: PostgresBots
) -> None:
    bot = await _full(rows, engine)
    await rows.run("DELETE FROM pgqueuer")
    await _delete(bots, bot)
    assert await PostgresSweep(engine).publish_stranded() == 0


async def test_one_worker_does_it(engine: AsyncEngine, rows: Rows, bots: PostgresBots) -> None:
    bot = await _full(rows, engine)
    await _delete(bots, bot)
    before = await _left(rows, bot)
    async with transaction(engine) as other:
        await other.exec_driver_sql(postgres_erasure._ALONE)
        assert await PostgresErasure(engine).erase() is None
    assert await _left(rows, bot) == before


async def _conversations(rows: Rows, bot: int) -> list[ForgetThreads]:
    """The jobs that delete them, in their order."""
    jobs = await rows.run(
        "SELECT payload, extract(epoch FROM execute_after - now())::float8 FROM pgqueuer"
        " WHERE entrypoint = 'effect.perform' AND convert_from(payload, 'UTF8') LIKE :bot"
        " ORDER BY id",
        bot=f'%forgetThreads","bot_id":{bot},%',
    )
    found = [(msgspec.json.decode(payload, type=ForgetThreads), due) for payload, due in jobs]
    for number, (effect, due) in enumerate(found):
        assert effect.delay == pytest.approx(number * FORGETTING, abs=2)
        assert due == pytest.approx(number * FORGETTING, abs=5)
    return [effect for effect, _ in found]


async def test_conversations_go_by_jobs_of_some_one_after_the_other(
    engine: AsyncEngine, rows: Rows, bots: PostgresBots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_erasure, "CHATS", 2)
    bot, neighbour = await _full(rows, engine), await _full(rows, engine)
    kept = await _left(rows, neighbour)
    await rows.run("UPDATE chats SET thread_id = 'conv_' || id WHERE telegram_chat_id <> 1")
    await _delete(bots, bot)
    await _run(engine)
    jobs = await _conversations(rows, bot)
    assert [len(job.thread_ids) for job in jobs] == [2, 2]
    threads = {thread for job in jobs for thread in job.thread_ids}
    assert threads == {f"conv_{bot}:{number}" for number in (0, 2, 3, 4)}
    access = msgspec.json.decode(SecretBox(KEY).decrypt(jobs[0].sealed_model), type=ModelAccess)
    assert (access.api, access.base_url, access.api_key) == (ModelApi.RESPONSES, None, "")
    # They hold up nothing, and are not erased.
    left = {table: count for table, count in (await _left(rows, bot)).items() if count}
    assert left == {"pgqueuer": 2}
    assert await _left(rows, neighbour) == kept


async def test_what_waits_for_another_server_holds_up_no_erasure(
    engine: AsyncEngine, rows: Rows, bots: PostgresBots
) -> None:
    """A hundred bots with jobs in workers' hands do not, either."""
    for _ in range(110):
        busy = await rows.bot()
        await _job(rows, "bot.handle_update", f"{busy}:1", "picked")
        await _delete(bots, busy)
    waiting, bot = await rows.bot(), await _full(rows, engine)
    farewell = f'{{"type":"telegram.removeFormerWebhook","bot_id":{waiting},"sealed_token":"x"}}'
    await _job(rows, "effect.perform", farewell, "picked")
    for each in (waiting, bot):
        await _delete(bots, each)
    await _run(engine)
    assert not any((await _left(rows, bot)).values())
    left = {table: count for table, count in (await _left(rows, waiting)).items() if count}
    assert left == {"pgqueuer": 1}
    assert len(await rows.run("SELECT 1 FROM erasures")) == 110


@pytest.mark.parametrize(
    ("topic", "left"),
    [
        (":7", ["edit of 77", "edit of none", "command of 77", "reaction", "answer in 7's thread"]),
        ("", ["edit of 7", "edit of 77", "command of 77"]),
    ],
)
async def test_other_topics_of_a_deleted_chat_stay(
    engine: AsyncEngine, rows: Rows, topic: str, left: list[str]
) -> None:
    """Of a topic goes what says so; a reaction says none, and goes with the chat itself."""
    bot = await rows.bot()
    of_topic = '"is_topic_message": true, "message_thread_id": '
    reply = '"reply_to_message": {"message_id": 5, "chat": {"id": -5}}, "message_thread_id": 70'
    for update, (name, said, chat) in enumerate(
        [
            ("edit of 7", f"{of_topic}7", None),
            ("edit of 77", f"{of_topic}77", None),
            ("edit of none", '"text": "message_thread_id"', None),
            ("command of 77", f"{of_topic}77", f"{bot}:-5:77"),
            ("reaction", '"date": 7', None),
            ("answer in 7's thread", reply, None),
        ]
    ):
        await rows.run(
            "INSERT INTO telegram_updates (bot_id, update_id, payload, chat_id, state)"
            " VALUES (:bot, :update, :payload, :chat, 'TAKEN')",
            bot=bot,
            update=update,
            payload=f'{{"x": {{"chat": {{"id": -5}}, "name": "{name}", {said}}}}}',
            chat=chat,
        )
    await rows.run(
        "INSERT INTO erasures (bot_id, chat_id) VALUES (:bot, :c)", bot=bot, c=f"{bot}:-5{topic}"
    )
    await _run(engine)
    found = await rows.run("SELECT payload::json->'x'->>'name' FROM telegram_updates ORDER BY 1")
    assert [name for (name,) in found] == sorted(left)


async def test_what_names_a_deleted_chat_goes_afterwards(
    engine: AsyncEngine, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_erasure, "BATCH", 2)
    bot = await rows.bot()
    await rows.run(
        "INSERT INTO erasures (bot_id, chat_id) VALUES (:bot, :c)", bot=bot, c=f"{bot}:-5"
    )
    for update, (chat, number, minutes) in enumerate(
        [
            (None, -5, 1),  # a reaction
            (f"{bot}:-5", -5, 1),  # a command, which is no message
            (None, -55, 1),
            (f"{bot}:-55", -55, 1),
            (None, 5, 1),
            (None, -5, -600),  # it came since
            (None, -5, 2),
        ]
    ):
        await rows.run(
            "INSERT INTO telegram_updates (bot_id, update_id, payload, chat_id, state, received_at)"
            " VALUES (:bot, :update, :payload, :chat, 'TAKEN', :at)",
            bot=bot,
            update=update - 3,
            payload=f'{{"message_reaction":{{"chat":{{"type":"group","id":{number}}}}}}}',
            chat=chat,
            at=NOW - timedelta(minutes=minutes),
        )
    await _run(engine)
    assert await rows.run("SELECT update_id + 3 FROM telegram_updates ORDER BY 1") == [
        (2,),
        (3,),
        (4,),
        (5,),
    ]
    assert await rows.run("SELECT 1 FROM erasures") == []
