"""Reads and checks the bodies of POST /responses, /conversations and /chat/completions.

What the real API refuses is refused here in its words, so that a wrong call cannot pass the tests:
unknown parameters, missing ones, wrong types, limits of metadata.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from entrypoints.sandbox.demo_model import Turn
from entrypoints.sandbox.openai_shapes import OpenAiError

Json = dict[str, Any]

# The parameters of openai.types.responses.ResponseCreateParams and
# openai.types.chat.CompletionCreateParams, with the types that we check.
_RESPONSES: dict[str, tuple[type, ...]] = {
    "background": (bool,),
    "conversation": (str, dict),
    "include": (list,),
    "input": (str, list),
    "instructions": (str,),
    "max_output_tokens": (int,),
    "max_tool_calls": (int,),
    "metadata": (dict,),
    "model": (str,),
    "moderation": (dict,),
    "parallel_tool_calls": (bool,),
    "previous_response_id": (str,),
    "prompt": (dict,),
    "prompt_cache_key": (str,),
    "prompt_cache_options": (dict,),
    "prompt_cache_retention": (str,),
    "reasoning": (dict,),
    "safety_identifier": (str,),
    "service_tier": (str,),
    "store": (bool,),
    "stream": (bool,),
    "stream_options": (dict,),
    "temperature": (int, float),
    "text": (dict,),
    "tool_choice": (str, dict),
    "tools": (list,),
    "top_logprobs": (int,),
    "top_p": (int, float),
    "truncation": (str,),
    "user": (str,),
    "access_programs": (dict,),
    "background_options": (dict,),
    "context_management": (list,),
    "image": (dict,),
}
_CHAT: dict[str, tuple[type, ...]] = {
    "messages": (list,),
    "model": (str,),
    "audio": (dict,),
    "frequency_penalty": (int, float),
    "function_call": (str, dict),
    "functions": (list,),
    "logit_bias": (dict,),
    "logprobs": (bool,),
    "max_completion_tokens": (int,),
    "max_tokens": (int,),
    "metadata": (dict,),
    "modalities": (list,),
    "moderation": (dict,),
    "n": (int,),
    "parallel_tool_calls": (bool,),
    "prediction": (dict,),
    "presence_penalty": (int, float),
    "prompt_cache_key": (str,),
    "prompt_cache_options": (dict,),
    "prompt_cache_retention": (str,),
    "reasoning_effort": (str,),
    "response_format": (dict,),
    "safety_identifier": (str,),
    "seed": (int,),
    "service_tier": (str,),
    "stop": (str, list),
    "store": (bool,),
    "stream": (bool,),
    "stream_options": (dict,),
    "temperature": (int, float),
    "tool_choice": (str, dict),
    "tools": (list,),
    "top_logprobs": (int,),
    "top_p": (int, float),
    "user": (str,),
    "verbosity": (str,),
    "web_search_options": (dict,),
}
_ROLES = frozenset({"user", "assistant", "system", "developer"})
SHORTEST_OUTPUT = 16


def read_object(body: bytes) -> Json:
    """Raises OpenAiError 400 where the body is no JSON object."""
    try:
        return msgspec.json.decode(body or b"{}", type=dict[str, Any])
    except msgspec.DecodeError:
        raise OpenAiError(
            400,
            "We could not parse the JSON body of your request. (HINT: This likely means you "
            "aren't using your HTTP library correctly.)",
        ) from None


def read_response_request(body: bytes) -> Json:
    """The parameters of POST /responses, without those that are null. Raises OpenAiError 400."""
    request = _checked(read_object(body), _RESPONSES, ("model", "input"))
    limit = request.get("max_output_tokens")
    if limit is not None and limit < SHORTEST_OUTPUT:
        raise OpenAiError(
            400,
            f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= "
            f"{SHORTEST_OUTPUT}, but got {limit} instead.",
            code="integer_below_min_value",
            param="max_output_tokens",
        )
    if "conversation" in request and "previous_response_id" in request:
        raise OpenAiError(
            400,
            "Mutually exclusive parameters: 'conversation' and 'previous_response_id'.",
            code="mutually_exclusive_parameters",
            param="previous_response_id",
        )
    if request.get("background") and request.get("store") is False:
        raise OpenAiError(400, "Background mode requires store to be true.", param="store")
    return request


def read_chat_request(body: bytes) -> Json:
    """The parameters of POST /chat/completions. Raises OpenAiError 400."""
    request = _checked(read_object(body), _CHAT, ("model", "messages"))
    if not request["messages"]:
        raise OpenAiError(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1.",
            code="empty_array",
            param="messages",
        )
    return request


def read_metadata(metadata: object) -> Json:
    """At most 16 pairs, keys up to 64 and values up to 512 characters. Raises OpenAiError 400."""
    if metadata is None:
        return {}
    if not isinstance(metadata, dict) or len(metadata) > 16:
        raise OpenAiError(400, "Invalid 'metadata': at most 16 pairs.", param="metadata")
    for key, value in metadata.items():
        if not isinstance(value, str) or len(key) > 64 or len(value) > 512:
            raise OpenAiError(
                400,
                f"Invalid 'metadata.{key}': expected a string of at most 512 characters.",
                code="invalid_type",
                param=f"metadata.{key}",
            )
    return metadata


def read_turns(messages: str | Iterable[object], param: str) -> list[Turn]:
    """The messages of `input`, `items` or `messages` as turns. Raises OpenAiError 400."""
    if isinstance(messages, str):
        return [Turn("user", messages)]
    turns = []
    for index, message in enumerate(messages):
        path = f"{param}[{index}]"
        if not isinstance(message, dict) or message.get("type", "message") != "message":
            raise OpenAiError(400, f"Invalid value: '{path}'.", code="invalid_value", param=path)
        role = message.get("role")
        if role not in _ROLES:
            raise OpenAiError(
                400, f"Invalid value for '{path}.role'.", code="invalid_value", param=f"{path}.role"
            )
        turns.append(Turn(role, _text_of(message.get("content"), path)))
    return turns


def _text_of(content: object, path: str) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text", "") for part in content if isinstance(part, dict)]
        return "".join(str(part) for part in parts)
    raise OpenAiError(
        400,
        f"Missing required parameter: '{path}.content'.",
        code="missing_required_parameter",
        param=f"{path}.content",
    )


def _checked(body: Json, known: dict[str, tuple[type, ...]], required: tuple[str, ...]) -> Json:
    request: Json = {}
    for name, value in body.items():
        kinds = known.get(name)
        if kinds is None:
            raise OpenAiError(
                400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name
            )
        if value is None:
            continue
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise OpenAiError(400, f"Invalid type for '{name}'.", code="invalid_type", param=name)
        request[name] = value
    for name in required:
        if name not in request:
            raise OpenAiError(
                400,
                f"Missing required parameter: '{name}'.",
                code="missing_required_parameter",
                param=name,
            )
    request["metadata"] = read_metadata(request.get("metadata"))
    temperature = request.get("temperature", 1)
    if not 0 <= temperature <= 2:
        raise OpenAiError(
            400,
            f"Invalid 'temperature': decimal value out of range. Expected a value between 0 and "
            f"2, but got {temperature} instead.",
            code="decimal_out_of_range",
            param="temperature",
        )
    return request
