"""Generations that are open at once in one worker, and the memory that they take.

DESIGN §10: 2,000 in flight, below 300 MiB a process. The model thinks for 2 s once the last of them
has been asked for, streaming a few words meanwhile; so all of them are open together.
"""

import asyncio
from collections.abc import Mapping

import psutil
from msgspec import Struct

from tests.bench.measurement import Bench, Line, Measurement, kept, line
from tests.bench.rounds import run_round
from tests.bench.stand_in_report import Behaviour

THINK = 2.0
WORDS = 8
ROUNDS = 2
MEMORY_GOAL = 300
MIB = 1024 * 1024
EVERY = 0.05


class InFlight(Struct):
    """A round: the most in flight; seconds in all, and until the last was open; peak RSS in MiB."""

    messages: int
    most: int
    seconds: float
    opened: float
    memory: dict[str, float]


async def in_flight(bench: Bench) -> list[Measurement]:
    """Two rounds at most: the second shows what the first left in memory."""
    rounds = [await _round(bench) for _ in range(min(bench.sizes.rounds, ROUNDS))]
    goal = bench.sizes.generations
    lines = [
        line("generations in flight at once", [one.most for one in rounds], "", at_least=goal),
        line("all asked for after", [one.opened for one in rounds], "s"),
        line("all answered after", [one.seconds for one in rounds], "s"),
    ]
    lines += [_memory(part, max(one.memory[part] for one in rounds)) for part in rounds[0].memory]
    return [Measurement(f"{goal:,} generations of {THINK:g} s", lines, kept(rounds))]


def _memory(part: str, most: float) -> Line:
    return line(f"peak memory of {part}", [most], "MiB", at_most=MEMORY_GOAL)


async def _round(bench: Bench) -> InFlight:
    count = bench.sizes.generations
    updates = bench.updates.messages(bench.updates.chats(count), 1)
    pids = {part: pid for part, pid in bench.system.pids.items() if part in ("api", "worker")}
    memory = dict.fromkeys(pids, 0.0)
    watching = asyncio.create_task(_watch(pids, memory))
    behaviour = Behaviour(think=THINK, words=WORDS, gate=count)
    try:
        flooded = await run_round(bench.servers.stand_ins, bench.system, updates, behaviour)
    finally:
        watching.cancel()
    opened = max(asked.at for asked in flooded.report.asked) - flooded.posts[0].began
    most = flooded.report.most_in_flight
    return InFlight(count, most, flooded.round.seconds, opened, memory)


async def _watch(pids: Mapping[str, int], memory: dict[str, float]) -> None:
    """Keep each process's highest resident set size."""
    processes = {part: psutil.Process(pid) for part, pid in pids.items()}
    while True:
        for part, process in processes.items():
            memory[part] = max(memory[part], process.memory_info().rss / MIB)
        await asyncio.sleep(EVERY)
