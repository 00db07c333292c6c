"""A server that we bring along, such as EmbeddedPostgres, run for as long as a context lasts.

Triggered by commands that find no server running, by the tests and by the bench. `kotodom run`
keeps its servers through entrypoints/supervisor.py, which starts them again when they die.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from adapters.child_process import ServiceUser, spawn, stop_process, wait_ready


class Service(Protocol):
    """A server that adapters know how to run."""

    name: str
    stop_signal: signal.Signals
    user: ServiceUser | None

    log_path: Path

    @property
    def argv(self) -> Sequence[str]: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    async def prepare(self) -> None: ...
    async def ready(self) -> None: ...


@asynccontextmanager
async def running(
    service: Service, stop_seconds: float, options: Sequence[str] = ()
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start it with these further arguments, and stop it in so many seconds at the end.

    Raises adapters.child_process.ChildExitedError where it ends before it is ready.
    """
    await service.prepare()
    with service.log_path.open("ab") as log:
        process = await spawn(
            [*service.argv, *options],
            env=service.env,
            death_signal=service.stop_signal,
            user=service.user,
            output=log,
        )
    try:
        await wait_ready(process, service.ready)
        yield process
    finally:
        await stop_process(process, service.stop_signal, stop_seconds)
