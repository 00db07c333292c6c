"""Who is measured: Kotodom GPT with its processes as in production, and bots made with aiogram.

The measurements see of each its webhook, its processes' pids, and when it has nothing left to do.
"""

import asyncio
import itertools
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from adapters.child_process import spawn
from tests.bench.servers import ROOT, BenchFailed, Servers, listening
from tests.bench.stand_in_report import Hook
from tests.end_to_end.system import KOTODOM, System

AIOGRAM_PYTHON = Path(sys.prefix) / "bench" / "bin" / "python"
"""aiogram asks for an older pydantic than we run with, so it has an environment of its own."""
AIOGRAM_BOT = Path(__file__).with_name("aiogram_bot.py")

_tokens = itertools.count(3_000_001)


class Contestant(Protocol):
    """A bot, or a system with a bot."""

    name: str
    hook: Hook
    in_order: bool
    """Whether it promises to answer a chat's messages in their order."""

    @property
    def pids(self) -> Mapping[str, int]:
        """Its processes."""
        ...

    async def settle(self) -> None:
        """Return once it has nothing left to do."""
        ...


class Kotodom(System):
    """`kotodom api` and `kotodom worker`, with one bot at the bench's stand-ins."""

    name = "Kotodom"
    in_order = True
    hook: Hook
    bot_id: int

    def __init__(self, servers: Servers, profiles: Path | None = None) -> None:
        super().__init__(
            servers.database_url,
            servers.valkey_url,
            TELEGRAM_API_URL=servers.stand_ins.url,
            OPENAI_TIMEOUT="120",
            TELEGRAM_TIMEOUT="30",
        )
        self._servers = servers
        self._profiles = profiles

    async def start(self, *names: str) -> None:
        """Run `kotodom api`, `worker`, `worker-2` …; they die with the bench, however it ends."""
        for name in names:
            argv = [str(KOTODOM), name.partition("-")[0]]
            if self._profiles is not None:
                sampler = [sys.executable, "-m", "tests.bench.sampler", str(self._profiles / name)]
                argv = ["/usr/bin/env", "-C", str(ROOT), *sampler, *argv]
            self.processes[name] = await spawn(
                argv, env=self.environment, death_signal=signal.SIGKILL
            )
        if "api" in names:
            await self.until(self.ready, 60)
        await self.until(self._workers_listen, 60)

    async def make_bot(self) -> None:
        """A bot of ours that is active at the stand-ins."""
        token = f"{next(_tokens)}:{'k' * 35}"
        url = self._servers.stand_ins.url
        bot = await self.bot(token=token, telegramApiUrl=url, baseUrl=f"{url}/v1")
        self.bot_id = bot.id
        self.hook = await self._servers.stand_ins.hook(token)

    @property
    def pids(self) -> Mapping[str, int]:
        own = {name: process.pid for name, process in self.processes.items()}
        return own | {"postgres": self._servers.postgres, "valkey": self._servers.valkey}

    async def settle(self) -> None:
        async def idle() -> bool:
            return not (await self.rows("SELECT FROM pgqueuer LIMIT 1"))

        await self.until(idle, 60)

    async def _workers_listen(self) -> bool:
        for name, process in self.processes.items():
            if process.returncode is not None:
                raise BenchFailed(f"kotodom {name} ended with code {process.returncode}")
        names = [
            f"kotodom worker {process.pid}"
            for name, process in self.processes.items()
            if name.startswith("worker")
        ]
        (row,) = await self.rows(
            "SELECT count(DISTINCT application_name) AS many FROM pg_stat_activity "
            "WHERE application_name = ANY($1)",
            names,
        )
        return bool(row["many"] == len(names))


@asynccontextmanager
async def kotodom(servers: Servers, profiles: Path | None = None) -> AsyncIterator[Kotodom]:
    """Kotodom with one api and one worker; `profiles`: the sampler writes there."""
    async with Kotodom(servers, profiles) as system:
        await system.start("api", "worker")
        await system.sign_in()
        await system.make_bot()
        yield system


class AiogramBot:
    """A bot of tests/bench/aiogram_bot.py that runs."""

    in_order = False

    def __init__(self, name: str, hook: Hook, pid: int) -> None:
        self.name = name
        self.hook = hook
        self.pids: Mapping[str, int] = {"bot": pid}

    async def settle(self) -> None:
        await asyncio.sleep(0.1)


@asynccontextmanager
async def aiogram(servers: Servers, transport: str) -> AsyncIterator[AiogramBot]:
    """A bot whose openai SDK uses its `default` transport, or `aiohttp`."""
    if not AIOGRAM_PYTHON.exists():
        raise BenchFailed(f"aiogram is not installed: no {AIOGRAM_PYTHON}")
    token = f"{next(_tokens)}:{'a' * 35}"
    # -P: this folder's modules are not aiogram's.
    argv = [str(AIOGRAM_PYTHON), "-P", str(AIOGRAM_BOT), servers.stand_ins.url, token, transport]
    async with listening(argv) as (pid, _):
        name = "aiogram" if transport == "default" else f"aiogram, {transport}"
        yield AiogramBot(name, await servers.stand_ins.hook(token), pid)
