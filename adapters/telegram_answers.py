"""Reading the Bot API's successful answers.

Called by the client with the body of a 200. Each `read_…` returns the method's result, and raises
msgspec.MsgspecError, ValueError or RecursionError where the body is no success of that shape.
"""

import json
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from adapters.telegram_text import whole
from application.ports import BotCard, WebhookStatus

T = TypeVar("T")


class _Success(Struct, Generic[T]):
    """Bot API, "Making requests". A refusal has no `result`, so it is none of these."""

    ok: bool
    result: T


class _User(Struct):
    """Bot API 10.3, User as getMe returns it."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    can_read_all_group_messages: bool = False


class _Message(Struct):
    message_id: int


_read_user = msgspec.json.Decoder(_Success[_User])
_read_message = msgspec.json.Decoder(_Success[_Message])
_read_webhook = msgspec.json.Decoder(_Success[WebhookStatus])
_read_success = msgspec.json.Decoder(_Success[msgspec.Raw])
_read_updates = msgspec.json.Decoder(_Success[list[msgspec.Raw]])


def read_bot(body: bytes) -> BotCard:
    """The result of getMe."""
    user = _read(_read_user, body)
    name = f"{user.first_name} {user.last_name}".strip()
    return BotCard(user.id, name, user.username, user.can_read_all_group_messages)


def read_message_id(body: bytes) -> int:
    """The id of the message that sendMessage made."""
    return _read(_read_message, body).message_id


def read_webhook(body: bytes) -> WebhookStatus:
    """The result of getWebhookInfo."""
    return _read(_read_webhook, body)


def read_success(body: bytes) -> None:
    """The `true` of a method that has nothing else to say."""
    _read(_read_success, body)


def read_updates(body: bytes) -> list[bytes]:
    """Each update of getUpdates as it was written.

    msgspec refuses an answer with a lone surrogate, which users can type; the standard library
    reads it, and writes each update anew in ASCII, the surrogate included.
    """
    try:
        return [bytes(update) for update in _read_updates.decode(body).result]
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        answer = json.loads(body)
        if not isinstance(answer, dict) or not isinstance(answer.get("result"), list):
            raise
        return [json.dumps(update).encode() for update in answer["result"]]


def _read(decoder: msgspec.json.Decoder[_Success[T]], body: bytes) -> T:
    try:
        return decoder.decode(body).result
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # The answer to sendMessage quotes its chat's name, lone surrogates and all: it was sent.
        mended = whole(json.dumps(json.loads(body), ensure_ascii=False))
        return decoder.decode(mended).result
