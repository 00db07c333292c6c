"""Counters in Prometheus' text format (fulfils application.meter.Meter); GET /metrics shows them.

Several processes of one machine are counted together where PROMETHEUS_MULTIPROC_DIR names a folder
that they share, as prometheus_client's "Multiprocess Mode" says; `kotodom run` sets it.
"""

import os

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from application.meter import Counted

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"

_COUNTERS = {what: Counter(f"kotodom_{what.name.lower()}", what.value) for what in Counted}
_CIRCUITS = Gauge(
    "kotodom_model_circuit_open",
    "1 while a model server is held to be down, by the worker that found out last",
    ["server"],
    multiprocess_mode="livemostrecent",
)


class PrometheusMeter:
    """The counters of this process; they are prometheus_client's, which has one set a process."""

    def add(self, what: Counted, amount: int = 1) -> None:
        _COUNTERS[what].inc(amount)

    def model_circuit(self, server: str, *, is_open: bool) -> None:
        _CIRCUITS.labels(server).set(int(is_open))


def exposition() -> bytes:
    """What GET /metrics answers: of all processes that count together, else of this one."""
    if MULTIPROCESS not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)


def forget_process(pid: int, folder: str) -> None:
    """A process of the folder died: what it held to be so now is so no more; its counts stay."""
    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
