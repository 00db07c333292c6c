"""POST /chat/completions of the OpenAI stand-in, streamed or whole.

It has no runs that can be resumed: a client that goes ends its generation.
"""

import asyncio
import time

from aiohttp import web
from msgspec import Struct

from entrypoints.sandbox.connection import reset
from entrypoints.sandbox.demo_model import answer
from entrypoints.sandbox.faults import Fault
from entrypoints.sandbox.json_text import encode_json
from entrypoints.sandbox.openai_requests import Json, read_chat_request, read_turns
from entrypoints.sandbox.openai_responses import HTML, LIMITS, SSE, broken, early_fault
from entrypoints.sandbox.openai_runs import Outcome, outcome_of, pieces
from entrypoints.sandbox.openai_shapes import (
    chat_usage,
    count_tokens,
    json_response,
    known_error,
    new_id,
)
from entrypoints.sandbox.openai_world import OpenAiWorld, Pace, RunRecord

_FLUSH_SECONDS = 0.02


class _Completion(Struct):
    """One completion on its way."""

    asked: Json
    outcome: Outcome
    usage: Json
    pace: Pace
    fault: Fault | None
    record: RunRecord

    @property
    def kind(self) -> str | None:
        return self.fault.kind if self.fault else None

    @property
    def finish_reason(self) -> str:
        match self.outcome.incomplete:
            case "max_output_tokens":
                return "length"
            case "content_filter":
                return "content_filter"
            case _:
                return "stop"

    def head(self, kind: str) -> Json:
        return {
            "id": self.record.id,
            "object": kind,
            "created": int(self.record.at),
            "model": self.record.model,
            "service_tier": "default",
            "system_fingerprint": "fp_sandbox",
        }


class ChatCompletions:
    """The handler of /v1/chat/completions."""

    def __init__(self, world: OpenAiWorld) -> None:
        self._world = world

    async def create(self, request: web.Request) -> web.StreamResponse:
        asked = read_chat_request(await request.read())
        turns = read_turns(asked["messages"], "messages")
        request[LIMITS] = self._world.limits_left(asked["model"], turns)
        text = turns[-1].text
        pace = self._world.pace_for("chat.completions", text)
        fault = self._world.fault_for("chat.completions", text)
        early = await early_fault(request, fault)
        if early is not None:
            return early
        self._world.check_model(asked["model"])
        told = [turn.text for turn in turns if turn.role in ("system", "developer")]
        outcome = outcome_of(
            fault.kind if fault else None,
            answer(turns, "\n".join(told) or None),
            asked.get("max_completion_tokens", asked.get("max_tokens")),
        )
        said = outcome.text if outcome.refusal is None else outcome.refusal
        usage = chat_usage(sum(count_tokens(turn.text) for turn in turns), count_tokens(said))
        record = RunRecord(
            id=new_id("chatcmpl"),
            api="chat.completions",
            model=asked["model"],
            at=time.time(),
            metadata=asked["metadata"],
            conversation=None,
            background=False,
            stream=bool(asked.get("stream")),
            input=text[:500],
            output=said[:500],
        )
        self._world.records.append(record)
        completion = _Completion(asked, outcome, usage, pace, fault, record)
        if outcome.failure is not None and not record.stream:
            raise known_error("server_error")
        if record.stream:
            return await self._stream(request, completion)
        return await self._whole(request, completion)

    async def _whole(self, request: web.Request, completion: _Completion) -> web.StreamResponse:
        outcome, pace = completion.outcome, completion.pace
        parts = len(pieces(outcome.text))
        rate = pace.tokens_per_second
        await asyncio.sleep(pace.first_token + (parts / rate if rate else 0))
        completion.record.status = "completed"
        if completion.kind in ("reset_stream", "ends_early"):
            return reset(request)
        message: Json = {
            "role": "assistant",
            "content": outcome.text if outcome.refusal is None else None,
            "refusal": outcome.refusal,
            "annotations": [],
        }
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": completion.finish_reason,
        }
        body = {
            **completion.head("chat.completion"),
            "choices": [choice],
            "usage": completion.usage,
        }
        return broken(completion.kind, encode_json(body)) or json_response(body)

    async def _stream(self, request: web.Request, completion: _Completion) -> web.StreamResponse:
        if completion.kind == "html":
            return web.Response(text=HTML, content_type="text/html")
        chunks = _chunks(completion)
        limit = None
        if completion.fault is not None and completion.kind in (
            "reset_stream",
            "ends_early",
            "malformed",
            "stream_error",
        ):
            limit = completion.fault.after_events
        pace = completion.pace
        if not (pace.first_token or pace.tokens_per_second) and limit is None:
            completion.record.status = "completed"
            return web.Response(body=b"".join(chunks), headers=SSE)
        stream = web.StreamResponse(headers=SSE)
        await stream.prepare(request)
        await asyncio.sleep(pace.first_token)
        for chunk in chunks[:limit]:
            await stream.write(chunk)
            await asyncio.sleep(1 / pace.tokens_per_second if pace.tokens_per_second else 0)
        if limit is None:
            completion.record.status = "completed"
        elif completion.kind == "reset_stream":
            await asyncio.sleep(_FLUSH_SECONDS)
            reset(request)
            return stream
        elif completion.kind == "malformed":
            await stream.write(b'data: {"id":"chatcmpl\n\n')
        elif completion.kind == "stream_error":
            await stream.write(_data({"error": known_error("server_error").error}))
        await stream.write_eof()
        return stream


def _chunks(completion: _Completion) -> list[bytes]:
    """The stream's lines, [DONE] included."""
    head = completion.head("chat.completion.chunk")
    options = completion.asked.get("stream_options") or {}
    with_usage = bool(options.get("include_usage"))
    extra = {"usage": None} if with_usage else {}

    def chunk(delta: Json, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _data({**head, "choices": [choice], **extra})

    outcome = completion.outcome
    chunks = [chunk({"role": "assistant", "content": "", "refusal": None})]
    if outcome.refusal is None:
        chunks += [chunk({"content": piece}) for piece in pieces(outcome.text)]
    else:
        chunks += [chunk({"refusal": piece}) for piece in pieces(outcome.refusal)]
    if outcome.failure is not None:
        return [*chunks, _data({"error": known_error("server_error").error})]
    chunks.append(chunk({}, completion.finish_reason))
    if with_usage:
        chunks.append(_data({**head, "choices": [], "usage": completion.usage}))
    return [*chunks, b"data: [DONE]\n\n"]


def _data(value: Json) -> bytes:
    return b"data: %b\n\n" % encode_json(value)
