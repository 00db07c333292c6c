"""What `kotodom record` does: the journal's steps into a file, one JSON line each (DESIGN §9)."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

from adapters.json_files import whole
from adapters.postgres_journal import PostgresJournal
from adapters.postgres_transactions import engine
from application.differences import printable
from application.recordings import NothingRecorded, RecordingFilter, Recordings
from domain.recording import NotARecording
from domain.redaction import Redaction
from entrypoints.parts import connected
from entrypoints.settings import Settings

_REDRAWN_EVERY = 1000
"""Steps between two movements of the bar."""


async def record(
    settings: Settings, console: Console, asked: RecordingFilter, out: Path, *, redact: bool
) -> int:
    """Write the recording; the exit code: 0, or 1 with the reason where there is none to write.

    The file is there whole or not at all; "-" is standard output. `console` shows how far it is.
    """
    redaction = Redaction(secrets.token_bytes(16)) if redact else None
    steps = 0
    async with connected(settings, "kotodom record") as ready:
        database = engine(ready.database_url or "", pool_size=1)
        recordings = Recordings(PostgresJournal(database))
        try:
            span = await recordings.span(asked)
            with whole(out) as file, _shown(console, span) as show:
                async for line in recordings.record(asked, span, redaction):
                    file.write(line.content)
                    steps += 1
                    if steps % _REDRAWN_EVERY == 0:
                        show(line.seq)
        except (NotARecording, NothingRecorded) as error:
            return _refuse(console, str(error))
        except BrokenPipeError:
            raise  # whoever reads has seen enough
        except OSError as error:
            return _refuse(console, f"{out}: {error.strerror}")
        finally:
            await database.dispose()
    console.print(f"{steps:,} steps recorded")
    return 0


def _refuse(console: Console, reason: str) -> int:
    told = f"kotodom record: {printable(reason)}"
    console.print(told, style="bold red", markup=False, emoji=False, soft_wrap=True)
    return 1


@contextmanager
def _shown(console: Console, span: tuple[int, int]) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere; it is moved by the seq of the step just written."""
    first, last = span
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=last - first + 1)
        yield lambda seq: bar.update(task, completed=seq - first + 1)
