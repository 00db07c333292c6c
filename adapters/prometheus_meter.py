"""What is counted and timed, in Prometheus' text format (fulfils application.meter.Meter).

Several processes of one machine are counted together where PROMETHEUS_MULTIPROC_DIR names a folder
that they share, as prometheus_client's "Multiprocess Mode" says; `kotodom run` sets it.

A count costs about 1 µs, a histogram's 2 (with that folder), a look-up of labels as much again: so
what a message passes through has its labels looked up once. Labels are few, whatever people and
servers make up: of what they name, 100 have a place of their own, all others one together.
"""

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import lru_cache
from time import perf_counter, time
from types import TracebackType
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from prometheus_client import REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from adapters import prometheus_metrics as metrics
from application.meter import Answer, Counted, Loop, RateLimit, Stage

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
MOST_NAMES = 100
OTHERS = "other"

M = TypeVar("M", bound=MetricWrapperBase)


class _Children(Generic[M]):
    """A metric's children, looked up once. Of the names that people and servers make up, 100 have
    children of their own.
    """

    def __init__(self, metric: M) -> None:
        self._metric = metric
        self._children: dict[tuple[str, ...], M] = {}
        self._names: set[tuple[str, ...]] = set()

    def of(self, names: tuple[str, ...], *kinds: str) -> M:
        """The child by its names, and by what else its labels say, of which there is little."""
        child = self._children.get((*names, *kinds))
        if child is None:
            if len(self._names) >= MOST_NAMES and names not in self._names:
                names = (OTHERS,) * len(names)
            self._names.add(names)
            child = self._children[*names, *kinds] = self._metric.labels(*names, *kinds)
        return child


class _Timed:
    """Observes how long a block took that did not raise."""

    __slots__ = ("_began", "_seconds")

    def __init__(self, seconds: Histogram) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._seconds.observe(perf_counter() - self._began)


class _Committed(_Timed):
    """The same of a commit, with its size."""

    __slots__ = ("_size", "_sizes")

    def __init__(self, seconds: Histogram, sizes: Histogram, size: int) -> None:
        super().__init__(seconds)
        self._sizes = sizes
        self._size = size

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        if kind is None:
            self._sizes.observe(self._size)


class PrometheusMeter:
    """The metrics of this process; they are prometheus_client's, which has one set a process."""

    def __init__(self) -> None:
        self._stages = {stage: metrics.STAGES.labels(stage) for stage in Stage}
        self._commits = {loop: metrics.COMMITS.labels(loop) for loop in Loop}
        self._sizes = {loop: metrics.COMMIT_SIZES.labels(loop) for loop in Loop}
        self._turns = _Children(metrics.TURNS)
        self._webhooks = _Children(metrics.WEBHOOKS)
        self._telegram = _Children(metrics.TELEGRAM)
        self._model = _Children(metrics.MODEL)
        self._remaining = _Children(metrics.REMAINING)
        self._reset = _Children(metrics.RESET)
        self._tokens = _Children(metrics.TOKENS)
        self._price = _Children(metrics.PRICE)

    def add(self, what: Counted, amount: int = 1) -> None:
        metrics.COUNTERS[what].inc(amount)

    def took(self, stage: Stage, seconds: float) -> None:
        self._stages[stage].observe(seconds)

    def timing(self, stage: Stage) -> AbstractContextManager[None]:
        return _Timed(self._stages[stage])

    def committing(self, loop: Loop, size: int) -> AbstractContextManager[None]:
        return _Committed(self._commits[loop], self._sizes[loop], size)

    def turn(self, status: str, reason: str) -> None:
        self._turns.of((), status, reason).inc()

    def webhook(self, status: int) -> None:
        self._webhooks.of((), str(status)).inc()

    def telegram(self, method: str, answer: Answer, retry_after: float | None = None) -> None:
        self._telegram.of((), method, answer).inc()
        if retry_after is not None:
            metrics.TOLD_TO_WAIT.observe(retry_after)

    def model(self, server: str, answer: Answer) -> None:
        self._model.of((_host(server),), answer).inc()

    def model_limit(self, server: str, model: str, limit: RateLimit) -> None:
        names = (_host(server), model)
        if limit.remaining is not None:
            self._remaining.of(names, limit.of).set(limit.remaining)
        if limit.reset is not None:
            self._reset.of(names, limit.of).set(time() + limit.reset)

    def model_used(
        self, model: str, input_tokens: int | None, output_tokens: int | None, price: str | None
    ) -> None:
        self._tokens.of((model,), "input").inc(input_tokens or 0)
        self._tokens.of((model,), "output").inc(output_tokens or 0)
        if price is not None:
            self._price.of((model,)).inc(float(price))

    def model_circuit(self, server: str, *, is_open: bool) -> None:
        metrics.CIRCUITS.labels(server).set(int(is_open))


class _Read(Collector):
    """What was read for this very answer."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def exposition(read: Iterable[Metric] = ()) -> bytes:
    """What GET /metrics answers: of all processes that count together, else of this one; and what
    was read besides.
    """
    registry = CollectorRegistry()
    if MULTIPROCESS in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    registry.register(_Read(read))
    return generate_latest(registry)


def forget_process(pid: int, folder: str) -> None:
    """A process of the folder died: what it held to be so now is so no more; its counts stay."""
    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]


@lru_cache(MOST_NAMES)
def _host(server: str) -> str:
    """A base URL's host and port, without whatever else it holds."""
    return urlsplit(server).netloc.rpartition("@")[2]
