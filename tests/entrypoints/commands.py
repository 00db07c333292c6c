"""`kotodom` commands as a person runs them, and recordings and updates for them to read."""

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from application.recordings import StoredStep, replay
from domain.replay import Replay
from tests.domain.random_recordings import one_recording
from tests.entrypoints.test_cli import KOTODOM

FULL = Path("/dev/full")
COUNTS = ["steps", "events", "effects", "seconds", "differing"]
STEPS = one_recording().steps
UPDATES: list[dict[str, Any]] = [
    {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": 1_790_000_000,
            "chat": {"id": 42, "type": "private"},
            "from": {"id": 42, "first_name": "Ann"},
            "text": text,
        },
    }
    for number, text in enumerate(["Hello", "/start", "[bold]Привет[/] :smile:"], 1)
]


class Ran(NamedTuple):
    """What a command did; `told` is the one line of its errors, where there is one."""

    code: int
    out: str
    errors: str

    @property
    def told(self) -> str:
        (line,) = self.errors.splitlines()
        return line


async def run(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> Ran:
    process = await asyncio.create_subprocess_exec(
        KOTODOM,
        *map(str, arguments),
        env={"PATH": os.environ["PATH"], **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(stdin), 60)
    assert process.returncode is not None
    assert b"Traceback" not in errors, errors.decode()
    assert b"\x1b" not in out + errors, "a pipe has no colours"
    return Ran(process.returncode, out.decode(), errors.decode())


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def recording(*steps: StoredStep) -> bytes:
    """The lines as `kotodom record` writes them."""
    return b"".join(
        msgspec.json.encode(
            {"key": step.key, "seq": step.seq, "at": step.at, "id": step.id}
            | ({"from": msgspec.Raw(step.from_state.encode())} if step.from_state else {})
            | {"event": msgspec.Raw(step.event.encode())}
            | {"effects": msgspec.Raw(step.effects.encode()), "state": step.state}
        )
        + b"\n"
        for step in steps
    )


def differing(content: bytes) -> int:
    replayed = Replay()
    assert len(list(replay(content.splitlines(keepends=True), replayed))) == replayed.steps
    return replayed.differing


GOOD = recording(*STEPS)


READER_LEFT = 141
"""128 and SIGPIPE: not 1, which says that something differs."""


def first_of(command: str, *arguments: str | Path, **environment: str) -> tuple[int, bytes, bytes]:
    """A command whose reader leaves after ten bytes: its exit code, these, and its errors.

    Not `| head`: a shell tells the exit code of the last command, which hides this one's.
    """
    with subprocess.Popen(
        [KOTODOM, command, *arguments],
        bufsize=0,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()
        return process.wait(30), first, errors
