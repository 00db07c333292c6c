"""Bare updates played through the pure handlers, every effect answered without a world.

Triggered with each update of a tester's file (`kotodom replay --updates`) or test; what comes out
is every step that the update leads to. An effect has a plain success, unless the tester's script
says otherwise: the third send answers 429, the model refuses, the worker dies.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, TypeVar, assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain import bot as bot_life
from domain.bot import Bot, TelegramMode
from domain.conversation import handle
from domain.effects import (
    AdminAlert,
    DetachedEffect,
    Effect,
    EnsureWebhook,
    ForgetThreads,
    GenerateReply,
    Part,
    PublishJob,
    PublishWaiting,
    RemoveFormerWebhook,
    RemoveWebhook,
    ReportBotFailure,
    ReportBotRecovery,
    ResetThread,
    ResumeReply,
    SendChatAction,
    SendMessage,
    TurnToken,
)
from domain.events import (
    BotEvent,
    BotFailed,
    BotProfile,
    BotRecovered,
    ChatEvent,
    MessageFailed,
    MessageSent,
    Reply,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    TurnBroke,
    TurnResumed,
    UpdateReceived,
    WebhookEnsured,
    WebhookRemoved,
)
from domain.script import Rule
from domain.step import Envelope, Step
from domain.telegram import Update, chat_key
from domain.turn import Conversation

E = TypeVar("E")

Asked: TypeAlias = GenerateReply | ResumeReply | SendMessage
ANSWER = "An answer of the model."
MODEL = "rehearsal"
REPLY = Reply(ANSWER, (Part(ANSWER),), MODEL)
BOT = BotProfile(1, "Rehearsal", "rehearsal_bot")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
"""When an update that has no date of its own arrives."""
_DATES = range(1, 2**37)
"""Seconds since 1970, to the year 6325: whatever follows is still a date."""


class Played(Struct, frozen=True):
    """What an update led to: its steps in order, a bot's own among those of its chat's turn.

    `key` is the chat's id, None where the update is of no chat that we answer; `waiting`: the bot
    was disabled by then, so the update stays in its chat's line.
    """

    update: Update
    key: str | None
    steps: tuple[Step[Conversation] | Step[Bot], ...] = ()
    waiting: bool = False

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Every effect that was wished for, in order."""
        effects: tuple[Effect, ...] = ()
        for step in self.steps:
            effects += step.effects
        return effects


class Rehearsal:
    """One bot and its chats, in memory."""

    def __init__(self, script: Sequence[Rule] = (), profile: BotProfile = BOT) -> None:
        self._script = script
        self._profile = profile
        self._bot = Bot(profile.id, profile.name, TelegramMode.WEBHOOK, enabled=profile.enabled)
        self._chats: dict[str, Conversation] = {}
        self._asked: Counter[tuple[str, str | None]] = Counter()
        self._matched: set[int] = set()
        self._pending: ChatEvent | None = None
        self._messages = 0
        self._turns = 0
        self._at = BEGAN
        self.steps = 0

    @property
    def unmatched(self) -> list[int]:
        """The rules, by their numbers from 1, that were about no effect so far."""
        return [n for n in range(1, len(self._script) + 1) if n not in self._matched]

    def know(self, conversation: Conversation) -> None:
        """Begin from this state of a chat, in which no turn is unfinished."""
        if conversation.busy:
            raise ValueError(f"the chat {conversation.id} is in the middle of a turn")
        self._chats[conversation.id] = conversation

    def chat(self, key: str) -> Conversation | None:
        """The chat as it is now; None where nothing of it is worth keeping."""
        return self._chats.get(key)

    def play(self, update: Update) -> Played:
        """The update, and everything that follows from it, to its message's final state."""
        message = update.message
        if message is None:
            return Played(update, None)
        key = chat_key(self._profile.id, message)
        if not self._bot.enabled:
            return Played(update, key, waiting=True)
        self._turns += 1
        self._at = _moment(message.date)
        known = self._chats.get(key)
        if known is None:
            topic = message.message_thread_id if message.is_topic_message else None
            known = Conversation(key, message.chat.id, topic)
        profile = self._profile
        if self._bot.error is not None:
            profile = replace(profile, failing=True)
        token = TurnToken(self._turns, known.epoch + 1)
        steps: list[Step[Conversation] | Step[Bot]] = []
        ended = self._turn(known, UpdateReceived(token, update, profile), steps)
        # A file of a million chats: one that is as if it were new takes no memory.
        if not ended.blank or ended.chat_id != message.chat.id:
            self._chats[key] = replace(ended, turn=None)
        elif key in self._chats:
            del self._chats[key]
        return Played(update, key, tuple(steps))

    def _turn(
        self,
        chat: Conversation,
        event: ChatEvent | None,
        steps: list[Step[Conversation] | Step[Bot]],
    ) -> Conversation:
        """The chat at the turn's end; its steps join the list."""
        while event is not None:
            step = handle(chat, self._envelope(event))
            steps.append(step)
            chat = step.state
            event, self._pending = self._pending, None
            for effect in step.effects:
                match effect:
                    case SendChatAction():
                        pass
                    case SendMessage() | GenerateReply() | ResumeReply():
                        event = self._outcome(chat, effect)
                    case PublishJob(delay=delay):
                        self._at += timedelta(seconds=delay)
                        event = _resumed(chat, died=False)
                    case _:
                        self._detached(effect, steps)
        return chat

    def _detached(
        self, effect: DetachedEffect, steps: list[Step[Conversation] | Step[Bot]]
    ) -> None:
        """An effect that the turn does not wait for; its bot hears of some of them."""
        event: BotEvent
        match effect:
            case ReportBotFailure(reason=reason, token_dead=token_dead):
                event = BotFailed(reason, token_dead)
            case ReportBotRecovery():
                event = BotRecovered()
            case EnsureWebhook():
                event = WebhookEnsured()
            case RemoveWebhook(polling=polling, asked=asked):
                event = WebhookRemoved(polling, asked)
            case ResetThread() | ForgetThreads() | RemoveFormerWebhook():
                return
            case PublishWaiting() | AdminAlert():
                return
            case unreachable:
                assert_never(unreachable)
        step = bot_life.handle(self._bot, self._envelope(event))
        steps.append(step)
        self._bot = step.state
        for following in step.effects:
            match following:
                case GenerateReply() | ResumeReply() | SendMessage() | SendChatAction():
                    raise TypeError(f"a bot never wishes for {following.__struct_config__.tag}")
                case PublishJob():
                    pass
                case _:
                    self._detached(following, steps)

    def _envelope(self, event: E) -> Envelope[E]:
        self.steps += 1
        return Envelope(f"rehearsal:{self.steps}", self._at, event)

    def _outcome(self, chat: Conversation, effect: Asked) -> ChatEvent:
        rule = self._rule(chat.id, effect) if self._script else None
        if rule is None:
            return self._success(effect, REPLY)
        outcome = self._ruled(chat, effect, rule)
        if rule.run_id is None:
            return outcome
        self._pending = outcome
        return ReplyStarted(effect.turn, rule.run_id)

    def _success(self, effect: Asked, reply: Reply) -> ChatEvent:
        if isinstance(effect, SendMessage):
            self._messages += 1
            return MessageSent(effect.turn, effect.part, self._messages)
        return ReplyGenerated(effect.turn, reply)

    def _ruled(self, chat: Conversation, effect: Asked, rule: Rule) -> ChatEvent:
        token = effect.turn
        if rule.died:
            return _resumed(chat, died=True)
        if rule.bug is not None:
            return TurnBroke(token, rule.bug, rule.jitter)
        if rule.failure is not None and isinstance(effect, SendMessage):
            return MessageFailed(token, effect.part, rule.failure, rule.jitter)
        if rule.failure is not None:
            return ReplyFailed(token, rule.failure, rule.jitter)
        said = rule.reply or (ANSWER,)
        parts = tuple(Part(text) for text in said)
        return self._success(effect, Reply("\n".join(said), parts, MODEL))

    def _rule(self, key: str, effect: Asked) -> Rule | None:
        """The first rule of the script that is about this asking."""
        tag = str(effect.__struct_config__.tag)
        self._asked[tag, None] += 1
        self._asked[tag, key] += 1
        for number, rule in enumerate(self._script, 1):
            counted = self._asked[tag, rule.key]
            if rule.effect == tag and rule.key in (None, key) and rule.nth in (None, counted):
                self._matched.add(number)
                return rule
        return None


def _resumed(chat: Conversation, *, died: bool) -> TurnResumed:
    if chat.turn is None:
        raise TypeError("a chat without a turn has nothing to resume")
    return TurnResumed(TurnToken(chat.turn.token.id, chat.epoch + 1), died)


def _moment(seconds: int) -> datetime:
    """Telegram's date (seconds since 1970), or BEGAN where it is none."""
    return datetime.fromtimestamp(seconds, UTC) if seconds in _DATES else BEGAN
