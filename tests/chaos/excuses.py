"""Which faults excuse that a part arrived twice: of which kind, at which moment, by which mark.

Pure. A part is in flight from its call to the commit of the call's outcome; whoever is interrupted
in between leaves it unknown, and it is sent again. So of each chat a fault excuses one part, the
one that it met in flight, and only where the journal says why it was sent again.

    worker KILL, TERM    excuses: it dies with the answer in its hands (TERM: it lets go at last)
    worker STOP          excuses: the same; and it wakes up between its look at the lease and the
                         call, when another worker has long taken its chats over
    postgres KILL, QUIT  excuses: the commit of "sent" may have come to pass or not
    telegram refuse, blackhole, cut
                         excuses: Telegram took the part, and its answer was lost
    api, poller          none: they put updates into the inbox, and send nothing
    valkey               none: sessions, rates and live events; no turn depends on it
    openai               none: a part goes out once its whole reply is saved
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from adapters.pgqueuer_leases import HEARTBEAT_TIMEOUT
from adapters.pgqueuer_worker import IDLE_POLL
from tests.chaos.evidence import Happened, Step
from tests.chaos.witness import Arrival

CALL_SECONDS = 5.0
"""TELEGRAM_TIMEOUT of a run: after so long the worker itself takes a call for ambiguous."""
COMMIT_SECONDS = 1.0
"""From an answer to its commit, on a machine that is busy with everything else."""
FLIGHT_SECONDS = CALL_SECONDS + COMMIT_SECONDS
"""For how long a part that arrived may be in flight before a fault strikes."""
TAKEN_OVER_SECONDS = HEARTBEAT_TIMEOUT + IDLE_POLL + COMMIT_SECONDS
"""A lease runs out, another worker looks for work, and commits that it goes on: 12 seconds."""
CLOCK_SECONDS = 0.5
"""How much later than it came an arrival may be noted, where the driver is busy."""


class Double(NamedTuple):
    """A part that arrived again: its arrival before, the new one, its place in the answer."""

    before: Arrival
    again: Arrival
    part: int


class Mark(NamedTuple):
    """Where a timeline says that a part is sent again without knowing whether it had been."""

    at: float
    why: Literal["lease lost", "ambiguous"]


def marks_of(double: Double, steps: Sequence[Step], faults: Sequence[Happened]) -> list[Mark]:
    """The marks between the two arrivals.

    Of a call that a stopped worker made when it woke up: since it was stopped, for the chat was
    taken over before either arrival.
    """
    first, second = double.before.at, double.again.at
    since = told_since(first, second, faults)
    return [mark for mark in _marks(steps, double.part) if since <= mark.at <= second]


def asked_again_marked(
    first: float, second: float, steps: Sequence[Step], faults: Sequence[Happened]
) -> bool:
    """Whether the timeline says why the model was asked at both of these times."""
    failures = (step for step in steps if step.tag == "openai.replyFailed")
    since = told_since(first, second, faults)
    return any(since <= step.at <= second for step in (*failures, *lost_leases(steps)))


def told_since(first: float, second: float, faults: Sequence[Happened]) -> float:
    """From when on a mark explains that a call was made twice, at these times."""
    stalls = [fault.began for fault in faults if _stalled(fault, first, second)]
    return min([first - CLOCK_SECONDS, *stalls])


def excuses(
    fault: Happened, double: Double, marks: Sequence[Mark], faults: Sequence[Happened]
) -> bool:
    """Whether the fault met the part in flight, and the mark, where there is one, follows it."""
    first, second = double.before.at, double.again.at
    if not (_met(fault, first, second) or _stalled(fault, first, second)):
        return False
    return not marks or any(_followed(fault, mark, faults) for mark in marks)


def woke_up(fault: Happened, at: float) -> bool:
    """Whether the call may be one that a worker was about to make when it was stopped."""
    woken = fault.target == "worker" and fault.how == "STOP"
    last = fault.ended + CALL_SECONDS + CLOCK_SECONDS
    return woken and fault.ended - CLOCK_SECONDS <= at <= last


def _stalled(fault: Happened, first: float, second: float) -> bool:
    """Whether one of the two calls may be so, and the other its successor's."""
    woken = woke_up(fault, first) or woke_up(fault, second)
    return woken and first >= fault.began - CLOCK_SECONDS


def _marks(steps: Sequence[Step], part: int) -> Iterator[Mark]:
    for step in lost_leases(steps):
        yield Mark(step.at, "lease lost")
    for step in steps:
        if (step.tag, step.kind, step.part) == ("telegram.messageFailed", "ambiguous", part):
            yield Mark(step.at, "ambiguous")


def lost_leases(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps in which a job took over a turn that nobody had put off."""
    for former, step in pairwise((None, *steps)):
        due = former is not None and former.waits
        if step is not None and step.tag == "turn.resumed" and (step.died or not due):
            yield step


def _met(fault: Happened, first: float, second: float) -> bool:
    """Whether the part had arrived, and its outcome was not saved, when the fault struck."""
    match fault.target, fault.how:
        case "worker", "KILL" | "STOP":
            last = fault.began
        case ("worker", "TERM") | ("telegram", _):
            last = fault.ended
        case "postgres", _:
            # A pooled connection that died with it is found dead by the next commit: that of a
            # call which was open when it came back, at the latest.
            last = fault.ended + CALL_SECONDS
        case _:
            return False
    return fault.began - FLIGHT_SECONDS <= first <= last + CLOCK_SECONDS and second > fault.began


def _followed(fault: Happened, mark: Mark, faults: Sequence[Happened]) -> bool:
    """Whether the mark is of the fault's kind, and came as soon after it as it had to.

    Where others kept PostgreSQL or a worker away meanwhile, their time does not count.
    """
    match mark.why:
        case "lease lost" if fault.target in ("worker", "postgres"):
            patience = TAKEN_OVER_SECONDS
        case "ambiguous" if fault.target == "telegram" or fault.how == "STOP":
            patience = FLIGHT_SECONDS
        case _:
            return False
    until = fault.ended + patience
    others = [other for other in faults if other.target in ("worker", "postgres")]
    for other in sorted(others, key=lambda other: other.began):
        if other is not fault and other.began < until:
            until += max(0.0, other.ended - max(other.began, fault.ended))
    return fault.began <= mark.at <= until + CLOCK_SECONDS
