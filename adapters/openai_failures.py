"""What a model server complains of, as domain.failures: documented errors of OpenAI and its kin.

Triggered by both model adapters with an HTTP error, a failed run or an error inside a stream; a
Failure comes out, whose reason is one short line without the key.

Facts: OpenAI's guide "Error codes" and API reference (ResponseError); the wordings of vLLM,
llama.cpp, Ollama, OpenRouter and FastAPI, which answer in shapes of their own.
"""

import email.utils
import re
import time
from collections.abc import Mapping
from urllib.parse import quote

import msgspec
from openai import APIStatusError

from adapters.openai_rate_limits import LIMITS, duration, number
from domain.failures import (
    ChatMigrated,
    ContextTooLong,
    Failure,
    Fatal,
    Retryable,
    Terminal,
    ThreadLost,
)

MAX_REASON = 300

_SPENT = {
    "billing_hard_limit_reached",
    "credit_balance_exhausted",
    "insufficient_quota",
    "organization_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "project_spend_limit_exceeded",
}
_SPENT_SUFFIXES = ("_spend_limit_exceeded", "_usage_limit_exceeded", "_spend_limit_reached")
_PASSING = {
    "conversation_locked",
    "rate_limit_error",
    "rate_limit_exceeded",
    "server_error",
    "server_is_overloaded",
    "service_unavailable_error",
    "slow_down",
    "vector_store_timeout",
}
_TOO_LONG = re.compile(
    r"context[ _](length|window|size)|(prompt|input) is too long|request too large", re.IGNORECASE
)
_NO_MODEL = re.compile(
    r"\bmodel\b.{0,120}(does not exist|not found|deprecated|retired)|(unknown|invalid) model",
    re.IGNORECASE | re.DOTALL,
)
_SECRET = re.compile(
    r"\S*\*{3,}\S*|\bsk-[\w-]{4,}|(?<=key provided: )\S+|(?<=Bearer )\S+", re.IGNORECASE
)
_SHORTEST_KEY = 5
"""Characters; a local server's "none" is no secret, and a word of many sentences."""
_TRY_AGAIN = re.compile(r"try again in (\S+)", re.IGNORECASE)


class Complaint(msgspec.Struct, frozen=True):
    """An error as a server told it. `status` is the HTTP status, 0 where it came inside a 200."""

    status: int
    message: str
    code: str = ""
    kind: str = ""
    param: str = ""

    @property
    def reason(self) -> str:
        """One line for logs and people: "OpenAI 429: Rate limit reached for …"."""
        line = " ".join(self.message.split()) or self.code or self.kind or "no explanation"
        about = f"OpenAI {self.status}" if self.status else "OpenAI"
        return cut(f"{about}: {line}", MAX_REASON)


def complaint(error: APIStatusError) -> Complaint:
    """What an answer of 4xx or 5xx says, with the key masked."""
    text = error.response.text.strip()
    try:
        body: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        body = "an HTML page" if text.startswith("<") else text
    told = complaint_in(body, error.status_code)
    key = error.request.headers.get("authorization", "").removeprefix("Bearer ")
    message = told.message.replace(key, "***") if len(key) > 4 else told.message
    return msgspec.structs.replace(told, message=message)


def complaint_in(body: object, status: int = 0) -> Complaint:
    """What a decoded body says, in any of the shapes that servers use, with secrets masked."""
    told = body
    if isinstance(told, dict):
        told = told.get("error") or told.get("detail") or told
    if not isinstance(told, dict):
        text = told if isinstance(told, str) else msgspec.json.encode(told).decode()
        return Complaint(status, _SECRET.sub("***", text))
    code = told.get("code")
    if not status and isinstance(code, int) and 400 <= code < 600:
        status = code
    return Complaint(
        status,
        _SECRET.sub("***", _text(told.get("message")) or _text(told.get("detail"))),
        _text(code),
        _text(told.get("type")),
        _text(told.get("param")),
    )


def refused(error: APIStatusError, *, thread: bool = False) -> Failure:
    """The failure behind an HTTP error; `thread`: the request named a conversation."""
    told = complaint(error)
    return failure(told, after=wait(told, error.response.headers), thread=thread)


def failure(
    told: Complaint, *, after: float | None = None, thread: bool = False, run_ended: bool = False
) -> Failure:
    """What to do about a complaint, by DESIGN's table of failures."""
    status, names = told.status, {told.code, told.kind}
    if status == 402 or names & _SPENT or told.code.endswith(_SPENT_SUFFIXES):
        return Fatal(told.reason, run_ended=run_ended)
    if status in (401, 403):
        return Fatal(told.reason, run_ended=run_ended)
    if status < 500 and _too_long(told):
        return ContextTooLong(told.reason)
    if status in (408, 409, 429) or status >= 500 or names & _PASSING:
        return Retryable(told.reason, after=after, run_ended=run_ended)
    if told.code == "model_not_found" or told.param == "model" or _NO_MODEL.search(told.message):
        return Fatal(told.reason, run_ended=run_ended)
    if thread and (status == 404 or told.param.startswith("conversation")):
        return ThreadLost(told.reason)
    return Terminal(told.reason)


def unreachable(error: Exception) -> Retryable:
    """No answer came: no connection, a broken one, or nothing read for too long."""
    cause = error.__cause__ or error
    return Retryable(cut(f"OpenAI: no answer: {cause or type(cause).__name__}", MAX_REASON))


def malformed(body: bytes | str) -> Retryable:
    """An answer of 200 that is not what it should be: HTML, truncated, another shape."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    start = " ".join(text[:200].split())
    return Retryable(_SECRET.sub("***", f"OpenAI: a malformed answer: {start or 'empty'}"))


def wait(told: Complaint, headers: Mapping[str, str]) -> float | None:
    """The seconds that the server tells us to wait, None where it does not.

    In this order: retry-after-ms, retry-after (seconds or an HTTP date), "try again in 1.2s" of
    the message, the x-ratelimit-reset-* of a limit of which nothing remains.
    """
    milliseconds = number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    header = headers.get("retry-after")
    seconds = number(header)
    if seconds is not None:
        return seconds
    if header and (date := email.utils.parsedate_tz(header)):
        return max(email.utils.mktime_tz(date) - time.time(), 0.0)
    if told.status != 429:
        return None
    if (again := _TRY_AGAIN.search(told.message)) and (soon := duration(again[1])) is not None:
        return soon
    resets = [
        reset
        for limit in LIMITS
        if headers.get(f"x-ratelimit-remaining-{limit}", "0") == "0"
        and (reset := duration(headers.get(f"x-ratelimit-reset-{limit}", ""))) is not None
    ]
    return max(resets, default=None)


def masked(told: Failure, key: str) -> Failure:
    """The failure without the key, whole, percent-encoded, or cut off where the reason ends.

    A compatible server's keys have any form, and it may quote one wherever it says something.
    """
    if isinstance(told, ChatMigrated) or len(key) < _SHORTEST_KEY:
        return told
    reason = told.reason
    for form in (key, quote(key, safe="")):
        reason = reason.replace(form, "***")
        begun = reason.rstrip("…")
        for length in range(min(len(form), len(begun)), _SHORTEST_KEY - 1, -1):
            if begun.endswith(form[:length]):
                reason = f"{begun[:-length]}***"
                break
    return msgspec.structs.replace(told, reason=reason) if reason != told.reason else told


def cut(text: str, length: int) -> str:
    """At most `length` characters, the last of them an ellipsis where something was left out."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _too_long(told: Complaint) -> bool:
    if told.code == "context_length_exceeded" or told.kind == "exceed_context_size_error":
        return True
    return _TOO_LONG.search(told.message) is not None


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
