"""A chat's turn: handle(conversation, envelope) -> Step.

Triggered by application/react.py, once for each event of a chat, under the chat's lock. How a turn
begins stands in beginnings.py, what it wants next in wishes.py, how it fails and ends in
endings.py. An event with another token than the turn's is stale: no effects, no change.
"""

from datetime import datetime
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from domain.beginnings import take
from domain.effects import ReportBotRecovery
from domain.endings import broke, failed, finish, resumed
from domain.events import (
    ChatEvent,
    ChatPaused,
    ChatUnpaused,
    JobDeleted,
    MessageFailed,
    MessageSent,
    OperatorWrote,
    RefreshAsked,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    RetryAsked,
    TurnBroke,
    TurnResumed,
    UpdateReceived,
)
from domain.failures import ChatMigrated, EntitiesRefused, Terminal
from domain.step import Envelope, Step
from domain.turn import Conversation, Status, Turn
from domain.wishes import go_on


def handle(conversation: Conversation, envelope: Envelope[ChatEvent]) -> Step[Conversation]:
    """One event of a chat. Pure: the same arguments give the same Step."""
    at = envelope.at
    # A match asks in order, so what an ordinary turn is made of comes first, here and below.
    match envelope.event:
        case (
            MessageSent()
            | ReplyGenerated()
            | ReplyStarted()
            | ReplyFailed()
            | MessageFailed()
            | JobDeleted()
        ) as event:
            turn = conversation.turn
            if turn is None or turn.over or turn.token != event.turn or not _awaited(turn, event):
                return Step(conversation)
            return _advance(conversation, turn, at, event)
        case UpdateReceived() | OperatorWrote() | RefreshAsked() | RetryAsked() as event:
            return Step(conversation) if conversation.busy else take(conversation, at, event)
        case ChatPaused():
            return Step(replace(conversation, paused=True))
        case ChatUnpaused():
            return Step(replace(conversation, paused=False))
        case TurnBroke() as event:
            return broke(conversation, at, event)
        case TurnResumed() as event:
            return resumed(conversation, at, event)
        case unreachable:
            assert_never(unreachable)


Outcome: TypeAlias = (
    JobDeleted | ReplyStarted | ReplyGenerated | ReplyFailed | MessageSent | MessageFailed
)


def _awaited(turn: Turn, event: Outcome) -> bool:
    """Whether the turn has asked for what this is the outcome of."""
    match event:
        case MessageSent(part=part) | MessageFailed(part=part):
            return (
                turn.status is Status.PROCESSING
                and part == turn.next_part
                and part < len(turn.parts)
            )
        case ReplyGenerated() | ReplyStarted() | ReplyFailed():
            return turn.status is Status.PROCESSING and not turn.parts
        case JobDeleted():
            return True
        case unreachable:
            assert_never(unreachable)


def _advance(
    conversation: Conversation,
    turn: Turn,
    at: datetime,
    event: Outcome,
) -> Step[Conversation]:
    """An outcome that carries the turn's own token."""
    match event:
        case MessageSent(message_id=message_id):
            return _sent(conversation, turn, at, message_id)
        case ReplyGenerated(reply=reply):
            if reply.thread_id is not None:
                conversation = replace(
                    conversation, thread_id=reply.thread_id, thread_upto=turn.token.id
                )
            if not reply.parts:
                nothing = Terminal("the model answered with nothing")
                return failed(conversation, turn, at, nothing, 0.0)
            step = go_on(conversation, replace(turn, reply=reply, generated_at=at))
            if turn.bot.failing:
                return Step(step.state, (ReportBotRecovery(turn.bot.id), *step.effects))
            return step
        case ReplyStarted(run_id=run_id, thread_id=thread_id):
            conversation = replace(conversation, thread_id=thread_id or conversation.thread_id)
            return Step(replace(conversation, turn=replace(turn, run_id=run_id or turn.run_id)))
        case ReplyFailed(failure=failure, jitter=jitter):
            return failed(conversation, turn, at, failure, jitter)
        case MessageFailed(failure=failure, jitter=jitter):
            if turn.verdict is not None and not isinstance(failure, EntitiesRefused | ChatMigrated):
                return finish(conversation, turn, at=at)
            return failed(conversation, turn, at, failure, jitter)
        case JobDeleted():
            return finish(conversation, replace(turn, verdict="its job was deleted"), at=at)
        case unreachable:
            assert_never(unreachable)


def _sent(
    conversation: Conversation, turn: Turn, at: datetime, message_id: int
) -> Step[Conversation]:
    if turn.notice:
        turn = replace(turn, noticed=(*turn.noticed, message_id))
    else:
        turn = replace(turn, sent=(*turn.sent, message_id))
    if turn.next_part < len(turn.parts):
        return go_on(conversation, turn)
    return finish(conversation, turn, at=at)
