"""The running system: real processes on real PostgreSQL and Valkey, before the stand-ins.

`System.start("api", "worker", "poller")` runs `kotodom api` and so on as a user would; a test
talks to it over HTTP and Telegram's stand-in, kills what it likes, and looks into the database.
"""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import aiohttp
import asyncpg

from adapters.argon2_passwords import Argon2Passwords
from adapters.postgres_transactions import engine
from adapters.postgres_users import PostgresUsers
from application.refusals import Conflict
from application.users import Users
from domain.access import Role
from entrypoints.sandbox.server import SandboxServer

EMAIL, PASSWORD = "admin@example.org", "correct horse battery"
SECRET_KEY = "a-secret-key-of-the-tests-and-of-nothing-else"
KOTODOM = Path(sys.executable).with_name("kotodom")

_tokens = itertools.count(int(time.time()) % 1_000_000 * 100)


class Bot:
    """A bot of ours and its side in the stand-in."""

    def __init__(self, system: "System", row: dict[str, Any], telegram_id: int) -> None:
        self.system, self.id, self.telegram_id, self.row = system, row["id"], telegram_id, row
        self.token = token_of(telegram_id)

    def say(self, text: str, user: int = 1001, chat: int | None = None, **how: Any) -> int:
        """A person writes to the bot; the update's id."""
        told = self.system.sandbox.telegram.say(self.telegram_id, user, text, chat_id=chat, **how)
        return int(told["update_id"])

    async def answers(self, count: int, chat: int = 1001, seconds: float = 20) -> list[str]:
        """The bot's texts in a chat, once there are so many."""
        return await self.system.sandbox.telegram.wait_for_bot_texts(
            self.telegram_id, chat, count, seconds
        )

    def texts(self, chat: int = 1001) -> list[str]:
        return self.system.sandbox.telegram.bot_texts(self.telegram_id, chat)


class System:
    """See the module."""

    def __init__(self, database_url: str, valkey_url: str, **environment: str) -> None:
        self.database_url = database_url
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sandbox = SandboxServer()
        self.processes: dict[str, asyncio.subprocess.Process] = {}
        self.output: IO[bytes] | None = None  # the test's own
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "DATABASE_URL": database_url,
            "REDIS_URL": valkey_url,
            "SECRET_KEY": SECRET_KEY,
            "PUBLIC_URL": self.url,
            "PORT": str(self.port),
            "SANDBOX": "off",
            "LOG_LEVEL": "WARNING",
            "OPENAI_TIMEOUT": "30",
            "TELEGRAM_TIMEOUT": "5",
            **environment,
        }

    async def __aenter__(self) -> Self:
        await self.sandbox.start()
        self.environment.setdefault("TELEGRAM_API_URL", self.sandbox.telegram_url)
        self.database = await asyncpg.connect(self.database_url)
        self.http = aiohttp.ClientSession(self.url, cookie_jar=aiohttp.CookieJar(unsafe=True))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes.values():
            await asyncio.wait_for(process.wait(), 15)
        await self.http.close()
        await self.database.close()
        await self.sandbox.stop()
        violations = list(self.sandbox.telegram.violations)
        assert error is not None or not violations, "a call breaks the Bot API's documentation"

    # --- processes -------------------------------------------------------------------------------

    async def start(self, *names: str) -> None:
        """Run `kotodom api`, `worker`, `worker-2` …; return when the api answers."""
        for name in names:
            self.processes[name] = await asyncio.create_subprocess_exec(
                str(KOTODOM),
                name.partition("-")[0],
                env=self.environment,
                stdout=self.output,
                stderr=self.output,
            )
        if "api" in names:
            await self.until(self.ready, 30)

    async def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        """Kill one and wait for its end; its exit code."""
        process = self.processes.pop(name)
        process.send_signal(how)
        return await asyncio.wait_for(process.wait(), 15)

    async def ready(self) -> bool:
        """Whether the api answers, with all that it needs."""
        try:
            async with self.http.get("/health/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def until(self, holds: Any, seconds: float = 20) -> Any:
        """Ask again and again; what it answered that was true. Raises AssertionError."""
        ends = time.monotonic() + seconds
        while not (value := await holds()):
            assert time.monotonic() < ends, f"{getattr(holds, '__name__', holds)}: not in time"
            await asyncio.sleep(0.05)
        return value

    # --- the admin's side ------------------------------------------------------------------------

    async def sign_in(self) -> None:
        """Make the administrator and open a session for `self.http`."""
        database = engine(self.database_url, pool_size=1)
        with contextlib.suppress(Conflict):  # an earlier test of the module made it
            await Users(PostgresUsers(database), Argon2Passwords()).create_user(
                EMAIL, PASSWORD, Role.ADMIN
            )
        await database.dispose()
        await self.ask("POST", "/api/auth/login", {"email": EMAIL, "password": PASSWORD})

    async def ask(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        """One request of the admin's; its JSON. `status`: what it must be, else any success."""
        async with self.http.request(method, path, json=body) as answer:
            text = await answer.text()
            expected = answer.status == status if status is not None else answer.status < 300
            assert expected, f"{method} {path}: {answer.status} {text}"
            return await answer.json(content_type=None) if text else None

    async def bot(self, mode: str = "WEBHOOK", **fields: Any) -> Bot:
        """A bot made, enabled and active, over HTTP."""
        telegram_id = next(_tokens) + 1_000_000
        made = await self.ask(
            "POST",
            "/api/bots",
            {
                "name": f"Bot {telegram_id}",
                "token": token_of(telegram_id),
                "telegramMode": mode,
                "telegramApiUrl": self.sandbox.telegram_url,
                "baseUrl": self.sandbox.openai_url,
                "apiKey": "sk-of-the-stand-in",
                "model": "gpt-5.4-mini",
                **fields,
            },
        )
        await self.ask("POST", f"/api/bots/{made['id']}/enable")

        async def active() -> Any:
            row = await self.ask("GET", f"/api/bots/{made['id']}")
            return row if row["isActive"] else None

        return Bot(self, await self.until(active), telegram_id)

    # --- what stands in the database -------------------------------------------------------------

    async def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        return list(await self.database.fetch(sql, *arguments))

    async def processing(self, bot: Bot) -> list[asyncpg.Record]:
        """The bot's messages in the order they were begun."""
        return await self.rows(
            "SELECT p.*, m.text FROM message_processing p JOIN messages m ON m.id = p.id "
            "WHERE p.bot_id = $1 ORDER BY p.id",
            bot.id,
        )

    async def settled(self, bot: Bot, count: int, seconds: float = 30) -> list[asyncpg.Record]:
        """The bot's messages, once so many are in a final state and no job of its is left."""

        async def over() -> list[asyncpg.Record] | None:
            rows = await self.processing(bot)
            done = [row for row in rows if row["status"] in ("COMPLETED", "TERMINAL")]
            return rows if len(done) >= count and len(done) == len(rows) else None

        result: list[asyncpg.Record] = await self.until(over, seconds)
        return result


def token_of(telegram_id: int) -> str:
    """The token of a bot of the tests."""
    return f"{telegram_id}:{'t' * 35}"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
