"""What `kotodom backup FILE` does: the database as it is now, in one file, while the system runs.

Exit codes: 0 written, 2 it cannot be taken or kept; the file is there whole or not at all. Secrets
stay encrypted in it; the key is not in it, and is named. Nor are sessions in it: Valkey keeps them.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console
from rich.filesize import decimal

from adapters.data_directory import DataDirectory
from adapters.json_files import STANDARD
from adapters.postgres_dump import Snapshot, dump, snapshot
from adapters.postgres_programs import DumpError
from adapters.whole_files import UnwritableFile, new_private
from application.differences import printable
from entrypoints.parts import database_to_read
from entrypoints.settings import Settings
from entrypoints.wiring import direct_dsn

WRITTEN, REFUSED = 0, 2


async def backup(settings: Settings, console: Console, file: Path) -> int:
    """Write the backup, to standard output for "-"; the exit code, with the reason for a 2."""
    end_on_sigterm()
    began = time.monotonic()
    try:
        with _target(file) as out:
            async with database_to_read(settings, "kotodom backup") as address:
                url = direct_dsn(replace(settings, database_url=address))
                async with snapshot(url) as seen:
                    await dump(url, seen, out)
            size = out.stat().st_size if isinstance(out, Path) else None
    except (DumpError, UnwritableFile) as error:
        return refuse(console, "backup", str(error))
    except asyncio.CancelledError:
        return refuse(console, "backup", "interrupted; nothing is left of it")
    _tell(console, settings, seen, size, time.monotonic() - began)
    return WRITTEN


def end_on_sigterm() -> None:
    """Cancel this task on SIGTERM, as asyncio does on Ctrl-C: what it has begun is then undone."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def refuse(console: Console, command: str, reason: str) -> int:
    """Say why not; the exit code."""
    told = f"kotodom {command}: {printable(reason)}"
    console.print(told, style="bold red", markup=False, emoji=False, soft_wrap=True)
    return REFUSED


def counted(number: int, thing: str) -> str:
    """1 bot, 2 bots."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


@contextmanager
def _target(file: Path) -> Iterator[Path | int]:
    """Where pg_dump is to write. Raises UnwritableFile."""
    if file != STANDARD:
        with new_private(file) as out:
            yield out
        return
    if sys.stdout is None:
        raise UnwritableFile("standard output is closed: name a file, or send it on")
    if sys.stdout.isatty():
        raise UnwritableFile("standard output is a terminal: name a file, or send it on")
    yield sys.stdout.fileno()


def _tell(
    console: Console, settings: Settings, seen: Snapshot, size: int | None, seconds: float
) -> None:
    """What is in it, and what has to be kept besides."""

    def say(words: str) -> None:
        console.print(words, markup=False, soft_wrap=True)

    of_size = f"{decimal(size)}, " if size is not None else ""
    say(
        f"Backup: {of_size}{counted(seen.bots, 'bot')}, {counted(seen.messages, 'message')}, "
        f"schema {seen.revision}, in {seconds:.1f} s."
    )
    key = "SECRET_KEY"
    if settings.secret_key is None and settings.database_url is None:
        data = DataDirectory.open(settings.data_dir)
        key = f"{data.path / 'secret_key'}"
        if not data.has_secret_key():
            say(f"Its tokens and keys are encrypted, and there is no key here to keep: no {key}.")
            return
    say(
        f"Its tokens and keys are encrypted, and the key is not in it: keep {key} as well, in "
        "another place. Without it every bot's token has to be entered anew."
    )
