"""The processes of a chaos run, kept alive by the supervisor of `kotodom run`, and killed by us.

PostgreSQL (as durable as by default) and Valkey from their wheels, `kotodom api`, two workers and a
poller. A part that was killed stays away as long as its fault says, and is then started again.
"""

import asyncio
import dataclasses
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.embedded_valkey import EmbeddedValkey
from entrypoints.supervisor import Part, PartEvent, Supervisor, kotodom_argv

OURS = {"api": "api", "worker": "worker", "worker-2": "worker", "poller": "poller"}
STOP_SECONDS = 15.0
BACK_SECONDS = 60.0
"""A part that is not there again by then is a fault of its own."""


class Parts:
    """Prepare and use with DATA_DIR's lock held, from the main thread."""

    def __init__(self, data: DataDirectory) -> None:
        self._data = data
        self._supervisor = Supervisor(self._told)
        self._away_until: dict[str, float] = {}
        self._ready: dict[str, asyncio.Event] = {}
        self._expected: set[str] = set()
        self.ended_by_themselves: list[str] = []

    async def start_servers(self) -> tuple[str, str]:
        """PostgreSQL's and Valkey's addresses, as DATABASE_URL and REDIS_URL."""
        postgres, valkey = EmbeddedPostgres(self._data), EmbeddedValkey(self._data)
        for server in (postgres, valkey):
            await self._start(Part.of_service(server))
        return postgres.address.dsn(), valkey.url

    async def start_ours(self, environment: Mapping[str, str]) -> None:
        """Everything of `kotodom run` that is no server."""
        for name, command in OURS.items():
            self._data.make_log(name)
            log = self._data.log_path(name)
            await self._start(Part(name, kotodom_argv(command), environment, log=log))

    async def kill(self, name: str, how: signal.Signals, away: float) -> float:
        """End a part that is there. Returns when it has been started again, `away` seconds later
        or more: the (Unix) time at which it was killed.
        """
        await asyncio.wait_for(self._ready[name].wait(), BACK_SECONDS)
        struck = time.time()
        self._expected.add(name)
        self._ready[name].clear()
        self._away_until[name] = time.monotonic() + away
        self._signal(name, how)
        await asyncio.wait_for(self._ready[name].wait(), BACK_SECONDS)
        return struck

    async def pause(self, name: str, seconds: float) -> None:
        """Stop a part in the middle of whatever it does, and let it go on as if nothing was."""
        self._signal(name, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._signal(name, signal.SIGCONT)

    async def stop(self) -> None:
        await self._supervisor.stop(STOP_SECONDS)

    async def _start(self, part: Part) -> None:
        self._ready[part.name] = asyncio.Event()
        prepare = self._after_absence(part.name, part.prepare)
        await self._supervisor.start(dataclasses.replace(part, prepare=prepare))

    def _after_absence(
        self, name: str, prepare: Callable[[], Awaitable[None]] | None
    ) -> Callable[[], Awaitable[None]]:
        async def wait() -> None:
            await asyncio.sleep(self._away_until.get(name, 0.0) - time.monotonic())
            if prepare is not None:
                await prepare()

        return wait

    def _signal(self, name: str, how: signal.Signals) -> None:
        if (pid := self._supervisor.pid(name)) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, how)

    def _told(self, event: PartEvent) -> None:
        match event.what:
            case "ready":
                self._ready[event.part].set()
            case "died" if event.part in self._expected:
                self._expected.discard(event.part)
            case "died" | "failed":
                self._ready[event.part].clear()
                self.ended_by_themselves.append(f"{event.part} {event.what} ({event.code})")
