"""How a side of a replay is asked: a process that makes a pass by its name, and tells its seconds.

Run by tests/bench/measure_replay.py, which connects to the port that a side prints. The standard
library and nothing else, for aiogram's environment reads this as well.
"""

import gc
import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from time import process_time
from typing import Any


def updates_of(path: Path) -> list[bytes]:
    """The updates of a file of JSON lines."""
    return path.read_bytes().splitlines()


def timed(run: Callable[[], object]) -> float:
    """The seconds of CPU that it takes.

    Neither side waits for anything, so on a machine with nothing else to do these are the clock's.
    What was there before is no work of the garbage collector's.
    """
    gc.collect()
    gc.freeze()
    began = process_time()
    run()
    seconds = process_time() - began
    gc.unfreeze()
    return seconds


def serve(passes: Mapping[str, Callable[[], Any]]) -> None:
    """Print a free port, and make each pass that the one who connects there names in a line.

    Its value is answered as a line of JSON.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        connection, _ = server.accept()
    with connection, connection.makefile("rw", encoding="utf-8") as talk:
        for name in talk:
            talk.write(json.dumps(passes[name.strip()]()) + "\n")
            talk.flush()
