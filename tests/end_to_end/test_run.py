"""`make run` in an empty clone: a person writes in the sandbox page, and the answer appears."""

import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.system import free_port

ROOT = Path(__file__).parents[2]
BROWSER = ROOT / "tests" / "browser" / "sandbox.mjs"


class MakeRun:
    """`make run` in a folder, its lines as they come."""

    def __init__(self, folder: Path, port: int, **environment: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        keep = {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
        self.process = subprocess.Popen(
            ["make", "run"],
            cwd=folder,
            env={
                **keep,
                "PATH": os.environ["PATH"],
                "HOME": str(folder.parent),
                "PORT": str(port),
                "WORKERS": "1",
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._queue.put(line.rstrip())
        self._queue.put(None)

    def wait_for(self, words: str, seconds: float) -> None:
        """Read its lines until one has these words."""
        ends = time.monotonic() + seconds
        while True:
            try:
                line = self._queue.get(timeout=max(ends - time.monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(
                    f"no {words!r} in {seconds} s:\n" + "\n".join(self.lines)
                ) from None
            assert line is not None, f"it ended without {words!r}:\n" + "\n".join(self.lines)
            self.lines.append(line)
            if words in line:
                return

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def running(self, part: str) -> list[psutil.Process]:
        """Its processes that a process list shows as `kotodom part`."""
        return [process for process in self.family() if f"kotodom {part}" in _command_line(process)]

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does: the signal goes to the whole foreground group."""
        os.killpg(self.process.pid, how)
        return self.process.wait(12)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files as they are now, in an empty folder."""
    folder = tmp_path_factory.mktemp("home") / "clone"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def running(clone: Path) -> Iterator[MakeRun]:
    run = MakeRun(clone, free_port())
    try:
        run.wait_for("Ctrl-C stops everything", 110)
        yield run
    finally:
        if run.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                run.stop()


def test_a_person_writes_and_the_answer_appears(running: MakeRun, tmp_path: Path) -> None:
    picture = tmp_path / "failure.png"
    browser = subprocess.run(
        ["node", str(BROWSER), running.url, "Do you like cats?", str(picture)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert browser.returncode == 0, f"{browser.stdout}{browser.stderr}"
    assert "Do you like cats?" in browser.stdout


def test_the_banner_tells_how_to_sign_in(running: MakeRun) -> None:
    banner = "\n".join(running.lines)
    assert f"{running.url}/sandbox/" in banner
    password = re.search(r"Password\s+(\S+)", banner)
    assert password is not None
    body = f'{{"email": "admin@localhost", "password": "{password[1]}"}}'.encode()
    request = urllib.request.Request(
        f"{running.url}/api/auth/login", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status in (200, 201)


def test_each_part_is_recognisable_and_kept_alive(running: MakeRun) -> None:
    for part in ("api", "worker", "poller", "sandbox"):
        assert len(running.running(part)) == 1
    (worker,) = running.running("worker")
    worker.kill()
    ends = time.monotonic() + 15
    while not [process for process in running.running("worker") if process.pid != worker.pid]:
        assert time.monotonic() < ends, "the worker was not started again"
        time.sleep(0.1)


def test_a_second_run_on_the_same_data_is_refused_with_one_line(
    running: MakeRun, clone: Path
) -> None:
    second = subprocess.run(
        [str(clone / ".venv/bin/kotodom"), "run"],
        cwd=clone,
        env={"PATH": os.environ["PATH"], "PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    (line,) = second.stderr.strip().splitlines()
    assert "in use" in line and "DATA_DIR" in line


def test_a_busy_port_is_named(running: MakeRun, clone: Path, tmp_path: Path) -> None:
    port = running.url.rpartition(":")[2]
    second = subprocess.run(
        [str(clone / ".venv/bin/kotodom"), "run"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PORT": port},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    (line,) = second.stderr.strip().splitlines()
    assert "PORT" in line and port in line


def test_ctrl_c_ends_everything_and_the_next_start_finds_all_again(
    running: MakeRun, clone: Path
) -> None:
    family = running.family()
    assert running.stop() in (0, 2, 130, -2)
    _, alive = psutil.wait_procs(family, timeout=3)
    assert alive == []
    again = MakeRun(clone, free_port())
    try:
        again.wait_for("Ctrl-C stops everything", 60)
        assert "Password" not in "\n".join(again.lines)
        family = again.family()
        supervisor = next(p for p in family if "kotodom run" in _command_line(p))
        supervisor.kill()
        _, alive = psutil.wait_procs(family, timeout=12)
        assert [_command_line(process) for process in alive] == []
    finally:
        if again.process.poll() is None:
            again.process.kill()


def _command_line(process: psutil.Process) -> str:
    """Empty for one that has just died."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
