"""The Chat Completions adapter against recorded answers of OpenAI and of compatible servers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from model_server_stub import (
    KEY,
    Answer,
    ModelServer,
    error,
    held,
    html,
    json,
    model_server,
    sse,
    stream,
)

from adapters.model_circuits import ModelCircuits
from adapters.openai_chat_completions import OpenAIChatCompletions
from adapters.openai_clients import OpenAIClients
from application.model import Ask, Generated, Line, ModelAccess, ModelApi
from application.ports import Failed
from domain.failures import ContextTooLong, Failure, Fatal, Retryable, RunLost, Terminal
from tests.application.memory_meter import MemoryMeter

ASK = Ask(7, (Line("user", "Hi"), Line("assistant", "Hello"), Line("user", "How are you?")))


def _chunk(
    content: Any = None, finish: str | None = None, usage: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    delta = {} if content is None else {"content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "gpt-5-2025-08-07",
        "choices": [{"index": 0, "delta": delta | more, "finish_reason": finish}],
        "usage": usage,
    }


USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
LAST = {"id": "chatcmpl-1", "model": "gpt-5-2025-08-07", "choices": [], "usage": USAGE}
FINE = stream(
    sse(_chunk("", role="assistant"), _chunk("Fine, "), _chunk("thanks 🙂"), _chunk(finish="stop")),
    sse(LAST, "[DONE]"),
)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as running:
        yield running


@pytest.fixture(scope="module")
async def clients() -> AsyncIterator[OpenAIClients]:
    made = OpenAIClients(5, ModelCircuits(lambda server, reason: None), MemoryMeter())
    yield made
    await made.close()


@pytest.fixture
def model(clients: OpenAIClients) -> OpenAIChatCompletions:
    return OpenAIChatCompletions(clients, timeout=5)


async def _never(run_id: str | None, thread_id: str | None) -> None:
    pytest.fail("nothing is started that could be resumed")


def _access(server: ModelServer, **more: Any) -> ModelAccess:
    return ModelAccess(ModelApi.CHAT_COMPLETIONS, "gpt-5", server.url, KEY, **more)


async def _generate(model: OpenAIChatCompletions, server: ModelServer, **more: Any) -> Generated:
    return await model.generate(_access(server, **more), ASK, _never, held)


async def _failure(model: OpenAIChatCompletions, server: ModelServer) -> Failure:
    with pytest.raises(Failed) as caught:
        await _generate(model, server)
    return caught.value.failure


async def test_an_answer(model: OpenAIChatCompletions, server: ModelServer) -> None:
    server.say(FINE)
    generated = await _generate(
        model, server, instructions="Be kind", temperature=0.5, max_output_tokens=100
    )
    assert generated.latency > 0
    assert generated == Generated(
        "Fine, thanks 🙂", "gpt-5-2025-08-07", 11, 5, latency=generated.latency
    )
    assert server.calls == ["POST /chat/completions"]
    assert server.bodies == [
        {
            "model": "gpt-5",
            "messages": [
                {"role": "system", "content": "Be kind"},
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello"},
                {"role": "user", "content": "How are you?"},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.5,
            "max_tokens": 100,
        }
    ]


async def test_only_what_is_set_is_sent(model: OpenAIChatCompletions, server: ModelServer) -> None:
    server.say(FINE)
    await _generate(model, server)
    assert server.bodies[0].keys() == {"model", "messages", "stream", "stream_options"}
    assert len(server.bodies[0]["messages"]) == 3


async def test_stream_options_refused_are_left_out_and_remembered(
    model: OpenAIChatCompletions, server: ModelServer
) -> None:
    without = stream(sse(_chunk("Fine"), _chunk(finish="stop"), "[DONE]"))
    server.say(error(400, "Unrecognized argument: stream_options"), without, without)
    generated = await _generate(model, server)
    assert (generated.text, generated.input_tokens, generated.output_tokens) == ("Fine", None, None)
    await _generate(model, server)
    assert ["stream_options" in body for body in server.bodies] == [True, False, False]
    assert all(body["stream"] for body in server.bodies)


async def test_a_server_without_streams(model: OpenAIChatCompletions, server: ModelServer) -> None:
    whole = {
        "model": "llama",
        "choices": [{"message": {"role": "assistant", "content": "Fine"}, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    server.say(error(422, "Streaming is off", param="stream"), json(whole))
    generated = await _generate(model, server)
    assert (generated.text, generated.model, generated.input_tokens) == ("Fine", "llama", 11)
    assert server.bodies[1].keys() == {"model", "messages"}


async def test_a_model_that_wants_the_new_name_of_the_limit(
    model: OpenAIChatCompletions, server: ModelServer
) -> None:
    refusal = error(
        400,
        "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        param="max_tokens",
        code="unsupported_parameter",
    )
    server.say(refusal, FINE)
    await _generate(model, server, max_output_tokens=100)
    assert server.bodies[1]["max_completion_tokens"] == 100
    assert "max_tokens" not in server.bodies[1]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (
            [_chunk("Half"), _chunk(finish="content_filter")],
            Terminal("OpenAI: the content filter stopped the answer"),
        ),
        ([_chunk(finish="length")], Terminal("OpenAI: max_output_tokens before any text")),
        (
            [_chunk(" "), _chunk("\n", finish="stop")],
            Terminal("the model answered with an empty text"),
        ),
        (
            [_chunk(refusal="I cannot"), _chunk(refusal=" do it", finish="stop")],
            Terminal("the model refused: I cannot do it"),
        ),
        (
            [_chunk("Half"), {"error": {"code": 502, "message": "Provider is down"}}],
            Retryable("OpenAI 502: Provider is down"),
        ),
    ],
)
async def test_each_end(
    model: OpenAIChatCompletions,
    server: ModelServer,
    chunks: list[dict[str, Any]],
    expected: Failure,
) -> None:
    server.say(stream(sse(*chunks, "[DONE]")))
    assert await _failure(model, server) == expected


async def test_an_answer_cut_off_by_its_limit_is_delivered(
    model: OpenAIChatCompletions, server: ModelServer
) -> None:
    server.say(stream(sse(_chunk("Half"), _chunk(finish="length"), "[DONE]")))
    generated = await _generate(model, server)
    assert (generated.text, generated.incomplete) == ("Half", True)


async def test_text_in_parts_and_no_done(model: OpenAIChatCompletions, server: ModelServer) -> None:
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Fine"}]
    server.say(stream(sse(_chunk(parts), _chunk(", thanks", finish="stop"))))
    assert (await _generate(model, server)).text == "Fine, thanks"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (stream(sse(_chunk("Ha"))), "OpenAI: the stream ended before the answer"),
        (stream(sse(_chunk("Ha")), breaks=True), "OpenAI: the stream broke: "),
        (stream(sse(_chunk("Ha")), b'data: {"choi\n\n'), "OpenAI: a malformed answer: {"),
        (html(), "OpenAI: a malformed answer: <html>"),
        (json({"id": "chatcmpl-1"}), "OpenAI: the stream ended before the answer"),
        (error(503, "Overloaded"), "OpenAI 503: Overloaded"),
    ],
)
async def test_what_may_be_asked_again(
    model: OpenAIChatCompletions, server: ModelServer, answer: Answer, reason: str
) -> None:
    server.say(answer)
    told = await _failure(model, server)
    assert isinstance(told, Retryable)
    assert told.reason.startswith(reason)


async def test_errors_are_those_of_the_other_adapter(
    model: OpenAIChatCompletions, server: ModelServer
) -> None:
    server.say(
        error(401, "Bad key"), error(400, "The maximum context length is 10"), error(400, "No")
    )
    assert await _failure(model, server) == Fatal("OpenAI 401: Bad key")
    assert await _failure(model, server) == ContextTooLong(
        "OpenAI 400: The maximum context length is 10"
    )
    assert await _failure(model, server) == Terminal("OpenAI 400: No")


async def test_a_deadline(clients: OpenAIClients, server: ModelServer) -> None:
    model = OpenAIChatCompletions(clients, timeout=0.1)
    server.say(Answer(delay=0.5))
    assert await _failure(model, server) == Retryable("OpenAI: no answer in 0.1 s")


async def test_nothing_is_kept_on_the_server(
    model: OpenAIChatCompletions, server: ModelServer
) -> None:
    access = _access(server)
    with pytest.raises(Failed) as caught:
        await model.resume(access, "resp_1", None, _never)
    assert isinstance(caught.value.failure, RunLost)
    await model.forget(access, "conv_1")
    assert server.calls == []
