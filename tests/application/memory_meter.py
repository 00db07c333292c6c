"""application.meter.Meter in memory."""

from collections import Counter

from application.meter import Counted


class MemoryMeter:
    """What was counted, and the circuits that are open."""

    def __init__(self) -> None:
        self.counted: Counter[Counted] = Counter()
        self.open_circuits: set[str] = set()

    def add(self, what: Counted, amount: int = 1) -> None:
        self.counted[what] += amount

    def model_circuit(self, server: str, *, is_open: bool) -> None:
        if is_open:
            self.open_circuits.add(server)
        else:
            self.open_circuits.discard(server)
