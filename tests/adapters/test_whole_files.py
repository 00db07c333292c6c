"""Files that are written whole or not at all; what goes wrong names the file that is written."""

import re
from pathlib import Path

import pytest

from adapters.whole_files import UnwritableFile, new_private, whole, written


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old")
    with whole(path) as file:
        file.write(b"new\n")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("was", [None, b"old"])
def test_a_file_that_is_not_finished_leaves_nothing(was: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    if was is not None:
        path.write_bytes(was)
    with pytest.raises(KeyError), whole(path) as file:
        file.write(b"new")
        raise KeyError
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([was] if was else [])


@pytest.mark.parametrize("where", ["none/out", "file/out", ".", "folder"])
def test_where_no_file_can_be_written(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnwritableFile, match=rf"^{re.escape(where)}: "), whole(Path(where)) as file:
        file.write(b"x")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]


def test_what_is_no_file_is_written_to_as_it_is() -> None:
    with whole(Path("/dev/null")) as file:
        file.write(b"x")
    assert Path("/dev/null").is_char_device()
    assert not Path("/dev/.null.part").exists()
    full = r"^/dev/full: No space left on device$"
    with pytest.raises(UnwritableFile, match=full), whole(Path("/dev/full")) as file:
        file.write(b"x")


def test_trouble_with_what_is_read_is_not_the_outputs(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="of the input"), whole(tmp_path / "out"):
        raise OSError("of the input")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_left_is_no_trouble_with_the_file() -> None:
    with pytest.raises(BrokenPipeError), written("out"):
        raise BrokenPipeError


def test_a_private_file_is_new_whole_and_ones_own(tmp_path: Path) -> None:
    path, part = tmp_path / "x", tmp_path / "x.part"
    part.write_bytes(b"left by a killed process, and longer")
    with new_private(path) as fresh:
        assert fresh == part and part.read_bytes() == b""
        part.write_bytes(b"new")
        with pytest.raises(UnwritableFile, match="being written by another"), new_private(path):
            raise AssertionError
        assert part.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(UnwritableFile, match="is not written over"), new_private(path):
        raise AssertionError
    (tmp_path / "y.part").symlink_to(path)
    with pytest.raises(UnwritableFile, match=r"y: "), new_private(tmp_path / "y"):
        raise AssertionError
    assert path.read_bytes() == b"new"
