"""A process that writes no traces has nothing of them. With one: end_to_end/test_traces.py."""

import subprocess
import sys

from entrypoints.settings import load
from entrypoints.tracing import tracing

LOADED = """
import sys
import entrypoints.http.server, entrypoints.poller, entrypoints.worker
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


def test_without_a_collector_nothing_is_put_around_anything() -> None:
    assert tracing(load({}), "worker") == tracing(load({}), "api") == []


def test_without_a_collector_nothing_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
