"""What is seldom done in the Admin Web and matters, in a real browser.

The stories are those of tests/browser/admin-work.mjs. Each test brings about what its story is to
meet: held jobs, messages of other days, 100,000 of them.
"""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from valkey.asyncio import Valkey

from domain.effects import AdminAlert
from tests.end_to_end.system import KOTODOM, Bot, System, token_of
from tests.entrypoints.web.admin_stories import play, world

HTML = "<img src=x onerror='window.ran = 1'><b>bold</b>"
RIGHT_TO_LEFT = "מרים كاتبة (1)"
LONG = 100_000

pytestmark = pytest.mark.timeout(180)


async def test_jobs(system: System, bot: Bot, valkey: Valkey, tmp_path: Path) -> None:
    """Held are what somebody else's program put aside: ours tries again, or ends."""
    await system.ask(
        "PUT", "/api/settings", {"alerts.botToken": bot.token, "alerts.chatId": "1001"}
    )
    held = [
        await _held_job(system, AdminAlert(bot.id, cause, f"The alert was {cause}."))
        for cause in ("held", "deleted")
    ]
    system.sandbox.faults.add("openai", "rate_limited", method="responses", times=1, retry_after=60)
    bot.say("/sandbox:echo never", user=1002)

    async def waits() -> bool:
        return any(row["status"] == "FAILED" for row in await system.processing(bot))

    await system.until(waits)

    async def count_again(_: str) -> None:
        await valkey.delete("kotodom:cache:job-minutes")
        bot.say("/sandbox:echo and on", user=1003)

    try:
        await play("jobs", world(system, bot, held=held), tmp_path, ended=count_again)
    finally:
        await _no_alerts(system)


async def _held_job(system: System, effect: AdminAlert) -> int:
    """A job that pgqueuer's own manager would have held, with what it logs."""
    (row,) = await system.rows(
        "WITH job AS (INSERT INTO pgqueuer (priority, status, entrypoint, payload)"
        " VALUES (0, 'failed', 'effect.perform', $1) RETURNING id),"
        " log AS (INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback)"
        " SELECT id, 'failed', 0, 'effect.perform', $2 FROM job)"
        " SELECT id FROM job",
        msgspec.json.encode(effect),
        '{"traceback": "Traceback (most recent call last):\\n  ValueError: No such star"}',
    )
    return int(row["id"])


async def _no_alerts(system: System) -> None:
    await system.ask("PUT", "/api/settings", {"alerts.botToken": None, "alerts.chatId": None})


@pytest.mark.parametrize("name", ["deletedBot", "forgotten"])
async def test_a_story(name: str, system: System, bot: Bot, tmp_path: Path) -> None:
    await play(name, world(system, bot), tmp_path)


async def test_alerts(system: System, bot: Bot, valkey: Valkey, tmp_path: Path) -> None:
    alerts_id = 76_000_000 + bot.telegram_id
    alerts = system.sandbox.telegram.add_bot(token_of(alerts_id))

    async def expire(spoken: str) -> None:
        await valkey.pexpire("kotodom:alert-link", 1)
        system.sandbox.telegram.say(alerts.id, 1002, spoken)

    about = world(system, bot, alertsId=alerts.id, alertsToken=alerts.token)
    try:
        await play("alerts", about, tmp_path, expire=expire)
    finally:
        await _no_alerts(system)


async def test_figures(system: System, bot: Bot, tmp_path: Path) -> None:
    quiet = await system.bot("POLLING")
    system.sandbox.faults.add("openai", "content_filter", method="responses", times=1)
    for count, text in enumerate(("/sandbox:echo no", "/sandbox:echo yes", "/sandbox:text 300"), 1):
        bot.say(text)
        await system.settled(bot, count)
    for ago, seconds in ((3, 2), (3, 2), (3, 40), (20, 7), (60, 7), (60, 300)):
        await _copy(system, bot, ago, seconds)
    days = [
        {**_figures(row), "day": row["day"].isoformat(), "ago": row["ago"]}
        for row in await system.rows(_FIGURES.format(of="day"), bot.id)
    ]
    assert [day["messages"] for day in days] == [2, 1, 3, 3]
    (total,) = await system.rows(_FIGURES.format(of="NULL::date"), bot.id)
    about = world(system, bot, days=days, total=_figures(total), quiet=quiet.row["name"])
    await play("figures", about, tmp_path)


_FIGURES = """
WITH mine AS (
    SELECT *, (created_at AT TIME ZONE 'UTC')::date AS day,
           extract(epoch FROM response_sent_at - created_at)::float8 AS seconds
    FROM message_processing WHERE bot_id = $1
)
SELECT {of} AS day, (now() AT TIME ZONE 'UTC')::date - {of} AS ago, count(*) AS messages,
       count(*) FILTER (WHERE status = 'COMPLETED') AS answered,
       count(*) FILTER (WHERE status = 'TERMINAL') AS terminal,
       COALESCE(sum(input_tokens), 0) AS taken, COALESCE(sum(output_tokens), 0) AS given,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE status = 'COMPLETED')
           AS p50,
       percentile_disc(0.95) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE status = 'COMPLETED')
           AS p95,
       COALESCE(sum(price), 0)::float8 AS price
FROM mine GROUP BY 1, 2 ORDER BY 1
"""


def _figures(row: Any) -> dict[str, Any]:
    shown = ("messages", "answered", "terminal", "p50", "p95", "price")
    return {**{name: row[name] for name in shown}, "tokens": [row["taken"], row["given"]]}


async def _copy(system: System, bot: Bot, ago: int, seconds: int) -> None:
    """The bot's last message as if it had come so many days ago, and been answered so late."""
    day = f"(now() - interval '{ago} days')"
    await system.rows(
        f"""
        WITH message AS (
            INSERT INTO messages (chat_id, bot_id, sender, text, created_at)
            SELECT chat_id, bot_id, sender, text, {day} FROM messages
            WHERE bot_id = $1 AND sender = 'USER' ORDER BY created_at DESC LIMIT 1
            RETURNING id, chat_id
        ), last AS (
            SELECT * FROM message_processing WHERE bot_id = $1 ORDER BY created_at DESC LIMIT 1
        ), recount AS (
            INSERT INTO uncounted_bot_days (bot_id, day)
            VALUES ($1, ({day} AT TIME ZONE 'UTC')::date) ON CONFLICT DO NOTHING
        )
        INSERT INTO message_processing (id, user_message_id, bot_id, chat_id, status, created_at,
            response_sent_at, input_tokens, output_tokens, price, model)
        SELECT message.id, message.id, $1, message.chat_id, last.status, {day},
               {day} + interval '{seconds} seconds', last.input_tokens * 1000, last.output_tokens,
               last.price, last.model
        FROM message, last
        """,
        bot.id,
    )


async def test_webhook(system: System, tmp_path: Path) -> None:
    bot = await system.bot("WEBHOOK")
    about = world(system, bot, token=bot.token, telegram=system.sandbox.telegram_url)
    await play("webhook", about, tmp_path)


async def test_a_recording_replays(system: System, bot: Bot, tmp_path: Path) -> None:
    file = tmp_path / "downloaded.jsonl"
    await play("recording", world(system, bot, file=str(file)), tmp_path)
    process = await asyncio.create_subprocess_exec(
        str(KOTODOM),
        "replay",
        str(file),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    assert told.startswith(f"{len(file.read_text().splitlines())} steps".encode())


async def test_a_chat_of_100_000_messages(system: System, bot: Bot, tmp_path: Path) -> None:
    reader = system.sandbox.telegram.add_person("Reader of it all", "en").id
    bot.say("/sandbox:echo the beginning", user=reader)
    await system.settled(bot, 1)
    await _fill(system, f"{bot.id}:{reader}")
    await play("longChat", world(system, bot, reader=reader), tmp_path)


async def _fill(system: System, chat: str) -> None:
    """Messages of all lengths, one a minute, the person's and the bot's by turns."""
    await system.rows(
        """
        INSERT INTO messages (chat_id, bot_id, tg_user_id, sender, text, created_at)
        SELECT chats.id, bot_id, tg_user_id, CASE WHEN number % 2 = 0 THEN 'USER' ELSE 'BOT' END,
               'message no. ' || number || repeat(' and so on', number % 2 * (number % 37)),
               now() - (100000 - number) * interval '1 minute'
        FROM chats, generate_series(1, $2::int) number WHERE chats.id = $1 ORDER BY number
        """,
        chat,
        LONG,
    )
    await system.rows(
        """
        INSERT INTO message_processing (id, user_message_id, bot_id, chat_id, status, created_at)
        SELECT id, id, bot_id, chat_id, 'COMPLETED', created_at FROM messages
        WHERE chat_id = $1 AND sender = 'USER' AND text LIKE 'message no.%'
        ORDER BY id DESC LIMIT 1000
        """,
        chat,
    )
    await system.rows("ANALYZE messages")


async def test_texts_that_are_no_texts(system: System, bot: Bot, tmp_path: Path) -> None:
    telegram = system.sandbox.telegram
    reader = telegram.add_person(HTML[:64], "en").id
    writer = telegram.add_person(RIGHT_TO_LEFT, "ar").id
    texts = ("instructions", "helpText", "errorMessage", "startMessage", "name", "model")
    await system.ask("PATCH", f"/api/bots/{bot.id}", dict.fromkeys(texts, HTML))
    bot.say("😀" * 4096, user=writer)
    bot.say("/sandbox:emoji 4096", user=writer)
    bot.say(f"/sandbox:echo {HTML}", user=reader)
    await system.settled(bot, 3)
    system.sandbox.faults.add(
        "telegram",
        "error",
        method="sendMessage",
        bot=bot.telegram_id,
        times=1,
        status=400,
        description=f"Bad Request: {HTML}",
    )
    bot.say(f"/sandbox:echo not {HTML}", user=reader)
    *_, failed = await system.settled(bot, 4)
    assert failed["status"] == "TERMINAL"
    held = await _held_job(system, AdminAlert(bot.id, HTML, HTML))
    await system.ask("POST", "/api/api-keys", {"name": HTML, "role": "USER"})
    by_text = {row["text"]: row["id"] for row in await system.processing(bot)}
    pages = [
        ["", HTML],
        ["bots", HTML],
        [f"bots/{bot.id}", HTML],
        [f"bots/{bot.id}?tab=settings", HTML],
        [f"bots/{bot.id}?tab=danger", HTML],
        [f"chats?botId={bot.id}", RIGHT_TO_LEFT, HTML[:64]],
        [f"chats/{bot.id}:{writer}", RIGHT_TO_LEFT, "😀" * 4096, "😺" * 2000],
        [f"chats/{bot.id}:{reader}", HTML],
        [f"messages?botId={bot.id}", HTML],
        [f"messages/{failed['id']}", HTML, f"Bad Request: {HTML}"],
        [f"messages/{by_text['😀' * 4096]}", "😀" * 4096],
        ["statistics", HTML],
        ["jobs?status=failed", str(held)],
        ["api-keys", HTML],
        ["audit"],
    ]
    await play("hostile", world(system, bot, pages=pages), tmp_path)
    await system.ask("DELETE", f"/api/jobs/{held}")
