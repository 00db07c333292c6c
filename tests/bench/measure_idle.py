"""What a quiet system adds to the model's own time, from the update's post to sendMessage.

DESIGN §10: at most 15 ms at p50 and 25 ms at p99. One message at a time, the model takes 100 ms; of
each message's time that of its own call of the model is taken away. Every tenth chat's message is
its first, with a conversation to be made. The same messages are sent to the aiogram bots: what they
add, who keep nothing, is what this machine takes for the way alone (two calls and a wake-up each).
"""

from msgspec import Struct

from tests.bench.contestants import Contestant
from tests.bench.flood import flood
from tests.bench.measurement import Bench, Line, Measurement, kept, line
from tests.bench.rounds import Writes, check, percentile
from tests.bench.stand_in_report import Behaviour

THINK = 0.1
EACH = 10
P50_GOAL, P99_GOAL = 15, 25


class Quiet(Struct):
    """The messages' added seconds, one by one, and what PostgreSQL wrote for all of them."""

    contestant: str
    added: list[float]
    acknowledged: list[float]
    commits: int
    wal: int


async def idle(bench: Bench) -> list[Measurement]:
    """One round each of so many messages that p99 means something."""
    ours, *rivals = [await _round(bench, contestant) for contestant in bench.contestants]
    count = len(ours.added)
    lines = [
        _line("added", ours.added, 50, P50_GOAL),
        _line("added", ours.added, 99, P99_GOAL),
        _line("acknowledged", ours.acknowledged, 50),
        _line("acknowledged", ours.acknowledged, 99),
        line("commits", [ours.commits / count], "a message"),
        line("bytes of WAL", [ours.wal / count], "a message"),
    ]
    for rival in rivals:
        lines += [_line(f"added by {rival.contestant}", rival.added, each) for each in (50, 99)]
    name = f"quiet, {count} messages one by one"
    return [Measurement(name, lines, kept([ours, *rivals]))]


def _line(what: str, seconds: list[float], percent: int, goal: float | None = None) -> Line:
    milliseconds = percentile(seconds, percent) * 1000
    return line(f"{what}, p{percent}", [milliseconds], "ms", at_most=goal)


async def _round(bench: Bench, contestant: Contestant) -> Quiet:
    stand_ins, database = bench.servers.stand_ins, bench.system.database
    chats = bench.updates.chats(max(1, bench.sizes.quiet // EACH))
    updates = bench.updates.messages(chats, EACH)
    await stand_ins.behave(Behaviour(think=THINK))
    before = await Writes.read(database)
    posts = []
    for sent, update in enumerate(updates, 1):
        posts += await flood(contestant.hook, [update], connections=1)
        await stand_ins.sent(sent, 30)
        await contestant.settle()
    after = await Writes.read(database)
    report = await stand_ins.report()
    check(contestant, updates, posts, report)
    model = {asked.number: asked.answered_at - asked.at for asked in report.asked}
    sent_at = {sent.number: sent.at for sent in report.sent}
    return Quiet(
        contestant=contestant.name,
        added=[sent_at[post.number] - post.began - model[post.number] for post in posts],
        acknowledged=[post.ended - post.began for post in posts],
        commits=after.commits - before.commits,
        wal=after.wal - before.wal,
    )
