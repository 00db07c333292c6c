"""The shapes of OpenAI's answers: errors, the Response object, items, usage, stream frames.

Checked in tests against the pydantic models of the `openai` package.
"""

import secrets
import time
from typing import Any

from aiohttp import web

from entrypoints.sandbox.faults import Fault
from entrypoints.sandbox.json_text import encode_json

Json = dict[str, Any]


class OpenAiError(Exception):
    """An error answer: status, message, type, code, param and the headers that go with it."""

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.error = {"message": message, "type": kind, "param": param, "code": code}

    def response(self) -> web.Response:
        return json_response({"error": self.error}, self.status, self.headers)


def json_response(body: object, status: int = 200, headers: Json | None = None) -> web.Response:
    return web.Response(
        body=encode_json(body), status=status, content_type="application/json", headers=headers
    )


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(24)}"


def count_tokens(text: str) -> int:
    """About four bytes a token, as English text has it."""
    return (len(text.encode("utf-8", errors="surrogatepass")) + 3) // 4


def responses_usage(input_tokens: int, output_tokens: int) -> Json:
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }


def chat_usage(input_tokens: int, output_tokens: int) -> Json:
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def response_object(request: Json, response_id: str, created_at: int) -> Json:
    """A Response in its first state, from the parameters that asked for it."""
    return {
        "id": response_id,
        "object": "response",
        "created_at": created_at,
        "status": "queued" if request.get("background") else "in_progress",
        "background": bool(request.get("background")),
        "completed_at": None,
        "conversation": None,
        "error": None,
        "incomplete_details": None,
        "instructions": request.get("instructions"),
        "max_output_tokens": request.get("max_output_tokens"),
        "max_tool_calls": None,
        "model": request["model"],
        "output": [],
        "parallel_tool_calls": request.get("parallel_tool_calls", True),
        "previous_response_id": request.get("previous_response_id"),
        "prompt_cache_key": request.get("prompt_cache_key"),
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": request.get("safety_identifier"),
        "service_tier": "default",
        "store": request.get("store", True) is not False,
        "temperature": request.get("temperature", 1.0),
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": request.get("tool_choice", "auto"),
        "tools": request.get("tools") or [],
        "top_logprobs": 0,
        "top_p": request.get("top_p", 1.0),
        "truncation": request.get("truncation") or "disabled",
        "usage": None,
        "user": request.get("user"),
        "metadata": request.get("metadata") or {},
    }


def message_item(item_id: str, role: str, text: str) -> Json:
    """A message of a conversation."""
    kind = "output_text" if role == "assistant" else "input_text"
    part: Json = {"type": kind, "text": text}
    if role == "assistant":
        part |= {"annotations": [], "logprobs": []}
    return {
        "id": item_id,
        "type": "message",
        "status": "completed",
        "role": role,
        "content": [part],
    }


def frame(event: Json) -> bytes:
    """One event of a Responses stream."""
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode_json(event))


_MESSAGES: dict[str, tuple[int, str, str, str | None, str | None]] = {
    "insufficient_quota": (
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
        None,
    ),
    "unauthorized": (
        401,
        "Incorrect API key provided: sk-*****. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        "invalid_request_error",
        "invalid_api_key",
        None,
    ),
    "forbidden": (
        403,
        "Country, region, or territory not supported",
        "request_forbidden",
        "unsupported_country_region_territory",
        None,
    ),
    "model_not_found": (
        404,
        "The model does not exist or you do not have access to it.",
        "invalid_request_error",
        "model_not_found",
        None,
    ),
    "conversation_not_found": (
        404,
        "Conversation with id 'conv_gone' not found.",
        "invalid_request_error",
        None,
        None,
    ),
    "conversation_locked": (
        400,
        "Another process is currently operating on this conversation. "
        "Please retry in a few seconds.",
        "invalid_request_error",
        "conversation_locked",
        None,
    ),
    "context_length": (
        400,
        "Your input exceeds the context window of this model. "
        "Please adjust your input and try again.",
        "invalid_request_error",
        "context_length_exceeded",
        "input",
    ),
    "bad_request": (400, "The request is invalid.", "invalid_request_error", None, None),
    "server_error": (
        500,
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
        None,
        None,
    ),
    "overloaded": (
        503,
        "The engine is currently overloaded, please try again later.",
        "service_unavailable_error",
        "server_is_overloaded",
        None,
    ),
}


def known_error(kind: str) -> OpenAiError:
    """The error answer of a fault's kind. Raises KeyError for a kind that has none."""
    return OpenAiError(*_MESSAGES[kind])


def fault_error(fault: Fault) -> OpenAiError | None:
    """The error answer of a fault, or None for those that are none."""
    if fault.kind == "rate_limited":
        after = {
            "retry-after": str(max(1, round(fault.retry_after))),
            "retry-after-ms": str(round(fault.retry_after * 1000)),
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": f"{fault.retry_after:g}s",
        }
        message = (
            "Rate limit reached for requests. "
            f"Limit: 500 / min. Please try again in {fault.retry_after:g}s."
        )
        return OpenAiError(429, message, "requests", "rate_limit_exceeded", headers=after)
    return known_error(fault.kind) if fault.kind in _MESSAGES else None


def now() -> int:
    return int(time.time())
