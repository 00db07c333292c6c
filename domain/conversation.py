"""A chat's turn: handle(conversation, envelope) -> Step.

Triggered by application/react.py, once for each event of a chat, under the chat's lock. What a
message is asked to become (a reply, a command's answer, silence) is decided when its turn begins;
from then on the state alone says what to wish for next (`_wish`), so that a turn whose worker died
is continued by asking again. An event with another token than the turn's is stale: no effects.
"""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain import commands, texts
from domain.alerts import bot_alert, message_alert
from domain.effects import (
    Effect,
    GenerateReply,
    Part,
    PublishJob,
    ReportBotFailure,
    ReportBotRecovery,
    ResetThread,
    ResumeReply,
    SendChatAction,
    SendMessage,
    TurnToken,
)
from domain.events import (
    BotProfile,
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
from domain.failures import (
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
    exhausted,
)
from domain.step import Envelope, Step
from domain.telegram import Message, answerable, clean
from domain.turn import Status, Turn

HANDLE_UPDATE = "bot.handle_update"
"""The job that runs a chat's turns (the seed's BOT_HANDLE_UPDATE); its key is the chat's id."""

MAX_BREAKS = 3
MAX_DEATHS = 4
ALONE_AFTER_DEATHS = 2
DISABLED_AFTER = timedelta(hours=24)


class Conversation(Struct, frozen=True, omit_defaults=True):
    """One chat with one bot.

    `thread_id` is the model server's conversation, holding our messages up to `thread_upto`;
    messages up to `context_from` are forgotten. `told` are the kinds of content of which the user
    has heard that we cannot answer them. `turn` is the one in progress, or the last one that ended.
    """

    id: str
    chat_id: int
    topic_id: int | None = None
    thread_id: str | None = None
    thread_upto: int = 0
    context_from: int = 0
    paused: bool = False
    told: tuple[str, ...] = ()
    epoch: int = 0
    turn: Turn | None = None


def handle(conversation: Conversation, envelope: Envelope[ChatEvent]) -> Step[Conversation]:
    """One event of a chat. Pure: the same arguments give the same Step."""
    at = envelope.at
    match envelope.event:
        case UpdateReceived() as event:
            return _received(conversation, at, event)
        case OperatorWrote() as event:
            turn = Turn(
                event.turn,
                event.bot,
                clean(event.text),
                at,
                notice=event.parts,
                in_context=True,
                operator=True,
            )
            return _begin(conversation, turn)
        case RefreshAsked() as event:
            conversation, effects = _forget(conversation, event.turn, event.bot)
            return Step(replace(conversation, epoch=event.turn.epoch), effects)
        case RetryAsked() as event:
            return _retried(conversation, at, event)
        case ChatPaused():
            return Step(replace(conversation, paused=True))
        case ChatUnpaused():
            return Step(replace(conversation, paused=False))
        case TurnBroke() as event:
            return _broke(conversation, at, event)
        case TurnResumed() as event:
            return _resumed(conversation, at, event)
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
                return _end(conversation, turn, at, Terminal("the model answered with nothing"))
            step = _go_on(conversation, replace(turn, reply=reply, generated_at=at))
            if turn.bot.failing:
                return Step(step.state, (ReportBotRecovery(turn.bot.id), *step.effects))
            return step
        case ReplyFailed(failure=failure, jitter=jitter):
            return _failed(conversation, turn, at, failure, jitter)
        case MessageSent(part=part, message_id=message_id):
            return _sent(conversation, turn, at, part, message_id)
        case MessageFailed(part=part, failure=failure, jitter=jitter):
            if part != turn.next_part:
                return Step(conversation)
            if turn.verdict is not None and not isinstance(failure, EntitiesRefused | ChatMigrated):
                return _finish(conversation, turn, at=at)
            return _failed(conversation, turn, at, failure, jitter)
        case JobDeleted():
            return _finish(conversation, replace(turn, verdict="its job was deleted"), at=at)
        case unreachable:
            assert_never(unreachable)


# --- how a turn begins ---------------------------------------------------------------------------


def _received(
    conversation: Conversation, at: datetime, event: UpdateReceived
) -> Step[Conversation]:
    message = answerable(event.update)
    if message is None or (conversation.turn is not None and not conversation.turn.over):
        return Step(conversation)
    turn = Turn(
        token=event.turn,
        bot=event.bot,
        text=clean(message.words or ""),
        began_at=at,
        language=texts.language_of(message.from_user),
        update_id=event.update.update_id,
        incoming=message,
    )
    if not event.bot.enabled:
        reason = "bot disabled"
        alert = message_alert(turn, reason)
        return _finish(conversation, replace(turn, verdict=reason), (alert,), at=at)
    if message.words is None:
        return _unsupported(conversation, at, turn, message.unsupported or "content")
    command = commands.parse(turn.text, event.bot.username)
    if command is not None:
        return _command(conversation, at, turn, command)
    if not turn.text.strip():
        return _finish(conversation, turn, at=at)
    if conversation.paused:
        return _finish(conversation, replace(turn, in_context=True), at=at)
    return _begin(conversation, replace(turn, asking="model", in_context=True))


def _command(
    conversation: Conversation, at: datetime, turn: Turn, command: commands.Command
) -> Step[Conversation]:
    if conversation.paused or not command.ours:
        return _finish(conversation, turn, at=at)
    effects: tuple[Effect, ...] = ()
    match command.name:
        case "start":
            words = turn.bot.start_message or texts.START[turn.language]
        case "help":
            words = turn.bot.help_text or texts.HELP[turn.language]
        case _:
            words = texts.REFRESHED[turn.language]
            conversation, effects = _forget(conversation, turn.token, turn.bot)
    return _begin(conversation, replace(turn, notice=(Part(words),)), effects)


def _forget(
    conversation: Conversation, token: TurnToken, bot: BotProfile
) -> tuple[Conversation, tuple[Effect, ...]]:
    """Forget the thread: the model is told nothing of what was said before this."""
    effects: tuple[Effect, ...] = ()
    if conversation.thread_id is not None:
        effects = (ResetThread(bot.id, conversation.thread_id),)
    forgotten = replace(conversation, thread_id=None, thread_upto=0, context_from=token.id, told=())
    return forgotten, effects


def _unsupported(
    conversation: Conversation, at: datetime, turn: Turn, kind: str
) -> Step[Conversation]:
    """Say once for each kind of content that we cannot answer it; be silent afterwards."""
    if conversation.paused or kind in conversation.told:
        return _finish(conversation, turn, at=at)
    conversation = replace(conversation, told=(*conversation.told, kind))
    notice = (Part(texts.UNSUPPORTED[turn.language]),)
    return _begin(conversation, replace(turn, notice=notice))


def _retried(conversation: Conversation, at: datetime, event: RetryAsked) -> Step[Conversation]:
    """A person's retry keeps the run, the reply and the parts already sent."""
    turn = conversation.turn
    if turn is None or turn.status is not Status.TERMINAL or turn.token.id != event.turn.id:
        return Step(conversation)
    again = Turn(
        token=event.turn,
        bot=event.bot,
        text=turn.text,
        began_at=at,
        language=turn.language,
        update_id=turn.update_id,
        incoming=turn.incoming,
        asking=turn.asking,
        in_context=turn.in_context,
        operator=turn.operator,
        run_id=turn.run_id,
        reply=turn.reply,
        notice=() if turn.asking == "model" else turn.notice,
        sent=turn.sent,
        generated_at=turn.generated_at,
    )
    if again.asking == "nothing" and not again.notice and turn.incoming is not None:
        # It ended before it was asked anything (its bot was disabled): it begins anew.
        again = replace(again, asking="model", in_context=True)
    return _begin(conversation, again)


# --- how it goes on ------------------------------------------------------------------------------


def _begin(
    conversation: Conversation, turn: Turn, effects: tuple[Effect, ...] = ()
) -> Step[Conversation]:
    conversation = replace(conversation, epoch=turn.token.epoch)
    step = _go_on(conversation, turn)
    return Step(step.state, effects + step.effects)


def _go_on(conversation: Conversation, turn: Turn) -> Step[Conversation]:
    return Step(replace(conversation, turn=turn), _wish(conversation, turn))


def _wish(conversation: Conversation, turn: Turn) -> tuple[Effect, ...]:
    """What an unfinished turn wants next, from its state alone."""
    chat_id, topic_id = conversation.chat_id, conversation.topic_id
    if turn.parts:
        index = turn.next_part
        part = turn.parts[index]
        return (
            SendMessage(
                turn=turn.token,
                bot_id=turn.bot.id,
                chat_id=chat_id,
                part=index,
                text=part.text,
                entities=() if turn.plain else part.entities,
                topic_id=topic_id,
                reply_to=_reply_to(turn.incoming) if index == 0 else None,
            ),
        )
    typing = SendChatAction(turn.token, turn.bot.id, chat_id, topic_id=topic_id)
    if turn.run_id is not None:
        resume = ResumeReply(turn.token, turn.bot.id, turn.run_id, conversation.thread_id)
        return (typing, resume)
    generate = GenerateReply(
        turn=turn.token,
        bot_id=turn.bot.id,
        chat=conversation.id,
        thread_id=conversation.thread_id,
        thread_upto=conversation.thread_upto,
        context_from=conversation.context_from,
        trim=turn.trimmed,
    )
    return (typing, generate)


def _reply_to(incoming: Message | None) -> int | None:
    """In a group the answer quotes the question; between two people there is no need."""
    if incoming is None or incoming.chat.type == "private":
        return None
    return incoming.message_id


def _sent(
    conversation: Conversation, turn: Turn, at: datetime, part: int, message_id: int
) -> Step[Conversation]:
    if part != turn.next_part:
        return Step(conversation)
    if turn.notice:
        turn = replace(turn, noticed=(*turn.noticed, message_id))
    else:
        turn = replace(turn, sent=(*turn.sent, message_id))
    if turn.next_part < len(turn.parts):
        return _go_on(conversation, turn)
    return _finish(conversation, turn, at=at)


def _resumed(conversation: Conversation, at: datetime, event: TurnResumed) -> Step[Conversation]:
    turn = conversation.turn
    if turn is None or turn.over or turn.token.id != event.turn.id:
        return Step(conversation)
    conversation = replace(conversation, epoch=event.turn.epoch)
    deaths = turn.deaths + 1 if event.died else turn.deaths
    turn = replace(turn, token=event.turn, status=Status.PROCESSING, deaths=deaths)
    if deaths >= MAX_DEATHS:
        reason = f"its worker was killed {deaths} times while running it"
        step = _finish(conversation, replace(turn, verdict=reason), at=at)
        alert = message_alert(turn, reason)
        return Step(step.state, (alert, *step.effects))
    return _go_on(conversation, turn)


def _broke(conversation: Conversation, at: datetime, event: TurnBroke) -> Step[Conversation]:
    """A bug: tried again twice, then the message ends and the chat goes on."""
    turn = conversation.turn
    if turn is None or turn.over:
        if event.bot is None:
            return Step(conversation)
        # The turn could not even begin, and would not the next time: its code is pure.
        turn = Turn(event.turn, event.bot, "", at, update_id=event.update_id)
        conversation = replace(conversation, epoch=event.turn.epoch)
        return _end(conversation, turn, at, Terminal(f"a bug: {event.error}"))
    if turn.token != event.turn:
        return Step(conversation)
    turn = replace(turn, breaks=turn.breaks + 1)
    if turn.breaks >= MAX_BREAKS:
        return _end(conversation, turn, at, Terminal(f"a bug: {event.error}"))
    return _later(conversation, turn, at, event.error, backoff(turn.breaks, event.jitter))


# --- how it fails --------------------------------------------------------------------------------


def _failed(
    conversation: Conversation, turn: Turn, at: datetime, failure: Failure, jitter: float
) -> Step[Conversation]:
    match failure:
        case Retryable() | Ambiguous():
            return _retry(conversation, turn, at, failure, jitter)
        case EntitiesRefused(reason=reason):
            if turn.plain:
                return _end(conversation, turn, at, Terminal(reason))
            return _go_on(conversation, replace(turn.failing(reason, at), plain=True))
        case ChatMigrated(chat_id=chat_id):
            if chat_id == conversation.chat_id:
                return _end(conversation, turn, at, Terminal("the group migrated to itself"))
            turn = turn.failing(f"the group is a supergroup now: {chat_id}", at)
            return _go_on(replace(conversation, chat_id=chat_id), turn)
        case ThreadLost(reason=reason) | RunLost(reason=reason):
            if turn.rebuilt:
                return _end(conversation, turn, at, Terminal(reason))
            if isinstance(failure, ThreadLost):
                conversation = replace(conversation, thread_id=None, thread_upto=0)
            turn = replace(turn.failing(reason, at), rebuilt=True, run_id=None)
            return _go_on(conversation, turn)
        case ContextTooLong(reason=reason):
            if turn.trimmed:
                return _end(conversation, turn, at, Terminal(reason))
            conversation = replace(conversation, thread_id=None, thread_upto=0)
            turn = replace(turn.failing(reason, at), trimmed=True, run_id=None)
            return _go_on(conversation, turn)
        case Fatal() | Terminal():
            return _end(conversation, turn, at, failure)
        case unreachable:
            assert_never(unreachable)


def _retry(
    conversation: Conversation,
    turn: Turn,
    at: datetime,
    failure: Retryable | Ambiguous,
    jitter: float,
) -> Step[Conversation]:
    after = failure.after if isinstance(failure, Retryable) else None
    if isinstance(failure, Retryable) and failure.run_ended:
        turn = replace(turn, run_id=None)
    if after is None:
        turn = replace(turn, attempts=turn.attempts + 1)
    if exhausted(turn.attempts, turn.began_at, at):
        return _end(conversation, turn, at, Terminal(f"gave up: {failure.reason}"))
    delay = after if after is not None else backoff(turn.attempts, jitter)
    return _later(conversation, turn, at, failure.reason, delay)


def _later(
    conversation: Conversation, turn: Turn, at: datetime, reason: str, delay: float
) -> Step[Conversation]:
    turn = replace(turn.failing(reason, at), status=Status.FAILED)
    job = PublishJob(HANDLE_UPDATE, conversation.id, delay)
    return Step(replace(conversation, turn=turn), (job,))


def _end(
    conversation: Conversation, turn: Turn, at: datetime, failure: Fatal | Terminal
) -> Step[Conversation]:
    """Decide that the message ends TERMINAL: alert, and say so in the chat where it still hears."""
    reason = failure.reason
    turn = replace(turn.failing(reason, at), verdict=reason, status=Status.PROCESSING, plain=False)
    effects: tuple[Effect, ...]
    if isinstance(failure, Fatal):
        report = ReportBotFailure(turn.bot.id, reason, failure.token_dead)
        effects = (report, bot_alert(turn.bot, reason))
        unheard = failure.token_dead
    else:
        effects = (message_alert(turn, reason),)
        unheard = failure.chat_gone
    if unheard or (turn.asking == "nothing" and turn.notice):
        step = _finish(conversation, turn, at=at)
    else:
        words = turn.bot.error_message or texts.FAILED[turn.language]
        step = _go_on(conversation, replace(turn, notice=(Part(words),)))
    return Step(step.state, effects + step.effects)


def _finish(
    conversation: Conversation, turn: Turn, effects: tuple[Effect, ...] = (), *, at: datetime
) -> Step[Conversation]:
    """The message's final state: TERMINAL where there is a verdict, else COMPLETED."""
    status = Status.COMPLETED if turn.verdict is None else Status.TERMINAL
    turn = replace(turn, status=status, ended_at=at)
    return Step(replace(conversation, epoch=turn.token.epoch, turn=turn), effects)


def started(conversation: Conversation) -> bool:
    """Whether a turn of the chat is unfinished."""
    return conversation.turn is not None and not conversation.turn.over
