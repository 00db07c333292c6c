"""How long people waited, and how soon the answers came again when the faults were over."""

import math
from collections.abc import Iterable, Iterator

from tests.chaos.evidence import Evidence, Happened


def longest_wait(evidence: Evidence) -> float:
    """Seconds from writing a message to the last part of its answer, at most."""
    arrived = _last_words(evidence)
    waits = [
        arrived[said.answer[-1]] - said.at for said in evidence.said if said.answer[-1] in arrived
    ]
    return max(waits, default=0.0)


def recovery(evidence: Evidence) -> float:
    """Seconds from the end of faults to the first whole answer after it, at most.

    Only where no other fault struck meanwhile (else it is counted from that one's end), and while
    people still wrote: after the flood only delayed retries are left.
    """
    times = sorted(_last_words(evidence).values())
    last_said = max((said.at for said in evidence.said), default=0.0)
    longest = 0.0
    for calm, ends in _calms(evidence.faults):
        answer = next((at for at in times if at >= calm), calm)
        if answer <= ends and calm <= last_said:
            longest = max(longest, answer - calm)
    return longest


def _last_words(evidence: Evidence) -> dict[str, float]:
    """The first arrival of every last part, by its last word."""
    return {
        each.text.split()[-1]: each.at
        for each in reversed(evidence.arrivals)
        if each.number is not None
    }


def _calms(faults: Iterable[Happened]) -> Iterator[tuple[float, float]]:
    """The times without any fault, each from the end of one to the next one's beginning."""
    calm = None
    for fault in sorted(faults, key=lambda fault: fault.began):
        if calm is not None and fault.began > calm:
            yield calm, fault.began
        calm = max(calm or 0.0, fault.ended)
    if calm is not None:
        yield calm, math.inf
