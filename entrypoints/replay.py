"""What `kotodom replay` does: a recording, or bare updates, through the pure handlers (DESIGN §9).

Exit codes: 0 the same, 1 something differs, 2 a file is not what it should be.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter

import msgspec
from msgspec import Struct
from rich.console import Console

from adapters.json_files import UnreadableFile, lines, opened, values, whole
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

    def recording(self, file: Path) -> int:
        """Compare a recording with what the handlers do today; the exit code."""
        return self._run(file, self._replayed(file))

    def updates(self, file: Path, golden: Path | None, script: Path | None, *, write: bool) -> int:
        """Play bare updates: print their effects, or keep or compare them; the exit code."""
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
        except BrokenPipeError:
            raise  # whoever reads has seen enough
        except OSError as error:
            return self._refuse(f"{error.filename or file}: {error.strerror}")
        except NotARecording as error:
            hint = " (bare updates are replayed with --updates)" if not summary.steps else ""
            return self._refuse(f"{file}: {error}{hint}")
        except (NotAnUpdate, UnreadableFile) as error:
            return self._refuse(f"{file}: {error}")
        except Unusable as error:
            return self._refuse(str(error))
        summary.seconds = round(perf_counter() - began, 6)
        self._tell(summary)
        return DIFFERS if summary.differing else SAME

    def _replayed(self, file: Path) -> Iterator[Iterable[str]]:
        replayed, summary = Replay(), self._summary
        with opened(file) as content:
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
                # Past rich: these lines are for programs as well.
                self._out.file.write(encode_answer(answer).decode())
            if answer.bug is not None:
                yield _bug(answer)

    def _kept(self, file: Path, golden: Path, script: Path | None) -> Iterator[Iterable[str]]:
        with whole(golden) as kept:
            for answer in self._answers(file, script):
                kept.write(encode_answer(answer))
                if answer.bug is not None:
                    yield _bug(answer)

    def _compared(self, file: Path, golden: Path, script: Path | None) -> Iterator[Iterable[str]]:
        if not golden.exists():
            raise Unusable(f"{golden}: there is no such file yet; --write makes it")
        with opened(golden) as kept:
            try:
                for difference in compare(self._answers(file, script), lines(kept)):
                    if difference is not None:
                        yield told_golden(difference)
            except NotGolden as error:
                raise Unusable(f"{golden}: {error}") from None

    def _answers(self, file: Path, script: Path | None) -> Iterator[Answer]:
        """Every update's answer, counted."""
        rehearsal, summary = Rehearsal(_rules(script)), self._summary
        with opened(file) as content:
            for answer in rehearse(values(content), rehearsal):
                summary.events += 1
                summary.effects += len(answer.effects)
                yield answer
        summary.steps = rehearsal.steps
        if not summary.events:
            raise NotAnUpdate("it holds no updates")
        for number in rehearsal.unmatched:
            self._errors.print(f"{script}: rule {number} was about no effect", style="yellow")

    def _tell(self, summary: Summary) -> None:
        if self._as_json:
            self._out.file.write(msgspec.json.encode(summary).decode() + "\n")
            return
        if summary.differing > SHOWN:
            self._errors.print(f"… and {summary.differing - SHOWN:,} more")
        counted = f"{summary.steps:,} steps, {summary.effects:,} effects in {summary.seconds:.2f} s"
        verdict = f"{summary.differing:,} differ" if summary.differing else "as it should be"
        style = "bold red" if summary.differing else "green"
        self._errors.print(f"{counted}: {verdict}", style=style)

    def _show(self, difference: Iterable[str]) -> None:
        """Coloured on a terminal, plain in a pipe."""
        if self._as_json:
            return
        for line in difference:
            style = {"-": "red", "+": "green"}.get(line[:1])
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
            return decode_script(content.read())
        except NotAScript as error:
            raise Unusable(f"{script}: {error}") from None


def _bug(answer: Answer) -> Iterator[str]:
    yield f"update {answer.update_id}: the handler raised {printable(answer.bug or '')}"
