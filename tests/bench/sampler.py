"""Runs a Python program and samples where its CPU goes: `-m tests.bench.sampler OUT PROGRAM …`.

Sampling begins at SIGUSR2, so that the start is left out; at the end OUT is written. The kernel
signals after each few milliseconds of CPU, and the stack is noted: unlike cProfile's, this costs
next to nothing and charges C code to the line that called it (the loop's own reading and writing to
the callback that runs next). SQLAlchemy's greenlets have stacks of their own; the walk goes on in
the one that waits for them.
"""

import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

import greenlet  # type: ignore[import-untyped]
import msgspec
from msgspec import Struct

INTERVAL = 0.001


class Function(Struct, frozen=True, array_like=True, order=True):
    """A function: its file and its qualified name."""

    file: str
    name: str


class Share(Struct, array_like=True):
    """How many samples met the function itself, and how many it or what it called."""

    function: Function
    own: int
    whole: int


class Samples(Struct):
    """All that was met; `own` of all shares adds up to `count`."""

    count: int
    shares: list[Share]


class Sampler:
    """Counts stacks."""

    def __init__(self) -> None:
        self._own: Counter[Function] = Counter()
        self._whole: Counter[Function] = Counter()

    def begin(self, *_: object) -> None:
        """Begin, or begin anew."""
        self._own.clear()
        self._whole.clear()
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def end(self) -> Samples:
        """Stop; what was met."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        shares = [Share(each, self._own[each], whole) for each, whole in self._whole.items()]
        return Samples(self._own.total(), shares)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        met: set[Function] = set()
        waiting = greenlet.getcurrent().parent
        while frame is not None:
            function = Function(frame.f_code.co_filename, frame.f_code.co_qualname)
            if not met:
                self._own[function] += 1
            met.add(function)
            frame = frame.f_back
            if frame is None and waiting is not None:
                frame, waiting = waiting.gr_frame, waiting.parent
        self._whole.update(met)


if __name__ == "__main__":
    out, program = sys.argv[1:3]
    sys.argv = sys.argv[2:]
    sampler = Sampler()
    signal.signal(signal.SIGUSR2, sampler.begin)
    try:
        runpy.run_path(program, run_name="__main__")
    finally:
        Path(out).write_bytes(msgspec.json.encode(sampler.end()))
