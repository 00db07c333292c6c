"""Plays a story of the Admin Web (tests/browser/admin.mjs) on a running system."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.end_to_end.system import EMAIL, PASSWORD, Bot, System

STORY = Path(__file__).parents[2] / "browser" / "admin.mjs"
USER = {"email": "user@example.org", "password": "a password of a user"}

Act = Callable[[str], Awaitable[object]]
"""The test's part of a story, in answer to a line on its stdout: "NAME REST" is told the rest."""


def world(system: System, bot: Bot, **more: Any) -> dict[str, Any]:
    """What a story is told of the system, and of the bot that is its own."""
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


async def play(name: str, about: dict[str, Any], tmp_path: Path, **acts: Act) -> None:
    """Play it to its end. `acts`: by the names of the lines that it says, in their order."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(STORY),
        name,
        json.dumps(about),
        str(tmp_path / "admin-failure.png"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    for expected, act in acts.items():
        said, _, rest = (await process.stdout.readline()).decode().strip().partition(" ")
        assert said == expected, (await process.stderr.read()).decode()
        await act(rest)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
