"""`make bench`: how fast the system is, beside a bot that keeps nothing. See --help.

Exits with 0 once everything was measured, whether or not the goals were reached: they are judged
by people, on the machine that the goals are about. 1 where something did not work at all.
"""

import argparse
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import uvloop
from msgspec.structs import replace
from rich.console import Console

from tests.bench.contestants import AIOGRAM_PYTHON, aiogram, kotodom
from tests.bench.flood import Updates
from tests.bench.machine import machine
from tests.bench.measure_growth import growth
from tests.bench.measure_idle import idle
from tests.bench.measure_in_flight import in_flight
from tests.bench.measure_lists import lists
from tests.bench.measure_replay import replay
from tests.bench.measure_streaming import streaming
from tests.bench.measure_throughput import throughput
from tests.bench.measurement import QUICK, Bench, Measurement, Sizes
from tests.bench.profiling import profile
from tests.bench.report import Results, show, write
from tests.bench.rounds import run_round
from tests.bench.servers import BenchFailed, servers

MEASUREMENTS: dict[str, Callable[[Bench], Awaitable[list[Measurement]]]] = {
    "throughput": throughput,
    "idle": idle,
    "streaming": streaming,
    "in-flight": in_flight,
    "replay": replay,
    "growth": growth,
    "lists": lists,
}
NO_AIOGRAM = f"without aiogram: {AIOGRAM_PYTHON} is not there (make bench sets it up)"
TRANSPORTS = ("default", "aiohttp")


@asynccontextmanager
async def prepared(sizes: Sizes) -> AsyncIterator[Bench]:
    """Everything started and warmed up."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(servers())
        system = await stack.enter_async_context(kotodom(running))
        rivals = []
        if AIOGRAM_PYTHON.exists():
            for transport in TRANSPORTS:
                rivals.append(await stack.enter_async_context(aiogram(running, transport)))
        bench = Bench(running, system, rivals, Updates(), sizes)
        for contestant in bench.contestants:
            updates = bench.updates.messages(bench.updates.chats(sizes.chats), 2)
            await run_round(running.stand_ins, contestant, updates)
        yield bench


async def measure(names: Sequence[str], sizes: Sizes, console: Console) -> Results:
    """Take the measurements, printing each when it is there."""
    began = time.monotonic()
    notes: list[str] = [] if AIOGRAM_PYTHON.exists() else [NO_AIOGRAM]
    async with prepared(sizes) as bench:
        measurements: list[Measurement] = []
        for name in names:
            for measured in await MEASUREMENTS[name](bench):
                show(console, measured)
                measurements.append(measured)
        here = await machine(bench.system.database)
    at, seconds = datetime.now(UTC), round(time.monotonic() - began, 1)
    return Results(at, seconds, here, sizes, notes, measurements)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MEASUREMENTS)}; default: all")
    parser.add_argument("--rounds", type=int, help="rounds of a flood (default: 5)")
    parser.add_argument("--quick", action="store_true", help="less of all, and no file is kept")
    parser.add_argument("--profile", choices=("worker", "api"), help="where its CPU goes, instead")
    given = parser.parse_args()
    names = given.names or list(MEASUREMENTS)
    if unknown := set(names) - MEASUREMENTS.keys():
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    sizes = QUICK if given.quick else Sizes()
    if given.rounds:
        sizes = replace(sizes, rounds=given.rounds)
    console = Console(highlight=False, width=100)
    try:
        if given.profile:
            uvloop.run(profile(given.profile, console))
            return 0
        results = uvloop.run(measure(names, sizes, console))
    except BenchFailed as failed:
        console.print(f"bench: {failed}", style="bold red")
        return 1
    for note in results.notes:
        console.print(note, style="yellow")
    console.print(f"{results.seconds:.0f} s on {results.machine}", soft_wrap=True)
    if not given.quick:
        console.print(f"kept in {write(results)}", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
