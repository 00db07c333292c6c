"""GET /metrics, read again and again: which of its series were seen to move.

A series is written as in PromQL: `kotodom_turns_total{status="FAILED"}` is every series of that
name that has that label, whatever others it has.
"""

import asyncio
import re
import time
from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

from tests.end_to_end.system import System

_SELECTOR = re.compile(r"(\w+)(?:\{(.*)\})?")
_LABEL = re.compile(r'(\w+)="([^"]*)"')

Series = tuple[str, frozenset[tuple[str, str]]]


class MetricsWatch:
    """What the api's metrics were at the first look, and are now."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._first: dict[Series, float] | None = None
        self._moved: set[Series] = set()
        self.now: dict[Series, float] = {}
        self.families: set[str] = set()
        self.text = ""

    async def look(self) -> None:
        """Ask once."""
        async with self._system.http.get("/metrics") as answer:
            self.text = await answer.text()
            assert answer.status == 200, self.text
        self.now = {}
        for family in text_string_to_metric_families(self.text):
            self.families.add(family.name)
            for sample in family.samples:
                self.now[sample.name, frozenset(sample.labels.items())] = sample.value
        if self._first is None:
            self._first = self.now
        for series, value in self.now.items():
            if value != self._first.get(series, 0.0):
                self._moved.add(series)

    def moved(self, selector: str) -> bool:
        """Whether one of these series had another value than at the first look, or came up."""
        return any(self._chosen(selector, self._moved))

    def value(self, selector: str) -> float:
        """The sum of these series now; 0 where there is none."""
        return sum(self.now[series] for series in self._chosen(selector, self.now))

    async def until(self, selectors: Iterable[str], seconds: float = 30) -> None:
        """Look until all of these moved. Raises AssertionError, naming the ones that did not."""
        waiting = set(selectors)
        ends = time.monotonic() + seconds
        while True:
            await self.look()
            waiting = {selector for selector in waiting if not self.moved(selector)}
            if not waiting:
                return
            assert time.monotonic() < ends, f"not seen to move: {sorted(waiting)}"
            await asyncio.sleep(0.1)

    async def until_is(self, selector: str, value: float, seconds: float = 30) -> None:
        """Look until the series have that sum. Raises AssertionError."""
        ends = time.monotonic() + seconds
        while True:
            await self.look()
            if self.value(selector) == value:
                return
            assert time.monotonic() < ends, f"{selector} is {self.value(selector)}, not {value}"
            await asyncio.sleep(0.1)

    def _chosen(self, selector: str, among: Iterable[Series]) -> Iterable[Series]:
        match = _SELECTOR.fullmatch(selector)
        assert match is not None, selector
        name, labels = match[1], set(_LABEL.findall(match[2] or ""))
        return (series for series in among if series[0] == name and labels <= series[1])
