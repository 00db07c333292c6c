"""Was anything lost, doubled, out of order, billed twice, left waiting? Judged from the evidence.

Pure. `judge` takes what both sides saw and names each violation, so that it can be looked up in
the journal. What DESIGN §2 calls unavoidable is counted apart, and must be marked in the timeline.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from msgspec import Struct, field

from tests.chaos.doubles import beyond_bound, doubles, saved_before
from tests.chaos.evidence import Evidence, Row, Run, Step
from tests.chaos.excuses import Double, asked_again_marked, excuses, lost_leases, marks_of
from tests.chaos.flood import Said
from tests.chaos.times import longest_wait, recovery
from tests.chaos.witness import Arrival

_BUG = "a bug: "


class Verdict(Struct):
    """Counts, and each violation by name; times in seconds."""

    messages: int
    answered: int
    terminal: dict[str, int]
    asked_again: int = 0
    taken_over: int = 0
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    billed_twice: list[str] = field(default_factory=list)
    stale_steps: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)
    sent_though_saved: list[str] = field(default_factory=list)
    beyond_bound: list[str] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)
    ended_by_themselves: list[str] = field(default_factory=list)
    left_waiting: dict[str, int] = field(default_factory=dict)
    recovered_after_faults: float = 0.0
    settled_after_the_flood: float = 0.0
    longest_wait: float = 0.0

    @property
    def violations(self) -> dict[str, list[str]]:
        """What must not be, by kind; empty where every promise was kept."""
        found = {
            "lost": self.lost,
            "out of order": self.out_of_order,
            "billed twice": self.billed_twice,
            "stale steps": self.stale_steps,
            "not marked in the timeline": self.unmarked,
            "sent again though saved as sent": self.sent_though_saved,
            "doubled without a fault": self.beyond_bound,
            "broken by a bug": self.bugs,
            "ended by itself": self.ended_by_themselves,
            "left waiting": [f"{count} {what}" for what, count in self.left_waiting.items()],
            "nothing was answered": [] if self.answered else [f"of {self.messages} messages"],
        }
        return {kind: names for kind, names in found.items() if names}


def judge(evidence: Evidence) -> Verdict:
    """See the module."""
    reasons = Counter(
        row.reason or "no reason" for row in evidence.rows.values() if row.status == "TERMINAL"
    )
    verdict = Verdict(
        messages=len(evidence.said),
        answered=sum(row.status == "COMPLETED" for row in evidence.rows.values()),
        terminal=dict(reasons),
        ended_by_themselves=list(evidence.ended_by_themselves),
        left_waiting=evidence.waiting,
        settled_after_the_flood=evidence.settled - evidence.flood_ended,
        recovered_after_faults=recovery(evidence),
        longest_wait=longest_wait(evidence),
    )
    by_chat: defaultdict[tuple[int, int], list[Arrival]] = defaultdict(list)
    for arrival in evidence.arrivals:
        by_chat[arrival.telegram_bot, arrival.chat].append(arrival)
    for arrivals in by_chat.values():
        answers = [arrival for arrival in arrivals if arrival.number is not None]
        for late, early in _out_of_order(answers):
            names = [_name(said, _row(evidence, said)) for said in _said(evidence, late, early)]
            verdict.out_of_order.append(" after ".join(names))
        _judge_doubles(verdict, evidence, doubles(answers))
    for said in evidence.said:
        _judge_message(verdict, evidence, said, by_chat[said.telegram_bot, said.chat])
    verdict.stale_steps += _stale(evidence.steps.values())
    verdict.taken_over = sum(len(list(lost_leases(steps))) for steps in evidence.steps.values())
    return verdict


def _judge_doubles(verdict: Verdict, evidence: Evidence, found: list[Double]) -> None:
    """The doubled parts of a chat."""
    faults = evidence.faults
    names: list[str] = []
    excused_by: list[list[int]] = []
    for double in found:
        (said,) = _said(evidence, double.again)
        row = _row(evidence, said)
        steps = evidence.steps.get(row.id or 0, []) if row is not None else []
        after = double.again.at - double.before.at
        name = f"part {double.part} again after {after:.1f} s: {_name(said, row)}"
        marks = marks_of(double, steps, faults)
        able = [place for place, one in enumerate(faults) if excuses(one, double, marks, faults)]
        names.append(name)
        excused_by.append(able)
        if not marks:
            verdict.unmarked.append(name)
        if saved_before(double, steps, faults):
            verdict.sent_though_saved.append(name)
    verdict.doubled += names
    verdict.beyond_bound += [names[place] for place in beyond_bound(excused_by)]


def _judge_message(
    verdict: Verdict, evidence: Evidence, said: Said, arrivals: Iterable[Arrival]
) -> None:
    row = _row(evidence, said)
    texts = dict.fromkeys(each.text for each in arrivals if each.number == said.number)
    words = tuple(word for text in texts for word in text.split())
    if (why := _lost(row, words == said.answer)) is not None:
        verdict.lost.append(f"{why}: {_name(said, row)}")
    if row is None or row.id is None:
        return
    steps, runs = evidence.steps.get(row.id, []), evidence.runs.get(said.number, [])
    if (row.reason or "").startswith(_BUG):
        verdict.bugs.append(f"{row.reason}: {_name(said, row)}")
    elif any(step.tag == "turn.broke" for step in steps):
        verdict.bugs.append(f"tried again after a bug: {_name(said, row)}")
    for run in _billed_twice(runs, steps):
        verdict.billed_twice.append(f"run {run.id}: {_name(said, row)}")
    for former, run in pairwise(sorted(runs, key=lambda run: run.at)):
        verdict.asked_again += 1
        if not asked_again_marked(former.at, run.at, steps, evidence.faults):
            verdict.unmarked.append(f"asked twice: {_name(said, row)}")


def _lost(row: Row | None, whole: bool) -> str | None:
    """Why a message is lost; None where it is not (what waits is counted apart)."""
    if row is None:
        return "not in the inbox"
    match row.status:
        case None:
            return None if row.state == "WAITING" else "taken, and no message was begun"
        case "COMPLETED":
            return None if whole else "COMPLETED, and its answer did not arrive whole"
        case "TERMINAL":
            return None if row.reason and row.alerted else "TERMINAL without reason or alert"
        case _:
            return None


def _out_of_order(answers: list[Arrival]) -> Iterator[tuple[Arrival, Arrival]]:
    """Each answer that came after a later one's, by first arrivals: a copy is only doubled."""
    firsts: dict[str, Arrival] = {}
    for answer in answers:
        firsts.setdefault(answer.text, answer)
    latest: Arrival | None = None
    for answer in firsts.values():
        if latest is not None and (answer.number or 0) < (latest.number or 0):
            yield answer, latest
        else:
            latest = answer


def _billed_twice(runs: list[Run], steps: list[Step]) -> Iterator[Run]:
    """The runs that began although an earlier one could be resumed, or had answered.

    A run that failed on the server may be followed by another.
    """
    saved = sorted(
        (step.at, step.run_id or "")
        for step in steps
        if step.tag in ("openai.replyStarted", "openai.replyGenerated")
    )
    ended = [step.at for step in steps if step.run_ended]
    for run in runs:
        earlier = [at for at, run_id in saved if at < run.at and run_id != run.id]
        if earlier and not any(earlier[-1] <= at <= run.at for at in ended):
            yield run


def _stale(turns: Iterable[list[Step]]) -> Iterator[str]:
    """Steps under an ownership that was over: only the holder of the newest epoch may act."""
    for steps in turns:
        epoch = 0
        for step in steps:
            if step.epoch < epoch:
                yield f"chat {step.chat}: {step.tag} under epoch {step.epoch} after {epoch}"
            epoch = max(epoch, step.epoch)


def _said(evidence: Evidence, *answers: Arrival) -> list[Said]:
    return [evidence.said[answer.number] for answer in answers if answer.number is not None]


def _row(evidence: Evidence, said: Said) -> Row | None:
    return evidence.rows.get((said.bot, said.update_id))


def _name(said: Said, row: Row | None) -> str:
    """A message as it can be looked up."""
    message = f", message {row.id} {row.status}" if row is not None else ""
    return f"bot {said.bot} chat {said.chat} number {said.number}{message}"
