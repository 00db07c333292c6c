"""Which parts arrived twice, and whether each had to: a part in flight at a fault may, once.

Pure; verdict.py asks it for each chat. "In flight" has two tests. The journal's: a part whose
sending was saved is not sent again, but by a worker that was stopped between its look at the lease
and the call. And the plan's: of a chat, each fault excuses one part.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.chaos.evidence import Happened, Step
from tests.chaos.witness import Arrival

ECHO_SECONDS = 15.0
"""How long after its end a fault is felt: a lease's ten seconds, connections that died with it."""
STALL_SECONDS = 5.0
"""How long after its end a stopped worker may finish the calls that it was in the middle of."""
CLOCK_SECONDS = 0.5
"""How much later than it came an arrival may be noted, where the driver is busy."""


class Double(NamedTuple):
    """A part that arrived again: its arrival before, the new one, its place in the answer."""

    before: Arrival
    again: Arrival
    part: int


def doubles(answers: Sequence[Arrival]) -> list[Double]:
    """Those of a chat's answers, in the order of their arrival."""
    before: dict[str, Arrival] = {}
    parts: dict[int | None, list[str]] = {}
    found = []
    for answer in answers:
        if answer.text in before:
            part = parts[answer.number].index(answer.text)
            found.append(Double(before[answer.text], answer, part))
        else:
            parts.setdefault(answer.number, []).append(answer.text)
        before[answer.text] = answer
    return found


def saved_before(double: Double, steps: Iterable[Step], faults: Iterable[Happened]) -> bool:
    """Whether the part was sent again although its sending stood in the journal."""
    again = double.again.at
    stalled = any(
        fault.name.endswith("STOP") and fault.ended <= again <= fault.ended + STALL_SECONDS
        for fault in faults
    )
    return not stalled and any(
        step.tag == "telegram.messageSent"
        and step.part == double.part
        and step.at < again - CLOCK_SECONDS
        for step in steps
    )


def beyond_bound(found: Iterable[Double], faults: Iterable[Happened]) -> list[Double]:
    """The doubled parts of a chat that no fault excuses."""
    free = sorted(faults, key=lambda fault: fault.ended)
    beyond = []
    for double in found:
        began_by, ended_since = double.again.at, double.before.at - ECHO_SECONDS
        excuse = next(
            (fault for fault in free if fault.began <= began_by and fault.ended >= ended_since),
            None,
        )
        if excuse is None:
            beyond.append(double)
        else:
            free.remove(excuse)
    return beyond
