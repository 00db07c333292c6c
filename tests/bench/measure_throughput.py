"""Messages a second, acknowledge latency, CPU and PostgreSQL's writes under a flood.

DESIGN §10: durable from webhook to reply, no model latency, at least 1.5 times the messages a
second of an aiogram bot that keeps nothing, and acknowledged sooner than its at p99. Every round
floods all contestants, one after the other; a ratio is of one round's neighbours. Kotodom GPT runs
as `kotodom run` has it: a worker for each core. An aiogram bot is one process: it answers from its
own memory.
"""

import os
import signal
from statistics import median

from tests.bench.measurement import Bench, Line, Measurement, kept, line
from tests.bench.rounds import Round, run_round

GOAL = 1.5


async def throughput(bench: Bench) -> list[Measurement]:
    """200 chats x 5 messages, then 1,000 x 1."""
    sizes = bench.sizes
    more = [f"worker-{number}" for number in range(2, (os.cpu_count() or 1) + 1)]
    await bench.system.start(*more)
    try:
        return [
            await _shape(bench, sizes.chats, sizes.each, GOAL),
            await _shape(bench, sizes.crowd, 1, None),
        ]
    finally:
        for name in more:
            await bench.system.kill(name, signal.SIGTERM)


async def _shape(bench: Bench, chats: int, each: int, goal: float | None) -> Measurement:
    rounds: list[list[Round]] = []
    for _ in range(bench.sizes.rounds):
        figures = []
        for contestant in bench.contestants:
            updates = bench.updates.messages(bench.updates.chats(chats), each)
            database = bench.system.database if contestant is bench.system else None
            flooded = await run_round(
                bench.servers.stand_ins, contestant, updates, database=database
            )
            figures.append(flooded.round)
        rounds.append(figures)
    ours, *rivals = zip(*rounds, strict=True)
    lines = [
        line(name(each), [one.per_second for one in each], "messages/s", more_is_better=True)
        for each in (ours, *rivals)
    ]
    for rival in rivals:
        ratios = [a.per_second / b.per_second for a, b in zip(ours, rival, strict=True)]
        what = f"ratio to {name(rival)}"
        lines.append(line(what, ratios, "times", at_least=goal, more_is_better=True))
    lines += _acknowledged(ours, rivals)
    lines += _cost(ours)
    lines += [line(f"CPU of {name(each)}", _cpu(each, "bot"), "ms/message") for each in rivals]
    return Measurement(f"flood, {chats:,} chats x {each}", lines, kept(rounds))


def name(rounds: tuple[Round, ...]) -> str:
    """Whose rounds they are."""
    return rounds[0].contestant


def _acknowledged(ours: tuple[Round, ...], rivals: list[tuple[Round, ...]]) -> list[Line]:
    slowest = min((median(one.ack_p99 for one in each) for each in rivals), default=None)
    lines = []
    for each in (ours, *rivals):
        p50 = [one.ack_p50 * 1000 for one in each]
        p99 = [one.ack_p99 * 1000 for one in each]
        lines.append(line(f"acknowledged, p50, {name(each)}", p50, "ms"))
        lines.append(line(f"acknowledged, p99, {name(each)}", p99, "ms"))
        if each is ours and slowest is not None:
            lines[-1].goal = f"< {slowest * 1000:.0f}"
            lines[-1].met = lines[-1].median < slowest * 1000
    return lines


def _cost(ours: tuple[Round, ...]) -> list[Line]:
    """CPU of each process, and what PostgreSQL wrote."""
    lines = [line(f"CPU of {part}", _cpu(ours, part), "ms/message") for part in ours[0].cpu]
    for what, values in (
        ("commits", [one.commits for one in ours]),
        ("bytes of WAL", [one.wal for one in ours]),
    ):
        each = [value / one.messages for value, one in zip(values, ours, strict=True) if value]
        lines.append(line(what, each, "a message"))
    return lines


def _cpu(rounds: tuple[Round, ...], part: str) -> list[float]:
    return [one.cpu[part] / one.messages * 1000 for one in rounds]
