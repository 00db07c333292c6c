"""Files that are written whole or not at all.

Triggered by `kotodom record`, `kotodom replay --write` and `kotodom backup`. What is written has
errors of its own, so that a full disk is never blamed on the file that is read.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from adapters.json_files import STANDARD

STANDARD_OUTPUT = "standard output"
_BUFFER = 1024 * 1024
"""Bytes that are written at once."""


class UnwritableFile(Exception):  # noqa: N818 - named by what the file is
    """What is written cannot be kept; the text names the file and the reason."""


@contextmanager
def written(name: object) -> Iterator[None]:
    """For as long as the file of this name is written to. Raises UnwritableFile.

    A BrokenPipeError stays one: whoever reads has seen enough.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UnwritableFile(f"{name}: {error.strerror}") from None


class Output:
    """A file that is written to."""

    def __init__(self, file: BinaryIO, name: object) -> None:
        self._file = file
        self._name = name

    def write(self, content: bytes) -> None:
        """Raises UnwritableFile, BrokenPipeError."""
        with written(self._name):
            self._file.write(content)


@contextmanager
def whole(path: Path) -> Iterator[Output]:
    """A file to write to, which takes its name at the end; gone where that is not reached.

    What is there and no file (/dev/null, a pipe) is written to as it is. Raises UnwritableFile,
    BrokenPipeError; what the file is filled from may raise what it likes.
    """
    if path == STANDARD:
        if sys.stdout is None:
            raise UnwritableFile(f"{STANDARD_OUTPUT}: it is closed")
        yield Output(sys.stdout.buffer, STANDARD_OUTPUT)
        with written(STANDARD_OUTPUT):
            sys.stdout.buffer.flush()
        return
    with written(path):
        is_special = path.exists() and not path.is_file()
        fresh = path if is_special else path.with_name(f".{path.name}.part")
        file = fresh.open("wb", buffering=_BUFFER)
    try:
        yield Output(file, path)
        with written(path):
            file.close()
            if not is_special:
                fresh.replace(path)
    finally:
        with suppress(OSError):
            file.close()
        if not is_special:
            fresh.unlink(missing_ok=True)


@contextmanager
def new_private(path: Path) -> Iterator[Path]:
    """A new file for a program to write, which nobody else may read; gone where that fails.

    It is PATH.part, and PATH once it is whole and on the disk. Raises UnwritableFile, where there
    is a file of that name as well.
    """
    if path.is_dir():
        raise UnwritableFile(f"{path} is a folder: name a file in it")
    part = path.with_name(f"{path.name}.part")
    with written(path):
        # One that a killed process left is written anew; a link of somebody else's is not followed.
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _hold(file, part)
        try:
            if os.path.lexists(path):
                raise UnwritableFile(f"{path} is there already: it is not written over")
            with written(path):
                os.fchmod(file, 0o600)
                os.truncate(file, 0)
            yield part
            with written(path):
                os.fsync(file)
                part.replace(path)
                sync_folder(path.parent)
        finally:
            part.unlink(missing_ok=True)
    finally:
        os.close(file)


def _hold(file: int, part: Path) -> None:
    """Keep others from writing to it as long as it is open. Raises UnwritableFile."""
    with written(part):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnwritableFile(f"{part} is being written by another process") from None


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
