"""A pytest plugin: each `*.jsonl` in a folder named `recordings`, or below one, is a test.

It passes where the recording replays the same (DESIGN §9). pytest finds the plugin by the entry
point in pyproject.toml, so it works in a tester's own repository as well.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.json_files import UnreadableFile, lines, opened
from application.differences import told
from application.recordings import replay
from domain.recording import NotARecording
from domain.replay import Replay

FOLDER = "recordings"
SHOWN = 5
"""Differences of one recording."""


class RecordingDiffersError(Exception):
    """The text is the differences, as a person wants to see them."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Called by pytest for every file."""
    if file_path.suffix == ".jsonl" and _is_recording(file_path.parent, parent.config.rootpath):
        return RecordingFile.from_parent(parent, path=file_path)
    return None


def _is_recording(folder: Path, root: Path) -> bool:
    """How the folders above the checkout are named is not the tester's doing."""
    within = folder.relative_to(root).parts if folder.is_relative_to(root) else ()
    return FOLDER in (folder.name, *within)


class RecordingFile(pytest.File):
    """A recording."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its one test."""
        yield RecordingTest.from_parent(self, name="replay")


class RecordingTest(pytest.Item):
    """The replay of a recording."""

    def runtest(self) -> None:
        """Raises RecordingDiffersError, NotARecording, UnreadableFile."""
        replayed = Replay()
        shown: list[str] = []
        with opened(self.path) as content:
            for difference in replay(lines(content), replayed):
                if difference is not None and replayed.differing <= SHOWN:
                    shown += told(difference)
        if replayed.differing:
            count = f"{replayed.differing} of {replayed.steps} steps differ"
            raise RecordingDiffersError("\n".join([count, *shown]))

    def repr_failure(  # type: ignore[override]
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> str | object:
        """What is wrong with the recording; where our code stood is of no use."""
        if isinstance(excinfo.value, RecordingDiffersError | NotARecording | UnreadableFile):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """How pytest names it."""
        return self.path, None, f"{self.path.name}: replay"
