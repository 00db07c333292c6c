"""What is counted and timed while the system runs, and the port for it; GET /metrics shows it."""

from contextlib import AbstractContextManager
from enum import Enum, StrEnum
from typing import Protocol

from msgspec import Struct


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
    LOG_LINES_LOST = "Log lines that Logtail did not take; the console has them"


class Stage(StrEnum):
    """A part of a message's way, timed where it succeeds. The values are labels."""

    INTAKE = "intake"
    """From an update's coming until it is kept."""
    QUEUE = "queue"
    """From an update's being kept until its turn begins."""
    MODEL_FIRST_BYTE = "model_first_byte"
    """From asking for an answer until the first of it comes."""
    MODEL = "model"
    """From asking for an answer until it is whole."""
    SEND = "send"
    """One sendMessage."""
    TURN = "turn"
    """From a message's being kept until its answer was sent."""


class Loop(StrEnum):
    """What commits for many at once. The values are labels."""

    INTAKE = "intake"
    REACT = "react"


class Answer(StrEnum):
    """How a server answered a call. The values are labels."""

    OK = "ok"
    REFUSED = "4xx"
    RATE_LIMITED = "429"
    FAILED = "5xx"
    MALFORMED = "malformed"
    NONE = "network"


def answer_of(status: int) -> Answer:
    """The class of an HTTP status."""
    match status // 100:
        case 2:
            return Answer.OK
        case 4:
            return Answer.RATE_LIMITED if status == 429 else Answer.REFUSED
        case 5:
            return Answer.FAILED
        case _:
            return Answer.MALFORMED


class RateLimit(Struct, frozen=True):
    """What a model server says is left of a limit; `reset`: seconds until all of it is back."""

    of: str
    remaining: float | None
    reset: float | None


class Meter(Protocol):
    """Counts and times. Its clock is its own."""

    def add(self, what: Counted, amount: int = 1) -> None:
        """Count so many more."""
        ...

    def took(self, stage: Stage, seconds: float) -> None:
        """The stage of one message took so long."""
        ...

    def timing(self, stage: Stage) -> AbstractContextManager[None]:
        """The stage takes as long as the block; one that raises is not timed."""
        ...

    def committing(self, loop: Loop, size: int) -> AbstractContextManager[None]:
        """The block commits so many at once; one that raises is not counted."""
        ...

    def turn(self, status: str, reason: str) -> None:
        """A turn ended, or failed and is tried again; the reason is one of few."""
        ...

    def webhook(self, status: int) -> None:
        """A webhook was answered so."""
        ...

    def telegram(self, method: str, answer: Answer, retry_after: float | None = None) -> None:
        """A call of the Bot API; Telegram told us to wait for so many seconds."""
        ...

    def model(self, server: str, answer: Answer) -> None:
        """A request to a model server, which is named by its base URL."""
        ...

    def model_limit(self, server: str, model: str, limit: RateLimit) -> None:
        """What is left of the server's limits for the model."""
        ...

    def model_used(
        self, model: str, input_tokens: int | None, output_tokens: int | None, price: str | None
    ) -> None:
        """An answer's tokens, and its US dollars as a decimal number; None: not known."""
        ...

    def model_circuit(self, server: str, *, is_open: bool) -> None:
        """Whether a model server is held to be down, as seen from this process."""
        ...
