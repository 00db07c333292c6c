"""What `kotodom restore FILE` does: a backup into an empty place, where the system then goes on.

Exit codes: 0 all of it is there, 1 it is there but no key opens some of its secrets, 2 refused: the
place is as it was. An older schema is brought up to date.

What a system does with it when it starts: jobs that workers held run out of their leases and are
picked up again, retries that are due are made, a model's run that was begun is resumed by its id.
"""

import asyncio
import os
import select
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, gettempdir

from msgspec.structs import replace
from rich.console import Console

from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import postgres_for_command
from adapters.json_files import STANDARD
from adapters.postgres_dump import (
    Archive,
    Contents,
    PlaceNotEmptyError,
    archive,
    check_empty,
    take_stock,
)
from adapters.postgres_dump import restore as put_back
from adapters.postgres_migrations import knows, migrate
from adapters.postgres_programs import DumpError
from adapters.postgres_secrets import PostgresSecrets
from adapters.postgres_transactions import engine
from adapters.secret_box import SecretBox
from adapters.whole_files import UnwritableFile, written
from entrypoints.backup import counted, end_on_sigterm, refuse
from entrypoints.settings import Settings
from entrypoints.wiring import direct_dsn

RESTORED, LOCKED = 0, 1
_CHUNK = 1024 * 1024


async def restore(settings: Settings, console: Console, file: Path) -> int:
    """Restore it, from standard input for "-"; the exit code, with the reason for a 1 or 2."""
    end_on_sigterm()
    began = time.monotonic()
    left = "the place is as it was"
    try:
        async with _stored(file) as stored, _place(settings) as (ready, data):
            url = direct_dsn(ready)
            await put_back(url, stored, await _server_of_empty(url, data))
            left = "the data is there; run `kotodom migrate`, then `kotodom doctor`"
            contents, locked = await _brought_up(ready, url)
    except (DumpError, UnwritableFile) as error:
        return refuse(console, "restore", str(error))
    except asyncio.CancelledError:
        return refuse(console, "restore", f"interrupted; {left}")
    _tell(console, stored, contents, time.monotonic() - began)
    if locked:
        _tell_locked(console, locked, data)
    return LOCKED if locked else RESTORED


@asynccontextmanager
async def _stored(file: Path) -> AsyncIterator[Archive]:
    """The backup, once it is known to be one. Raises DumpError, UnwritableFile."""
    if file != STANDARD:
        yield await _known(file, file)
        return
    if sys.stdin is None:
        raise DumpError("standard input is closed: name a file, or send one in")
    if sys.stdin.isatty():
        raise DumpError("standard input is a terminal: name a file, or send one in")
    with ExitStack() as held:
        with written(f"the folder for temporary files, {gettempdir()}"):
            kept = held.enter_context(NamedTemporaryFile())
            while chunk := await _next(sys.stdin.fileno()):
                kept.write(chunk)
            kept.flush()
        yield await _known(Path(kept.name), "standard input")


async def _next(descriptor: int) -> bytes:
    """What comes next, b"" at the end; waited for in a way that Ctrl-C ends."""
    while not select.select([descriptor], [], [], 0)[0]:  # noqa: ASYNC110 - a file has no event
        await asyncio.sleep(0.02)
    return os.read(descriptor, _CHUNK)


async def _known(path: Path, name: object) -> Archive:
    stored = await archive(path, name)
    if not knows(stored.revision):
        raise DumpError(
            f"{name} is of a newer Kotodom: its schema is {stored.revision}, which this one does "
            "not know. Install that version, or a later one, and restore with it"
        )
    return stored


@asynccontextmanager
async def _place(settings: Settings) -> AsyncIterator[tuple[Settings, DataDirectory | None]]:
    """Where it goes: the settings with the address and the key that is there, none is made."""
    if settings.database_url is not None:
        yield settings, None
        return
    data = DataDirectory.open(settings.data_dir)
    key = data.secret_key() if data.has_secret_key() else None
    async with postgres_for_command(data, "kotodom restore", alone=True) as address:
        key = settings.secret_key or key
        yield replace(settings, database_url=address.dsn(), secret_key=key), data


async def _server_of_empty(url: str, data: DataDirectory | None) -> int:
    """The server's major version. Raises DumpError, which says how to have an empty place."""
    try:
        return await check_empty(url)
    except PlaceNotEmptyError as error:
        how = "make an empty database (createdb NAME), and let DATABASE_URL name it"
        if data is not None:
            how = f"move {data.given} away (keep its secret_key), or set another DATA_DIR"
        raise DumpError(f"{error}: {how}") from None


async def _brought_up(ready: Settings, url: str) -> tuple[Contents, Sequence[str]]:
    """What there is by now, and in words which secrets no key opens. Raises Unavailable."""
    database = engine(url, pool_size=1)
    try:
        await migrate(database)
        box = SecretBox(ready.secret_key or "")
        return await take_stock(url), await PostgresSecrets(database, box).unreadable()
    finally:
        await database.dispose()


def _tell(console: Console, stored: Archive, contents: Contents, seconds: float) -> None:
    words = (
        f"Restored the backup of {stored.taken_at} in {seconds:.1f} s: "
        f"{counted(contents.bots, 'bot')}, {counted(contents.messages, 'message')} in their chats.",
        f"To be answered once the system runs: {counted(contents.open, 'message')}, counting "
        "those that came and are in no chat yet.",
        "Everybody signs in again, with the passwords of that day.",
        "The system that it was taken of must not run any more: both would answer for its bots.",
    )
    for line in words:
        console.print(line, markup=False, soft_wrap=True)


def _tell_locked(console: Console, locked: Sequence[str], data: DataDirectory | None) -> None:
    """Which secrets cannot be read, and what to do."""
    for name in locked:
        console.print(f"No key opens {name}.", style="bold red", markup=False, soft_wrap=True)
    where = f"into {data.path / 'secret_key'}" if data is not None else "into SECRET_KEY"
    console.print(
        f"Put the key that was kept with the backup {where} before the system starts. Where it is "
        "lost, set these anew in the admin: everything else is there.",
        markup=False,
        soft_wrap=True,
    )
