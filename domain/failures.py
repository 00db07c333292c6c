"""Why an effect did not succeed, named by what to do next, and the schedule of retries.

An adapter turns every documented error of Telegram or OpenAI into one of these; any other exception
is a bug. The classes are DESIGN's: RETRYABLE, FATAL, TERMINAL; the rest are repairs, each of which
is one more step of the same turn and costs no attempt.
"""

from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct

MAX_ATTEMPTS = 6
MAX_AGE = timedelta(hours=1)
SHORTEST_TOLD = 0.5
"""Seconds; a wait of less costs an attempt, and is as long as backoff has it."""


class Retryable(Struct, frozen=True, tag="retryable", omit_defaults=True):
    """The same wish may succeed later. `after` is the seconds that the server told us to wait.

    `run_ended`: the model's run is over (it failed on the server), so a retry starts another.
    """

    reason: str
    after: float | None = None
    run_ended: bool = False


class Fatal(Struct, frozen=True, tag="fatal", omit_defaults=True):
    """The bot itself is broken (its key, its model, its credit); `token_dead`: Telegram's token.

    `run_ended`: the model's run is over, so a person's retry starts another.
    """

    reason: str
    token_dead: bool = False
    run_ended: bool = False


class Terminal(Struct, frozen=True, tag="terminal", omit_defaults=True):
    """This message cannot be answered; `chat_gone`: nor can anything else be said in its chat."""

    reason: str
    chat_gone: bool = False


class Ambiguous(Struct, frozen=True, tag="ambiguous", omit_defaults=True):
    """The request left, its answer never came: the message may or may not have been sent."""

    reason: str


class EntitiesRefused(Struct, frozen=True, tag="entitiesRefused", omit_defaults=True):
    """Telegram 400 "can't parse entities": the part is sent again as plain text."""

    reason: str


class ChatMigrated(Struct, frozen=True, tag="chatMigrated", omit_defaults=True):
    """Telegram 400 with `migrate_to_chat_id`: the group is a supergroup with another id now."""

    chat_id: int


class ThreadLost(Struct, frozen=True, tag="threadLost", omit_defaults=True):
    """OpenAI 404 for the conversation: it is made anew from local history, once."""

    reason: str


class RunLost(Struct, frozen=True, tag="runLost", omit_defaults=True):
    """OpenAI 404 for the run that was to be resumed: the reply is generated anew, once."""

    reason: str


class ContextTooLong(Struct, frozen=True, tag="contextTooLong", omit_defaults=True):
    """OpenAI 400 `context_length_exceeded`: asked again with less history, once."""

    reason: str


Failure: TypeAlias = (
    Retryable
    | Fatal
    | Terminal
    | Ambiguous
    | EntitiesRefused
    | ChatMigrated
    | ThreadLost
    | RunLost
    | ContextTooLong
)


def told_wait(failure: Failure) -> float | None:
    """The seconds that a server told us to wait; None: it told none that we go by."""
    after = failure.after if isinstance(failure, Retryable) else None
    # What is as good as not told must not be tried without end.
    return after if after is not None and after >= SHORTEST_TOLD else None


def costs_attempt(failure: Failure) -> bool:
    """Whether another try after it is one of the six: a told wait costs none, nor does a repair."""
    return isinstance(failure, Retryable | Ambiguous) and told_wait(failure) is None


def backoff(attempts: int, jitter: float) -> float:
    """Seconds to wait after so many failed attempts: about 1, 4, 16, 64, 256.

    `jitter` is a number in [0, 1), drawn by an adapter; it spreads the delay by ±25 %.
    """
    return float(4 ** max(attempts - 1, 0)) * (0.75 + 0.5 * jitter)


def exhausted(attempts: int, first_tried_at: datetime, at: datetime) -> bool:
    """Whether a message has had its six attempts, or its hour."""
    return attempts >= MAX_ATTEMPTS or at - first_tried_at >= MAX_AGE
