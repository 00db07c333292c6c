"""DATA_DIR: the one folder where a system without DATABASE_URL and REDIS_URL keeps itself.

    DATA_DIR/           0700
        lock            held by the process whose servers run here; "PID COMMAND" inside
        secret_key      0600, made on first use; without it stored tokens cannot be decrypted.
                        Several, by commas, while `kotodom rotate-secrets` is under way
        postgres/       PGDATA                 valkey/         Valkey's append-only file
        run/            the servers' sockets   postgres.log, valkey.log

`DataDirectory.open` makes it private; `lock` keeps a second system out. What root makes here
belongs to DATA_DIR's owner, so one `sudo make run` does not shut a user out of their own data.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.child_process import ServiceUser, find_service_user
from adapters.whole_files import sync_folder

# sun_path holds 108 bytes with its ending zero on Linux, 104 on macOS.
_SOCKET_PATH_BYTES = 103
_LONGEST_SOCKET_NAME = ".s.PGSQL.5432"
# Not tempfile's choice: that follows TMPDIR, and two commands must find the same sockets.
_SYSTEM_TEMP = Path("/tmp")  # noqa: S108  a private folder is made in it, and its owner checked
_LOG_BYTES = 4 * 1024 * 1024


class DataDirectoryError(Exception):
    """DATA_DIR cannot be used; the text is one line that says why and what to do."""


class DataDirectoryInUseError(DataDirectoryError):
    """Another process holds DATA_DIR. `command` is what it runs ("" while it is still starting)."""

    def __init__(self, given: Path, pid: str, command: str) -> None:
        by = f"`{command}` (pid {pid})" if command else "another command"
        super().__init__(
            f"DATA_DIR {given} is in use by {by}; stop it first, or set another DATA_DIR."
        )
        self.command = command


@dataclass(frozen=True)
class DataDirectory:
    """An open DATA_DIR: `given` as the user wrote it, `path` absolute and without symlinks."""

    given: Path
    path: Path
    owner_uid: int
    owner_gid: int

    @classmethod
    def open(cls, given: Path) -> "DataDirectory":
        """Make DATA_DIR, or check and close to others the one that is there.

        Raises DataDirectoryError where it belongs to another user, cannot be made, or is a
        folder with other things in it (whose mode is not ours to change).
        """
        try:
            path = given.expanduser().resolve()
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = path.stat()
            if os.geteuid() not in (0, found.st_uid):
                raise DataDirectoryError(
                    f"DATA_DIR {given} belongs to another user (uid {found.st_uid}); "
                    "run as that user, or set another DATA_DIR."
                )
            if stat.S_IMODE(found.st_mode) & 0o077:
                names = {entry.name for entry in path.iterdir()} - {"lost+found"}
                if names and "lock" not in names:
                    raise DataDirectoryError(
                        f"DATA_DIR {given} has other files in it and others may read it; "
                        "name a folder of its own."
                    )
                path.chmod(0o700)
        except OSError as error:
            raise DataDirectoryError(
                f"DATA_DIR {given} cannot be used ({error.strerror}); set another DATA_DIR."
            ) from error
        return cls(given, path, found.st_uid, found.st_gid)

    def service_user(self) -> ServiceUser | None:
        """As which user the servers of this DATA_DIR run; None is our own (find_service_user)."""
        return find_service_user(self.owner_uid)

    def service_folder(self, path: Path) -> Path:
        """Make this folder, 0700, for the servers' user; only root's is given away."""
        path.mkdir(mode=0o700, exist_ok=True)
        if (user := self.service_user()) and path.stat().st_uid == 0:
            os.chown(path, user.uid, user.gid)
        return path

    @property
    def sockets(self) -> Path:
        """Where the servers listen: run/, or below /tmp where its path is too long for a socket.

        Nor may it have a comma: to libpq and asyncpg a host with one is a list of hosts.
        """
        run = self.path / "run"
        fits = len(os.fsencode(run / _LONGEST_SOCKET_NAME)) <= _SOCKET_PATH_BYTES
        if fits and "," not in str(run):
            return run
        return _SYSTEM_TEMP / self.mark / "run"

    @property
    def mark(self) -> str:
        """A name that no other DATA_DIR of this machine has, for folders and process lists."""
        return "kotodom-" + hashlib.blake2b(os.fsencode(self.path), digest_size=8).hexdigest()

    def make_sockets(self) -> Path:
        """Make the sockets' folder, reachable by the owner of DATA_DIR (and root) alone.

        Raises DataDirectoryError where somebody else made a folder of that name in /tmp.
        """
        run = self.sockets
        if run.parent != self.path:
            with contextlib.suppress(FileExistsError):
                run.parent.mkdir(mode=0o700)
                self._give_to_owner(run.parent)
            found = run.parent.lstat()
            ours = found.st_uid in (os.geteuid(), self.owner_uid)
            if not (stat.S_ISDIR(found.st_mode) and ours) or found.st_mode & 0o077:
                raise DataDirectoryError(
                    f"{run.parent} is not a private folder of ours; remove it, or set a DATA_DIR "
                    "with a shorter path."
                )
        return self.service_folder(run)

    def log_path(self, server: str) -> Path:
        return self.path / f"{server}.log"

    def make_log(self, server: str) -> None:
        """Make a server's log, 0600; one that grew beyond 4 MiB starts anew, the old one as .1."""
        path = self.log_path(server)
        if path.exists() and path.stat().st_size > _LOG_BYTES:
            path.rename(path.with_suffix(".log.1"))
        path.touch(mode=0o600)
        self._give_to_owner(path)

    def has_secret_key(self) -> bool:
        """Whether `secret_key` would find one, and make none."""
        return self._secret_key_path.exists()

    def secret_key(self) -> str:
        """The key that encrypts and signs here; made, and on the disk, on first use.

        Raises DataDirectoryError where its file is empty.
        """
        path = self._secret_key_path
        if not path.exists():
            draft = self._secret_key_draft(_new_key())
            with contextlib.suppress(FileExistsError):  # another command was first: its key counts
                path.hardlink_to(draft)
            draft.unlink()
            self.sync()
        path.chmod(0o600)
        key = path.read_text().strip()
        if not key:
            raise DataDirectoryError(
                f"{self.given / 'secret_key'} is empty; put the key back, or remove the file to "
                "have a new one made (what the old one encrypted is then lost)."
            )
        return key

    def put_new_key_first(self) -> str:
        """Make a new key and put it before those that are there; all of them.

        The file is replaced as a whole: at any moment it holds the former keys or all.
        """
        return self._write_keys(f"{_new_key()},{self.secret_key()}")

    def keep_newest_key(self) -> str:
        """Forget all keys but the first."""
        return self._write_keys(self.secret_key().partition(",")[0])

    @property
    def _secret_key_path(self) -> Path:
        return self.path / "secret_key"

    def _write_keys(self, keys: str) -> str:
        self._secret_key_draft(keys).replace(self._secret_key_path)
        self.sync()
        return keys

    def _secret_key_draft(self, keys: str) -> Path:
        """The keys in a file beside, on the disk."""
        draft = self.path / f"secret_key.{os.getpid()}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(keys + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._give_to_owner(draft)
        return draft

    @contextlib.contextmanager
    def lock(self, command: str) -> Iterator[None]:
        """Hold DATA_DIR for this process; the kernel lets go of it when the process dies.

        command names us to whoever is refused, e.g. "kotodom run".
        Raises DataDirectoryInUseError where another process holds it.
        """
        path = self.path / "lock"
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._in_use() from None
            self._give_to_owner(path)
            path.chmod(0o600)
            file.truncate(0)
            file.write(f"{os.getpid()} {command}\n")
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    def sync(self) -> None:
        """Bring the names in DATA_DIR to the disk: what was made or renamed stays so."""
        sync_folder(self.path)

    def _in_use(self) -> DataDirectoryInUseError:
        pid, _, command = (self.path / "lock").read_text().strip().partition(" ")
        return DataDirectoryInUseError(self.given, pid, command)

    def _give_to_owner(self, path: Path) -> None:
        if os.geteuid() == 0 and self.owner_uid != 0:
            os.chown(path, self.owner_uid, self.owner_gid)


def _new_key() -> str:
    return secrets.token_urlsafe(48)
