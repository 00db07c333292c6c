"""A message goes in, a model's answer goes out, and every step of it stands in PostgreSQL."""

import asyncio

from tests.end_to_end.system import System
from tests.journal_steps import decoded


async def test_by_webhook(system: System) -> None:
    bot = await system.bot()
    update_id = bot.say("Do you like cats?", user=1002)
    (answer,) = await bot.answers(1, chat=1002)
    assert "Do you like cats?" in answer
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "COMPLETED"
    assert row["telegram_update_id"] == update_id
    assert row["run_id"].startswith("resp_")
    assert row["parts_sent"] == 1
    assert row["input_tokens"] > 0 and row["output_tokens"] > 0
    assert row["price"] > 0
    assert row["response_message_id"] is not None
    steps = await system.rows(
        "SELECT event FROM journal WHERE turn_id = $1 ORDER BY seq", row["id"]
    )
    assert [decoded(step["event"])["type"] for step in steps] == [
        "telegram.updateReceived",
        "openai.replyStarted",
        "openai.replyGenerated",
        "telegram.messageSent",
    ]
    (update,) = await system.rows(
        "SELECT state FROM telegram_updates WHERE bot_id = $1 AND update_id = $2", bot.id, update_id
    )
    assert update["state"] == "TAKEN"
    (chat,) = await system.rows("SELECT * FROM chats WHERE id = $1", f"{bot.id}:1002")
    assert chat["owner_job_id"] is None
    assert chat["thread_id"].startswith("conv_")


async def test_by_polling(system: System) -> None:
    bot = await system.bot("POLLING")
    bot.say("Is anybody there?", user=1002)
    (answer,) = await bot.answers(1, chat=1002)
    assert "Is anybody there?" in answer


async def test_with_chat_completions(system: System) -> None:
    bot = await system.bot(modelApi="CHAT_COMPLETIONS")
    bot.say("My name is Ada.", user=1002)
    await bot.answers(1, chat=1002)
    bot.say("/sandbox:history", user=1002)
    answers = await bot.answers(2, chat=1002)
    assert "My name is Ada." in answers[1]


async def test_the_thread_is_remembered_and_refresh_forgets_it(system: System) -> None:
    bot = await system.bot()
    bot.say("My name is Ada.", user=1002)
    await bot.answers(1, chat=1002)
    bot.say("/sandbox:history", user=1002)
    assert "My name is Ada." in (await bot.answers(2, chat=1002))[1]
    bot.say("/refresh", user=1002)
    assert "forgotten" in (await bot.answers(3, chat=1002))[2]
    bot.say("/sandbox:history", user=1002)
    assert "Ada" not in (await bot.answers(4, chat=1002))[3]


async def test_commands_in_the_users_language(system: System) -> None:
    bot = await system.bot(startMessage="Привет от бота!", helpText=None)
    anna = system.sandbox.telegram.add_person("Анна", "ru")
    bot.say("/start payload", user=anna.id)
    bot.say("/help", user=anna.id)
    answers = await bot.answers(2, chat=anna.id)
    assert answers[0] == "Привет от бота!"
    assert "забыть разговор" in answers[1]
    bot.say("/help", user=1002)
    assert "forget the conversation" in (await bot.answers(1, chat=1002))[0]


async def test_what_cannot_be_answered_is_said_once_and_is_no_failure(system: System) -> None:
    bot = await system.bot()
    for _ in range(3):
        bot.say("", user=1002, kind="photo")
    rows = await system.settled(bot, 3)
    assert {row["status"] for row in rows} == {"COMPLETED"}
    assert bot.texts(1002) == ["I understand only text so far. Please put it into words."]


async def test_two_bots_in_one_chat_id_keep_apart(system: System) -> None:
    first, second = await system.bot(), await system.bot()
    first.say("for the first", user=1002)
    second.say("for the second", user=1002)
    assert "for the first" in (await first.answers(1, chat=1002))[0]
    assert "for the second" in (await second.answers(1, chat=1002))[0]
    assert len(first.texts(1002)) == len(second.texts(1002)) == 1


async def test_nothing_lost_doubled_or_out_of_order(system: System) -> None:
    bot = await system.bot()
    chats = range(700_001, 700_051)
    for number in range(4):
        for chat in chats:
            bot.say(f"/sandbox:echo {chat}-{number}", user=chat)
    answers = await asyncio.gather(*(bot.answers(4, chat=chat, seconds=60) for chat in chats))
    rows = await system.settled(bot, 200)
    assert {row["status"] for row in rows} == {"COMPLETED"}
    for chat, texts in zip(chats, answers, strict=True):
        assert texts == [f"{chat}-{number}" for number in range(4)]
        assert bot.texts(chat) == texts


async def test_a_long_answer_comes_in_parts_in_order(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:text 60000", user=1002)
    (row,) = await system.settled(bot, 1)
    parts = bot.texts(1002)
    assert row["parts_sent"] == len(parts) >= 15
    assert all(len(part.encode("utf-16-le")) // 2 <= 4096 for part in parts)
    (message,) = await system.rows(
        "SELECT text FROM messages WHERE id = $1", row["response_message_id"]
    )
    assert " ".join(" ".join(parts).split()) == " ".join(message["text"].split())


async def test_an_emoji_at_the_cut_stays_whole(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:emoji 5000", user=1002)
    await system.settled(bot, 1)
    parts = bot.texts(1002)
    assert len(parts) >= 3
    assert all("\ufffd" not in part for part in parts)


async def test_strange_texts_are_answered(system: System) -> None:
    bot = await system.bot()
    for text in ("null \x00 byte", "lone \ud800 surrogate", "x" * 100_000, " "):
        bot.say(text, user=1002)
    rows = await system.settled(bot, 4)
    assert [row["status"] for row in rows] == ["COMPLETED"] * 4
    assert len(bot.texts(1002)) >= 3


async def test_a_disabled_bot_answers_when_it_is_enabled_again(system: System) -> None:
    bot = await system.bot("POLLING")
    bot.say("first", user=1002)
    await bot.answers(1, chat=1002)
    await system.ask("POST", f"/api/bots/{bot.id}/disable")
    await asyncio.sleep(1.5)  # the poller lets go of it
    bot.say("while you were away", user=1002)
    await asyncio.sleep(1.0)
    assert len(bot.texts(1002)) == 1
    await system.ask("POST", f"/api/bots/{bot.id}/enable")
    assert "while you were away" in (await bot.answers(2, chat=1002))[1]


async def test_typing_is_shown_while_the_model_thinks(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:slow 2", user=1002)
    await bot.answers(1, chat=1002)
    calls = [
        (call.method, call.params.get("action"))
        for call in system.sandbox.telegram.calls
        if call.bot == bot.telegram_id and call.method in ("sendChatAction", "sendMessage")
    ]
    assert calls == [("sendChatAction", "typing"), ("sendMessage", None)]
