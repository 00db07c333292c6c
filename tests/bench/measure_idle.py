"""What a quiet system adds to the model's own time, from the update's post to sendMessage.

DESIGN §10: at most 15 ms at p50 and 25 ms at p99. One message at a time, the model takes 100 ms; of
each message's time that of its own call of the model is taken away. Every tenth chat's message is
its first, with a conversation to be made.
"""

from msgspec import Struct

from tests.bench.flood import flood
from tests.bench.measurement import Bench, Measurement, kept, line
from tests.bench.rounds import Writes, check, percentile
from tests.bench.stand_in_report import Behaviour

THINK = 0.1
EACH = 10
P50_GOAL, P99_GOAL = 15, 25


class Quiet(Struct):
    """The messages' added seconds, one by one, and what PostgreSQL wrote for all of them."""

    added: list[float]
    acknowledged: list[float]
    commits: int
    wal: int


async def idle(bench: Bench) -> list[Measurement]:
    """One round of so many messages that p99 means something."""
    quiet = await _round(bench)
    count = len(quiet.added)
    added = [seconds * 1000 for seconds in quiet.added]
    acknowledged = [seconds * 1000 for seconds in quiet.acknowledged]
    lines = [
        line("added, p50", [percentile(added, 50)], "ms", at_most=P50_GOAL),
        line("added, p99", [percentile(added, 99)], "ms", at_most=P99_GOAL),
        line("acknowledged, p50", [percentile(acknowledged, 50)], "ms"),
        line("acknowledged, p99", [percentile(acknowledged, 99)], "ms"),
        line("commits", [quiet.commits / count], "a message"),
        line("bytes of WAL", [quiet.wal / count], "a message"),
    ]
    return [Measurement(f"quiet, {count} messages one by one", lines, kept([quiet]))]


async def _round(bench: Bench) -> Quiet:
    stand_ins, system = bench.servers.stand_ins, bench.system
    chats = bench.updates.chats(max(1, bench.sizes.quiet // EACH))
    updates = bench.updates.messages(chats, EACH)
    await stand_ins.behave(Behaviour(think=THINK))
    before = await Writes.read(system.database)
    posts = []
    for sent, update in enumerate(updates, 1):
        posts += await flood(system.hook, [update], connections=1)
        await stand_ins.sent(sent, 30)
        await system.settle()
    after = await Writes.read(system.database)
    report = await stand_ins.report()
    check(system, updates, posts, report)
    model = {asked.number: asked.answered_at - asked.at for asked in report.asked}
    sent_at = {sent.number: sent.at for sent in report.sent}
    return Quiet(
        added=[sent_at[post.number] - post.began - model[post.number] for post in posts],
        acknowledged=[post.ended - post.began for post in posts],
        commits=after.commits - before.commits,
        wal=after.wal - before.wal,
    )
