"""The outcome of a chaos run as a small file, for those who read of it later: counts, no names."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from domain.alerts import fingerprint
from tests.bench.machine import Machine
from tests.chaos.run import Outcome

HERE = Path(__file__).parent


class Kept(Struct, kw_only=True):
    """One run; times in seconds. `violations` counts by kind, and is empty where all promises held.

    `parts_doubled` and `asked_again` are what DESIGN §2 calls unavoidable, each with its excuse and
    its mark; `terminal` counts by the reason's fingerprint, `faults` by kind.
    """

    at: datetime
    seed: int
    seconds: float
    rate: float
    chats: int
    machine: Machine
    faults: dict[str, int]
    messages: int
    answered: int
    terminal: dict[str, int]
    lost: int
    parts_doubled: int
    out_of_order: int
    billed_twice: int
    left_waiting: int
    asked_again: int
    taken_over: int
    violations: dict[str, int]
    recovered_after_faults: float
    settled_after_the_flood: float
    longest_wait: float


def kept(outcome: Outcome, *, seed: int, seconds: float, rate: float, chats: int) -> Kept:
    """What is kept of a run that has just ended."""
    verdict = outcome.verdict
    terminal: Counter[str] = Counter()
    for reason, count in verdict.terminal.items():
        terminal[fingerprint(reason)] += count
    return Kept(
        at=datetime.now(UTC).replace(microsecond=0),
        seed=seed,
        seconds=seconds,
        rate=rate,
        chats=chats,
        machine=outcome.machine,
        faults=dict(sorted(Counter(fault.name for fault in outcome.faults).items())),
        messages=verdict.messages,
        answered=verdict.answered,
        terminal=dict(terminal),
        lost=len(verdict.lost),
        parts_doubled=len(verdict.doubled),
        out_of_order=len(verdict.out_of_order),
        billed_twice=len(verdict.billed_twice),
        left_waiting=sum(verdict.left_waiting.values()),
        asked_again=verdict.asked_again,
        taken_over=verdict.taken_over,
        violations={kind: len(names) for kind, names in verdict.violations.items()},
        recovered_after_faults=round(verdict.recovered_after_faults, 1),
        settled_after_the_flood=round(verdict.settled_after_the_flood, 1),
        longest_wait=round(verdict.longest_wait, 1),
    )


def keep(run: Kept, under: Path = HERE) -> Path:
    """Write it into results, or failed if it broke a promise; where. The names sort by time."""
    folder = under / ("failed" if run.violations else "results")
    folder.mkdir(exist_ok=True)
    path = folder / f"{run.at:%Y-%m-%dT%H%M%SZ}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")
    return path
