"""Keeps the processes of `kotodom run` alive: PostgreSQL, Valkey, api, workers, poller, sandbox.

`start` makes a part a process and returns when it is ready; from then on a part that dies is
started again, after 0.2 s at first and at most 5 s when it keeps dying. `stop` ends all of them
in a bounded time, the servers last. What happens is told to `on_event`, where log lines come from.
If this process itself dies, even by kill -9, the kernel ends the parts (adapters/child_process.py).
"""

import asyncio
import contextlib
import signal
import sys
import sysconfig
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from adapters.child_process import ChildExitedError, ServiceUser, spawn, stop_process, wait_ready
from adapters.service_process import Service

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 5.0
# A part that lived this long begins again with the first delay.
_HEALTHY_SECONDS = 10.0
# Of the time that is left, what a layer may take before it is killed: the next also needs some.
_SHARE_OF_A_LAYER = 0.7
_GIVE_UP_SECONDS = 3.0


class PartFailedError(Exception):
    """A part did not become ready on its first start: it died, with this exit code, or gave up."""

    def __init__(self, part: str, reason: str, code: int | None = None) -> None:
        super().__init__(f"{part} {reason}")
        self.part = part
        self.code = code


@dataclass(frozen=True)
class Part:
    """One process to keep.

    prepare runs before every start, ready after it. stop_signal also reaches it when this process
    dies. log takes stdout and stderr; None leaves them ours. Parts with serves_others (PostgreSQL,
    Valkey) are stopped when all the rest have ended.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], Awaitable[None]] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    prepare: Callable[[], Awaitable[None]] | None = None
    user: ServiceUser | None = None
    log: Path | None = None
    serves_others: bool = False

    @classmethod
    def of_service(cls, service: Service) -> "Part":
        return cls(
            name=service.name,
            argv=service.argv,
            env=service.env,
            ready=service.ready,
            stop_signal=service.stop_signal,
            prepare=service.prepare,
            user=service.user,
            log=service.log_path,
            serves_others=True,
        )


@dataclass(frozen=True)
class PartEvent:
    """started (pid), ready (pid), died (pid, code), restarting (delay, in seconds), failed (error:
    a later start that went wrong), stopped (pid, code), killed (pid: it did not stop in time)."""

    part: str
    what: Literal["started", "ready", "died", "restarting", "failed", "stopped", "killed"]
    pid: int | None = None
    code: int | None = None
    delay: float | None = None
    error: str | None = None


def kotodom_argv(*arguments: str) -> list[str]:
    """How to run a command of ours so that a process list shows `kotodom api`.

    Raises FileNotFoundError where the console script `kotodom` is not installed.
    """
    folders = (Path(sys.executable).parent, Path(sysconfig.get_path("scripts")))
    for script in (folder / "kotodom" for folder in folders):
        if script.is_file():
            return [sys.executable, str(script), *arguments]
    raise FileNotFoundError("the command kotodom is not installed beside this Python")


@dataclass
class _Kept:
    part: Part
    first_start: asyncio.Future[None]
    process: asyncio.subprocess.Process | None = None
    task: asyncio.Task[None] | None = field(default=None)


class Supervisor:
    """The parts of one `kotodom run`. Use it from the main thread's event loop."""

    def __init__(self, on_event: Callable[[PartEvent], None]) -> None:
        self._on_event = on_event
        self._kept: dict[str, _Kept] = {}
        self._stopping = False

    async def start(self, part: Part) -> None:
        """Start a part and return when it is ready. Names are unique.

        Raises PartFailedError if it dies before that, and what prepare or ready raise: a first
        start that fails is for a person to read, and is not tried again.
        """
        kept = _Kept(part, asyncio.get_running_loop().create_future())
        self._kept[part.name] = kept
        kept.task = asyncio.create_task(self._keep(kept), name=f"keep {part.name}")
        await asyncio.shield(kept.first_start)

    def pid(self, name: str) -> int | None:
        """The pid of a part's process; None while it has none."""
        process = self._kept[name].process
        return process.pid if process else None

    async def stop(self, seconds: float = 8.0) -> None:
        """End every part: first those that serve nobody, then the servers.

        It takes at most so many seconds: a part that does not stop in its time is killed. What a
        kill interrupts is safe: jobs are picked up again, PostgreSQL replays its log.
        """
        self._stopping = True
        deadline = asyncio.get_running_loop().time() + seconds
        users = [kept for kept in self._kept.values() if not kept.part.serves_others]
        servers = [kept for kept in self._kept.values() if kept.part.serves_others]
        await self._stop_layer(users, share=_SHARE_OF_A_LAYER, deadline=deadline)
        await self._stop_layer(servers, share=1.0, deadline=deadline)

    async def _stop_layer(self, layer: Sequence[_Kept], share: float, deadline: float) -> None:
        tasks = []
        for kept in reversed(layer):
            if kept.task is None or kept.task.done():
                continue
            tasks.append(kept.task)
            if kept.process is None:
                kept.task.cancel()
            else:
                with contextlib.suppress(ProcessLookupError):
                    kept.process.send_signal(kept.part.stop_signal)
        if not tasks:
            return
        left = deadline - asyncio.get_running_loop().time()
        _, late = await asyncio.wait(tasks, timeout=max(left * share, 0))
        for kept in layer:
            if kept.task in late and kept.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    kept.process.kill()
                self._on_event(PartEvent(kept.part.name, "killed", pid=kept.process.pid))
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, kept: _Kept) -> None:
        loop = asyncio.get_running_loop()
        delay = _FIRST_DELAY
        while True:
            began = loop.time()
            try:
                await self._live(kept)
            except asyncio.CancelledError:
                if not kept.first_start.done():
                    kept.first_start.cancel()
                raise
            except Exception as error:  # noqa: BLE001  a supervised loop: the next start may succeed
                if not kept.first_start.done():
                    kept.first_start.set_exception(error)
                    return
                self._on_event(PartEvent(kept.part.name, "failed", error=str(error)))
            if self._stopping:
                return
            if loop.time() - began > _HEALTHY_SECONDS:
                delay = _FIRST_DELAY
            self._on_event(PartEvent(kept.part.name, "restarting", delay=delay))
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)

    async def _live(self, kept: _Kept) -> None:
        """One life of a part, from its preparation to its end."""
        part = kept.part
        if part.prepare is not None:
            await part.prepare()
        process = await self._spawn(part)
        kept.process = process
        self._on_event(PartEvent(part.name, "started", pid=process.pid))
        try:
            await self._await_ready(kept, process)
            code = await process.wait()
        finally:
            if process.returncode is None:
                await stop_process(process, part.stop_signal, _GIVE_UP_SECONDS)
            kept.process = None
        what: Literal["stopped", "died"] = "stopped" if self._stopping else "died"
        self._on_event(PartEvent(part.name, what, pid=process.pid, code=code))

    async def _spawn(self, part: Part) -> asyncio.subprocess.Process:
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(part.log.open("ab")) if part.log else None
            return await spawn(
                part.argv,
                env=part.env,
                death_signal=part.stop_signal,
                user=part.user,
                output=log,
            )

    async def _await_ready(self, kept: _Kept, process: asyncio.subprocess.Process) -> None:
        part = kept.part
        first = not kept.first_start.done()
        try:
            if part.ready is not None:
                await wait_ready(process, part.ready)
        except ChildExitedError as error:
            if first:
                raise PartFailedError(part.name, str(error) + _log_end(part), error.code) from error
            return
        except Exception as error:
            # Later it stays: a PostgreSQL that replays a long log must not be killed for it.
            if first:
                raise
            self._on_event(PartEvent(part.name, "failed", pid=process.pid, error=str(error)))
            return
        self._on_event(PartEvent(part.name, "ready", pid=process.pid))
        if first:
            kept.first_start.set_result(None)


def _log_end(part: Part) -> str:
    if part.log is None:
        return ""
    return ": " + " / ".join(part.log.read_text(errors="replace").strip().splitlines()[-4:])
