"""What is counted while the system runs, and the port that counts it; GET /metrics shows it."""

from enum import Enum
from typing import Protocol


class Counted(Enum):
    """A counter each: its name, and what it counts."""

    UPDATES_KEPT = "Updates that were kept, from webhooks and polls"
    UPDATES_DUPLICATE = "Updates that came again"
    UPDATES_UNREADABLE = "Genuine updates that could not be understood; they are kept"
    UPDATES_TURNED_AWAY = "Updates that Telegram is to send later: too many wait already"
    MESSAGES_COMPLETED = "Messages that were answered, or asked for no answer"
    MESSAGES_TERMINAL = "Messages that ended with a reason instead of an answer"
    MESSAGES_FAILED = "Tries that failed and are made again"
    SENDS_HELD_BACK = "Sends that waited for Telegram's limits"
    ALERTS_UNDELIVERED = "Alerts that could not be sent; they are in the log"
    MODEL_CIRCUIT_OPENED = "Times that a model server was found to be down"
    SWEEP_FOUND = "Chats that nobody served; 0 unless jobs were deleted by hand"
    ROWS_PRUNED = "Rows that were older than the settings keep them"


class Meter(Protocol):
    """Counts."""

    def add(self, what: Counted, amount: int = 1) -> None:
        """Count so many more."""
        ...

    def model_circuit(self, server: str, *, is_open: bool) -> None:
        """Whether a model server is held to be down, as seen from this process."""
        ...
