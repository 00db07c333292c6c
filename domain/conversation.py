"""A chat's turn: handle(conversation, envelope) -> Step.

Triggered by application/react.py, once for each event of a chat, under the chat's lock. How a turn
begins stands in beginnings.py, what it wants next in wishes.py, how it fails and ends in
endings.py. An event with another token than the turn's is stale: no effects, no change.
"""

from datetime import datetime
from typing import assert_never

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
from domain.failures import Ambiguous, ChatMigrated, EntitiesRefused, Retryable, Terminal
from domain.step import Envelope, Step
from domain.turn import Conversation, Status
from domain.wishes import go_on

_SENT_AGAIN = (Retryable, Ambiguous, EntitiesRefused, ChatMigrated)
"""What keeps an error message from its chat for a while only."""


def handle(conversation: Conversation, envelope: Envelope[ChatEvent]) -> Step[Conversation]:
    """One event of a chat. Pure: the same arguments give the same Step."""
    at = envelope.at
    match envelope.event:  # it asks in order: what most turns are made of comes first
        case UpdateReceived() as event:
            return take(conversation, at, event)
        case MessageSent() | MessageFailed() as event:
            return _delivered(conversation, at, event)
        case ReplyGenerated() | ReplyStarted() | ReplyFailed() as event:
            return _replied(conversation, at, event)
        case OperatorWrote() | RefreshAsked() | RetryAsked() as event:
            return take(conversation, at, event)
        case ChatPaused():
            return Step(replace(conversation, paused=True))
        case ChatUnpaused():
            return Step(replace(conversation, paused=False))
        case TurnBroke() as event:
            return broke(conversation, at, event)
        case TurnResumed() as event:
            return resumed(conversation, at, event)
        case JobDeleted(turn=token):
            turn = conversation.turn
            if turn is None or turn.over or turn.token != token:
                return Step(conversation)
            return finish(conversation, replace(turn, verdict="its job was deleted"), at=at)
        case unreachable:
            assert_never(unreachable)


def _delivered(
    conversation: Conversation, at: datetime, event: MessageSent | MessageFailed
) -> Step[Conversation]:
    """What became of the part that the turn has asked to send."""
    turn = conversation.turn
    if turn is None or turn.token != event.turn or turn.status is not Status.PROCESSING:
        return Step(conversation)
    part, count = turn.next_part, len(turn.parts)
    if event.part != part or part >= count:
        return Step(conversation)
    match event:
        case MessageSent():
            if turn.notice:
                turn = replace(turn, noticed=(*turn.noticed, event.message_id))
            else:
                turn = replace(turn, sent=(*turn.sent, event.message_id))
            if part + 1 < count:
                return go_on(conversation, turn)
            return finish(conversation, turn, at=at)
        case MessageFailed(failure=failure, jitter=jitter):
            if turn.verdict is not None and not isinstance(failure, _SENT_AGAIN):
                return finish(conversation, turn, at=at)
            return failed(conversation, turn, at, failure, jitter)
        case unreachable:
            assert_never(unreachable)


def _replied(
    conversation: Conversation, at: datetime, event: ReplyGenerated | ReplyStarted | ReplyFailed
) -> Step[Conversation]:
    """What became of the reply that the turn has asked for."""
    turn = conversation.turn
    if turn is None or turn.token != event.turn or turn.status is not Status.PROCESSING:
        return Step(conversation)
    if turn.parts:
        return Step(conversation)
    match event:
        case ReplyGenerated():
            reply = event.reply
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
        case unreachable:
            assert_never(unreachable)
