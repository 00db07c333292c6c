"""The Admin Web in a real browser, on real processes; stories stand in tests/browser.

The pages are those that `make web` built; the last tests hold their size and their texts.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.system import Bot, System, token_of
from tests.entrypoints.web.admin_stories import play, world

ADMIN = Path(__file__).parents[3] / "entrypoints" / "web" / "admin"

pytestmark = pytest.mark.timeout(180)

STORIES = [
    "retry",
    "retryMany",
    "retryAll",
    "operator",
    "markdown",
    "settings",
    "roles",
    "session",
    "live",
    "tabs",
    "keyboard",
    "overview",
    "narrowLists",
    "charts",
    "refusals",
    "keptPlaces",
    "inLine",
    "chatHeadings",
    "atTelegram",
    "twoTabs",
    "laterSaver",
    "ownTabs",
    "numbers",
    "secrets",
    "twice",
    "unanswered",
    "drafts",
    "focus",
    "newKey",
    "addresses",
    "phone",
    "russianWords",
    "russianAttributes",
    "narrowRows",
    "copiedByHand",
]


@pytest.mark.parametrize("name", STORIES)
async def test_a_story(name: str, system: System, bot: Bot, tmp_path: Path) -> None:
    await play(name, world(system, bot), tmp_path)


async def test_a_bot_is_made_by_the_wizard_and_its_first_message_is_answered(
    system: System, bot: Bot, tmp_path: Path
) -> None:
    telegram_id = 77_000_000 + bot.telegram_id
    system.sandbox.telegram.add_bot(token_of(telegram_id), "Мурка مرحبا", "murka_bot")
    about = world(
        system, bot, telegramId=telegram_id, token=token_of(telegram_id), username="murka_bot"
    )
    await play("wizard", about, tmp_path)


async def test_a_bot_that_could_not_be_switched_on_is_not_made_again(
    system: System, bot: Bot, tmp_path: Path
) -> None:
    token, other = (token_of(base + bot.telegram_id) for base in (78_000_000, 79_000_000))
    system.sandbox.telegram.add_bot(token, "Murka", "murka_again_bot")
    system.sandbox.telegram.add_bot(other, "Pushok", "pushok_bot")
    await play("wizardAgain", world(system, bot, token=token, otherToken=other), tmp_path)


async def test_a_held_job_of_an_unknown_kind(system: System, bot: Bot, tmp_path: Path) -> None:
    secret = token_of(bot.telegram_id)
    (job,) = await system.rows(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload)"
        " VALUES (0, 'failed', 'somebody.elses', $1) RETURNING id",
        json.dumps({"letters": "abc", "to": f"bot{secret}"}).encode(),
    )
    await system.rows(
        "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback)"
        " VALUES ($1, 'failed', 0, 'somebody.elses', $2)",
        job["id"],
        json.dumps({"traceback": f"KeyError: nobody handles it, not bot{secret}"}),
    )
    await play("heldJob", world(system, bot, secret=secret), tmp_path)


@pytest.mark.parametrize("name", ["light", "lightNarrow", "dark", "russian"])
async def test_every_page(name: str, system: System, bot: Bot, tmp_path: Path) -> None:
    bot.say("/sandbox:echo <b>hello</b>", user=1001)
    bot.say("😀" * 2048, user=1002)
    await bot.answers(1)
    (first, *_) = await system.settled(bot, 2)
    more = [
        f"bots/{bot.id}",
        f"bots/{bot.id}?tab=settings",
        f"bots/{bot.id}?tab=danger",
        f"chats/{bot.id}:1001",
        f"messages/{first['id']}",
    ]
    await play(name, world(system, bot, more=more), tmp_path)


async def test_an_api_that_goes_away_is_told_and_comes_back_by_itself(
    database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    async with System(database_url, valkey_url) as system:
        await system.start("api", "worker")
        await system.sign_in()
        bot = await system.bot("POLLING")
        await play(
            "away",
            world(system, bot),
            tmp_path,
            open=lambda _: system.kill("api"),
            seen=lambda _: system.start("api"),
        )


def test_the_first_load_is_small() -> None:
    told = subprocess.run(
        ["node", str(ADMIN / "sizes.mjs")], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    for language in ("en", "ru"):
        assert f"first load ({language})" in told.stdout


def test_what_vitest_knows() -> None:
    told = subprocess.run(
        ["npx", "vitest", "run"], cwd=ADMIN, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
