"""What `kotodom record` does: the journal's steps into a file, one JSON line each (DESIGN §9).

Exit codes: 0 written, 1 there is nothing to write, 2 it cannot be asked for or written so.
"""

import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

from adapters.postgres_journal import PostgresJournal
from adapters.postgres_transactions import engine
from adapters.whole_files import UnwritableFile, whole
from application.differences import printable
from application.recordings import (
    Journal,
    NothingRecorded,
    RecordingFilter,
    Recordings,
    StoredStep,
)
from domain.recording import NotARecording
from domain.redaction import Redaction
from entrypoints.parts import database_to_read
from entrypoints.settings import Settings

WRITTEN, NOTHING, REFUSED = 0, 1, 2

_CHAT = re.compile(r"([1-9][0-9]*):-?[1-9][0-9]*(:[1-9][0-9]*)?")
_LOOKED_AT = 20_000
"""Seqs of the journal that are looked at between two movements of the bar, at most."""


async def record(
    settings: Settings, console: Console, asked: RecordingFilter, out: Path, *, redact: bool
) -> int:
    """Write the recording; the exit code, with the reason where there is none.

    The file is there whole or not at all; "-" is standard output. `console` shows how far it is.
    """
    if trouble := _senseless(asked):
        return _refuse(console, trouble, REFUSED)
    redaction = Redaction(secrets.token_bytes(16)) if redact else None
    steps = 0
    async with database_to_read(settings, "kotodom record") as address:
        database = engine(address, pool_size=1)
        journal = PostgresJournal(database)
        try:
            span = await journal.span(asked)
            with whole(out) as file, _shown(console, span) as show:
                recordings = Recordings(Watched(journal, show))
                async for line in recordings.record(asked, span, redaction):
                    file.write(line.content)
                    steps += 1
        except NothingRecorded:
            return _refuse(console, _nothing(asked), NOTHING)
        except (NotARecording, UnwritableFile) as error:
            return _refuse(console, str(error), REFUSED)
        finally:
            await database.dispose()
    console.print(f"{steps:,} steps recorded")
    return WRITTEN


class Watched:
    """The journal, a stretch at a time: the bar moves while nothing is found as well."""

    def __init__(self, journal: Journal, show: Callable[[int], None]) -> None:
        self._journal = journal
        self._show = show
        self.span = journal.span
        self.turn = journal.turn

    async def steps(
        self, asked: RecordingFilter, first: int, last: int
    ) -> AsyncIterator[Sequence[StoredStep]]:
        while first <= last:
            end = min(first + _LOOKED_AT - 1, last)
            async for found in self._journal.steps(asked, first, end):
                yield found
                self._show(found[-1].seq)
            self._show(end)
            first = end + 1


def _senseless(asked: RecordingFilter) -> str | None:
    if asked.chat is None:
        return None
    form = _CHAT.fullmatch(asked.chat)
    if form is None:
        return f"--chat {asked.chat}: give BOT:CHAT or BOT:CHAT:TOPIC, as in 3:42 or 3:-100123:7"
    if asked.bot_id is not None and str(asked.bot_id) != form[1]:
        return f"--bot {asked.bot_id} and --chat {asked.chat} are about two bots: give one of them"
    return None


def _nothing(asked: RecordingFilter) -> str:
    """What was looked for, and not found."""
    who = "the journal"
    if asked.chat is not None:
        who = f"chat {asked.chat}"
    elif asked.bot_id is not None:
        who = f"bot {asked.bot_id}"
    since = f" since {asked.since:%Y-%m-%dT%H:%M:%SZ}" if asked.since is not None else ""
    return f"{who} has no kept turn{since}; one whose beginning is pruned by now is left out"


def _refuse(console: Console, reason: str, code: int) -> int:
    told = f"kotodom record: {printable(reason)}"
    console.print(told, style="bold red", markup=False, emoji=False, soft_wrap=True)
    return code


@contextmanager
def _shown(console: Console, span: tuple[int, int]) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere; it is moved by the seq that was looked at."""
    first, last = span
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=last - first + 1)
        yield lambda seq: bar.update(task, completed=seq - first + 1)
