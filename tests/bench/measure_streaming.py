"""CPU that a streamed event costs the worker.

DESIGN §10: at most 0.05 ms. Several chats are answered at the same time with 200 words and with
5,200, each an event and a write of its own, 500 a second in every chat; what the worker's CPU
differs by belongs to the 5,000.
"""

from msgspec import Struct

from tests.bench.measurement import Bench, Measurement, kept, line
from tests.bench.rounds import run_round
from tests.bench.stand_in_report import Behaviour

FEW = 200
PACE = 500
ROUNDS = 2
GOAL = 0.05


class Streamed(Struct):
    """A round: the worker's CPU seconds for the short and the long answers."""

    events: int
    short: float
    long: float


async def streaming(bench: Bench) -> list[Measurement]:
    """Short answers, long answers, and again."""
    rounds = []
    for _ in range(min(bench.sizes.rounds, ROUNDS)):
        short, long = await _worker(bench, FEW), await _worker(bench, FEW + bench.sizes.words)
        rounds.append(Streamed(bench.sizes.words * bench.sizes.streams, short, long))
    costs = [(one.long - one.short) / one.events * 1000 for one in rounds]
    lines = [line("worker's CPU", costs, "ms/event", at_most=GOAL)]
    streams = f"{bench.sizes.streams} streams of {FEW + bench.sizes.words:,} events"
    return [Measurement(streams, lines, kept(rounds))]


async def _worker(bench: Bench, words: int) -> float:
    updates = bench.updates.messages(bench.updates.chats(bench.sizes.streams), 1)
    behaviour = Behaviour(think=words / PACE, words=words)
    flooded = await run_round(bench.servers.stand_ins, bench.system, updates, behaviour)
    return flooded.round.cpu["worker"]
