"""How a turn begins: what a message is asked to become (a reply, a command's answer, silence)."""

from datetime import datetime

from msgspec.structs import replace

from domain import commands, texts
from domain.alerts import message_alert
from domain.effects import Effect, Part, ResetThread, TurnToken
from domain.endings import finish
from domain.events import BotProfile, OperatorWrote, RetryAsked, UpdateReceived
from domain.step import Step
from domain.telegram import answerable, clean
from domain.turn import Conversation, Status, Turn
from domain.wishes import begin


def received(conversation: Conversation, at: datetime, event: UpdateReceived) -> Step[Conversation]:
    """A message is next in the chat's line; an update that is no message changes nothing."""
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
        return finish(conversation, replace(turn, verdict=reason), (alert,), at=at)
    if message.words is None:
        return _unsupported(conversation, at, turn, message.unsupported or "content")
    command = commands.parse(turn.text, event.bot.username)
    if command is not None:
        return _command(conversation, at, turn, command)
    if not turn.text.strip():
        return finish(conversation, turn, at=at)
    if conversation.paused:
        return finish(conversation, replace(turn, in_context=True), at=at)
    return begin(conversation, replace(turn, asking="model", in_context=True))


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
            conversation, effects = forget(conversation, turn.token, turn.bot)
    return begin(conversation, replace(turn, notice=(Part(words),)), effects)


def forget(
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


def operator_wrote(
    conversation: Conversation, at: datetime, event: OperatorWrote
) -> Step[Conversation]:
    """A person's words go out as the bot's, in their place in the line."""
    turn = Turn(
        token=event.turn,
        bot=event.bot,
        text=clean(event.text),
        began_at=at,
        notice=event.parts,
        in_context=True,
        operator=True,
    )
    return begin(conversation, turn)


def retried(conversation: Conversation, at: datetime, event: RetryAsked) -> Step[Conversation]:
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
    return begin(conversation, again)
