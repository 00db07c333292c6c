"""DATA_DIR: private, held by one process at a time, and a secret that is made once."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.data_directory import DataDirectory, DataDirectoryError, DataDirectoryInUseError

_ROOT = Path(__file__).parents[2]
_HOLDER = """
import sys, time
from pathlib import Path
from adapters.data_directory import DataDirectory
with DataDirectory.open(Path(sys.argv[1])).lock("kotodom run"):
    print("held", flush=True)
    time.sleep(60)
"""


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_closed_to_others(tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir(mode=0o755)
    for given in (loose, tmp_path / "new" / ".data"):
        data = DataDirectory.open(given)
        key = data.secret_key()
        with data.lock("kotodom run"):
            data.make_sockets()
            data.make_log("postgres")
        assert _mode(given) == _mode(data.sockets) == 0o700
        assert _mode(given / "secret_key") == _mode(given / "lock") == 0o600
        assert _mode(given / "postgres.log") == 0o600
        assert len(key) >= 43
        assert sorted(path.name for path in given.iterdir()) == [
            "lock",
            "postgres.log",
            "run",
            "secret_key",
        ]


def test_the_secret_is_made_once_and_an_empty_one_is_not_taken(tmp_path: Path) -> None:
    data = DataDirectory.open(tmp_path / ".data")
    assert data.secret_key() == DataDirectory.open(tmp_path / ".data").secret_key()
    (tmp_path / ".data" / "secret_key").write_text("\n")
    with pytest.raises(DataDirectoryError, match="secret_key is empty"):
        data.secret_key()


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.odt").write_text("mine")
    with pytest.raises(DataDirectoryError, match="name a folder of its own"):
        DataDirectory.open(tmp_path)
    assert _mode(tmp_path) == 0o755


def test_a_file_in_its_place_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for given in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataDirectoryError, match=r"^DATA_DIR .* cannot be used \(.+\); set"):
            DataDirectory.open(given)


def test_a_second_holder_is_refused_until_the_first_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = DataDirectory.open(Path(".data"))
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, ".data"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DataDirectoryInUseError) as refused, data.lock("kotodom run"):
            pass
        assert str(refused.value) == (
            f"DATA_DIR .data is in use by `kotodom run` (pid {holder.pid}); "
            "stop it first, or set another DATA_DIR."
        )
    finally:
        holder.kill()
        holder.communicate()
    with data.lock("kotodom run"):
        assert (tmp_path / ".data" / "lock").read_text() == f"{os.getpid()} kotodom run\n"


@pytest.mark.parametrize("name", ["long" * 25, "a,b"])
def test_sockets_lie_elsewhere_where_no_client_could_name_them(tmp_path: Path, name: str) -> None:
    data = DataDirectory.open(tmp_path / name)
    sockets = data.make_sockets()
    try:
        assert len(str(sockets / ".s.PGSQL.5432")) < 100
        assert _mode(sockets) == _mode(sockets.parent) == 0o700
        assert DataDirectory.open(data.given).make_sockets() == sockets
        sockets.parent.chmod(0o755)
        with pytest.raises(DataDirectoryError, match="not a private folder of ours"):
            data.make_sockets()
    finally:
        sockets.rmdir()
        sockets.parent.rmdir()


def test_a_new_key_comes_first_and_the_older_ones_leave(tmp_path: Path) -> None:
    data = DataDirectory.open(tmp_path / ".data")
    old = data.secret_key()
    new, _, rest = data.put_new_key_first().partition(",")
    assert rest == old != new and len(new) >= 43
    assert data.secret_key() == f"{new},{old}"
    assert data.keep_newest_key() == data.secret_key() == new
    assert _mode(data.path / "secret_key") == 0o600
    assert [path.name for path in data.path.iterdir()] == ["secret_key"]


def test_the_keys_are_whole_whenever_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DataDirectory.open(tmp_path / ".data")
    old = data.secret_key()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for moment in ("os.fsync", "pathlib.Path.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(moment, killed)
            with pytest.raises(KeyboardInterrupt):
                data.put_new_key_first()
        assert data.secret_key() == old
