"""Updates a second of pure replay, beside aiogram's `Dispatcher.feed_update` with an equal handler.

DESIGN §10: ten times as many, or more. Both sides are given the same file of updates
(update_mix.py) and run in a process of their own, in turn; what each does stands in
replay_kotodom.py and replay_aiogram.py. First both tell all that they say, and that has to be the
same. Then it is measured from JSON to the end, and again with updates that are decoded already. A
recording of the same updates is replayed as well: aiogram has nothing to compare that with.

A second is one of CPU, so that what else the machine does is no part of it.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from domain import texts
from domain.rehearsal import ANSWER, BOT
from domain.telegram import UNSUPPORTED_KINDS
from tests.bench.contestants import AIOGRAM_PYTHON
from tests.bench.measurement import Bench, Measurement, kept, line
from tests.bench.servers import BenchFailed, listening
from tests.bench.update_mix import update_mix

GOAL = 10
PATIENCE = 300.0
LONGEST = 64 * 1024 * 1024
PASSES = {"decoded": "from JSON", "handled": "decoded already"}
SAID = {
    "username": BOT.username,
    "answer": ANSWER,
    "words": {
        "start": texts.START,
        "help": texts.HELP,
        "refresh": texts.REFRESHED,
        "unsupported": texts.UNSUPPORTED,
    },
    "unsupported": UNSUPPORTED_KINDS,
}


class Pass(Struct):
    """Seconds for all the updates (of "recording": its steps), ours and aiogram's."""

    what: str
    count: int
    ours: float
    aiogram: float | None = None


async def replay(bench: Bench) -> list[Measurement]:
    """Both sides in turn, so many rounds."""
    updates = update_mix(bench.sizes.replayed)
    passes: list[Pass] = []
    with tempfile.TemporaryDirectory(prefix="kotodom-replay-") as folder:
        file = Path(folder) / "updates.jsonl"
        file.write_bytes(b"\n".join(updates))
        async with AsyncExitStack() as stack:
            ours = await stack.enter_async_context(_side(sys.executable, "kotodom", file))
            aiogram = None
            if AIOGRAM_PYTHON.exists():
                aiogram = await stack.enter_async_context(
                    _side(str(AIOGRAM_PYTHON), "aiogram", file, msgspec.json.encode(SAID).decode())
                )
                _compare(updates, await ours.make("said"), await aiogram.make("said"))
            for _ in range(bench.sizes.rounds):
                for what in PASSES:
                    mine = await ours.make(what)
                    theirs = await aiogram.make(what) if aiogram is not None else None
                    passes.append(Pass(what, len(updates), mine, theirs))
                passes.append(Pass("recording", *await ours.make("recording")))
    return [_measured(passes, len(updates))]


class _Side:
    """A process that makes passes."""

    def __init__(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._name = name
        self._reader = reader
        self._writer = writer

    async def make(self, what: str) -> Any:
        """Make this pass, and what it tells."""
        self._writer.write(f"{what}\n".encode())
        told = await asyncio.wait_for(self._reader.readline(), PATIENCE)
        if not told:
            raise BenchFailed(f"{self._name} broke while it replayed")
        return msgspec.json.decode(told)


@asynccontextmanager
async def _side(python: str, name: str, *arguments: Path | str) -> AsyncIterator[_Side]:
    argv = [python, "-m", f"tests.bench.replay_{name}", *map(str, arguments)]
    async with listening(argv) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LONGEST)
        try:
            yield _Side(name, reader, writer)
        finally:
            writer.close()


def _compare(updates: list[bytes], ours: list[Any], theirs: list[Any]) -> None:
    for update, mine, other in zip(updates, ours, theirs, strict=True):
        if mine != other:
            raise BenchFailed(
                f"the handlers are not equal: for {update.decode()} we say {mine}, aiogram {other}"
            )


def _measured(passes: list[Pass], count: int) -> Measurement:
    lines = []
    for what, shown in PASSES.items():
        ours = [each.count / each.ours for each in passes if each.what == what]
        lines.append(line(f"Kotodom, {shown}", ours, "updates/s", more_is_better=True))
        both = [each for each in passes if each.what == what and each.aiogram is not None]
        if both:
            theirs = [each.count / (each.aiogram or 1) for each in both]
            ratios = [(each.aiogram or 0) / each.ours for each in both]
            lines.append(line(f"aiogram, {shown}", theirs, "updates/s", more_is_better=True))
            lines.append(line(f"ratio to aiogram, {shown}", ratios, "times", at_least=GOAL))
    steps = [each.count / each.ours for each in passes if each.what == "recording"]
    lines.append(line("Kotodom, a recording", steps, "steps/s", more_is_better=True))
    return Measurement(f"replay, {count:,} updates", lines, kept(passes))
