"""What stands in a person's place: each name, text and id has one replacement in a recording.

Used by domain/redaction.py, which knows what stands in which field. An id becomes a number (or a
word) made of it and of a key; a text keeps its length in UTF-16 units, its spaces and punctuation.
What is known to be nobody's is listed here: forms of our own ids, well-known exceptions.
"""

import builtins
import re
from hashlib import blake2b
from typing import Any, get_args

from domain import telegram
from domain.commands import COMMANDS
from domain.events import BotEvent, TurnEvent
from domain.recording import NotARecording
from domain.telegram import clean
from domain.texts import language_of

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


class Pseudonyms:
    """The replacements that follow from one key: the same for the same."""

    def __init__(self, key: bytes) -> None:
        self._key = key

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

    def envelope_id(self, value: str) -> str:
        """Of a turn's own step it says nothing; of an update it is made of the chat and the id."""
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
