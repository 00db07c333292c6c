"""A chat's turn: handle(conversation, envelope) -> Step.

Triggered by application/react.py, once for each event of a chat, under the chat's lock. How a turn
begins stands in beginnings.py, what it wants next in wishes.py, how it fails and ends in
endings.py. An event with another token than the turn's is stale: no effects, no change.
"""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from domain.beginnings import forget, operator_wrote, received, retried
from domain.effects import ReportBotRecovery
from domain.endings import broke, end, failed, finish, resumed
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
from domain.turn import Conversation, Turn
from domain.wishes import go_on


def handle(conversation: Conversation, envelope: Envelope[ChatEvent]) -> Step[Conversation]:
    """One event of a chat. Pure: the same arguments give the same Step."""
    at = envelope.at
    match envelope.event:
        case UpdateReceived() as event:
            return received(conversation, at, event)
        case OperatorWrote() as event:
            return operator_wrote(conversation, at, event)
        case RefreshAsked() as event:
            conversation, effects = forget(conversation, event.turn, event.bot)
            return Step(replace(conversation, epoch=event.turn.epoch), effects)
        case RetryAsked() as event:
            return retried(conversation, at, event)
        case ChatPaused():
            return Step(replace(conversation, paused=True))
        case ChatUnpaused():
            return Step(replace(conversation, paused=False))
        case TurnBroke() as event:
            return broke(conversation, at, event)
        case TurnResumed() as event:
            return resumed(conversation, at, event)
        case (
            JobDeleted()
            | ReplyStarted()
            | ReplyGenerated()
            | ReplyFailed()
            | MessageSent()
            | MessageFailed()
        ) as event:
            running = conversation.turn
            if running is None or running.over or running.token != event.turn:
                return Step(conversation)
            return _advance(conversation, running, at, event)
        case unreachable:
            assert_never(unreachable)


def _advance(
    conversation: Conversation,
    turn: Turn,
    at: datetime,
    event: JobDeleted | ReplyStarted | ReplyGenerated | ReplyFailed | MessageSent | MessageFailed,
) -> Step[Conversation]:
    """An outcome that carries the turn's own token."""
    match event:
        case ReplyStarted(run_id=run_id, thread_id=thread_id):
            conversation = replace(conversation, thread_id=thread_id or conversation.thread_id)
            return Step(replace(conversation, turn=replace(turn, run_id=run_id or turn.run_id)))
        case ReplyGenerated(reply=reply):
            if reply.thread_id is not None:
                conversation = replace(
                    conversation, thread_id=reply.thread_id, thread_upto=turn.token.id
                )
            if not reply.parts:
                return end(conversation, turn, at, Terminal("the model answered with nothing"))
            step = go_on(conversation, replace(turn, reply=reply, generated_at=at))
            if turn.bot.failing:
                return Step(step.state, (ReportBotRecovery(turn.bot.id), *step.effects))
            return step
        case ReplyFailed(failure=failure, jitter=jitter):
            return failed(conversation, turn, at, failure, jitter)
        case MessageSent(part=part, message_id=message_id):
            return sent(conversation, turn, at, part, message_id)
        case MessageFailed(part=part, failure=failure, jitter=jitter):
            if part != turn.next_part:
                return Step(conversation)
            if turn.verdict is not None and not isinstance(failure, EntitiesRefused | ChatMigrated):
                return finish(conversation, turn, at=at)
            return failed(conversation, turn, at, failure, jitter)
        case JobDeleted():
            return finish(conversation, replace(turn, verdict="its job was deleted"), at=at)
        case unreachable:
            assert_never(unreachable)


def sent(
    conversation: Conversation, turn: Turn, at: datetime, part: int, message_id: int
) -> Step[Conversation]:
    if part != turn.next_part:
        return Step(conversation)
    if turn.notice:
        turn = replace(turn, noticed=(*turn.noticed, message_id))
    else:
        turn = replace(turn, sent=(*turn.sent, message_id))
    if turn.next_part < len(turn.parts):
        return go_on(conversation, turn)
    return finish(conversation, turn, at=at)
