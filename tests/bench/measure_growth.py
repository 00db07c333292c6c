"""How throughput changes with a second worker, and with a database that has been in use.

No goal of DESIGN §10 stands here; a plan that was good for an empty table and is bad for a full one
shows as a ratio far below 1.
"""

import signal

from tests.bench.filling import fill
from tests.bench.measurement import Bench, Measurement, kept, line
from tests.bench.rounds import Round, run_round


async def growth(bench: Bench) -> list[Measurement]:
    """First the workers, for the fillings stay."""
    return [await _workers(bench), await _filled(bench)]


async def _workers(bench: Bench) -> Measurement:
    rounds = []
    for _ in range(bench.sizes.rounds):
        one = await _flood(bench)
        await bench.system.start("worker-2")
        two = await _flood(bench)
        await bench.system.kill("worker-2", signal.SIGTERM)
        rounds.append((one, two))
    lines = [
        line("1 worker", [one.per_second for one, _ in rounds], "messages/s", more_is_better=True),
        line("2 workers", [two.per_second for _, two in rounds], "messages/s", more_is_better=True),
        line(
            "ratio of 2 to 1",
            [two.per_second / one.per_second for one, two in rounds],
            "times",
            more_is_better=True,
        ),
    ]
    return Measurement("workers", lines, kept(rounds))


async def _filled(bench: Bench) -> Measurement:
    lines, rounds = [], []
    for there in (0, *bench.sizes.filled):
        if there:
            await fill(bench.system.database, bench.system.bot_id, there)
        figures = [await _flood(bench) for _ in range(bench.sizes.rounds)]
        speeds = [one.per_second for one in figures]
        what = f"{there:,} messages there" if there else "next to none there"
        lines.append(line(what, speeds, "messages/s", more_is_better=True))
        rounds.append((there, figures))
    return Measurement("a database in use", lines, kept(rounds))


async def _flood(bench: Bench) -> Round:
    chats = bench.updates.chats(bench.sizes.chats)
    updates = bench.updates.messages(chats, bench.sizes.each)
    return (await run_round(bench.servers.stand_ins, bench.system, updates)).round
