"""What an unfinished turn wants next, from its state alone.

So a turn whose worker died is continued by asking again: a reply that was generated is not
generated again, a part that was sent is not sent again, a run that was started is resumed.
"""

from msgspec.structs import replace

from domain.effects import Effect, GenerateReply, ResumeReply, SendChatAction, SendMessage
from domain.step import Step
from domain.telegram import Message
from domain.turn import Conversation, Turn


def begin(
    conversation: Conversation, turn: Turn, effects: tuple[Effect, ...] = ()
) -> Step[Conversation]:
    """Begin the turn, under its token's epoch, with these effects before its own."""
    conversation = replace(conversation, epoch=turn.token.epoch, turn=turn)
    return Step(conversation, effects + wish(conversation, turn))


def go_on(conversation: Conversation, turn: Turn) -> Step[Conversation]:
    """The turn as it is now, and what it wants next."""
    return Step(replace(conversation, turn=turn), wish(conversation, turn))


def wish(conversation: Conversation, turn: Turn) -> tuple[Effect, ...]:
    """What an unfinished turn wants next, from its state alone."""
    chat_id, topic_id = conversation.chat_id, conversation.topic_id
    parts = turn.parts
    if parts:
        index = turn.next_part
        part = parts[index]
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
