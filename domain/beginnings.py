"""How a turn begins: what a message is asked to become (a reply, a command's answer, silence)."""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from domain import commands, texts
from domain.alerts import message_alert
from domain.effects import Effect, Part, ResetThread, TurnToken
from domain.endings import finish
from domain.events import BotProfile, OperatorWrote, RefreshAsked, RetryAsked, UpdateReceived
from domain.step import Step
from domain.telegram import Message, Update, answerable, clean
from domain.turn import Conversation, Status, Turn
from domain.wishes import begin


def take(
    conversation: Conversation,
    at: datetime,
    event: UpdateReceived | OperatorWrote | RefreshAsked | RetryAsked,
) -> Step[Conversation]:
    """The next in the chat's line; an update that is no message changes nothing."""
    if conversation.busy:
        return Step(conversation)
    match event:
        case UpdateReceived():
            message = answerable(event.update)
            if message is None:
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
            return _answer(conversation, at, turn, message)
        case OperatorWrote(parts=parts, text=text):
            turn = Turn(
                token=event.turn,
                bot=event.bot,
                text=clean(text),
                began_at=at,
                notice=parts,
                in_context=True,
                operator=True,
            )
            if not turn.bot.enabled:
                return _disabled(conversation, turn, at)
            return begin(conversation, turn) if parts else finish(conversation, turn, at=at)
        case RefreshAsked():
            conversation, effects = _forget(conversation, event.turn, event.bot)
            return Step(replace(conversation, epoch=event.turn.epoch), effects)
        case RetryAsked():
            return _again(conversation, at, event)
        case unreachable:
            assert_never(unreachable)


def needed(bot: BotProfile, update: Update) -> BotProfile:
    """The bot without the texts that this update does not ask for.

    They may be long, and the journal keeps the profile with each message.
    """
    words = (update.message.words if update.message is not None else None) or ""
    command = commands.parse(clean(words), bot.username)
    name = command.name if command is not None else None
    return replace(
        bot,
        start_message=bot.start_message if name == "start" else None,
        help_text=bot.help_text if name == "help" else None,
    )


def _answer(
    conversation: Conversation, at: datetime, turn: Turn, message: Message
) -> Step[Conversation]:
    """What a person's message is asked to become."""
    if not turn.bot.enabled:
        return _disabled(conversation, turn, at)
    if message.words is None:
        return _unsupported(conversation, at, turn, message.unsupported or "content")
    command = commands.parse(turn.text, turn.bot.username)
    if command is not None:
        return _command(conversation, at, turn, command)
    if not turn.text.strip():
        return finish(conversation, turn, at=at)
    if conversation.paused:
        return finish(conversation, replace(turn, in_context=True), at=at)
    return begin(conversation, replace(turn, asking="model", in_context=True))


def _disabled(conversation: Conversation, turn: Turn, at: datetime) -> Step[Conversation]:
    """It has waited for a day for its bot to be enabled."""
    reason = "bot disabled"
    alert = message_alert(turn, reason)
    return finish(conversation, replace(turn, verdict=reason), (alert,), at=at)


def _command(
    conversation: Conversation, at: datetime, turn: Turn, command: commands.Command
) -> Step[Conversation]:
    if conversation.paused or not command.ours:
        return finish(conversation, turn, at=at)
    effects: tuple[Effect, ...] = ()
    match command.name:
        case "start":
            words = turn.bot.start_message or texts.START[turn.language]
        case "help":
            words = turn.bot.help_text or texts.HELP[turn.language]
        case _:
            words = texts.REFRESHED[turn.language]
            conversation, effects = _forget(conversation, turn.token, turn.bot)
    return begin(conversation, replace(turn, notice=(Part(words),)), effects)


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
        return finish(conversation, turn, at=at)
    conversation = replace(conversation, told=(*conversation.told, kind))
    notice = (Part(texts.UNSUPPORTED[turn.language]),)
    return begin(conversation, replace(turn, notice=notice))


def _again(conversation: Conversation, at: datetime, event: RetryAsked) -> Step[Conversation]:
    """A person's retry: as if for the first time, but for what was already done.

    It keeps the run, the reply and the parts that were sent.
    """
    former = conversation.turn
    if former is None or former.status is not Status.TERMINAL or former.token.id != event.turn.id:
        return Step(conversation)
    turn = Turn(
        token=event.turn,
        bot=event.bot,
        text=former.text,
        began_at=at,
        language=former.language,
        update_id=former.update_id,
        incoming=former.incoming,
        in_context=former.in_context,
        operator=former.operator,
    )
    if former.operator:
        turn = replace(turn, notice=former.notice, noticed=former.noticed)
    elif former.asking == "model":
        turn = replace(
            turn,
            asking="model",
            run_id=former.run_id,
            reply=former.reply,
            sent=former.sent,
            generated_at=former.generated_at,
        )
    if not turn.bot.enabled:
        return _disabled(conversation, turn, at)
    if former.operator:
        return begin(conversation, turn)
    if former.incoming is None:
        reason = "its update could not be understood"
        return finish(conversation, replace(turn, verdict=reason), at=at)
    if former.asking == "model":
        return begin(conversation, turn)
    return _answer(conversation, at, turn, former.incoming)
