"""Chat Completions behind application.model.LanguageModel: `CHAT_COMPLETIONS`, any such server.

Triggered by the same effects as adapters/openai_responses.py; an answer comes out, or
application.ports.Failed.

There is no conversation and no run on the server: every call carries all lines, nothing can be
resumed (`started` is never called), and a call that was open when a worker died is made again.
`metadata` is not sent: OpenAI takes it only with `store`, other servers not at all.
Facts: OpenAI API reference, Chat Completions; vLLM's, Ollama's and OpenRouter's departures from it.
"""

from contextlib import aclosing
from time import perf_counter
from typing import Any

import httpx2
import msgspec
from msgspec import Struct
from openai import APIStatusError

from adapters.openai_clients import OpenAIClients
from adapters.openai_events import EventStream, StreamBroken, is_event_stream
from adapters.openai_failures import complaint_in, failure, malformed, refused
from adapters.openai_refusals import Refusals
from adapters.openai_response_outcome import refusal_of, visible
from application.model import OPENAI_URL, Ask, Check, Generated, ModelAccess, Started
from application.ports import Failed
from domain.failures import Retryable, RunLost, Terminal

_OPTIONAL = frozenset({"stream", "stream_options"})


class _Said(Struct):
    content: str | list[Any] | None = None
    refusal: str | None = None


class _Choice(Struct):
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _Usage(Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(Struct):
    """A streamed chunk, or a whole completion: they differ in `delta` and `message`."""

    choices: list[_Choice] | None = None
    model: str | None = None
    usage: _Usage | None = None
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)


class _Heard(Struct):
    """What the chunks told so far; `done`: the answer is complete."""

    texts: list[str] = []
    refusals: list[str] = []
    finish: str | None = None
    model: str | None = None
    usage: _Usage = _Usage()
    done: bool = False


class OpenAIChatCompletions:
    """Fulfils application.model.LanguageModel; `timeout` is seconds for each whole call."""

    def __init__(self, clients: OpenAIClients, timeout: float) -> None:
        self._clients = clients
        self._timeout = timeout
        self._refusals = Refusals()

    async def generate(
        self, access: ModelAccess, ask: Ask, started: Started, check: Check
    ) -> Generated:
        """Answer the last line. `ask.thread_id` means nothing here, nor is `started` called."""
        begun = perf_counter()
        async with self._clients.deadline(access, self._timeout):
            heard = await self._ask(access, ask, check)
        return _generated(heard, access, perf_counter() - begun)

    async def resume(
        self, access: ModelAccess, run_id: str, thread_id: str | None, started: Started
    ) -> Generated:
        """Always raises Failed(RunLost)."""
        raise Failed(RunLost("Chat Completions keeps no runs"))

    async def forget(self, access: ModelAccess, thread_id: str) -> None:
        """Nothing to do: the server keeps no conversations."""

    async def _ask(self, access: ModelAccess, ask: Ask, check: Check) -> _Heard:
        while True:
            refusals = self._refusals.of(access)
            body = _request(access, ask, refusals)
            sent = body.keys() & (_OPTIONAL | {"max_tokens", "max_completion_tokens"}) - refusals
            check()
            try:
                answer = await self._clients.send(
                    access, "POST", "/chat/completions", body, stream="stream" in body, asks=True
                )
                break
            except APIStatusError as error:
                if not self._refusals.learn(access, error, sent):
                    raise Failed(refused(error)) from error
        heard = _Heard()
        try:
            if is_event_stream(answer):
                await _read_events(answer, heard)
            else:
                _take(heard, await answer.aread())
        except StreamBroken as error:
            raise Failed(Retryable(f"OpenAI: the stream broke: {error}")) from error
        finally:
            await answer.aclose()
        if not heard.done and heard.finish is None:
            raise Failed(Retryable("OpenAI: the stream ended before the answer"))
        return heard


def _request(access: ModelAccess, ask: Ask, refusals: frozenset[str]) -> dict[str, Any]:
    messages = [{"role": line.role, "content": line.text} for line in ask.lines]
    if access.instructions is not None:
        messages.insert(0, {"role": "system", "content": access.instructions})
    body: dict[str, Any] = {"model": access.model, "messages": messages}
    if "stream" not in refusals:
        body["stream"] = True
        if "stream_options" not in refusals:
            body["stream_options"] = {"include_usage": True}
    if access.temperature is not None:
        body["temperature"] = access.temperature
    if access.max_output_tokens is not None:
        # OpenAI's newer models refuse the old name; many other servers ignore the new one.
        old = (access.base_url or OPENAI_URL) != OPENAI_URL and "max_tokens" not in refusals
        if old or "max_completion_tokens" in refusals:
            body["max_tokens"] = access.max_output_tokens
        else:
            body["max_completion_tokens"] = access.max_output_tokens
    return body


async def _read_events(answer: httpx2.Response, heard: _Heard) -> None:
    stream = EventStream(answer)
    async with aclosing(stream.batches()) as batches:
        async for batch in batches:
            for data in batch:
                if data == b"[DONE]":
                    heard.done = stream.over = True
                else:
                    _take(heard, data)


def _take(heard: _Heard, data: bytes) -> None:
    try:
        chunk = _CHUNK.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Failed(malformed(data)) from error
    if chunk.error is not None:
        raise Failed(failure(complaint_in({"error": chunk.error})))
    heard.model = chunk.model or heard.model
    heard.usage = chunk.usage or heard.usage
    for choice in chunk.choices or ():
        said = choice.delta or choice.message or _Said()
        if said.content:
            heard.texts.append(_plain(said.content))
        if said.refusal:
            heard.refusals.append(said.refusal)
        heard.finish = choice.finish_reason or heard.finish


def _plain(content: str | list[Any]) -> str:
    """Some servers send parts, of which the text ones are the answer."""
    if isinstance(content, str):
        return content
    return "".join(
        part["text"]
        for part in content
        if isinstance(part, dict) and part.get("type") == "text" and isinstance(part["text"], str)
    )


def _generated(heard: _Heard, access: ModelAccess, latency: float) -> Generated:
    text = visible("".join(heard.texts))
    if heard.finish == "content_filter":
        raise Failed(Terminal("OpenAI: the content filter stopped the answer"))
    if not text and heard.refusals:
        raise Failed(refusal_of("".join(heard.refusals)))
    if not text and heard.finish == "length":
        raise Failed(Terminal("OpenAI: max_output_tokens before any text"))
    if not text:
        raise Failed(Terminal("the model answered with an empty text"))
    return Generated(
        text=text,
        model=heard.model or access.model,
        input_tokens=heard.usage.prompt_tokens,
        output_tokens=heard.usage.completion_tokens,
        incomplete=heard.finish == "length",
        latency=latency,
    )
