"""The Admin Web in a real browser, on real processes; stories stand in tests/browser.

The pages are those that `make web` built; the last tests hold their size and their texts.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.system import EMAIL, PASSWORD, Bot, System, token_of

ROOT = Path(__file__).parents[3]
ADMIN = ROOT / "entrypoints" / "web" / "admin"
STORY = ROOT / "tests" / "browser" / "admin.mjs"
USER = {"email": "user@example.org", "password": "a password of a user"}

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as system:
        system.environment["OPENAI_BASE_URL"] = system.sandbox.openai_url
        system.environment["OPENAI_API_KEY"] = "sk-of-the-stand-in"
        await system.start("api", "worker", "poller")
        await system.sign_in()
        await system.ask("POST", "/api/users", {**USER, "role": "USER"})
        yield system


@pytest.fixture
async def bot(system: System) -> Bot:
    """A bot that polls, whose chats and messages nobody else's story touches."""
    return await system.bot("POLLING")


def world(system: System, bot: Bot, **more: Any) -> dict[str, Any]:
    return {
        "base": system.url,
        "control": f"{system.sandbox.url}/control",
        "admin": {"email": EMAIL, "password": PASSWORD},
        "user": USER,
        "botId": bot.id,
        "botName": bot.row["name"],
        "telegramId": bot.telegram_id,
        "more": [],
        **more,
    }


async def told(name: str, about: dict[str, Any], tmp_path: Path) -> asyncio.subprocess.Process:
    picture = tmp_path / "admin-failure.png"
    return await asyncio.create_subprocess_exec(
        "node",
        str(STORY),
        name,
        json.dumps(about),
        str(picture),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def play(name: str, about: dict[str, Any], tmp_path: Path) -> None:
    process = await told(name, about, tmp_path)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


STORIES = [
    "retry",
    "retryMany",
    "operator",
    "settings",
    "roles",
    "session",
    "live",
    "tabs",
    "keyboard",
    "twoTabs",
    "ownTabs",
    "numbers",
    "secrets",
    "twice",
    "drafts",
    "focus",
    "newKey",
    "addresses",
    "phone",
    "russianWords",
    "sessionOverForm",
    "signOut",
    "otherPerson",
    "sevenTabs",
    "narrowMenu",
    "statesLight",
    "statesDark",
    "calendar",
    "meAway",
    "gateway",
    "silence",
    "moreFails",
    "longList",
    "slowPage",
    "chatBanner",
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


@pytest.mark.parametrize("name", ["light", "dark", "russian"])
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
        process = await told("away", world(system, bot), tmp_path)
        assert process.stdout is not None and process.stderr is not None
        for line, act in (
            (b"open\n", system.kill("api")),
            (b"seen\n", system.start("api")),
        ):
            assert await process.stdout.readline() == line, (await process.stderr.read()).decode()
            await act
        assert await process.wait() == 0, (await process.stderr.read()).decode()


def test_the_first_load_is_small() -> None:
    told = subprocess.run(
        ["node", str(ADMIN / "sizes.mjs")], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "first load" in told.stdout


def test_what_vitest_knows() -> None:
    told = subprocess.run(
        ["npx", "vitest", "run"], cwd=ADMIN, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
