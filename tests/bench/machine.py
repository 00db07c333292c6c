"""What the figures were measured on, without which they say little."""

import platform
import subprocess
from pathlib import Path

import asyncpg
import psutil
from msgspec import Struct

from tests.bench.servers import ROOT


class Machine(Struct):
    """Cores, memory in GiB, and the versions of what was measured."""

    cpu: str
    cores: int
    memory: float
    system: str
    python: str
    postgres: str
    commit: str


async def machine(database: asyncpg.Connection) -> Machine:
    """This one."""
    return Machine(
        cpu=_cpu_name(),
        cores=len(psutil.Process().cpu_affinity()) if psutil.LINUX else psutil.cpu_count() or 0,
        memory=round(psutil.virtual_memory().total / 1024**3, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        postgres=await database.fetchval("SHOW server_version"),
        commit=_commit(),
    )


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    """The commit, with a + where the tree has other changes than kept results."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", ":!tests/*/results")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")


def _git(*arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
