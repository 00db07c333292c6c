"""Everything that can have happened, one struct each. The tag is the name in journal and logs.

An event of a turn carries the turn's token: with any other token it is a no-op. Tags never change;
a changed meaning is a new struct.
"""

from typing import TypeAlias

from msgspec import Struct

from domain.effects import Part, TurnToken
from domain.failures import Failure
from domain.telegram import Update


class BotProfile(Struct, frozen=True, omit_defaults=True):
    """What a turn needs of its bot, as it was when the turn began."""

    id: int
    name: str
    username: str | None = None
    enabled: bool = True
    failing: bool = False
    start_message: str | None = None
    help_text: str | None = None
    error_message: str | None = None


class Reply(Struct, frozen=True, omit_defaults=True):
    """A model's answer, rendered: `text` is its Markdown, `parts` what Telegram is sent.

    `text` is "" where its one part says the same, and `run_id` None where openai.replyStarted told
    it: the journal keeps each answer.
    `price` is a decimal number of US dollars, None where the model's price is unknown; `latency` is
    seconds from asking to the last token. `thread_id` is the conversation that now holds it.
    """

    text: str
    parts: tuple[Part, ...]
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    price: str | None = None
    latency: float = 0.0
    thread_id: str | None = None
    run_id: str | None = None
    incomplete: bool = False

    @property
    def markdown(self) -> str:
        """The text, wherever it stands."""
        return self.text or "".join(part.text for part in self.parts[:1])


class UpdateReceived(Struct, frozen=True, tag="telegram.updateReceived", omit_defaults=True):
    """The chat's next update is taken from its line."""

    turn: TurnToken
    update: Update
    bot: BotProfile


class OperatorWrote(Struct, frozen=True, tag="chat.operatorWrote", omit_defaults=True):
    """A person wrote in the bot's name; `parts` are the text as Telegram takes it."""

    turn: TurnToken
    text: str
    parts: tuple[Part, ...]
    bot: BotProfile


class RefreshAsked(Struct, frozen=True, tag="chat.refreshAsked", omit_defaults=True):
    """An administrator asked that the chat's thread be forgotten."""

    turn: TurnToken
    bot: BotProfile


class RetryAsked(Struct, frozen=True, tag="processing.retryAsked", omit_defaults=True):
    """A person asked for another try of a message that ended TERMINAL: its turn stands loaded."""

    turn: TurnToken
    bot: BotProfile


class TurnResumed(Struct, frozen=True, tag="turn.resumed", omit_defaults=True):
    """A job took over an unfinished turn: its retry is due, or (`died`) its worker was killed."""

    turn: TurnToken
    died: bool = False


class TurnBroke(Struct, frozen=True, tag="turn.broke", omit_defaults=True):
    """A bug: an exception that no Failure names. `jitter` is in [0, 1).

    `error` is its one line, `traceback` all that Python says of it (its end, where that is long).
    `bot` and `update_id` are given where the turn could not even begin.
    """

    turn: TurnToken
    error: str
    jitter: float = 0.5
    update_id: int | None = None
    bot: BotProfile | None = None
    traceback: str = ""


class JobDeleted(Struct, frozen=True, tag="job.deleted", omit_defaults=True):
    """A person deleted the job that ran this turn."""

    turn: TurnToken


class ReplyStarted(Struct, frozen=True, tag="openai.replyStarted", omit_defaults=True):
    """The model's run has an id: from now on it can be resumed."""

    turn: TurnToken
    run_id: str | None = None
    thread_id: str | None = None


class ReplyGenerated(Struct, frozen=True, tag="openai.replyGenerated", omit_defaults=True):
    """The model answered."""

    turn: TurnToken
    reply: Reply


class ReplyFailed(Struct, frozen=True, tag="openai.replyFailed", omit_defaults=True):
    """The model did not answer. `jitter` is in [0, 1)."""

    turn: TurnToken
    failure: Failure
    jitter: float = 0.5


class MessageSent(Struct, frozen=True, tag="telegram.messageSent", omit_defaults=True):
    """Telegram took the part, as its message `message_id`."""

    turn: TurnToken
    part: int
    message_id: int


class MessageFailed(Struct, frozen=True, tag="telegram.messageFailed", omit_defaults=True):
    """Telegram did not take the part. `jitter` is in [0, 1)."""

    turn: TurnToken
    part: int
    failure: Failure
    jitter: float = 0.5


class ChatPaused(Struct, frozen=True, tag="chat.paused", omit_defaults=True):
    """A person answers in this chat from now on."""


class ChatUnpaused(Struct, frozen=True, tag="chat.resumed", omit_defaults=True):
    """The model answers in this chat again."""


class EnableAsked(Struct, frozen=True, tag="bot.enableAsked", omit_defaults=True):
    """An administrator wants the bot to answer."""


class DisableAsked(Struct, frozen=True, tag="bot.disableAsked", omit_defaults=True):
    """An administrator wants the bot to be silent."""


class BotEdited(Struct, frozen=True, tag="bot.edited", omit_defaults=True):
    """The bot's row changed; `reconnect`: its token, server or mode of delivery did."""

    mode: str
    reconnect: bool = False


class WebhookAsked(Struct, frozen=True, tag="bot.webhookAsked", omit_defaults=True):
    """An administrator asked to set the webhook again."""


class WebhookRemovalAsked(Struct, frozen=True, tag="bot.webhookRemovalAsked", omit_defaults=True):
    """An administrator asked to remove the webhook."""


class WebhookEnsured(Struct, frozen=True, tag="telegram.webhookEnsured", omit_defaults=True):
    """Telegram took the webhook."""


class WebhookRemoved(Struct, frozen=True, tag="telegram.webhookRemoved", omit_defaults=True):
    """Telegram has no webhook for the bot; `polling` and `asked` as in telegram.removeWebhook."""

    polling: bool = False
    asked: bool = False


class WebhookFailed(Struct, frozen=True, tag="telegram.webhookFailed", omit_defaults=True):
    """Telegram did not take setWebhook, or (`removing`) deleteWebhook. `jitter` is in [0, 1)."""

    failure: Failure
    attempt: int = 0
    jitter: float = 0.5
    removing: bool = False
    polling: bool = False
    asked: bool = False


class BotFailed(Struct, frozen=True, tag="bot.failed", omit_defaults=True):
    """Found by a turn, the webhook or the poller: the token, key, model or credit is dead."""

    reason: str
    token_dead: bool = False


class BotRecovered(Struct, frozen=True, tag="bot.recovered", omit_defaults=True):
    """A bot that was in error was answered by its model."""


TurnEvent: TypeAlias = (
    UpdateReceived
    | OperatorWrote
    | RefreshAsked
    | RetryAsked
    | TurnResumed
    | TurnBroke
    | JobDeleted
    | ReplyStarted
    | ReplyGenerated
    | ReplyFailed
    | MessageSent
    | MessageFailed
)
ChatEvent: TypeAlias = TurnEvent | ChatPaused | ChatUnpaused
BotEvent: TypeAlias = (
    EnableAsked
    | DisableAsked
    | BotEdited
    | WebhookAsked
    | WebhookRemovalAsked
    | WebhookEnsured
    | WebhookRemoved
    | WebhookFailed
    | BotFailed
    | BotRecovered
)
Event: TypeAlias = ChatEvent | BotEvent
