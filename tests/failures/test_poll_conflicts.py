"""A poll that Telegram refuses, for somebody else has the bot's updates: who hears of it, and when
it is over."""

import asyncio

import pytest

from adapters.telegram_failures import failure_of, poll_conflict
from application.poll_conflicts import OTHER_POLLER, OTHER_WEBHOOK, TOLD_AT
from tests.end_to_end.system import Bot, System, token_of
from tests.failures.recorded_answers import RecordedAnswers, recorded
from tests.failures.story import ADMIN, USER
from tests.failures.table import POLLS


@pytest.fixture(scope="module")
async def polling(system: System) -> System:
    await system.start("poller")
    return system


@pytest.mark.parametrize("recording", POLLS)
def test_a_recorded_conflict_says_whose_it_is(recording: str) -> None:
    answer = recorded(recording)
    conflict = poll_conflict(failure_of(answer.status, answer.bytes, token_of(1)))
    assert conflict is not None
    assert conflict.webhook == ("webhook" in recording)


async def test_one_that_stays_is_told_in_words_and_is_over_when_polling_works_again(
    polling: System, answers: RecordedAnswers, alerts: Bot
) -> None:
    await asyncio.gather(*(_story(polling, answers, alerts, recording) for recording in POLLS))


async def _story(system: System, answers: RecordedAnswers, alerts: Bot, recording: str) -> None:
    name = recording.replace("/", "-")
    reason = OTHER_WEBHOOK if "webhook" in recording else OTHER_POLLER
    answers.play(name, recorded(recording), TOLD_AT)
    bot = await system.bot("POLLING", name=name, telegramApiUrl=answers.telegram_url(name))

    async def in_error() -> bool:
        seen = await system.ask("GET", f"/api/bots/{bot.id}")
        assert seen["enabled"]
        return bool(seen["error"] == reason)

    async def recovered() -> bool:
        return (await system.ask("GET", f"/api/bots/{bot.id}"))["error"] is None

    await system.until(in_error, 30)
    await system.until(recovered, 90)  # before anything is said: an answer would clear it as well
    bot.say("/sandbox:echo after", user=USER)
    assert await bot.answers(1, chat=USER) == ["after"]
    told = [text for text in alerts.texts(ADMIN) if text.startswith(f"{name}: ")]
    assert told == [f"{name}: the bot cannot answer. {reason}"]


async def test_a_webhook_that_another_program_sets_once_is_removed(
    polling: System, alerts: Bot
) -> None:
    bot = await polling.bot("POLLING")
    bot.say("/sandbox:echo before", user=USER)
    await bot.answers(1, chat=USER)
    url = f"{polling.sandbox.telegram_url}/bot{bot.token}/setWebhook"
    async with polling.http.post(url, json={"url": "http://127.0.0.1:9/elsewhere"}) as answer:
        assert answer.status == 200
    bot.say("/sandbox:echo after", user=USER)
    assert await bot.answers(2, chat=USER) == ["before", "after"]
    assert polling.sandbox.telegram.bot(bot.telegram_id).webhook is None
    seen = await polling.ask("GET", f"/api/bots/{bot.id}")
    assert (seen["enabled"], seen["isActive"], seen["error"]) == (True, True, None)
    assert not [text for text in alerts.texts(ADMIN) if text.startswith(bot.row["name"])]
