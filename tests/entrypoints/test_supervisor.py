"""The supervisor: parts live while it lives, come back when they die, and end when told to."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from valkey.asyncio import Valkey

from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.embedded_valkey import EmbeddedValkey
from entrypoints.supervisor import Part, PartEvent, PartFailedError, Supervisor, kotodom_argv

_ROOT = Path(__file__).parents[2]
_LAUNCHER = _ROOT / "adapters" / "child_launcher.py"
_SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
_DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
_RUN = """
import asyncio, os, sys
from pathlib import Path
from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.embedded_valkey import EmbeddedValkey
from entrypoints.supervisor import Part, Supervisor

async def main():
    data = DataDirectory.open(Path(sys.argv[1]))
    with data.lock("kotodom run"):
        supervisor = Supervisor(lambda event: None)
        await asyncio.gather(*(supervisor.start(Part.of_service(service))
                               for service in (EmbeddedPostgres(data), EmbeddedValkey(data))))
        sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
        await supervisor.start(Part("worker", sleep, os.environ))
        print(*(supervisor.pid(name) for name in ("postgres", "valkey", "worker")), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


_ELSEWHERE = """
import os, subprocess, sys, time
launch = 'import runpy, sys; sys.platform = "darwin"; del sys.argv[0]; '
launch += 'runpy.run_path(sys.argv[0], run_name="__main__")'
program = [sys.argv[1], str(os.getpid()), "15", "-", "/bin/sleep", "60"]
print(subprocess.Popen([sys.executable, "-c", launch, *program]).pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="kt"))
    yield path
    shutil.rmtree(path)


async def _until(holds: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  another process has no event to wait for
            await asyncio.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _line(events: list[PartEvent]) -> list[tuple[str, str]]:
    return [(event.part, event.what) for event in events]


@pytest.fixture
def others() -> set[psutil.Process]:
    """The children that this process had before: the servers of other tests."""
    return set(psutil.Process().children())


async def test_a_killed_part_comes_back_and_later_each_time() -> None:
    events: list[PartEvent] = []
    supervisor = Supervisor(events.append)
    await supervisor.start(Part("worker", _SLEEP, os.environ))
    try:
        for round_ in (1, 2):
            pid = supervisor.pid("worker")
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await _until(lambda: [e.what for e in events].count("ready") == round_ + 1)  # noqa: B023
            assert supervisor.pid("worker") != pid
    finally:
        await supervisor.stop()
    assert [event.what for event in events] == [
        *("started", "ready", "died", "restarting"),
        *("started", "ready", "died", "restarting"),
        *("started", "ready", "stopped"),
    ]
    assert [event.code for event in events if event.what == "died"] == [-9, -9]
    assert [event.delay for event in events if event.what == "restarting"] == [0.2, 0.4]


async def test_a_part_that_dies_before_it_is_ready_is_an_error_with_its_words(
    folder: Path,
) -> None:
    async def never() -> None:
        await asyncio.sleep(60)

    supervisor = Supervisor(lambda event: None)
    dies = [sys.executable, "-c", "raise SystemExit('port 8000 is busy')"]
    part = Part("api", dies, os.environ, ready=never, log=folder / "api.log")
    with pytest.raises(
        PartFailedError, match=r"api ended with code 1 .*: port 8000 is busy"
    ) as failed:
        await supervisor.start(part)
    assert failed.value.code == 1
    await supervisor.stop()


async def test_stop_kills_what_does_not_listen_and_ends_servers_last(
    folder: Path, others: set[psutil.Process]
) -> None:
    events: list[PartEvent] = []
    supervisor = Supervisor(events.append)
    deaf_log = folder / "deaf.log"

    async def deaf() -> None:
        await _until(lambda: deaf_log.exists() and deaf_log.read_text() == "deaf\n")

    await supervisor.start(Part("server", _SLEEP, os.environ, serves_others=True))
    await supervisor.start(Part("worker", _SLEEP, os.environ))
    await supervisor.start(
        Part("deaf", [sys.executable, "-c", _DEAF], os.environ, ready=deaf, log=deaf_log)
    )
    events.clear()
    began = time.monotonic()
    await supervisor.stop(seconds=1.0)
    assert time.monotonic() - began < 1.2
    assert _line(events) == [
        ("worker", "stopped"),
        ("deaf", "killed"),
        ("deaf", "stopped"),
        ("server", "stopped"),
    ]
    assert set(psutil.Process().children()) == others


async def test_stop_ends_a_part_between_two_lives(others: set[psutil.Process]) -> None:
    events: list[PartEvent] = []
    supervisor = Supervisor(events.append)
    await supervisor.start(Part("brief", [sys.executable, "-c", ""], os.environ))
    await _until(lambda: ("brief", "restarting") in _line(events))
    began = time.monotonic()
    await supervisor.stop()
    assert time.monotonic() - began < 0.5
    assert set(psutil.Process().children()) == others


async def test_postgres_and_valkey_come_back_with_their_data(
    folder: Path, others: set[psutil.Process]
) -> None:
    data = DataDirectory.open(folder / ".data")
    postgres, valkey = EmbeddedPostgres(data), EmbeddedValkey(data)
    events: list[PartEvent] = []
    supervisor = Supervisor(events.append)
    with data.lock("kotodom run"):
        await asyncio.gather(
            *(supervisor.start(Part.of_service(service)) for service in (postgres, valkey))
        )
        connection = await asyncpg.connect(postgres.address.dsn())
        await connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
        client = Valkey.from_url(valkey.url)
        await client.set("kept", "1")
        for name in ("postgres", "valkey"):
            os.kill(supervisor.pid(name) or 0, signal.SIGKILL)
        await _until(lambda: [event.what for event in events].count("ready") == 4)
        again = await asyncpg.connect(postgres.address.dsn())
        assert await again.fetchval("SELECT id FROM kept") == 1
        assert await client.get("kept") == b"1"
        began = time.monotonic()
        await supervisor.stop()
        assert time.monotonic() - began < 4
        await client.aclose()
        again.terminate()
        connection.terminate()
    assert [event.code for event in events if event.what == "stopped"] == [0, 0]
    assert set(psutil.Process().children()) == others


async def test_kill_9_of_the_parent_leaves_nobody(folder: Path) -> None:
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _RUN, str(folder / ".data")),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    assert run.stdout is not None
    pids = [int(pid) for pid in (await run.stdout.readline()).split()]
    assert len(pids) == 3
    family = psutil.Process(run.pid).children(recursive=True)
    assert len(family) > 3
    run.kill()
    await run.wait()
    await _until(lambda: not any(_lives(process.pid) for process in family), seconds=5)


async def test_where_the_kernel_has_no_such_signal_a_watcher_sends_it() -> None:
    """macOS's way, on this system: the launcher is told that it runs there."""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _ELSEWHERE, str(_LAUNCHER)), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = psutil.Process(int(await parent.stdout.readline()))
    await _until(lambda: child.name() == "sleep")
    parent.kill()
    await parent.wait()
    await _until(lambda: not _lives(child.pid), seconds=3)


async def test_a_part_is_recognisable_in_a_process_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kotodom").write_text("import time; time.sleep(60)")
    (tmp_path / "python").symlink_to(os.path.realpath(sys.executable))  # noqa: ASYNC240
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    supervisor = Supervisor(lambda event: None)
    await supervisor.start(Part("worker", kotodom_argv("worker"), os.environ))
    process = psutil.Process(supervisor.pid("worker"))
    await _until(lambda: " ".join(process.cmdline()).endswith("/kotodom worker"))
    await supervisor.stop()
