"""How a turn fails, is tried again, and ends (DESIGN §2, "Failures").

Every message ends in one final state: COMPLETED, or TERMINAL with its reason and an alert.
"""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec.structs import replace

from domain import texts
from domain.alerts import message_alert
from domain.effects import HANDLE_UPDATE, Effect, Part, PublishJob, ReportBotFailure
from domain.events import TurnBroke, TurnResumed
from domain.failures import (
    MAX_AGE,
    Ambiguous,
    ChatMigrated,
    ContextTooLong,
    EntitiesRefused,
    Failure,
    Fatal,
    Retryable,
    RunLost,
    Terminal,
    ThreadLost,
    backoff,
    costs_attempt,
    exhausted,
    told_wait,
)
from domain.step import Step
from domain.turn import Conversation, Status, Turn
from domain.wishes import go_on

MAX_BREAKS = 3
MAX_DEATHS = 4
ALONE_AFTER_DEATHS = 2
DISABLED_AFTER = timedelta(hours=24)
"""How long a message waits for a disabled bot before it ends TERMINAL."""


def resumed(conversation: Conversation, at: datetime, event: TurnResumed) -> Step[Conversation]:
    """Its retry is due, or another worker takes over from one that was killed."""
    turn = conversation.turn
    if turn is None or turn.over or turn.token.id != event.turn.id:
        return Step(conversation)
    if event.turn.epoch <= conversation.epoch:
        return Step(conversation)  # a later ownership has it by now
    conversation = replace(conversation, epoch=event.turn.epoch)
    deaths = turn.deaths + 1 if event.died else turn.deaths
    turn = replace(turn, token=event.turn, status=Status.PROCESSING, deaths=deaths)
    if deaths >= MAX_DEATHS:
        if turn.verdict is not None:  # it was the error message under which they died
            return finish(conversation, turn, at=at)
        reason = f"its worker was killed {deaths} times while running it"
        step = finish(conversation, replace(turn, verdict=reason), at=at)
        alert = message_alert(turn, reason)
        return Step(step.state, (alert, *step.effects))
    return go_on(conversation, turn)


def broke(conversation: Conversation, at: datetime, event: TurnBroke) -> Step[Conversation]:
    """A bug: tried again twice, then the message ends and the chat goes on."""
    turn = conversation.turn
    if turn is None or turn.over:
        if event.bot is None:
            return Step(conversation)
        # The turn could not even begin, and would not the next time: its code is pure.
        unbegun = Turn(event.turn, event.bot, "", at, update_id=event.update_id)
        if turn is not None and turn.token.id == event.turn.id:  # a person's retry of it
            noticed = turn.noticed if turn.operator else ()
            unbegun = replace(turn, token=event.turn, verdict=None, noticed=noticed, ended_at=None)
        conversation = replace(conversation, epoch=event.turn.epoch)
        reason = f"a bug: {event.error}"
        if not event.bot.enabled:  # its time had run out; a disabled bot says nothing
            alert = message_alert(unbegun, reason)
            return finish(conversation, replace(unbegun, verdict=reason), (alert,), at=at)
        return end(conversation, unbegun, at, Terminal(reason))
    if turn.token != event.turn:
        return Step(conversation)
    turn = replace(turn, breaks=turn.breaks + 1)
    if turn.breaks >= MAX_BREAKS:
        return end(conversation, turn, at, Terminal(f"a bug: {event.error}"))
    return _later(conversation, turn, at, event.error, backoff(turn.breaks, event.jitter))


def failed(
    conversation: Conversation, turn: Turn, at: datetime, failure: Failure, jitter: float
) -> Step[Conversation]:
    """An effect failed: repair and ask again, try again later, or end."""
    match failure:
        case Retryable() | Ambiguous():
            return _retry(conversation, turn, at, failure, jitter)
        case EntitiesRefused(reason=reason):
            if turn.plain:
                return end(conversation, turn, at, Terminal(reason))
            return go_on(conversation, replace(turn.failing(reason, at), plain=True))
        case ChatMigrated(chat_id=chat_id):
            if chat_id == conversation.chat_id:
                return end(conversation, turn, at, Terminal("the group migrated to itself"))
            turn = turn.failing(f"the group is a supergroup now: {chat_id}", at)
            return go_on(replace(conversation, chat_id=chat_id), turn)
        case ThreadLost(reason=reason):
            turn = replace(turn, run_id=None)
            if turn.rebuilt:
                return end(conversation, turn, at, Terminal(reason))
            conversation = replace(conversation, thread_id=None, thread_upto=0)
            turn = replace(turn.failing(reason, at), rebuilt=True)
            return go_on(conversation, turn)
        case RunLost(reason=reason):
            turn = replace(turn, run_id=None)
            if turn.restarted:
                return end(conversation, turn, at, Terminal(reason))
            turn = replace(turn.failing(reason, at), restarted=True)
            return go_on(conversation, turn)
        case ContextTooLong(reason=reason):
            turn = replace(turn, run_id=None)
            if turn.trimmed:
                return end(conversation, turn, at, Terminal(reason))
            conversation = replace(conversation, thread_id=None, thread_upto=0)
            turn = replace(turn.failing(reason, at), trimmed=True)
            return go_on(conversation, turn)
        case Terminal():
            # Whatever refused to answer is over: another try is another run.
            return end(conversation, replace(turn, run_id=None), at, failure)
        case Fatal(run_ended=run_ended):
            ended = replace(turn, run_id=None) if run_ended else turn
            return end(conversation, ended, at, failure)
        case unreachable:
            assert_never(unreachable)


def _retry(
    conversation: Conversation,
    turn: Turn,
    at: datetime,
    failure: Retryable | Ambiguous,
    jitter: float,
) -> Step[Conversation]:
    after = told_wait(failure)
    if isinstance(failure, Retryable) and failure.run_ended:
        turn = replace(turn, run_id=None)
    if costs_attempt(failure):
        turn = replace(turn, attempts=turn.attempts + 1)
    if exhausted(turn.attempts, turn.began_at, at):
        return end(conversation, turn, at, Terminal(f"gave up: {failure.reason}"))
    if after is not None and exhausted(0, turn.began_at, at + _seconds(after)):
        told = f"gave up: told to wait for longer than an hour: {failure.reason}"
        return end(conversation, turn, at, Terminal(told))
    delay = after if after is not None else backoff(turn.attempts, jitter)
    return _later(conversation, turn, at, failure.reason, delay)


def _seconds(told: float) -> timedelta:
    """A wait that was told; there is no end to what a server may tell."""
    return timedelta(seconds=min(told, MAX_AGE.total_seconds()))


def _later(
    conversation: Conversation, turn: Turn, at: datetime, reason: str, delay: float
) -> Step[Conversation]:
    turn = replace(turn.failing(reason, at), status=Status.FAILED)
    job = PublishJob(HANDLE_UPDATE, conversation.id, delay)
    return Step(replace(conversation, turn=turn), (job,))


def end(
    conversation: Conversation, turn: Turn, at: datetime, failure: Fatal | Terminal
) -> Step[Conversation]:
    """Decide that the message ends TERMINAL: alert, and say so in the chat where it still hears."""
    if turn.verdict is not None:
        return finish(conversation, turn, at=at)  # it was the error message that failed
    reason = failure.reason
    turn = replace(turn.failing(reason, at), verdict=reason, status=Status.PROCESSING, plain=False)
    effects: tuple[Effect, ...]
    if isinstance(failure, Fatal):
        # The bot itself tells the administrator: it hears of it from the poller as well.
        effects = (ReportBotFailure(turn.bot.id, reason, failure.token_dead),)
        unheard = failure.token_dead
    else:
        effects = (message_alert(turn, reason),)
        unheard = failure.chat_gone
    if unheard or (turn.asking == "nothing" and turn.notice):
        step = finish(conversation, turn, at=at)
    else:
        words = turn.bot.error_message or texts.FAILED[turn.language]
        step = go_on(conversation, replace(turn, notice=(Part(words),)))
    return Step(step.state, effects + step.effects)


def finish(
    conversation: Conversation, turn: Turn, effects: tuple[Effect, ...] = (), *, at: datetime
) -> Step[Conversation]:
    """The message's final state: TERMINAL where there is a verdict, else COMPLETED."""
    status = Status.COMPLETED if turn.verdict is None else Status.TERMINAL
    turn = replace(turn, status=status, ended_at=at)
    return Step(replace(conversation, epoch=turn.token.epoch, turn=turn), effects)
