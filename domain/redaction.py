"""A recording without its people: names, texts and ids replaced, the same ones by the same.

Triggered by `kotodom record --redact` with each step; what comes out folds to the same kinds of
effects, and its digests are true, for each step is played again from what replaced it.

A text keeps its length in UTF-16 units, its spaces and its punctuation; a command of ours keeps its
name, and is spoken to the same bot. An id becomes a number (or a word) made of it and of a key that
the caller draws anew for each recording. What stays: times, our own numbers, models (but for what
the one who tuned one calls it), tokens, prices, kinds of failures, which of our two languages is
spoken, the names of well-known exceptions.
"""

import builtins
import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import fields, replace

from domain import telegram
from domain.bot import Bot
from domain.commands import COMMANDS
from domain.effects import Entity, Part, TurnToken
from domain.events import (
    BotEdited,
    BotEvent,
    BotFailed,
    BotProfile,
    MessageFailed,
    MessageSent,
    OperatorWrote,
    Reply,
    ReplyStarted,
    TurnBroke,
    TurnEvent,
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
from domain.recording import NotARecording, Recorded, State
from domain.replay import play
from domain.step import Envelope, digest
from domain.telegram import clean
from domain.texts import language_of
from domain.turn import Conversation, Turn

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?=\s|$)")
_INTEGER = "-?[0-9]{1,19}"
_CHAT_KEY = f"{_INTEGER}:{_INTEGER}(?::{_INTEGER})?"
_KEY = re.compile(f"bot:({_INTEGER})|({_INTEGER}):({_INTEGER})(?::({_INTEGER}))?")
_EXCEPTIONS = (
    *(
        name
        for name, kind in vars(builtins).items()
        if isinstance(kind, type) and issubclass(kind, BaseException)
    ),
    # ours, and those of what reads JSON and the database for us
    *("LeaseLost", "NotAnUpdate", "StatementFailed", "StreamBroken", "Unavailable", "Unreadable"),
    *("DecodeError", "ValidationError", "DBAPIError", "DataError", "IntegrityError"),
    *("OperationalError", "ProgrammingError"),
    # aiohttp's
    *("ClientConnectionError", "ClientConnectorError", "ClientError", "ClientOSError"),
    *("ClientPayloadError", "ClientResponseError", "ConnectionTimeoutError"),
    *("ServerDisconnectedError", "ServerTimeoutError", "SocketTimeoutError"),
    # openai's
    *("APIConnectionError", "APIError", "APIResponseValidationError", "APIStatusError"),
    *("APITimeoutError", "AuthenticationError", "BadRequestError", "ConflictError"),
    *("InternalServerError", "NotFoundError", "OpenAIError", "PermissionDeniedError"),
    *("RateLimitError", "UnprocessableEntityError"),
)
"""Exceptions whose names say nothing of a person; one of somebody's own may be called anything."""
_KNOWN_REASON = re.compile(
    r"(?:(?:gave up|a bug): )?"
    rf"(?:(?:(?:Telegram|OpenAI)(?: [0-9]{{3}})?|{'|'.join(_EXCEPTIONS)})(?=: |$))?"
)
_TUNED = re.compile(r"ft:(?:(?:gpt-|o[0-9]|babbage-|davinci-)[a-z0-9.-]*:)?|[a-z0-9.-]+:ft-")
"""What of a tuned model's name is OpenAI's; its owner, and what they called it, come after that."""
_FOLDERS = re.compile(r"(?:[A-Za-z]:|~)?[/\\].*[/\\]")
"""Where a model server keeps the file that it names its model by."""


def _tags(union: Any) -> str:  # noqa: ANN401 - a union of events
    return "|".join(re.escape(str(kind.__struct_config__.tag)) for kind in get_args(union))


_TURN_ID = re.compile(rf"turn:[0-9]{{1,19}}\.[0-9]{{1,19}}:({_tags(TurnEvent)})(:[0-9]{{1,4}})?")
_ENTRY_ID = re.compile(rf"(update|operator_message|refresh|retry):({_CHAT_KEY}):({_INTEGER})")
_BOT_ID = re.compile(rf"bot:({_INTEGER}):((?:{_tags(BotEvent)}):[0-9]{{1,12}}\.[0-9]{{6}})")
_SERVER_KINDS = ("conv", "resp", "thread", "run")

Replacement = Callable[["Redaction", Any], Any]


class Redaction:
    """One recording's replacements, and its chats in the middle of a turn."""

    def __init__(self, key: bytes) -> None:
        self._key = key
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
        envelope = Envelope(self._envelope_id(recorded.id), recorded.at, self.of(recorded.event))
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

    def number(self, value: int) -> int:
        """An id of Telegram's; what is negative (a group) stays negative, 0 stays 0."""
        return self._number("telegram", value)

    def update_id(self, value: int) -> int:
        return self._number("update", value)

    def message_id(self, value: int) -> int:
        return self._number("message", value)

    def message_ids(self, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(self.message_id(value) for value in values)

    def server_id(self, value: str) -> str:
        """A thread or a run of a model server's; what kind it is stays where it is OpenAI's."""
        if not value:
            return value
        kind, _, _ = value.partition("_")
        kept = kind if kind in _SERVER_KINDS else "id"
        return f"{kept}_{self._digest('server', value)}"

    def name(self, value: str) -> str:
        return f"Name {self._digest('name', value)[:6]}" if value else value

    def username(self, value: str) -> str:
        """The same whatever its case, as Telegram holds it."""
        return f"user_{self._digest('username', value.lower())[:12]}" if value else value

    def language(self, value: str) -> str:
        """Which of our two languages it leads to."""
        return language_of(telegram.User(0, language_code=value))

    def model(self, value: str) -> str:
        """A model's name; of one that somebody tuned, the name of the model it was made from."""
        if folders := _FOLDERS.match(value):
            return _hidden(folders[0]) + value[folders.end() :]
        tuned = _TUNED.match(value)
        return value[: tuned.end()] + _hidden(value[tuned.end() :]) if tuned is not None else value

    def words(self, value: str) -> str:
        """Words of the same length."""
        return _hidden(value)

    def asked(self, value: str) -> str:
        """What a person wrote: a command of ours stays one, spoken to the same bot."""
        value = clean(value)  # as it is before it is looked at
        command = _COMMAND.match(value)
        if command is None:
            return _hidden(value)
        name = command[1] if command[1].lower() in COMMANDS else _hidden(command[1])
        addressee = f"@{self.username(command[2])}" if command[2] else ""
        return f"/{name}{addressee}{_hidden(value[command.end() :])}"

    def reason(self, value: str) -> str:
        """Why something failed: who said so, with its status, and hidden words."""
        known = _KNOWN_REASON.match(value)
        end = known.end() if known is not None else 0
        return value[:end] + _hidden(value[end:])

    def nothing(self, value: str) -> str:
        return ""

    def url(self, value: str) -> str:
        return "https://example.com/"

    def chat_key(self, value: str) -> str:
        """ "{bot}:{chat}[:{topic}]", or "bot:{bot}". Raises NotARecording."""
        ids = _KEY.fullmatch(value)
        if ids is None:
            raise NotARecording("its key names neither a chat nor a bot")
        bot, *numbers, topic = ids.groups()
        if bot is not None:
            return f"bot:{self.number(int(bot))}"
        made = [self.number(int(number)) for number in numbers]
        made += [self.message_id(int(topic))] if topic is not None else []
        return ":".join(map(str, made))

    def _envelope_id(self, value: str) -> str:
        if _TURN_ID.fullmatch(value):
            return value
        if entry := _ENTRY_ID.fullmatch(value):
            kind, key, identity = entry.groups()
            number = self.update_id(int(identity)) if kind == "update" else int(identity)
            return f"{kind}:{self.chat_key(key)}:{number}"
        if bot := _BOT_ID.fullmatch(value):
            return f"bot:{self.number(int(bot[1]))}:{bot[2]}"
        return f"step:{self._digest('step', value)}"

    def _number(self, kind: str, value: int) -> int:
        if value == 0:
            return 0
        # 52 bits: as many as Bot API 10.3 says that an identifier has at most (Chat.id).
        made = int(self._digest(kind, str(abs(value))), 16) >> 12 or 1
        return made if value > 0 else -made

    def _digest(self, kind: str, value: str) -> str:
        content = f"{kind}:{value}".encode()
        return blake2b(content, key=self._key, digest_size=8).hexdigest()


def _hidden(text: str) -> str:
    """As many UTF-16 units, with the same spaces and ASCII punctuation."""
    return "".join(_hide(character) for character in text)


def _hide(character: str) -> str:
    if character.isspace() or (character.isascii() and not character.isalnum()):
        return character
    if character.isdigit():
        return "0" * _units(character)
    return ("X" if character.isupper() else "x") * _units(character)


def _units(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1


def _kept(_: Redaction, value: Any) -> Any:  # noqa: ANN401 - whatever is kept
    """Nothing of a person's is in it."""
    return value


_REASON: dict[str, Replacement] = {"reason": Redaction.reason}

REPLACED: dict[type[Struct], dict[str, Replacement]] = {
    telegram.User: {
        "id": Redaction.number,
        "first_name": Redaction.name,
        "last_name": Redaction.name,
        "username": Redaction.username,
        "language_code": Redaction.language,
    },
    telegram.Chat: {
        "id": Redaction.number,
        "type": _kept,
        "title": Redaction.name,
        "username": Redaction.username,
        "first_name": Redaction.name,
        "last_name": Redaction.name,
    },
    telegram.Message: {
        "message_id": Redaction.message_id,
        "date": _kept,
        "message_thread_id": Redaction.message_id,
        "text": Redaction.asked,
        "caption": Redaction.asked,
        "unsupported": _kept,
    },
    telegram.Update: {"update_id": Redaction.update_id, "kind": _kept},
    BotProfile: {
        "id": Redaction.number,
        "name": Redaction.name,
        "username": Redaction.username,
        "start_message": Redaction.words,
        "help_text": Redaction.words,
        "error_message": Redaction.words,
    },
    TurnToken: {"id": _kept, "epoch": _kept},
    Entity: {
        "type": _kept,
        "offset": _kept,
        "length": _kept,
        "url": Redaction.url,
        "language": Redaction.words,
    },
    Part: {"text": Redaction.words},
    Reply: {
        "text": Redaction.words,
        "model": Redaction.model,
        "input_tokens": _kept,
        "output_tokens": _kept,
        "price": _kept,
        "thread_id": Redaction.server_id,
        "run_id": Redaction.server_id,
    },
    OperatorWrote: {"text": Redaction.words},
    TurnBroke: {
        "error": Redaction.reason,
        "update_id": Redaction.update_id,
        "traceback": Redaction.nothing,
    },
    ReplyStarted: {"run_id": Redaction.server_id, "thread_id": Redaction.server_id},
    MessageSent: {"part": _kept, "message_id": Redaction.message_id},
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
    ChatMigrated: {"chat_id": Redaction.number},
    Conversation: {
        "id": Redaction.chat_key,
        "chat_id": Redaction.number,
        "topic_id": Redaction.message_id,
        "thread_id": Redaction.server_id,
        "thread_upto": _kept,
        "context_from": _kept,
        "told": _kept,
        "epoch": _kept,
    },
    Turn: {
        "text": Redaction.asked,
        "language": _kept,
        "update_id": Redaction.update_id,
        "asking": _kept,
        "status": _kept,
        "attempts": _kept,
        "last_error": Redaction.reason,
        "run_id": Redaction.server_id,
        "verdict": Redaction.reason,
        "sent": Redaction.message_ids,
        "noticed": Redaction.message_ids,
        "breaks": _kept,
        "deaths": _kept,
    },
    Bot: {"id": Redaction.number, "name": Redaction.name, "mode": _kept, "error": Redaction.reason},
}
"""What becomes of every field that holds a text or a number; a test finds one that is forgotten."""
