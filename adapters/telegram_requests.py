"""What the client asks the Bot API: the parameters of each method that we call.

Only documented parameters (Bot API 10.3) are here. `encode` makes the JSON body of a request.
"""

import json
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from adapters.telegram_text import whole
from domain.effects import Entity

ALLOWED_UPDATES: Final = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "message_reaction",
    "callback_query",
    "my_chat_member",
)
"""Kinds of Update that Telegram is asked for, always told: left out, the last list would stay.

We answer `message`; the others tell a replay what befell the conversation. Left out is what comes
in numbers and says nothing of it (every key typed in inline mode, members of large groups).
"""

MAX_WEBHOOK_CONNECTIONS = 100
MAX_UPDATES = 100


class ReplyParameters(Struct):
    """Bot API 10.3, ReplyParameters. Sent as no reply where the other message is gone."""

    message_id: int
    allow_sending_without_reply: bool = True


class SendMessage(Struct, omit_defaults=True):
    """Bot API 10.3, sendMessage. No parse_mode: the entities say it all."""

    chat_id: int | str
    text: str
    entities: Sequence[Entity] = ()
    message_thread_id: int | None = None
    reply_parameters: ReplyParameters | None = None


class SendChatAction(Struct, omit_defaults=True):
    """Bot API 10.3, sendChatAction. One of the documented actions, such as "typing"."""

    chat_id: int | str
    action: str
    message_thread_id: int | None = None


class SetWebhook(Struct):
    """Bot API 10.3, setWebhook. `drop_pending_updates` is left out: what waits is wanted."""

    url: str
    secret_token: str
    max_connections: int = MAX_WEBHOOK_CONNECTIONS
    allowed_updates: Sequence[str] = ALLOWED_UPDATES


class GetUpdates(Struct):
    """Bot API 10.3, getUpdates. `timeout` in seconds; `offset` confirms what comes before."""

    timeout: int
    offset: int | UnsetType = UNSET
    limit: int = MAX_UPDATES
    allowed_updates: Sequence[str] = ALLOWED_UPDATES


class Command(Struct):
    """Bot API 10.3, BotCommand. A name without slash, and what it does."""

    command: str
    description: str


class SetMyCommands(Struct, omit_defaults=True):
    """Bot API 10.3, setMyCommands. For the default scope."""

    commands: Sequence[Command]
    language_code: str | None = None


class Nothing(Struct):
    """The parameters of a method that has none."""


def encode(request: Struct) -> bytes:
    """The JSON body of a request."""
    try:
        return msgspec.json.encode(request)
    except UnicodeEncodeError:
        # A lone surrogate, which an administrator can type as well; UTF-16 offsets stay true.
        return whole(json.dumps(msgspec.to_builtins(request), ensure_ascii=False)).encode()
