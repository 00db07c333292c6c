"""Every row of the failure table (DESIGN §2), from the stand-ins' documented answers to the end."""

import time
from typing import Any

import pytest

from tests.end_to_end.system import System

ERROR = "Sorry, I could not answer this message. Please try again later."


@pytest.mark.parametrize(
    "kind", ["rate_limited", "server_error", "bad_gateway", "malformed", "reset_before", "conflict"]
)
async def test_telegram_retryable(system: System, kind: str) -> None:
    bot = await system.bot()
    how: dict[str, Any] = {"retry_after": 1} if kind == "rate_limited" else {}
    system.sandbox.faults.add(
        "telegram", kind, method="sendMessage", bot=bot.telegram_id, times=1, **how
    )
    bot.say("/sandbox:echo done", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "COMPLETED"
    assert row["last_error"]
    assert set(bot.texts(1002)) == {"done"}
    assert system.sandbox.openai.runs_by_metadata("processing_id")[str(row["id"])] == 1


@pytest.mark.parametrize(
    "kind",
    [
        "rate_limited",
        "server_error",
        "overloaded",
        "bad_gateway",
        "html",
        "malformed",
        "reset_before",
        "conversation_locked",
        "failed",
        "failed_rate_limit",
        "stream_error",
        "reset_stream",
        "ends_early",
    ],
)
async def test_model_retryable(system: System, kind: str) -> None:
    bot = await system.bot()
    bot.say(f"/sandbox:{kind} 1", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "COMPLETED", row["terminal_reason"]
    assert len(bot.texts(1002)) == 1


async def test_a_retry_waits_as_long_as_it_was_told(system: System) -> None:
    bot = await system.bot()
    system.sandbox.faults.add(
        "telegram",
        "rate_limited",
        method="sendMessage",
        bot=bot.telegram_id,
        times=1,
        retry_after=3,
    )
    began = time.monotonic()
    bot.say("/sandbox:echo done", user=1002)
    assert await bot.answers(1, chat=1002) == ["done"]
    assert 3.0 <= time.monotonic() - began < 8.0
    (row,) = await system.settled(bot, 1)
    assert row["attempts"] == 0  # a retry_after costs no attempt


async def test_later_messages_wait_behind_a_retry(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:server_error 1", user=1002)
    bot.say("/sandbox:echo second", user=1002)
    answers = await bot.answers(2, chat=1002)
    assert answers[1] == "second"


@pytest.mark.parametrize(
    "kind", ["insufficient_quota", "unauthorized", "forbidden", "model_not_found"]
)
async def test_model_fatal(system: System, kind: str) -> None:
    bot = await system.bot()
    bot.say(f"/sandbox:{kind}", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "TERMINAL" and row["terminal_reason"]
    assert bot.texts(1002) == [ERROR]

    async def in_error() -> Any:
        seen = await system.ask("GET", f"/api/bots/{bot.id}")
        return seen if seen["error"] else None

    seen = await system.until(in_error)
    assert seen["enabled"] is True
    await _alerted(system, bot.id)
    bot.say("/sandbox:echo well again", user=1002)
    assert (await bot.answers(2, chat=1002))[1] == "well again"

    async def recovered() -> bool:
        return (await system.ask("GET", f"/api/bots/{bot.id}"))["error"] is None

    await system.until(recovered)


@pytest.mark.parametrize("kind", ["unauthorized", "not_found"])
async def test_a_dead_token_disables_its_bot(system: System, kind: str) -> None:
    bot = await system.bot()
    system.sandbox.faults.add("telegram", kind, method="sendMessage", bot=bot.telegram_id)
    bot.say("/sandbox:echo never", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "TERMINAL"

    async def disabled() -> Any:
        seen = await system.ask("GET", f"/api/bots/{bot.id}")
        return seen if not seen["enabled"] else None

    seen = await system.until(disabled)
    assert seen["isActive"] is False and "40" in seen["error"]
    await _alerted(system, bot.id)


@pytest.mark.parametrize("kind", ["blocked", "deactivated", "kicked", "chat_not_found"])
async def test_the_chat_is_gone(system: System, kind: str) -> None:
    bot = await system.bot()
    system.sandbox.faults.add("telegram", kind, method="sendMessage", bot=bot.telegram_id)
    bot.say("/sandbox:echo never", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "TERMINAL" and row["terminal_reason"]
    assert bot.texts(1002) == []
    await _alerted(system, bot.id)


@pytest.mark.parametrize("kind", ["refusal", "content_filter", "empty", "spaces", "bad_request"])
async def test_model_terminal(system: System, kind: str) -> None:
    bot = await system.bot(errorMessage="Не вышло, простите.")
    bot.say(f"/sandbox:{kind}", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "TERMINAL" and row["terminal_reason"]
    assert bot.texts(1002) == ["Не вышло, простите."]
    await _alerted(system, bot.id)


async def test_an_incomplete_answer_is_delivered(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:incomplete", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "COMPLETED"
    assert len(bot.texts(1002)) == 1


@pytest.mark.parametrize("kind", ["conversation_not_found", "context_length"])
async def test_repairs_of_the_conversation(system: System, kind: str) -> None:
    bot = await system.bot()
    bot.say("/sandbox:echo first", user=1002)
    await bot.answers(1, chat=1002)
    bot.say(f"/sandbox:{kind} 1", user=1002)
    rows = await system.settled(bot, 2)
    assert rows[1]["status"] == "COMPLETED", rows[1]["terminal_reason"]
    assert len(bot.texts(1002)) == 2


async def test_entities_that_telegram_refuses_go_out_as_plain_text(system: System) -> None:
    bot = await system.bot()
    system.sandbox.faults.add(
        "telegram", "cant_parse", method="sendMessage", bot=bot.telegram_id, times=1
    )
    bot.say("/sandbox:markdown", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "COMPLETED"
    (message,) = [
        message
        for message in system.sandbox.telegram.messages(bot.telegram_id, 1002)
        if message["from"]["is_bot"]
    ]
    assert "entities" not in message


async def test_a_group_that_became_a_supergroup(system: System) -> None:
    bot = await system.bot()
    system.sandbox.faults.add(
        "telegram",
        "migrated",
        method="sendMessage",
        bot=bot.telegram_id,
        chat=-500_100,
        times=1,
        migrate_to=-1_000_500_100,
    )
    bot.say("/sandbox:echo moved", user=1002, chat=-500_100)
    assert await bot.answers(1, chat=-1_000_500_100) == ["moved"]


async def test_an_ambiguous_send_doubles_at_most_its_part(system: System) -> None:
    bot = await system.bot()
    system.sandbox.faults.add(
        "telegram", "reset_after", method="sendMessage", bot=bot.telegram_id, times=1
    )
    bot.say("/sandbox:echo maybe twice", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "COMPLETED"
    assert bot.texts(1002) == ["maybe twice", "maybe twice"]
    assert system.sandbox.openai.runs_by_metadata("processing_id")[str(row["id"])] == 1


async def test_a_person_retries_a_terminal_message(system: System) -> None:
    bot = await system.bot()
    bot.say("/sandbox:refusal 1", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "TERMINAL"
    await system.ask("POST", f"/api/processing/{row['id']}/retry", status=202)
    answers = await bot.answers(2, chat=1002)
    assert answers[0] == ERROR and answers[1] != ERROR
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "COMPLETED" and row["terminal_reason"] is None
    await system.ask("POST", f"/api/processing/{row['id']}/retry", status=409)


async def test_alerts_go_to_the_settings_chat_once_with_a_count(system: System) -> None:
    alerts = await system.bot()
    token = f"{alerts.telegram_id}:{'t' * 35}"
    await system.ask("PUT", "/api/settings", {"alerts.botToken": token, "alerts.chatId": "1001"})
    bot = await system.bot()
    for _ in range(3):
        bot.say("/sandbox:refusal", user=1002)
    await system.settled(bot, 3)
    texts = await alerts.answers(1, chat=1001)
    assert bot.row["name"] in texts[0]

    async def counted() -> bool:
        rows = await system.rows("SELECT suppressed FROM alerts WHERE bot_id = $1", bot.id)
        return sum(row["suppressed"] for row in rows) == 2

    await system.until(counted)
    assert len(alerts.texts(1001)) == 1
    await system.ask("PUT", "/api/settings", {"alerts.botToken": None, "alerts.chatId": None})


async def _alerted(system: System, bot_id: int) -> None:
    async def noted() -> bool:
        return bool(await system.rows("SELECT FROM alerts WHERE bot_id = $1", bot_id))

    await system.until(noted)
