"""The Responses adapter against recorded answers: each status, each break, each refusal."""

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

from adapters import openai_runs
from adapters.model_circuits import ModelCircuits
from adapters.openai_clients import OpenAIClients
from adapters.openai_responses import OpenAIResponses
from application.jobs import LeaseLost
from application.model import Ask, Generated, Line, ModelAccess, ModelApi
from application.ports import Failed
from domain.failures import (
    ContextTooLong,
    Failure,
    Fatal,
    Retryable,
    RunLost,
    Terminal,
    ThreadLost,
)
from tests.application.memory_meter import MemoryMeter

ASK = Ask(7, (Line("user", "Hi"), Line("assistant", "Hello"), Line("user", "How are you?")))
IN_THREAD = Ask(8, (Line("user", "And now?"),), thread_id="conv_1")
USAGE = {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16}


def _output(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": list(content),
        **more,
    }


def _response(status: str = "completed", *output: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1790000000,
        "status": status,
        "model": "gpt-5-2025-08-07",
        "background": True,
        "error": None,
        "incomplete_details": None,
        "output": [{"type": "reasoning", "id": "rs_1", "summary": []}, *output],
        "usage": USAGE if status == "completed" else None,
        "metadata": {"processing_id": "7"},
        **more,
    }


def _event(kind: str, number: int, response: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"response.{kind}", "sequence_number": number, "response": response}


def _delta(number: int, text: str) -> dict[str, Any]:
    return {
        "type": "response.output_text.delta",
        "sequence_number": number,
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": text,
        "logprobs": [],
        "obfuscation": "x8fK",
    }


CREATED = _event("created", 0, _response("queued"))
DONE = _response("completed", _message(_output("Fine, "), _output("thanks 🙂")))
REST = sse(_delta(1, "Fine, "), _delta(2, "thanks 🙂"), _event("completed", 3, DONE))
FINE = stream(sse(CREATED) + REST)
THOUGHT_ABOUT = stream(sse(CREATED), REST)
NEW_THREAD = json({"id": "conv_1", "object": "conversation", "created_at": 1, "metadata": {}})


class Saved:
    """`started`, and what it was called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str | None, str | None]] = []

    async def __call__(self, run_id: str | None, thread_id: str | None) -> None:
        self.calls.append((run_id, thread_id))


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as running:
        yield running


@pytest.fixture(scope="module")
def meter() -> MemoryMeter:
    return MemoryMeter()


@pytest.fixture(scope="module")
async def clients(meter: MemoryMeter) -> AsyncIterator[OpenAIClients]:
    made = OpenAIClients(5, ModelCircuits(lambda server, reason: None), meter)
    yield made
    await made.close()


@pytest.fixture
def model(clients: OpenAIClients, monkeypatch: pytest.MonkeyPatch) -> OpenAIResponses:
    monkeypatch.setattr(openai_runs, "FIRST_PAUSE", 0.01)
    return OpenAIResponses(clients, timeout=5)


def _access(server: ModelServer, **more: Any) -> ModelAccess:
    return ModelAccess(ModelApi.RESPONSES, "gpt-5", server.url, KEY, **more)


async def _generate(
    model: OpenAIResponses, server: ModelServer, ask: Ask = IN_THREAD
) -> tuple[Generated, list[tuple[str | None, str | None]]]:
    saved = Saved()
    return await model.generate(_access(server), ask, saved, held), saved.calls


async def _failure(model: OpenAIResponses, server: ModelServer, ask: Ask = IN_THREAD) -> Failure:
    with pytest.raises(Failed) as caught:
        await model.generate(_access(server), ask, Saved(), held)
    return caught.value.failure


async def _resume(model: OpenAIResponses, server: ModelServer) -> Generated:
    saved = Saved()
    generated = await model.resume(_access(server), "resp_1", "conv_1", saved)
    assert saved.calls == []
    return generated


def _plain(generated: Generated) -> tuple[str, str, int | None, int | None, bool]:
    assert generated.latency > 0
    return (
        generated.text,
        generated.model,
        generated.input_tokens,
        generated.output_tokens,
        generated.incomplete,
    )


ANSWER = ("Fine, thanks 🙂", "gpt-5-2025-08-07", 11, 5, False)


async def test_a_conversation_is_made_and_a_run_started_in_it(
    model: OpenAIResponses, server: ModelServer
) -> None:
    server.say(NEW_THREAD, THOUGHT_ABOUT)
    access = _access(
        server, instructions="Be kind", temperature=0.5, max_output_tokens=100, assistant_id="a"
    )
    saved = Saved()
    generated = await model.generate(access, ASK, saved, held)
    assert _plain(generated) == ANSWER
    assert (generated.run_id, generated.thread_id) == ("resp_1", "conv_1")
    assert saved.calls == [("resp_1", "conv_1")]
    assert server.calls == ["POST /conversations", "POST /responses"]
    assert server.bodies == [
        {"metadata": {"processing_id": "7"}},
        {
            "model": "gpt-5",
            "instructions": "Be kind",
            "input": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello"},
                {"role": "user", "content": "How are you?"},
            ],
            "conversation": "conv_1",
            "background": True,
            "stream": True,
            "store": True,
            "temperature": 0.5,
            "max_output_tokens": 100,
            "metadata": {"processing_id": "7"},
        },
    ]


async def test_the_id_of_an_answer_that_comes_at_once_is_kept_too(
    model: OpenAIResponses, server: ModelServer
) -> None:
    server.say(FINE)
    generated, saved = await _generate(model, server)
    assert (generated.run_id, saved) == ("resp_1", [("resp_1", "conv_1")])


async def test_a_known_conversation_is_added_to(
    model: OpenAIResponses, server: ModelServer
) -> None:
    server.say(FINE)
    generated, _ = await _generate(model, server)
    assert generated.thread_id == "conv_1"
    assert server.calls == ["POST /responses"]
    assert server.bodies[0] == {
        "model": "gpt-5",
        "input": [{"role": "user", "content": "And now?"}],
        "conversation": "conv_1",
        "background": True,
        "stream": True,
        "store": True,
        "metadata": {"processing_id": "8"},
    }


async def test_the_id_is_saved_before_the_stream_is_read_on(
    model: OpenAIResponses, server: ModelServer
) -> None:
    server.say(stream(sse(CREATED), b"data: {broken\n\n"))

    class StopError(Exception):
        pass

    async def stop(run_id: str | None, thread_id: str | None) -> None:
        raise StopError(run_id, thread_id)

    with pytest.raises(StopError, match=r"'resp_1', 'conv_1'"):
        await model.generate(_access(server), IN_THREAD, stop, held)


async def test_a_lease_that_is_lost_after_the_conversation_was_made_starts_no_run(
    model: OpenAIResponses, server: ModelServer
) -> None:
    server.say(json({"id": "conv_1"}))
    checks: list[None] = []

    def check() -> None:
        checks.append(None)
        if len(checks) == 2:
            raise LeaseLost

    with pytest.raises(LeaseLost):
        await model.generate(_access(server), ASK, Saved(), check)
    assert server.calls == ["POST /conversations"]


@pytest.mark.parametrize("length", [1, 7, 100])
async def test_a_stream_cut_anywhere(
    model: OpenAIResponses, server: ModelServer, length: int
) -> None:
    text = b": hello\r\n\r\n" + sse(CREATED, _event("completed", 3, DONE)).replace(b"\n", b"\r\n")
    cuts = [text[i : i + length] for i in range(0, len(text), length)]
    # One byte at a time only where it hurts: from the text to its end.
    start = text.index(b"Fine") if length == 1 else 0
    chunks = [text[:start], *cuts[start : start + 60], text[start + 60 :]] if start else cuts
    server.say(stream(*(chunk for chunk in chunks if chunk)))
    generated, saved = await _generate(model, server)
    assert generated.text == "Fine, thanks 🙂"
    assert saved == [("resp_1", "conv_1")]


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_server_without_conversations_is_told_all_lines(
    model: OpenAIResponses, server: ModelServer, status: int
) -> None:
    server.say(json({"detail": "Not Found"}, status), THOUGHT_ABOUT, FINE)
    generated, saved = await _generate(model, server, ASK)
    assert (generated.thread_id, saved) == (None, [("resp_1", None)])
    await _generate(model, server, ASK)
    assert server.calls == ["POST /conversations", "POST /responses", "POST /responses"]
    assert len(server.bodies[1]["input"]) == 3
    assert "conversation" not in server.bodies[1]


async def test_other_refusals_of_a_conversation_are_failures(
    model: OpenAIResponses, server: ModelServer
) -> None:
    server.say(error(401, "Bad key"), error(500, "Oops"), html())
    assert await _failure(model, server, ASK) == Fatal("OpenAI 401: Bad key")
    assert await _failure(model, server, ASK) == Retryable("OpenAI 500: Oops")
    malformed = await _failure(model, server, ASK)
    assert isinstance(malformed, Retryable)
    assert malformed.reason.startswith("OpenAI: a malformed answer: <html>")
    assert server.calls == ["POST /conversations"] * 3


async def test_a_server_without_background_is_asked_without_and_remembered(
    model: OpenAIResponses, server: ModelServer
) -> None:
    refusal = error(400, "Unknown parameter: 'background'.", param="background")
    server.say(refusal, FINE, FINE)
    generated, saved = await _generate(model, server)
    assert _plain(generated) == ANSWER
    assert saved == []
    await _generate(model, server)
    assert ["background" in body for body in server.bodies] == [True, False, False]
    assert ["stream" in body for body in server.bodies] == [True, True, True]


async def test_a_run_without_background_that_breaks_is_over(
    model: OpenAIResponses, server: ModelServer
) -> None:
    refusal = json({"detail": [{"loc": ["body", "background"], "msg": "extra"}]}, 422)
    server.say(refusal, stream(sse(CREATED), breaks=True))
    assert await _failure(model, server) == Retryable(
        "OpenAI: the stream ended before the answer", run_ended=True
    )


async def test_a_server_without_streams_is_polled(
    model: OpenAIResponses, server: ModelServer
) -> None:
    refusal = error(400, "Your organization must be verified to stream this model.", param="stream")
    server.say(refusal, json(_response("queued")), json(_response("in_progress")), json(DONE))
    generated, saved = await _generate(model, server)
    assert _plain(generated) == ANSWER
    assert saved == [("resp_1", "conv_1")]
    assert server.calls == ["POST /responses"] * 2 + ["GET /responses/resp_1"] * 2
    assert all("stream" not in seen.query for seen in server.seen)


async def test_a_server_with_neither_answers_at_once(
    model: OpenAIResponses, server: ModelServer
) -> None:
    both = error(400, "Unrecognized arguments: background, stream")
    server.say(both, json(DONE))
    generated, saved = await _generate(model, server)
    assert (_plain(generated), saved) == (ANSWER, [])


async def test_a_server_that_ignores_stream(model: OpenAIResponses, server: ModelServer) -> None:
    server.say(json(DONE))
    generated, saved = await _generate(model, server)
    assert (_plain(generated), saved) == (ANSWER, [])


REFUSAL = {"type": "refusal", "refusal": "I cannot help with that. " + "No. " * 100}
CUT_OFF = {"incomplete_details": {"reason": "max_output_tokens"}}
FILTERED = {"incomplete_details": {"reason": "content_filter"}}


def _ended(code: str) -> dict[str, Any]:
    return _response("failed", error={"code": code, "message": "It broke"})


ENDS: list[tuple[dict[str, Any], Failure]] = [
    (_ended("server_error"), Retryable("OpenAI: It broke", run_ended=True)),
    (_ended("rate_limit_exceeded"), Retryable("OpenAI: It broke", run_ended=True)),
    (_ended("invalid_prompt"), Terminal("OpenAI: It broke")),
    (_ended("bio_policy"), Terminal("OpenAI: It broke")),
    (_ended("insufficient_quota"), Fatal("OpenAI: It broke", run_ended=True)),
    (_response("failed"), Retryable("OpenAI: the run ended as failed", run_ended=True)),
    (_response("cancelled"), Retryable("OpenAI: the run was cancelled", run_ended=True)),
    (
        _response("incomplete", **CUT_OFF),
        Terminal("OpenAI: max_output_tokens before any text"),
    ),
    (
        _response("incomplete", _message(_output("Half")), **FILTERED),
        Terminal("OpenAI: the content filter stopped the answer"),
    ),
    (
        _response("completed", _message(REFUSAL)),
        Terminal("the model refused: " + ("I cannot help with that. " + "No. " * 100)[:199] + "…"),
    ),
    (
        _response("completed", _message(_output("  \n"))),
        Terminal("the model answered with an empty text"),
    ),
    (_response("completed"), Terminal("the model answered with an empty text")),
]


@pytest.mark.parametrize(("response", "expected"), ENDS)
async def test_each_end_of_a_run(
    model: OpenAIResponses, server: ModelServer, response: dict[str, Any], expected: Failure
) -> None:
    server.say(stream(sse(CREATED, _event(response["status"], 9, response))))
    assert await _failure(model, server) == expected
    server.say(json(response))
    with pytest.raises(Failed) as caught:
        await _resume(model, server)
    assert caught.value.failure == expected


async def test_an_answer_cut_off_by_its_limit_is_delivered(
    model: OpenAIResponses, server: ModelServer
) -> None:
    half = _response("incomplete", _message(_output("Half")), **CUT_OFF)
    server.say(stream(sse(CREATED, _event("incomplete", 9, half))))
    generated, _ = await _generate(model, server)
    assert (generated.text, generated.incomplete) == ("Half", True)


async def test_commentary_is_no_answer_and_null_characters_go(
    model: OpenAIResponses, server: ModelServer
) -> None:
    commentary = _message(_output("Let me think"), phase="commentary")
    final = _message(_output("Four\0teen"), phase="final_answer")
    done = _response("completed", commentary, final)
    server.say(stream(sse(CREATED, _event("completed", 2, done))))
    generated, _ = await _generate(model, server)
    assert generated.text == "Fourteen"


@pytest.mark.parametrize(
    "broken",
    [
        stream(sse(CREATED, _delta(4, "Fi"))),
        stream(sse(CREATED, _delta(4, "Fi")), breaks=True),
        stream(sse(CREATED, _delta(4, "Fi")), b'data: {"type": "resp\n\n'),
        stream(sse(CREATED, _delta(4, "Fi"), {"type": "error", "message": "Hiccup"})),
    ],
)
async def test_a_stream_that_breaks_is_taken_up_where_it_was(
    model: OpenAIResponses, server: ModelServer, broken: Answer
) -> None:
    server.say(
        broken,
        json(_response("in_progress")),
        stream(sse(_delta(5, "ne"), _event("completed", 6, DONE))),
    )
    generated, saved = await _generate(model, server)
    assert _plain(generated) == ANSWER
    assert saved == [("resp_1", "conv_1")]
    assert server.calls == ["POST /responses"] + ["GET /responses/resp_1"] * 2
    assert server.seen[2].query == {"stream": "true", "starting_after": "4"}


async def test_a_stream_that_breaks_before_its_first_event(
    model: OpenAIResponses, server: ModelServer
) -> None:
    server.say(stream(b": hello\n\n", breaks=True))
    assert await _failure(model, server) == Retryable(
        "OpenAI: the stream ended before the answer", run_ended=True
    )


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"type": "error", "code": "rate_limit_exceeded", "message": "Slow", "param": None},
            Retryable("OpenAI: Slow", run_ended=True),
        ),
        (
            {"type": "error", "error": {"type": "insufficient_quota", "message": "Pay"}},
            Fatal("OpenAI: Pay", run_ended=True),
        ),
    ],
)
async def test_an_error_instead_of_the_first_event(
    model: OpenAIResponses, server: ModelServer, event: dict[str, Any], expected: Failure
) -> None:
    server.say(stream(sse(event)))
    assert await _failure(model, server) == expected


async def test_resuming_a_finished_run(model: OpenAIResponses, server: ModelServer) -> None:
    server.say(json(DONE))
    generated = await _resume(model, server)
    assert _plain(generated) == ANSWER
    assert (generated.run_id, generated.thread_id) == ("resp_1", "conv_1")
    assert server.calls == ["GET /responses/resp_1"]


async def test_resuming_a_run_that_goes_on(model: OpenAIResponses, server: ModelServer) -> None:
    server.say(json(_response("in_progress")), FINE)
    assert _plain(await _resume(model, server)) == ANSWER
    assert server.seen[1].query == {"stream": "true", "starting_after": "0"}


async def test_resuming_where_runs_are_not_streamed(
    model: OpenAIResponses, server: ModelServer
) -> None:
    server.say(
        json(_response("in_progress")),
        error(400, "This response cannot be streamed."),
        json(_response("in_progress")),
        json(DONE),
    )
    assert _plain(await _resume(model, server)) == ANSWER
    assert ["stream" in seen.query for seen in server.seen] == [False, True, False, False]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            error(404, "Response with id 'resp_1' not found."),
            RunLost("OpenAI 404: Response with id 'resp_1' not found."),
        ),
        (error(400, "Invalid id", param="response_id"), RunLost("OpenAI 400: Invalid id")),
        (
            json(_response("in_progress", background=False)),
            RunLost("OpenAI: the run ended with the connection that started it"),
        ),
        (error(401, "Bad key"), Fatal("OpenAI 401: Bad key")),
        (error(500, "Oops"), Retryable("OpenAI 500: Oops")),
    ],
)
async def test_resuming_a_run_that_cannot_be(
    model: OpenAIResponses, server: ModelServer, answer: Answer, expected: Failure
) -> None:
    server.say(answer)
    with pytest.raises(Failed) as caught:
        await _resume(model, server)
    assert caught.value.failure == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error(404, "Conversation 'conv_1' not found."), ThreadLost),
        (error(400, "Busy", code="conversation_locked"), Retryable),
        (error(400, "Too long", code="context_length_exceeded"), ContextTooLong),
        (error(404, "The model `gpt-5` does not exist", code="model_not_found"), Fatal),
        (html(), Retryable),
        (json({"error": {"code": 429, "message": "Slow"}}), Retryable),
        (json({"error": {"code": 402, "message": "Pay"}}), Fatal),
        (json({"id": "resp_1", "status": "comp"[:3]}), Retryable),
        (Answer(200, {"content-type": "application/json"}, [b'{"id": "resp_1", "sta']), Retryable),
        (Answer(200, {"content-type": "application/json"}, [b"[]"]), Retryable),
    ],
)
async def test_errors_of_the_request(
    model: OpenAIResponses, server: ModelServer, answer: Answer, expected: type
) -> None:
    server.say(answer)
    assert isinstance(await _failure(model, server), expected)


async def test_a_deadline_around_the_whole_call(
    clients: OpenAIClients, server: ModelServer, meter: MemoryMeter
) -> None:
    model = OpenAIResponses(clients, timeout=0.15)
    slow = stream(*(sse(_delta(number, "x")) for number in range(200)))
    slow.chunks.insert(0, sse(CREATED))
    server.say(slow)
    assert await _failure(model, server) == Retryable("OpenAI: no answer in 0.15 s")
    assert meter.model_requests[-1] == (server.url, "network")


async def test_forgetting(model: OpenAIResponses, server: ModelServer) -> None:
    access = _access(server)
    server.say(
        json({"id": "conv_1", "deleted": True}),
        error(404, "Conversation not found"),
        error(405, "Method not allowed"),
        error(400, "Invalid id", param="conversation_id"),
    )
    for _ in range(4):
        await model.forget(access, "conv_1")
    assert server.calls == ["DELETE /conversations/conv_1"] * 4
    for answer, expected in (
        (error(400, "Busy", code="conversation_locked", param="conversation_id"), Retryable),
        (error(500, "Oops"), Retryable),
        (error(401, "Bad key"), Fatal),
    ):
        server.say(answer)
        with pytest.raises(Failed) as caught:
            await model.forget(access, "conv_1")
        assert isinstance(caught.value.failure, expected)
