"""The part of a Telegram Update that we read, and its decoding.

Names, types and limits are those of the Bot API 10.3. Fields that we do not read are ignored, so an
update of a later Bot API decodes as long as the fields below keep their meaning.
"""

import json
from typing import Annotated, Any, NoReturn

import msgspec
from msgspec import Meta, Struct, field

UNSUPPORTED_KINDS = (
    "animation",
    "audio",
    "checklist",
    "contact",
    "dice",
    "document",
    "game",
    "giveaway",
    "giveaway_winners",
    "invoice",
    "live_photo",
    "venue",
    "location",
    "paid_media",
    "photo",
    "poll",
    "rich_message",
    "sticker",
    "story",
    "video",
    "video_note",
    "voice",
)
"""Fields of Message (Bot API 10.3) that are content a person sent and that we cannot answer.

The first that a message has is its kind. For backward compatibility Telegram sends some with a
second: an animation is a document as well, a live photo a photo, a venue a location.
"""
_UNSUPPORTED = frozenset(UNSUPPORTED_KINDS)


Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Telegram's identifiers fit a signed 64-bit integer (Bot API 10.3, Chat.id: 52 bits at most)."""


class NotAnUpdate(ValueError):  # noqa: N818 - named by what the body is
    """The body is not JSON, or has no integer `update_id`: Telegram never sends such a thing."""


class Unreadable(ValueError):  # noqa: N818 - named by what the update is
    """A genuine update that this version cannot understand: it is kept as it came."""

    def __init__(self, update_id: int, reason: str) -> None:
        super().__init__(reason)
        self.update_id = update_id


class User(Struct, frozen=True, omit_defaults=True):
    """Bot API 10.3, User."""

    id: Int64
    is_bot: bool = False
    first_name: str = ""
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None

    @property
    def full_name(self) -> str:
        """First and last name, as Telegram's own clients show them."""
        return f"{self.first_name} {self.last_name or ''}".strip()


class Chat(Struct, frozen=True, omit_defaults=True):
    """Bot API 10.3, Chat. `type` is private, group, supergroup or channel."""

    id: Int64
    type: str = "private"
    title: str | None = None
    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    is_direct_messages: bool = False

    @property
    def name(self) -> str:
        """The group's title, or the person's name."""
        return self.title or f"{self.first_name or ''} {self.last_name or ''}".strip()


class Message(Struct, frozen=True, omit_defaults=True):
    """Bot API 10.3, Message; the contents we cannot answer are kept only as their kind."""

    message_id: Int64
    chat: Chat
    date: int = 0
    from_user: User | None = field(name="from", default=None)
    message_thread_id: Int64 | None = None
    is_topic_message: bool = False
    text: str | None = None
    caption: str | None = None
    unsupported: str | None = None

    @property
    def words(self) -> str | None:
        """What the person wrote, beside a picture or alone; None where nothing was written."""
        return self.text if self.text is not None else self.caption


class Update(Struct, frozen=True, omit_defaults=True):
    """Bot API 10.3, Update. Of all its kinds we answer `message`; `kind` names any other."""

    update_id: int
    message: Message | None = None
    kind: str = "message"


def decode_update(body: bytes | str) -> Update:
    """Decode the body of a webhook request, or one element of getUpdates' result.

    A lone surrogate, which Telegram's users can type and JSON can carry, becomes U+FFFD.

    Raises:
        NotAnUpdate: the body is not a JSON object with an integer `update_id`.
        Unreadable: a genuine update whose fields are not of the documented types.
    """
    raw = _decode_object(body)
    update_id = raw.get("update_id")
    if not isinstance(update_id, int) or isinstance(update_id, bool) or update_id.bit_length() > 63:
        raise NotAnUpdate("the body has no integer update_id")
    if "message" not in raw:
        kind = next((name for name in raw if name != "update_id"), "empty")
        return Update(update_id=update_id, kind=kind)
    message = raw["message"]
    if isinstance(message, dict):
        message["unsupported"] = _unsupported(message)
    try:
        return Update(update_id=update_id, message=msgspec.convert(message, Message))
    except msgspec.ValidationError as error:
        raise Unreadable(update_id, str(error)) from None


def _unsupported(message: dict[str, Any]) -> str | None:
    if _UNSUPPORTED.isdisjoint(message):  # a text, most often: not 22 names to be looked up
        return None
    return next(name for name in UNSUPPORTED_KINDS if name in message)


def _decode_object(body: bytes | str) -> dict[str, Any]:
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        # msgspec refuses lone surrogates; the standard library lets them through to be mended.
        try:
            words = body.decode() if isinstance(body, bytes) else body
            raw = _mend_surrogates(json.loads(words, parse_constant=_refuse))
        except (ValueError, RecursionError) as error:
            raise NotAnUpdate(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise NotAnUpdate("the body is nested too deeply") from None
    if not isinstance(raw, dict):
        raise NotAnUpdate("the body is not a JSON object")
    return raw


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _mend_surrogates(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_mend_surrogates(key): _mend_surrogates(item) for key, item in value.items()}
        case list():
            return [_mend_surrogates(item) for item in value]
        case _:
            return value


def chat_key(bot_id: int, message: Message) -> str:
    """The id of our chat: "{bot}:{chat}", or "{bot}:{chat}:{topic}" inside a forum's topic."""
    if message.is_topic_message and message.message_thread_id is not None:
        return f"{bot_id}:{message.chat.id}:{message.message_thread_id}"
    return f"{bot_id}:{message.chat.id}"


def answerable(update: Update) -> Message | None:
    """The message that makes a turn: a person's text, or a content we say we cannot answer.

    None for edits, channel posts, member changes, service messages, messages of other bots and a
    channel's direct messages: they are understood and kept, and nothing is said.
    """
    message = update.message
    if message is None or message.from_user is None or message.from_user.is_bot:
        return None
    if message.chat.is_direct_messages:
        # Everyone who writes to the channel shares this chat: one must not read another's thread.
        return None
    if message.words is None and message.unsupported is None:
        return None
    return message


def clean(text: str) -> str:
    """Text as PostgreSQL's text type takes it: without NUL, which Telegram's users can send."""
    return text.replace("\x00", "")
