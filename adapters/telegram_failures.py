"""Telegram's refusals, named by what to do next.

Called by the client with whatever answer is not a success. The wording is that of the Bot API
server (tdlib/telegram-bot-api), which is nowhere documented as a list; an unknown wording is
Terminal with Telegram's own words as the reason. No message of ours is ever edited, so "message is
not modified" is not among them.
"""

import re
from http import HTTPStatus

import msgspec
from msgspec import Struct, field

from adapters.telegram_text import whole
from application.ports import PollConflict
from domain.failures import (
    Ambiguous,
    ChatMigrated,
    EntitiesRefused,
    Failure,
    Fatal,
    Retryable,
    Terminal,
)

MAX_REASON = 300

_CHAT_GONE = re.compile(
    r"chat not found|user not found|peer_id_invalid|user is deactivated|user_is_blocked"
    r"|input_user_deactivated|group chat was de(activated|leted)|group is deactivated"
    r"|bot was (blocked|kicked)|bot is not a member|not enough rights|have no rights to send"
    r"|need administrator rights|chat_write_forbidden|chat_restricted|chat_send_plain_forbidden"
    r"|channel_private|message thread not found|topic_(deleted|closed)|topic (is )?closed",
    re.IGNORECASE,
)
_ENTITIES_REFUSED = re.compile(
    r"entit(y|ies)|messageentity|unsupported start tag|can't parse message text", re.IGNORECASE
)
# Client::abort_long_poll and do_get_updates: "… terminated by other getUpdates request", "…
# terminated by setWebhook request", "can't use getUpdates method while webhook is active".
_CONFLICT = re.compile(r"Telegram 409: conflict:(.*webhook)?", re.IGNORECASE)
_RETRY_AFTER = re.compile(r"retry after (\d+)", re.IGNORECASE)


class _Parameters(Struct):
    """Bot API 10.3, ResponseParameters."""

    migrate_to_chat_id: int | None = None
    retry_after: int | None = None


class _Refusal(Struct):
    """Bot API, "Making requests": the answer with `ok` false."""

    ok: bool
    description: str
    error_code: int | None = None
    parameters: _Parameters = field(default_factory=_Parameters)


_decode = msgspec.json.Decoder(_Refusal).decode


_PERHAPS_DONE = frozenset({HTTPStatus.OK, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})


def failure_of(status: int, body: bytes, token: str) -> Failure:
    """What an answer that is not a success means; `token` is kept out of the reason.

    Ambiguous: status 200 whose body is not an answer of the Bot API, or a gateway's 502 or 504, so
    the call may have worked.
    EntitiesRefused is told for any text about entities, also where none were sent.
    """
    refusal = _refusal(body)
    if refusal is None:
        reason = f"Telegram {status}: {_phrase(status)}, not an answer of the Bot API"
        return Ambiguous(reason) if status in _PERHAPS_DONE else Retryable(reason)
    code = refusal.error_code or status
    # Its secret half alone as well: of a percent-encoded token the colon is another.
    said = whole(refusal.description).replace(token, "<token>")
    said = " ".join(said.replace(token.partition(":")[2] or token, "<token>").split())
    return _failure(code, said, refusal.parameters)


def poll_conflict(failure: Failure) -> PollConflict | None:
    """What a failure of getUpdates says of others who have the bot's updates."""
    if isinstance(failure, Retryable) and (told := _CONFLICT.match(failure.reason)):
        return PollConflict(failure, webhook=told[1] is not None)
    return None


def _failure(code: int, said: str, parameters: _Parameters) -> Failure:
    reason = f"Telegram {code}: {said[:MAX_REASON]}"
    if parameters.migrate_to_chat_id is not None:
        return ChatMigrated(parameters.migrate_to_chat_id)
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return Retryable(reason, after=_seconds_to_wait(said, parameters))
    if code in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT) or code >= 500:
        return Retryable(reason, after=_seconds_to_wait(said, parameters))
    # A method that the server lacks is "Not Found: method not found", and the token is good.
    if code == HTTPStatus.UNAUTHORIZED or (code, said) == (HTTPStatus.NOT_FOUND, "Not Found"):
        return Fatal(reason, token_dead=True)
    # The bot was logged out of this server, by its owner, to move to another.
    if said.lower().removeprefix("bad request: ") == "logged out":
        return Fatal(reason)
    if code == HTTPStatus.FORBIDDEN or _CHAT_GONE.search(said):
        return Terminal(reason, chat_gone=True)
    if code == HTTPStatus.BAD_REQUEST and _ENTITIES_REFUSED.search(said):
        return EntitiesRefused(reason)
    return Terminal(reason)


def _seconds_to_wait(said: str, parameters: _Parameters) -> float | None:
    if parameters.retry_after is not None:
        return float(parameters.retry_after)
    told = _RETRY_AFTER.search(said)
    return float(told[1]) if told else None


def _refusal(body: bytes) -> _Refusal | None:
    try:
        refusal = _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return None if refusal.ok else refusal


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"
