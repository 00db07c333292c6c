"""What a call to Telegram or the model may bring: its success, and each way of failing.

A success is free; every failure, and every success that nobody hears of, is a fault of the budget.
"""

from collections.abc import Iterator

from msgspec import Struct

from domain.effects import GenerateReply, Part, ResumeReply, SendMessage
from domain.events import (
    MessageFailed,
    MessageSent,
    Reply,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
)
from domain.failures import (
    Ambiguous,
    ContextTooLong,
    EntitiesRefused,
    Failure,
    Fatal,
    Retryable,
    RunLost,
    Terminal,
    ThreadLost,
)
from tests.explore.entries import Plan
from tests.explore.positions import Answer, Bug, Call, Follow

AWAY = Retryable("away")
ENDED = Retryable("the run failed", run_ended=True)
REFUSED = Terminal("refused")
NO_ANSWER = Ambiguous("no answer")


class Brought(Struct, frozen=True):
    """What a call brought. `arrived`: Telegram shows the part; `ended`: the run is over."""

    answer: Answer
    free: bool = False
    arrived: bool = False
    started: bool = False
    ended: bool = False


def outcomes(request: Call | Follow, plan: Plan) -> Iterator[Brought]:
    """Everything that the call may bring; the free one comes first."""
    effect = request.effect
    match effect:
        case SendMessage():
            yield from _sent(effect)
        case GenerateReply() if isinstance(request, Call) and not plan.plain:
            started = ReplyStarted(effect.turn, "run", effect.thread_id or "conversation")
            yield Brought(started, free=True, started=True)
            yield from _failed(effect, AWAY, Fatal("wrong key"), REFUSED)
            yield from _failed(effect, ContextTooLong("too long"))
            if effect.thread_id is not None:
                yield from _failed(effect, ThreadLost("no conversation"))
        case GenerateReply() | ResumeReply():
            yield Brought(_reply(effect, plan), free=True, started=plan.plain)
            yield from _failed(effect, AWAY)
            yield from _failed(effect, ENDED, RunLost("no run"), REFUSED, ended=True)
    yield Brought(Bug)


def _sent(effect: SendMessage) -> Iterator[Brought]:
    yield Brought(MessageSent(effect.turn, effect.part, 900), free=True, arrived=True)
    failures: tuple[Failure, ...] = (
        AWAY,
        NO_ANSWER,
        Terminal("blocked", chat_gone=True),
        Fatal("wrong token", token_dead=True),
        EntitiesRefused("can't parse entities"),
    )
    for failure in failures:
        yield Brought(MessageFailed(effect.turn, effect.part, failure))


def _failed(
    effect: GenerateReply | ResumeReply, *failures: Failure, ended: bool = False
) -> Iterator[Brought]:
    for failure in failures:
        yield Brought(ReplyFailed(effect.turn, failure), ended=ended)


def _reply(effect: GenerateReply | ResumeReply, plan: Plan) -> ReplyGenerated:
    count = plan.parts if effect.turn.id == plan.updates[0] else 1
    parts = tuple(Part(f"part {number}") for number in range(count))
    run_id = None if plan.plain else "run"
    return ReplyGenerated(
        effect.turn, Reply("reply", parts, "gpt", thread_id="conversation", run_id=run_id)
    )
