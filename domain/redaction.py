"""A recording without its people: names, texts and ids replaced, the same ones by the same.

Triggered by `kotodom record --redact` with each step; what comes out folds to the same kinds of
effects, and its digests are true, for each step is played again from what replaced it.

A text keeps its length in UTF-16 units, its spaces and its punctuation; a command of ours keeps its
name, and is spoken to the same bot. An id becomes a number (or a word) made of it and of a key that
the caller draws anew for each recording. What stays: times, our own numbers, models (but for what
the one who tuned one calls it), tokens, prices, kinds of failures, which of our two languages is
spoken, the names of well-known exceptions.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import fields, replace

from domain import telegram
from domain.bot import Bot
from domain.effects import Entity, Part, TurnToken
from domain.events import (
    BotEdited,
    BotFailed,
    BotProfile,
    MessageFailed,
    MessageSent,
    OperatorWrote,
    Reply,
    ReplyStarted,
    TurnBroke,
    WebhookFailed,
)
from domain.failures import (
    Ambiguous,
    ChatMigrated,
    ContextTooLong,
    EntitiesRefused,
    Fatal,
    Retryable,
    RunLost,
    Terminal,
    ThreadLost,
)
from domain.pseudonyms import Pseudonyms
from domain.recording import NotARecording, Recorded, State
from domain.replay import play
from domain.step import Envelope, digest
from domain.turn import Conversation, Turn

Replacement = Callable[[Pseudonyms, Any], Any]


class Redaction(Pseudonyms):
    """One recording's replacements, and its chats in the middle of a turn."""

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self._known: dict[str, State] = {}

    def step(self, recorded: Recorded) -> Recorded:
        """The step, redacted and played again; its turn's first one must have come before.

        Raises NotARecording where the event is none of its state's, or comes after its turn's end,
        or where a key is none of ours.
        """
        key = self.chat_key(recorded.key)
        before = self.of(recorded.origin) if recorded.origin is not None else self._known.get(key)
        if before is None:
            raise NotARecording("this version ended the turn before this step")
        envelope = Envelope(self.envelope_id(recorded.id), recorded.at, self.of(recorded.event))
        step = play(before, envelope)
        if isinstance(step.state, Conversation) and step.state.busy:
            self._known[key] = step.state
        else:
            self._known.pop(key, None)
        return Recorded(
            key=key,
            seq=recorded.seq,
            at=recorded.at,
            id=envelope.id,
            event=envelope.event,
            effects=msgspec.Raw(msgspec.json.encode(step.effects)),
            state=digest(step.state),
            origin=before if recorded.origin is not None else None,
        )

    def of(self, value: Any) -> Any:  # noqa: ANN401 - any of the structs below, and what they hold
        """The same struct with everything of a person's replaced, however deep."""
        if isinstance(value, tuple):
            return tuple(self.of(item) for item in value)
        if not isinstance(value, Struct):
            return value
        rules = REPLACED.get(type(value), {})
        return replace(
            value,
            **{
                field.name: self._replaced(rules.get(field.name), getattr(value, field.name))
                for field in fields(value)
            },
        )

    def _replaced(self, rule: Replacement | None, value: Any) -> Any:  # noqa: ANN401 - as above
        if rule is None:
            return self.of(value)
        return None if value is None else rule(self, value)


def _kept(_: Pseudonyms, value: Any) -> Any:  # noqa: ANN401 - whatever is kept
    """Nothing of a person's is in it."""
    return value


_REASON: dict[str, Replacement] = {"reason": Pseudonyms.reason}

REPLACED: dict[type[Struct], dict[str, Replacement]] = {
    telegram.User: {
        "id": Pseudonyms.number,
        "first_name": Pseudonyms.name,
        "last_name": Pseudonyms.name,
        "username": Pseudonyms.username,
        "language_code": Pseudonyms.language,
    },
    telegram.Chat: {
        "id": Pseudonyms.number,
        "type": _kept,
        "title": Pseudonyms.name,
        "username": Pseudonyms.username,
        "first_name": Pseudonyms.name,
        "last_name": Pseudonyms.name,
    },
    telegram.Message: {
        "message_id": Pseudonyms.message_id,
        "date": _kept,
        "message_thread_id": Pseudonyms.message_id,
        "text": Pseudonyms.asked,
        "caption": Pseudonyms.asked,
        "unsupported": _kept,
    },
    telegram.Update: {"update_id": Pseudonyms.update_id, "kind": _kept},
    BotProfile: {
        "id": Pseudonyms.number,
        "name": Pseudonyms.name,
        "username": Pseudonyms.username,
        "start_message": Pseudonyms.words,
        "help_text": Pseudonyms.words,
        "error_message": Pseudonyms.words,
    },
    TurnToken: {"id": _kept, "epoch": _kept},
    Entity: {
        "type": _kept,
        "offset": _kept,
        "length": _kept,
        "url": Pseudonyms.url,
        "language": Pseudonyms.words,
    },
    Part: {"text": Pseudonyms.words},
    Reply: {
        "text": Pseudonyms.words,
        "model": Pseudonyms.model,
        "input_tokens": _kept,
        "output_tokens": _kept,
        "price": _kept,
        "thread_id": Pseudonyms.server_id,
        "run_id": Pseudonyms.server_id,
    },
    OperatorWrote: {"text": Pseudonyms.words},
    TurnBroke: {
        "error": Pseudonyms.reason,
        "update_id": Pseudonyms.update_id,
        "traceback": Pseudonyms.nothing,
    },
    ReplyStarted: {"run_id": Pseudonyms.server_id, "thread_id": Pseudonyms.server_id},
    MessageSent: {"part": _kept, "message_id": Pseudonyms.message_id},
    MessageFailed: {"part": _kept},
    BotEdited: {"mode": _kept},
    BotFailed: _REASON,
    WebhookFailed: {"attempt": _kept},
    Retryable: _REASON,
    Fatal: _REASON,
    Terminal: _REASON,
    Ambiguous: _REASON,
    EntitiesRefused: _REASON,
    ThreadLost: _REASON,
    RunLost: _REASON,
    ContextTooLong: _REASON,
    ChatMigrated: {"chat_id": Pseudonyms.number},
    Conversation: {
        "id": Pseudonyms.chat_key,
        "chat_id": Pseudonyms.number,
        "topic_id": Pseudonyms.message_id,
        "thread_id": Pseudonyms.server_id,
        "thread_upto": _kept,
        "context_from": _kept,
        "told": _kept,
        "epoch": _kept,
    },
    Turn: {
        "text": Pseudonyms.asked,
        "language": _kept,
        "update_id": Pseudonyms.update_id,
        "asking": _kept,
        "status": _kept,
        "attempts": _kept,
        "last_error": Pseudonyms.reason,
        "run_id": Pseudonyms.server_id,
        "verdict": Pseudonyms.reason,
        "sent": Pseudonyms.message_ids,
        "noticed": Pseudonyms.message_ids,
        "breaks": _kept,
        "deaths": _kept,
    },
    Bot: {
        "id": Pseudonyms.number,
        "name": Pseudonyms.name,
        "mode": _kept,
        "error": Pseudonyms.reason,
    },
}
"""What becomes of every field that holds a text or a number; a test finds one that is forgotten."""
