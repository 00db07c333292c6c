"""What `kotodom replay` does: a recording, or bare updates, through the pure handlers (DESIGN §9).

Exit codes: 0 the same, 1 something differs, 2 a file is not what it should be, or cannot be
written. A reader that left early is a BrokenPipeError, which is the command line's to handle.
"""

import os
import re
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter

import msgspec
from msgspec import Struct
from rich.console import Console

from adapters.json_files import (
    STANDARD,
    ForeignFile,
    UnreadableFile,
    beginning,
    lines,
    opened,
    values,
)
from adapters.whole_files import STANDARD_OUTPUT, UnwritableFile, whole, written
from application.differences import printable, told, told_golden
from application.recordings import replay
from application.rehearsals import Answer, NotGolden, compare, encode_answer, rehearse
from domain.recording import NotARecording
from domain.rehearsal import Rehearsal
from domain.replay import Replay
from domain.script import NotAScript, Rule, decode_script
from domain.telegram import NotAnUpdate

SAME, DIFFERS, REFUSED = 0, 1, 2
SHOWN = 20
"""Differences told in full; the rest is counted."""

BARE_UPDATES = "bare updates are replayed with --updates"
RECORDING = "it looks like a recording: replay it without --updates"
FORMS = "give one update a line, an array of them, or getUpdates' answer"

_NAMES = re.compile(rb'"(\w+)"\s*:')


class Summary(Struct):
    """What --json prints. `events`: the recording's, or the updates; `seconds`: with reading."""

    steps: int = 0
    events: int = 0
    effects: int = 0
    seconds: float = 0.0
    differing: int = 0


class Unusable(ValueError):  # noqa: N818 - the text says what of
    """The options do not go together, or a file beside the replayed one cannot be used."""


class Replayer:
    """One call of the command: differences and effects go to `out`, all else to `errors`."""

    def __init__(self, out: Console, errors: Console, *, as_json: bool) -> None:
        self._out = out
        self._errors = errors
        self._as_json = as_json
        self._summary = Summary()
        self._unreadable = 0
        self._waiting = 0
        self._bare = False
        self._beginning = b""

    def recording(self, file: Path) -> int:
        """Compare a recording with what the handlers do today; the exit code."""
        return self._run(file, self._replayed(file))

    def updates(self, file: Path, golden: Path | None, script: Path | None, *, write: bool) -> int:
        """Play bare updates: print their effects, or keep or compare them; the exit code."""
        self._bare = True
        if golden is None:
            return self._run(file, self._printed(file, script, write=write))
        if write:
            return self._run(file, self._kept(file, golden, script))
        return self._run(file, self._compared(file, golden, script))

    def _run(self, file: Path, work: Iterator[Iterable[str]]) -> int:
        """Do the work; what it yields are differences."""
        began = perf_counter()
        summary = self._summary
        try:
            for difference in work:
                summary.differing += 1
                if summary.differing <= SHOWN:
                    self._show(difference)
            summary.seconds = round(perf_counter() - began, 6)
            self._tell(summary)
        except BrokenPipeError:
            raise  # whoever reads has seen enough
        except OSError as error:
            return self._refuse(f"{error.filename or file}: {error.strerror}")
        except (NotARecording, NotAnUpdate, UnreadableFile) as error:
            return self._refuse(f"{file}: {error}{self._hint(error)}")
        except (Unusable, UnwritableFile) as error:
            return self._refuse(str(error))
        return DIFFERS if summary.differing else SAME

    def _hint(self, error: ValueError) -> str:
        """What the person may have meant instead."""
        if isinstance(error, ForeignFile) or not self._beginning.strip():
            return ""
        names = _names(self._beginning)
        is_recording = {"key", "event"} <= names
        if self._bare:
            return f" ({RECORDING if is_recording else FORMS})"
        is_array = self._beginning.removeprefix(BOM_UTF8).lstrip().startswith(b"[")
        has_updates = is_array or not names.isdisjoint({"update_id", "result"})
        untouched = not self._summary.steps and not is_recording
        return f" ({BARE_UPDATES})" if has_updates and untouched else ""

    def _replayed(self, file: Path) -> Iterator[Iterable[str]]:
        replayed, summary = Replay(), self._summary
        with opened(file) as content:
            self._beginning = beginning(content)
            for difference in replay(lines(content), replayed):
                summary.steps = summary.events = replayed.steps
                if difference is not None:
                    yield told(difference)
        summary.effects = replayed.effects

    def _printed(self, file: Path, script: Path | None, *, write: bool) -> Iterator[Iterable[str]]:
        if write:
            raise Unusable("--write keeps the effects in the file that --golden names: name one")
        for answer in self._answers(file, script):
            if not self._as_json:
                self._write(encode_answer(answer).decode())
            if answer.bug is not None:
                yield _bug(answer)

    def _kept(self, file: Path, golden: Path, script: Path | None) -> Iterator[Iterable[str]]:
        for option, read in (("the updates", file), ("--failures", script)):
            if read is not None and _is_same(read, golden):
                raise Unusable(f"{golden}: --write would replace {option}: name another --golden")
        with whole(golden) as kept:
            for answer in self._answers(file, script):
                kept.write(encode_answer(answer))
                if answer.bug is not None:
                    yield _bug(answer)

    def _compared(self, file: Path, golden: Path, script: Path | None) -> Iterator[Iterable[str]]:
        if not golden.exists():
            raise Unusable(f"{golden}: there is no such file yet; --write makes it")
        try:
            for difference in compare(self._answers(file, script), _lines(golden)):
                if difference is not None:
                    yield told_golden(difference)
        except NotGolden as error:
            raise Unusable(f"{golden}: {error}") from None

    def _answers(self, file: Path, script: Path | None) -> Iterator[Answer]:
        """Every update's answer, counted."""
        rehearsal, summary = Rehearsal(_rules(script)), self._summary
        with opened(file) as content:
            self._beginning = beginning(content)
            for answer in rehearse(values(content), rehearsal):
                summary.events += 1
                summary.effects += len(answer.effects)
                self._unreadable += answer.unreadable is not None
                self._waiting += answer.waiting
                yield answer
        summary.steps = rehearsal.steps
        if not summary.events:
            raise ForeignFile("it holds no updates")
        for number in rehearsal.unmatched:
            self._errors.print(f"{script}: rule {number} was about no effect", style="yellow")

    def _tell(self, summary: Summary) -> None:
        if self._as_json:
            self._write(msgspec.json.encode(summary).decode() + "\n")
        with written(STANDARD_OUTPUT):
            self._out.file.flush()
        if self._as_json:
            return
        if summary.differing > SHOWN:
            self._errors.print(f"… and {summary.differing - SHOWN:,} more")
        counted = f"{summary.steps:,} steps, {summary.effects:,} effects in {summary.seconds:.2f} s"
        verdict = f"{summary.differing:,} differ" if summary.differing else "as it should be"
        left = [
            f"{self._unreadable:,} unreadable" if self._unreadable else "",
            f"{self._waiting:,} waiting for a disabled bot" if self._waiting else "",
        ]
        aside = ", ".join(filter(None, left))
        style = "bold red" if summary.differing else "yellow" if aside else "green"
        aside = f" (of {summary.events:,} updates, {aside})" if aside else ""
        self._errors.print(f"{counted}: {verdict}{aside}", style=style, soft_wrap=True)

    def _write(self, text: str) -> None:
        """Past rich: this is for programs as well."""
        with written(STANDARD_OUTPUT):
            self._out.file.write(text)

    def _show(self, difference: Iterable[str]) -> None:
        """Coloured on a terminal, plain in a pipe."""
        if self._as_json:
            return
        for line in difference:
            style = {"-": "red", "+": "green"}.get(line[:1])
            with written(STANDARD_OUTPUT):
                self._out.print(line, style=style, markup=False, emoji=False, soft_wrap=True)

    def _refuse(self, reason: str) -> int:
        told = f"kotodom replay: {printable(reason)}"
        self._errors.print(told, style="bold red", markup=False, emoji=False, soft_wrap=True)
        return REFUSED


def _rules(script: Path | None) -> tuple[Rule, ...]:
    if script is None:
        return ()
    with opened(script) as content:
        try:
            return decode_script(content.read().removeprefix(BOM_UTF8))
        except NotAScript as error:
            raise Unusable(f"{script}: {error}") from None


def _lines(golden: Path) -> Iterator[bytes]:
    """The kept answers. Raises Unusable where the file cannot be read."""
    try:
        with opened(golden) as kept:
            yield from lines(kept)
    except OSError as error:
        raise Unusable(f"{golden}: {error.strerror}") from None
    except UnreadableFile as error:
        raise Unusable(f"{golden}: {error}") from None


def _is_same(read: Path, written_to: Path) -> bool:
    """Whether to write the one is to lose the other: a file, under whatever name."""
    if not written_to.is_file():
        return False
    try:
        found = os.fstat(sys.stdin.fileno()) if read == STANDARD else read.stat()
    except (OSError, AttributeError):  # it cannot be read at all, which is said later
        return False
    return os.path.samestat(found, written_to.stat())


def _names(beginning: bytes) -> set[str]:
    """The names in a file's first value; where it is no whole line: all that it begins with."""
    first = beginning.removeprefix(BOM_UTF8).lstrip().split(b"\n", 1)[0]
    try:
        return set(msgspec.json.decode(first, type=dict[str, msgspec.Raw]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {name.decode() for name in _NAMES.findall(beginning)}


def _bug(answer: Answer) -> Iterator[str]:
    yield f"update {answer.update_id}: the handler raised {printable(answer.bug or '')}"
