"""What the contestants stand on: PostgreSQL with its default durability, Valkey, the stand-ins.

`servers()` runs them for as long as the bench needs them, each a process of its own, on a disk and
not in memory: a commit costs here what it costs in production.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import asyncpg
import msgspec
from msgspec import Struct

from adapters.child_process import spawn, stop_process
from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.embedded_valkey import EmbeddedValkey
from adapters.postgres_migrations import migrate
from adapters.postgres_transactions import engine
from adapters.service_process import running
from tests.bench.stand_in_report import Behaviour, Hook, Report

ROOT = Path(__file__).parents[2]
DATABASE = "kotodom_bench"
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}

_report = msgspec.json.Decoder(Report)
_hooks = msgspec.json.Decoder(dict[str, Hook])


class BenchFailed(Exception):  # noqa: N818 - the bench stops with its line
    """What was measured did not do its work, so its speed says nothing."""


class StandInsClient:
    """The stand-ins' process, and the bench's way to control it."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.url = f"http://127.0.0.1:{port}"
        self._http = aiohttp.ClientSession(self.url)

    async def close(self) -> None:
        await self._http.close()

    async def behave(self, behaviour: Behaviour) -> None:
        """Set how the model answers, and begin to count anew."""
        await self._control("behave", msgspec.json.encode(behaviour))

    async def hook(self, token: str) -> Hook:
        """Where this bot's updates go. Raises KeyError where it has set no webhook."""
        return _hooks.decode(await self._control("hooks"))[token]

    async def sent(self, count: int, seconds: float) -> None:
        """Return once so many messages were sent. Raises BenchFailed."""
        try:
            async with asyncio.timeout(seconds):
                while (seen := int(await self._control("count"))) < count:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise BenchFailed(f"{seen} of {count} answers in {seconds:g} s") from None

    async def report(self) -> Report:
        """What was seen since `behave`."""
        return _report.decode(await self._control("report"))

    async def _control(self, what: str, body: bytes = b"") -> bytes:
        async with self._http.post(f"/control/{what}", data=body) as answer:
            return await answer.read()


class Servers(Struct):
    """What runs; `postgres` and `valkey` are pids."""

    database_url: str
    valkey_url: str
    postgres: int
    valkey: int
    stand_ins: StandInsClient


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    """Start all of them, with a fresh and migrated database; stop and remove them at the end."""
    folder = Path(tempfile.mkdtemp(prefix="kotodom-bench-"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        data = DataDirectory.open(folder / ".data")
        database, valkey = EmbeddedPostgres(data), EmbeddedValkey(data)
        postgres = await stack.enter_async_context(running(database, 10))
        cache = await stack.enter_async_context(running(valkey, 10))
        admin = await asyncpg.connect(database.address.dsn("postgres"))
        await admin.execute(f"CREATE DATABASE {DATABASE}")
        await admin.close()
        url = database.address.dsn(DATABASE)
        schema = engine(url, pool_size=1)
        await migrate(schema)
        await schema.dispose()
        argv = [sys.executable, "-m", "tests.bench.stand_ins"]
        stand_ins = StandInsClient(*await stack.enter_async_context(listening(argv)))
        stack.push_async_callback(stand_ins.close)
        yield Servers(url, valkey.url, postgres.pid, cache.pid, stand_ins)


@asynccontextmanager
async def listening(argv: Sequence[str]) -> AsyncIterator[tuple[int, int]]:
    """A child that prints its port once it serves: its pid and the port."""
    process = await spawn(
        ["/usr/bin/env", "-C", str(ROOT), *argv],
        env=ENVIRONMENT,
        death_signal=signal.SIGKILL,
        output=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        if not line.strip().isdigit():
            more = (await process.stdout.read()).decode(errors="replace")
            raise BenchFailed(f"{argv}: {line.decode()}{more}")
        complaints = asyncio.create_task(_pass_on(process.stdout))
        yield process.pid, int(line)
        complaints.cancel()
    finally:
        await stop_process(process, signal.SIGTERM, 5)


async def _pass_on(output: asyncio.StreamReader) -> None:
    """What else the child says is of its troubles."""
    while line := await output.readline():
        sys.stderr.write(line.decode(errors="replace"))
