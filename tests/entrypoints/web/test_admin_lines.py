"""Single lines of the Admin Web that no other story holds, in a real browser.

The stories are those of tests/browser/admin-lines.mjs. The first counts what the whole system did.
"""

from pathlib import Path

import pytest

from tests.end_to_end.system import Bot, System, token_of
from tests.entrypoints.web.admin_stories import play, world

RIGHT_TO_LEFT = "מרים كاتبة (1)"
REASON = "Telegram knows this token no more."
READERS = 120

pytestmark = pytest.mark.timeout(120)


async def test_today(system: System, bot: Bot, tmp_path: Path) -> None:
    other = await system.bot("POLLING")
    system.sandbox.faults.add("openai", "content_filter", method="responses", times=2)
    for failing in (bot, other):
        failing.say("/sandbox:echo failed")
        await system.settled(failing, 1)
    bot.say("/sandbox:echo answered")
    await system.settled(bot, 2)
    broken, _ = [
        await _switched_off(system, base + bot.telegram_id) for base in (81_000_000, 82_000_000)
    ]
    await system.rows("UPDATE bots SET error = $2 WHERE id = $1", broken, REASON)
    await play("today", world(system, bot, reason=REASON), tmp_path)


async def _switched_off(system: System, telegram_id: int) -> int:
    token = token_of(telegram_id)
    system.sandbox.telegram.add_bot(token)
    made = await system.ask("POST", "/api/bots", {"name": f"Bot {telegram_id}", "token": token})
    return int(made["id"])


async def test_an_inbox_of_many_chats(system: System, bot: Bot, tmp_path: Path) -> None:
    telegram = system.sandbox.telegram
    readers = [telegram.add_person(f"Reader no. {number}", "en").id for number in range(READERS)]
    await system.rows(
        """
        WITH chat AS (
            INSERT INTO chats (id, telegram_chat_id, bot_id, tg_user_id, name, last_message_at)
            SELECT $1::bigint || ':' || id, id, $1, id, 'Reader no. ' || number - 1,
                   now() - number * interval '1 minute'
            FROM unnest($2::bigint[]) WITH ORDINALITY AS reader (id, number)
            RETURNING id, last_message_at
        )
        INSERT INTO messages (chat_id, bot_id, sender, text, created_at)
        SELECT id, $1, 'USER', 'long ago', last_message_at FROM chat
        """,
        bot.id,
        readers,
    )
    writer = telegram.add_person(RIGHT_TO_LEFT, "ar").id
    bot.say("/sandbox:echo مرحبا (1)", user=writer)
    await bot.answers(1, chat=writer)
    about = world(system, bot, readers=readers, name=RIGHT_TO_LEFT, text="مرحبا (1)")
    await play("inbox", about, tmp_path)


async def test_times(system: System, bot: Bot, tmp_path: Path) -> None:
    bot.say("/sandbox:echo long ago", user=1002)
    (old,) = await system.settled(bot, 1)
    for table in ("messages", "message_processing"):
        await system.rows(
            f"UPDATE {table} SET created_at = created_at - interval '3 days' WHERE id = $1",
            old["id"],
        )
    bot.say("/sandbox:echo lately")
    await system.settled(bot, 2)
    await play("times", world(system, bot), tmp_path)


async def test_webhooks(system: System, bot: Bot, tmp_path: Path) -> None:
    new = system.sandbox.telegram.add_bot(token_of(80_000_000 + bot.telegram_id), "Dymka")
    about = world(
        system,
        bot,
        taken=bot.token,
        token=new.token,
        newId=new.id,
        username=new.username,
        telegram=system.sandbox.telegram_url,
    )
    await play("webhooks", about, tmp_path)


@pytest.mark.parametrize("name", ["users", "keys", "account"])
async def test_a_story(name: str, system: System, bot: Bot, tmp_path: Path) -> None:
    await play(name, world(system, bot), tmp_path)


@pytest.mark.parametrize("name", ["focusSeen", "axeNarrow"])
async def test_pages(name: str, system: System, bot: Bot, tmp_path: Path) -> None:
    bot.say("/sandbox:echo hello")
    (message,) = await system.settled(bot, 1)
    more = [
        "",
        "bots",
        "bots/new",
        f"bots/{bot.id}",
        f"bots/{bot.id}?tab=settings",
        f"chats/{bot.id}:1001",
        "messages",
        f"messages/{message['id']}",
        "jobs",
        "statistics",
        "settings",
        "users",
        "api-keys",
        "audit",
        "account",
    ]
    await play(name, world(system, bot, more=more), tmp_path)
