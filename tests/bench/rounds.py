"""One round: a flood at one contestant, and what it cost.

Called by the measurements; a Round comes out. Raises BenchFailed where a message was not answered
exactly once or, where that is promised, not in order.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping

import asyncpg
import psutil
from msgspec import Struct

from tests.bench.contestants import Contestant
from tests.bench.flood import CONNECTIONS, Post, Update, flood
from tests.bench.servers import BenchFailed, StandInsClient
from tests.bench.stand_in_report import Behaviour, Report

PATIENCE = 180.0


class Writes(Struct):
    """What PostgreSQL had written until now: transactions that wrote, bytes of WAL."""

    commits: int
    wal: int

    @classmethod
    async def read(cls, database: asyncpg.Connection) -> "Writes":
        """Transaction ids are counted, not xact_commit: that one comes up to 10 s late."""
        (row,) = await database.fetch(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS commits, "
            "pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS wal"
        )
        return cls(row["commits"], row["wal"])


class Round(Struct):
    """A round's figures. Times in seconds; CPU of each process in seconds for the whole round."""

    contestant: str
    messages: int
    seconds: float
    per_second: float
    ack_p50: float
    ack_p99: float
    cpu: dict[str, float]
    commits: int | None = None
    wal: int | None = None


class Flooded(Struct):
    """A round with all that was seen in it."""

    round: Round
    posts: list[Post]
    report: Report


async def run_round(
    stand_ins: StandInsClient,
    contestant: Contestant,
    updates: list[Update],
    behaviour: Behaviour | None = None,
    *,
    database: asyncpg.Connection | None = None,
    connections: int = CONNECTIONS,
) -> Flooded:
    """Flood a contestant and wait for all its answers."""
    await stand_ins.behave(behaviour or Behaviour())
    pids = {**contestant.pids, "stand-ins": stand_ins.pid, "flood": os.getpid()}
    cpu = cpu_times(pids)
    writes = await Writes.read(database) if database else None
    posts = await flood(contestant.hook, updates, connections)
    await stand_ins.sent(len(updates), PATIENCE)
    await contestant.settle()
    spent = {name: round(now - cpu[name], 4) for name, now in cpu_times(pids).items()}
    report = await stand_ins.report()
    check(contestant, updates, posts, report)
    seconds = max(sent.at for sent in report.sent) - posts[0].began
    waited = [post.ended - post.began for post in posts]
    figures = Round(
        contestant=contestant.name,
        messages=len(updates),
        seconds=seconds,
        per_second=len(updates) / seconds,
        ack_p50=percentile(waited, 50),
        ack_p99=percentile(waited, 99),
        cpu=spent,
    )
    if database is not None and writes is not None:
        after = await Writes.read(database)
        figures.commits, figures.wal = after.commits - writes.commits, after.wal - writes.wal
    return Flooded(figures, posts, report)


def check(contestant: Contestant, updates: list[Update], posts: list[Post], report: Report) -> None:
    """Every post is acknowledged, every message answered once in its chat, in order if promised."""
    refused = Counter(post.status for post in posts if post.status != 200)
    if refused:
        raise BenchFailed(f"{contestant.name} refused updates: {dict(refused)}")
    expected, answered = defaultdict(list), defaultdict(list)
    for update in updates:
        expected[update.chat_id].append(update.number)
    for sent in report.sent:
        answered[sent.chat_id].append(sent.number)
    if not contestant.in_order:
        for numbers in answered.values():
            numbers.sort()
    if expected != answered:
        raise BenchFailed(f"{contestant.name} did not answer every message once and in order")


def cpu_times(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds of each process with its children, those that have ended included."""
    return {name: _cpu(pid) for name, pid in pids.items()}


def _cpu(pid: int) -> float:
    process = psutil.Process(pid)
    own = process.cpu_times()
    total = own.user + own.system
    if pid != os.getpid():  # the bench's own children are the processes that it measures
        total += own.children_user + own.children_system
        for child in process.children():
            times = child.cpu_times()
            total += times.user + times.system
    return total


def percentile(values: list[float], percent: float) -> float:
    """The nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]
