"""Everything we can wish for, one struct each. The tag is the name in logs, queue and journal.

A turn's own effects (openai.generateReply, openai.resumeReply, telegram.sendMessage,
telegram.sendChatAction) carry the turn's token and are performed by the turn's job. jobs.publish is
carried out inside the transaction. Every other effect is a job of its own, committed with the state
that wished for it. Tags never change; a changed meaning is a new struct.
"""

from typing import TypeAlias

from msgspec import Struct

HANDLE_UPDATE = "bot.handle_update"
"""The job that runs a chat's turns (the seed's BOT_HANDLE_UPDATE); its key is the chat's id."""


class TurnToken(Struct, frozen=True, omit_defaults=True):
    """Who may act for a chat: the message being processed, and the ownership it is run under."""

    id: int
    epoch: int


class Entity(Struct, frozen=True, omit_defaults=True):
    """Bot API 10.3, MessageEntity; offset and length in UTF-16 code units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None


class Part(Struct, frozen=True, omit_defaults=True):
    """One Telegram message: 1-4096 UTF-16 code units after entities parsing."""

    text: str
    entities: tuple[Entity, ...] = ()


class GenerateReply(Struct, frozen=True, tag="openai.generateReply", omit_defaults=True):
    """Ask the bot's model to answer the message `turn.id`.

    `thread_id` is the server's conversation, which holds our messages up to `thread_upto`; without
    one, a conversation is begun from local history after `context_from`. `trim`: with less of it.
    Outcomes: openai.replyStarted (at most one), then openai.replyGenerated or openai.replyFailed.
    """

    turn: TurnToken
    bot_id: int
    chat: str
    thread_id: str | None = None
    thread_upto: int = 0
    context_from: int = 0
    trim: bool = False


class ResumeReply(Struct, frozen=True, tag="openai.resumeReply", omit_defaults=True):
    """Follow a run that was started already, by its id, to its end. Outcomes: as GenerateReply."""

    turn: TurnToken
    bot_id: int
    run_id: str
    thread_id: str | None = None


class ResetThread(Struct, frozen=True, tag="openai.resetThread", omit_defaults=True):
    """Delete the server's conversation; it is ours no more whatever the server answers."""

    bot_id: int
    thread_id: str


class ForgetThreads(Struct, frozen=True, tag="openai.forgetThreads", omit_defaults=True):
    """Delete conversations of a bot that is gone, one by one, `delay` seconds from now.

    `sealed_model` is where they are, with the bot's own key, encrypted (adapters/secret_box.py). It
    has no outcome: they are ours no more whatever the server answers.
    """

    bot_id: int
    sealed_model: str
    thread_ids: tuple[str, ...]
    attempt: int = 0
    delay: float = 0.0


class SendMessage(Struct, frozen=True, tag="telegram.sendMessage", omit_defaults=True):
    """Send part number `part` (from 0). Outcome: telegram.messageSent or telegram.messageFailed."""

    turn: TurnToken
    bot_id: int
    chat_id: int
    part: int
    text: str
    entities: tuple[Entity, ...] = ()
    topic_id: int | None = None
    reply_to: int | None = None


class SendChatAction(Struct, frozen=True, tag="telegram.sendChatAction", omit_defaults=True):
    """Show "typing" until the turn's next outcome. It has no outcome of its own."""

    turn: TurnToken
    bot_id: int
    chat_id: int
    action: str = "typing"
    topic_id: int | None = None


class EnsureWebhook(Struct, frozen=True, tag="telegram.ensureWebhook", omit_defaults=True):
    """setWebhook and setMyCommands, `delay` seconds from now.

    Outcome: telegram.webhookEnsured or telegram.webhookFailed.
    """

    bot_id: int
    attempt: int = 0
    delay: float = 0.0


class RemoveWebhook(Struct, frozen=True, tag="telegram.removeWebhook", omit_defaults=True):
    """deleteWebhook, `delay` seconds from now. Outcome: telegram.webhookRemoved or …Failed.

    `polling`: because updates are polled from now on (setMyCommands as well); `asked`: because an
    administrator asked for just this. Else only a webhook that leads to us is removed.
    """

    bot_id: int
    polling: bool = False
    attempt: int = 0
    delay: float = 0.0
    asked: bool = False


class RemoveFormerWebhook(
    Struct, frozen=True, tag="telegram.removeFormerWebhook", omit_defaults=True
):
    """deleteWebhook with a token that is the bot's no more, `delay` seconds from now.

    Only a webhook that leads to the bot's path is removed. `sealed_token` is encrypted
    (adapters/secret_box.py). It has no outcome: a webhook that stays is answered 401 or 404, and
    does no harm.
    """

    bot_id: int
    sealed_token: str
    api_url: str
    attempt: int = 0
    delay: float = 0.0


class PublishJob(Struct, frozen=True, tag="jobs.publish", omit_defaults=True):
    """Insert a job of the queue, in this transaction, to be run `delay` seconds from now."""

    job: str
    key: str
    delay: float = 0.0


class PublishWaiting(Struct, frozen=True, tag="jobs.publishWaiting", omit_defaults=True):
    """Publish a job for each chat of the bot whose line waits (the bot was enabled)."""

    bot_id: int


class ReportBotFailure(Struct, frozen=True, tag="bot.reportFailure", omit_defaults=True):
    """Tell the bot that its token, key, model or credit is dead. Outcome: bot.failed."""

    bot_id: int
    reason: str
    token_dead: bool = False


class ReportBotRecovery(Struct, frozen=True, tag="bot.reportRecovery", omit_defaults=True):
    """Tell a bot that was in error that its model has answered. Outcome: bot.recovered."""

    bot_id: int


class AdminAlert(Struct, frozen=True, tag="notification.adminAlert", omit_defaults=True):
    """Tell the administrator by Telegram, once an hour per (bot, cause), with a count."""

    bot_id: int
    cause: str
    text: str


TurnEffect: TypeAlias = GenerateReply | ResumeReply | SendMessage | SendChatAction
DetachedEffect: TypeAlias = (
    EnsureWebhook
    | RemoveWebhook
    | RemoveFormerWebhook
    | ResetThread
    | ForgetThreads
    | PublishWaiting
    | ReportBotFailure
    | ReportBotRecovery
    | AdminAlert
)
Effect: TypeAlias = TurnEffect | DetachedEffect | PublishJob
