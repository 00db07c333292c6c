"""A bot is deleted while it works: nobody waits for it, and its worker may die over it."""

from collections.abc import AsyncIterator, Collection

import asyncpg
import pytest

from tests.adapters.bot_rows import rows_of_bot
from tests.end_to_end.system import System


@pytest.fixture
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as running:
        await running.start("api", "worker")
        await running.sign_in()
        yield running


async def test_others_are_answered_meanwhile_and_a_killed_worker_is_followed(
    system: System,
) -> None:
    gone, other = await system.bot(), await system.bot()
    gone.say("/sandbox:echo first", user=1003)
    await system.settled(gone, 1)
    gone.say("/sandbox:slow 4", user=1002)

    async def thinks() -> bool:
        _, *rest = await system.processing(gone)
        return any(row["run_id"] for row in rest)

    await system.until(thinks)
    holding = await asyncpg.connect(system.database_url)
    hold = holding.transaction()
    await hold.start()
    # The erasure will come as far as this row, and wait with all that it has locked.
    await holding.execute("SELECT FROM chats WHERE id = $1 FOR KEY SHARE", f"{gone.id}:1003")
    path = f"/api/bots/{gone.id}"
    erased = await system.ask("DELETE", path, status=202)
    assert erased == {
        "botId": gone.id,
        "chats": 2,
        "messages": 3,
        "processing": 2,
        "updates": 2,
        "orMore": False,
    }
    await system.ask("DELETE", path, status=404)
    await system.ask("GET", path, status=404)
    for seen in (f"/api/chats/{gone.id}:1003", f"/api/chats/{gone.id}:1003/messages"):
        await system.ask("GET", seen, status=404)
    for of in ("", f"botId={gone.id}"):
        for listed in ("chats", "processing", "processing?q=first", "chats?q=1003"):
            joint = "&" if "?" in listed else "?"
            found = await system.ask("GET", f"/api/{listed}{joint}{of}")
            assert gone.id not in [item["botId"] for item in found["items"]]
    stats = await system.ask("GET", "/api/stats?days=1")
    assert gone.id not in [bot["botId"] for bot in stats["bots"]]
    again = {"name": "Again", "token": gone.token, "telegramApiUrl": system.sandbox.telegram_url}
    await system.ask("POST", "/api/bots", again, status=201)

    async def waits() -> bool:
        return bool(
            await system.rows(
                "SELECT FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock' AND query LIKE '%FROM chats%FOR UPDATE%'"
            )
        )

    await system.until(waits)
    other.say("/sandbox:echo hello", user=1004)
    assert len(await other.answers(1, chat=1004)) == 1
    assert await waits()
    await system.kill("worker")
    await system.start("worker")
    other.say("/sandbox:echo and again", user=1004)
    assert len(await other.answers(2, chat=1004)) == 2
    await hold.rollback()
    await holding.close()

    async def nothing_left() -> bool:
        return not any([(await system.rows(each))[0][0] for each in rows_of_bot(gone.id).values()])

    await system.until(nothing_left, 60)
    # The turn in flight has ended with its bot.
    assert gone.texts(1002) == []
    assert (await system.processing(other))[0]["status"] == "COMPLETED"


async def test_its_conversations_at_the_models_server_go_too(system: System) -> None:
    gone, other = await system.bot(), await system.bot()
    for bot in (gone, other):
        for user in (1003, 1004):
            bot.say("Hello", user=user)
        await system.settled(bot, 2)
    there = system.sandbox.openai.kept.conversations
    threads = {
        bot.id: await _threads(system, f"{bot.id}:1003", f"{bot.id}:1004") for bot in (gone, other)
    }
    assert len(threads[gone.id] & there.keys()) == 2
    await system.ask("DELETE", f"/api/bots/{gone.id}")

    async def forgotten() -> bool:
        return not threads[gone.id] & there.keys()

    await system.until(forgotten)
    assert threads[other.id] <= there.keys()
    # A chat's own, with the chat.
    await system.ask("DELETE", f"/api/chats/{other.id}:1003")
    await system.until(lambda: _left(threads[other.id], there, 1))


async def _threads(system: System, *chats: str) -> set[str]:
    rows = await system.rows("SELECT thread_id FROM chats WHERE id = ANY($1)", list(chats))
    return {row["thread_id"] for row in rows}


async def _left(threads: set[str], there: Collection[str], count: int) -> bool:
    return len(threads & set(there)) == count
