"""Which parts arrived twice, and whether each had to: a part in flight at a fault may, once.

Pure; verdict.py asks it for each chat. "In flight" has two tests. The journal's: a part whose
sending was saved is not sent again, but by a worker that was stopped between its look at the lease
and the call. And the faults': each excuses one part of a chat, if it met it (excuses.py).
"""

from collections.abc import Iterable, Sequence

from tests.chaos.evidence import Happened, Step
from tests.chaos.excuses import CLOCK_SECONDS, Double, woke_up
from tests.chaos.witness import Arrival


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
    second = double.again.at
    return not any(woke_up(fault, second) for fault in faults) and any(
        step.tag == "telegram.messageSent"
        and step.part == double.part
        and step.at < second - CLOCK_SECONDS
        for step in steps
    )


def beyond_bound(excused_by: Sequence[Sequence[int]]) -> list[int]:
    """Which of a chat's doubles are left over when each fault has excused one at most.

    Takes, for each double, the numbers of the faults that may. As many as possible are excused,
    whichever fault it takes for each (a matching, by augmenting paths).
    """
    excused: dict[int, int] = {}
    """By the fault's number: the double that it excuses."""

    def excuse(double: int, tried: set[int]) -> bool:
        for fault in excused_by[double]:
            if fault not in tried:
                tried.add(fault)
                if fault not in excused or excuse(excused[fault], tried):
                    excused[fault] = double
                    return True
        return False

    return [double for double in range(len(excused_by)) if not excuse(double, set())]
