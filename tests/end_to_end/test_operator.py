"""What a person does in a chat while the system runs: write, pause, refresh, delete, try again."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.system import KOTODOM, Bot, System
from tests.journal_steps import decoded

USER = 1002


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as running:
        await running.start("api", "worker")
        await running.sign_in()
        yield running


def _chat(bot: Bot, user: int = USER) -> str:
    return f"{bot.id}:{user}"


async def _do(system: System, bot: Bot, what: str, body: Any = None, **options: Any) -> Any:
    return await system.ask("POST", f"/api/chats/{_chat(bot)}/{what}", body, **options)


async def _thinking(system: System, bot: Bot, *, run: bool = True) -> int:
    """The id of the bot's message whose answer the model is at work on."""

    async def begun() -> int | None:
        rows = await system.processing(bot)
        open_ = [row for row in rows if row["status"] == "PROCESSING"]
        return int(open_[0]["id"]) if open_ and (open_[0]["run_id"] or not run) else None

    begun_id: int = await system.until(begun)
    return begun_id


async def _senders(system: System, bot: Bot) -> list[tuple[str, str]]:
    """Who said what, the first first."""
    page = await system.ask("GET", f"/api/chats/{_chat(bot)}/messages")
    return [(one["sender"], one["text"]) for one in reversed(page["items"])]


async def _history(system: System, bot: Bot, answers: int) -> str:
    """What the model says that it was told."""
    bot.say("/sandbox:history", user=USER)
    return (await bot.answers(answers, chat=USER))[-1]


async def _replayed(system: System, path: Path, *what: object) -> list[dict[str, Any]]:
    """The lines of a recording, which replays with no difference."""
    for arguments in (("record", *what, "--out", path), ("replay", path)):
        process = await asyncio.create_subprocess_exec(
            str(KOTODOM),
            *map(str, arguments),
            env=system.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, said.decode()
    return _lines(path)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("api", ["RESPONSES", "CHAT_COMPLETIONS"])
async def test_a_person_answers_and_the_model_hears_of_it(system: System, api: str) -> None:
    bot = await system.bot(modelApi=api)
    bot.say("My name is Ada.", user=USER)
    await bot.answers(1, chat=USER)
    paused = await _do(system, bot, "pause", status=200)
    assert paused["pausedAt"] is not None
    bot.say("Is a person there?", user=USER)
    bot.say("/help", user=USER)
    rows = await system.settled(bot, 3)
    assert [row["status"] for row in rows] == ["COMPLETED"] * 3
    assert len(bot.texts(USER)) == 1, "a paused chat was answered"
    waiting = await _do(system, bot, "messages", {"text": "Yes, **Bob**."}, status=202)
    assert waiting["chatId"] == _chat(bot)
    assert (await bot.answers(2, chat=USER))[1] == "Yes, Bob."
    resumed = await _do(system, bot, "resume", status=200)
    assert resumed["pausedAt"] is None
    told = await _history(system, bot, 3)
    for words in ("My name is Ada.", "Is a person there?", "Yes, Bob."):
        assert words in told
    senders = await _senders(system, bot)
    assert senders[2:5] == [
        ("USER", "Is a person there?"),
        ("USER", "/help"),
        ("OPERATOR", "Yes, Bob."),
    ]
    calls = [
        call.params
        for call in system.sandbox.telegram.calls
        if call.bot == bot.telegram_id and call.method == "sendMessage"
    ]
    assert [part["type"] for part in _entities(calls[1])] == ["bold"]


def _entities(params: dict[str, Any]) -> list[dict[str, Any]]:
    entities = params["entities"]
    return list(json.loads(entities) if isinstance(entities, str) else entities)


async def test_an_operators_words_wait_for_the_answer_before_them(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:slow 1.5", user=USER)
    await _thinking(system, bot, run=False)
    await _do(system, bot, "messages", {"text": "And this from me."}, status=202)
    bot.say("/sandbox:echo third", user=USER)
    answers = await bot.answers(3, chat=USER)
    assert answers[1:] == ["And this from me.", "third"]
    rows = await system.settled(bot, 3)
    assert {row["status"] for row in rows} == {"COMPLETED"}


async def test_a_refresh_from_the_web_forgets_without_a_word(system: System) -> None:
    bot = await system.bot()
    bot.say("My name is Ada.", user=USER)
    await bot.answers(1, chat=USER)
    await _do(system, bot, "refresh", status=202)
    assert "Ada" not in await _history(system, bot, 2)
    assert len(bot.texts(USER)) == 2


async def test_a_pause_in_the_middle_of_a_turn_replays_the_same(
    system: System, tmp_path: Path
) -> None:
    bot = await system.bot()
    bot.say("/sandbox:slow 2", user=USER)
    turn = await _thinking(system, bot)
    await _do(system, bot, "pause")
    await _do(system, bot, "pause")
    bot.say("kept", user=USER)
    await bot.answers(1, chat=USER)  # what was begun is finished
    await system.settled(bot, 2)
    await _do(system, bot, "resume")
    bot.say("/sandbox:slow 2", user=USER)
    await _thinking(system, bot)
    await _do(system, bot, "pause")
    await _do(system, bot, "resume")
    await bot.answers(2, chat=USER)
    await system.settled(bot, 3)
    lines = await _replayed(system, tmp_path / "paused.jsonl", "--bot", bot.id)
    pauses = [line for line in lines if line["event"]["type"] in ("chat.paused", "chat.resumed")]
    assert [(line["event"]["type"], "from" in line) for line in pauses] == [
        ("chat.paused", False),
        ("chat.resumed", True),
        ("chat.paused", False),
        ("chat.resumed", False),
    ]
    steps = await system.rows(
        "SELECT turn_id, event FROM journal WHERE key = $1 ORDER BY seq", _chat(bot)
    )
    rows = [row for row in steps if decoded(row["event"])["type"].startswith("chat.")]
    assert [row["turn_id"] is None for row in rows] == [False, True, False, False]
    assert rows[0]["turn_id"] == turn
    detail = await system.ask("GET", f"/api/processing/{turn}")
    assert "chat.paused" in [step["event"]["type"] for step in detail["timeline"]]
    one = tmp_path / "one.jsonl"
    async with system.http.get(f"/api/processing/{turn}/recording") as answer:
        one.write_bytes(await answer.read())
    async with system.http.post(
        "/api/replay", data=one.read_bytes(), headers={"Content-Type": "application/x-ndjson"}
    ) as answer:
        assert (await answer.json())["differing"] == 0


async def test_pauses_at_any_moment_replay_the_same(system: System, tmp_path: Path) -> None:
    bot = await system.bot()
    users = range(2001, 2011)
    for user in users:
        bot.say("/sandbox:echo first", user=user)
    await system.settled(bot, len(users))

    async def press(user: int) -> None:
        for number in range(20):
            what = "resume" if number % 2 else "pause"
            await system.ask("POST", f"/api/chats/{_chat(bot, user)}/{what}")
            await asyncio.sleep(user % 7 * 0.002)

    async def talk(user: int) -> None:
        for number in range(12):
            bot.say(f"/sandbox:echo {number}", user=user)
            await asyncio.sleep(user % 5 * 0.004)

    await asyncio.gather(*map(press, users), *map(talk, users))
    rows = await system.settled(bot, 13 * len(users), seconds=60)
    assert {row["status"] for row in rows} == {"COMPLETED"}
    lines = await _replayed(system, tmp_path / "pauses.jsonl", "--bot", bot.id)
    tags = [line["event"]["type"] for line in lines]
    assert tags.count("chat.paused") == tags.count("chat.resumed") == 10 * len(users)


async def test_a_bot_is_deleted_while_its_answer_is_on_the_way(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:slow 2", user=USER)
    await _thinking(system, bot)
    bot.say("this one waits", user=USER)
    erased = await system.ask("DELETE", f"/api/bots/{bot.id}", status=202)
    assert (erased["chats"], erased["messages"], erased["processing"]) == (1, 1, 1)

    async def nothing_left() -> bool:
        (row,) = await system.rows(
            "SELECT (SELECT count(*) FROM chats WHERE bot_id = $1)"
            " + (SELECT count(*) FROM messages WHERE bot_id = $1)"
            " + (SELECT count(*) FROM message_processing WHERE bot_id = $1)"
            " + (SELECT count(*) FROM telegram_updates WHERE bot_id = $1)"
            " + (SELECT count(*) FROM journal WHERE key = $2)"
            " + (SELECT count(*) FROM pgqueuer WHERE payload = convert_to($2, 'UTF8')) AS left",
            bot.id,
            _chat(bot),
        )
        return int(row["left"]) == 0

    await system.until(nothing_left, 60)  # whoever asked the model has ended by now
    assert bot.texts(USER) == []


async def test_a_chat_is_deleted_while_its_answer_is_on_the_way(
    system: System, tmp_path: Path
) -> None:
    bot = await system.bot()
    bot.say("Hello", user=1001)
    await bot.answers(1, chat=1001)
    bot.say("/sandbox:echo secret", user=USER)
    await bot.answers(1, chat=USER)
    bot.say("/sandbox:slow 4", user=USER)
    await _thinking(system, bot)
    bot.say("this one waits", user=USER)

    async def waits() -> bool:
        return bool(await system.rows(
            "SELECT 1 FROM telegram_updates WHERE chat_id = $1 AND state = 'WAITING'", _chat(bot)
        ))  # fmt: skip

    await system.until(waits)
    erased = await system.ask("DELETE", f"/api/chats/{_chat(bot)}", status=200)
    assert (erased["messages"], erased["processing"], erased["updates"]) == (3, 2, 3)
    assert erased["jobs"] >= 1
    await system.ask("GET", f"/api/chats/{_chat(bot)}", status=404)
    await asyncio.sleep(6)  # the answer would have come by now, and a heartbeat has
    assert len(bot.texts(USER)) == 1
    await system.ask("GET", f"/api/chats/{_chat(bot)}", status=404)
    for table, column in (
        ("messages", "chat_id"),
        ("message_processing", "chat_id"),
        ("chat_requests", "chat_id"),
        ("telegram_updates", "chat_id"),
        ("journal", "key"),
        ("chats", "id"),
    ):
        assert not await system.rows(f"SELECT FROM {table} WHERE {column} = $1", _chat(bot)), table

    async def no_job() -> bool:
        return not await system.rows(
            "SELECT FROM pgqueuer WHERE payload = convert_to($1, 'UTF8')", _chat(bot)
        )

    await system.until(no_job)
    lines = await _replayed(system, tmp_path / "others.jsonl", "--bot", bot.id)
    assert f"{bot.id}:1001" in {line["key"] for line in lines}
    assert _chat(bot) not in {line["key"] for line in lines}
    assert "secret" not in await _history(system, bot, 2)  # the chat begins anew
    await system.settled(bot, 2)
    (chat,) = await system.rows("SELECT * FROM chats WHERE id = $1", _chat(bot))
    assert chat["name"] is not None
    assert chat["owner_job_id"] is None
    assert len(await _senders(system, bot)) == 2
    await _replayed(system, tmp_path / "all.jsonl", "--bot", bot.id)


async def test_deleting_at_any_moment_strands_and_breaks_nothing(system: System) -> None:
    bot = await system.bot()
    for number in range(25):
        for _ in range(3):
            bot.say(f"/sandbox:echo {number}", user=USER)
        await asyncio.sleep(number * 0.004)
        async with system.http.delete(f"/api/chats/{_chat(bot)}") as answer:
            assert answer.status in (200, 404), await answer.text()
    bot.say("/sandbox:echo the last one", user=USER)

    async def answered() -> bool:
        return "the last one" in bot.texts(USER)

    await system.until(answered)

    async def quiet() -> bool:
        (row,) = await system.rows(
            "SELECT (SELECT count(*) FROM telegram_updates"
            "        WHERE chat_id = $1 AND state = 'WAITING')"
            " + (SELECT count(*) FROM pgqueuer WHERE payload = convert_to($1, 'UTF8')) AS left",
            _chat(bot),
        )
        return bool(row["left"] == 0)

    await system.until(quiet)
    assert {row["status"] for row in await system.processing(bot)} == {"COMPLETED"}
    (chat,) = await system.rows("SELECT owner_job_id FROM chats WHERE id = $1", _chat(bot))
    assert chat["owner_job_id"] is None


async def test_failures_of_a_kind_are_found_and_tried_again_at_once(system: System) -> None:
    bot = await system.bot()
    refusal = system.sandbox.faults.add("openai", "refusal")
    for user in (1001, 1002, 1003):
        bot.say("Will you refuse?", user=user)
    rows = await system.settled(bot, 3)
    assert {row["status"] for row in rows} == {"TERMINAL"}
    (kind,) = (await system.ask("GET", f"/api/processing/failures?botId={bot.id}"))["items"]
    assert (kind["status"], kind["count"], kind["bots"]) == ("TERMINAL", 3, [bot.id])
    assert kind["exampleId"] == rows[-1]["id"]
    (alert,) = await system.rows("SELECT cause FROM alerts WHERE bot_id = $1", bot.id)
    assert alert["cause"] == kind["fingerprint"]
    system.sandbox.faults.remove(refusal.id)
    wanted = {"filter": {"botId": bot.id, "q": "REFUSE"}}
    retried = await system.ask("POST", "/api/processing/retry", wanted, status=202)
    assert retried == {"retried": 3, "left": 0}

    async def answered() -> bool:
        return {row["status"] for row in await system.processing(bot)} == {"COMPLETED"}

    await system.until(answered)
    assert (await system.ask("GET", f"/api/processing/failures?botId={bot.id}"))["items"] == []
