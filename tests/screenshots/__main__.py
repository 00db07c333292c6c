"""`make screenshots`: pictures of every page of the Admin Web, in each language, width and theme.

A whole system of its own is run, lives a day, and is looked at by a real browser; the pictures go
into entrypoints/web/screenshots. The Landing Web shows some of them, and what a terminal says.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from tests.end_to_end.system import KOTODOM, free_port
from tests.screenshots.life import PASSWORD, Life
from tests.screenshots.terminal import capture

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "entrypoints" / "web" / "screenshots"
PUBLIC = ROOT / "entrypoints" / "web" / "landing" / "public"
EMAIL = "admin@example.com"
START_SECONDS = 60


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[str]:
    """`kotodom run` with data of its own; its address, once it is ready."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PORT": str(port),
        "DATA_DIR": str(folder / "data"),
        "ADMIN_EMAIL": EMAIL,
        "ADMIN_PASSWORD": PASSWORD,
        "WORKERS": "1",
        "LOG_LEVEL": "ERROR",
    }
    process = await asyncio.create_subprocess_exec(
        str(KOTODOM), "run", env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(START_SECONDS):
            await _ready(url)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{url}/health/ready") as answer:
                    if (await answer.json()).get("status") == "ok":
                        return
            await asyncio.sleep(0.2)


async def main() -> int:
    """Take them all. 0, or the browser's exit code."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kotodom-screenshots-") as folder:
        async with running(Path(folder)) as url:
            jar = aiohttp.CookieJar(unsafe=True)
            async with aiohttp.ClientSession(url, cookie_jar=jar) as session:
                credentials = {"email": EMAIL, "password": PASSWORD}
                await session.post("/api/auth/login", json=credentials)
                subjects = await Life(session).fill()
            about = {"base": url, "out": str(PICTURES), "admin": credentials, **subjects}
            taken = await _browse("screenshots.mjs", json.dumps(about))
    capture(PICTURES / "replay.txt")
    return taken or await _browse("social.mjs", str(PICTURES), str(PUBLIC))


async def _browse(script: str, *arguments: str) -> int:
    """Run a script of tests/browser; its exit code."""
    path = ROOT / "tests" / "browser" / script
    browser = await asyncio.create_subprocess_exec("node", str(path), *arguments)
    return await browser.wait()


sys.exit(asyncio.run(main()))
