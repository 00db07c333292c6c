"""Children that die with their parent: how this system starts any other process.

`spawn` starts a program that is signalled by the kernel when this process dies, even by kill -9
(Linux; elsewhere a best effort, see child_launcher.py). `find_service_user` says as which user a
server that refuses root can run. `stop_leftovers` ends what an earlier run left behind.

Facts: the parent-death signal fires when the *thread* that started the child ends (prctl(2)), so
`spawn` insists on the main thread. A child starts in a session of its own: Ctrl-C in a terminal
reaches only the parent, which then stops its children in its own order.
"""

import asyncio
import contextlib
import os
import pwd
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

_LAUNCHER = Path(__file__).with_name("child_launcher.py")

# linux/capability.h
_CAP_CHOWN = 0
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_CAP_KILL = 5
_CAP_SETGID = 6
_CAP_SETUID = 7
_CAP_SETPCAP = 8
# KILL also for the parent-death signal: the dying parent must be allowed to send it.
_NEEDED_CAPABILITIES = frozenset({_CAP_CHOWN, _CAP_KILL, _CAP_SETGID, _CAP_SETUID, _CAP_SETPCAP})
# The interpreter that launches a child may not start without them.
_LOADER_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

_LEFTOVER_SECONDS = 10.0


class CannotRunAsRootError(Exception):
    """This root may not hand its embedded servers to another user; the text says what to do."""


class ChildExitedError(Exception):
    """A child ended before it was ready. `code` is its exit code, or minus the signal's number."""

    def __init__(self, code: int) -> None:
        super().__init__(f"ended with code {code} before it was ready")
        self.code = code


@dataclass(frozen=True)
class ServiceUser:
    """A user other than root, and the one capability (its number on Linux) that it keeps."""

    uid: int
    gid: int
    capability: int


async def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    death_signal: signal.Signals,
    user: ServiceUser | None = None,
    output: IO[bytes] | int | None = None,
    errors: int | None = None,
) -> asyncio.subprocess.Process:
    """Start argv[0] (an absolute path) with this environment and our library path, no more.

    death_signal is sent to it when this process dies. user None means our own user. output takes
    both stdout and stderr (a file, or asyncio.subprocess.PIPE); None means ours. errors takes
    stderr apart.

    Raises RuntimeError off the main thread, OSError when no process can be made.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("start children from the main thread: they die with the thread")
    as_user = f"{user.uid}:{user.gid}:{user.capability}" if user else "-"
    library_path = {name: os.environ[name] for name in _LOADER_VARIABLES if name in os.environ}
    if errors is None and output is not None:
        errors = asyncio.subprocess.STDOUT
    launch = [sys.executable, "-I", "-S", str(_LAUNCHER)]
    return await asyncio.create_subprocess_exec(
        *launch,
        *(str(os.getpid()), str(int(death_signal)), as_user),
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        env={**library_path, **env},
        start_new_session=True,
    )


async def wait_ready(
    process: asyncio.subprocess.Process, ready: Callable[[], Awaitable[None]]
) -> None:
    """Return when ready() does; raise what it raises, or ChildExitedError where the child ends."""
    exited = asyncio.ensure_future(process.wait())
    answered = asyncio.ensure_future(ready())
    try:
        await asyncio.wait({exited, answered}, return_when=asyncio.FIRST_COMPLETED)
        if answered.done():
            answered.result()
        else:
            raise ChildExitedError(exited.result())
    finally:
        for task in (exited, answered):
            task.cancel()
        await asyncio.gather(exited, answered, return_exceptions=True)


async def wait_until(holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Ask until it holds, 50 times a second. Raises TimeoutError after so many seconds."""
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


async def stop_process(
    process: asyncio.subprocess.Process, stop_signal: signal.Signals, seconds: float
) -> None:
    """End a child with this signal, and with SIGKILL when it still lives after so many seconds."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(stop_signal)
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def find_service_user(owner: int) -> ServiceUser | None:
    """As which user embedded servers run: None for ourselves, which is every case but root.

    PostgreSQL refuses to run as root. Then it is `owner` (the uid that DATA_DIR belongs to) where
    that is a known user, else `nobody`: no account is made on anybody's machine, and no folder's
    mode changes. That user keeps one capability, CAP_DAC_READ_SEARCH or (all that Docker's
    default set has) CAP_DAC_OVERRIDE, to reach a DATA_DIR and a checkout that only root may enter.

    Raises CannotRunAsRootError.
    """
    if os.geteuid() != 0:
        return None
    try:
        account = pwd.getpwuid(owner) if owner != 0 else pwd.getpwnam("nobody")
    except KeyError:
        account = pwd.getpwnam("nobody")
    if sys.platform != "linux":
        return ServiceUser(account.pw_uid, account.pw_gid, -1)
    held = _permitted_capabilities()
    search = next((cap for cap in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE) if cap in held), None)
    if search is None or _NEEDED_CAPABILITIES - held:
        raise CannotRunAsRootError(
            "The embedded PostgreSQL and Valkey do not run as root, and this root may not become "
            f"the user {account.pw_name} (that takes the capabilities CHOWN, DAC_OVERRIDE, KILL, "
            "SETGID, SETPCAP, SETUID). Run as an ordinary user, or set DATABASE_URL and REDIS_URL."
        )
    return ServiceUser(account.pw_uid, account.pw_gid, search)


async def stop_leftovers(name: str, mark: str, stop_signal: signal.Signals) -> None:
    """End every process called name with mark in its command line: a killed parent's server.

    The command line and not the working directory, which a container's root may not read of
    another user's process. One that is busy shutting down is waited for, and killed after ten
    seconds. Call it only with DATA_DIR's lock held.
    """
    leftovers = _find_processes(name, mark)
    pids = {process.pid for process in leftovers}
    for process in leftovers:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.ppid() not in pids:  # a server stops its own children
                process.send_signal(stop_signal)
    clock = asyncio.get_running_loop().time
    patience = clock() + _LEFTOVER_SECONDS
    # A killed process that still runs cannot be ended by anyone: the new server says what it meets.
    while (leftovers := [one for one in leftovers if _runs(one)]) and clock() < patience + 5:
        if clock() > patience:
            for process in leftovers:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        await asyncio.sleep(0.02)


def _find_processes(name: str, mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name"]):
        # A command line that we may not read (macOS) is not one that we started.
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.info["name"] == name and mark in " ".join(process.cmdline()):
                found.append(process)
    return found


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _permitted_capabilities() -> frozenset[int]:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            mask = int(line.split()[1], 16)
            return frozenset(bit for bit in range(64) if mask >> bit & 1)
    return frozenset()
