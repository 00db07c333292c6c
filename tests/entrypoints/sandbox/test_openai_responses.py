"""The Responses and Conversations stand-in, through the openai package and its pydantic models."""

import asyncio
import json
from typing import Any

import aiohttp
import openai
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from entrypoints.sandbox.openai_world import Pace
from entrypoints.sandbox.server import SandboxServer

EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
MODEL = "gpt-5.4-mini"
SLOW = Pace(first_token=0.05, tokens_per_second=200)


async def raw_events(
    http: aiohttp.ClientSession, sandbox: SandboxServer, **asked: object
) -> list[dict[str, Any]]:
    """The events of a streamed response as the wire has them, each valid for the SDK's models."""
    async with http.post(
        f"{sandbox.openai_url}/responses",
        json={"model": MODEL, "stream": True, **asked},
        headers={"Authorization": "Bearer k"},
    ) as response:
        assert response.content_type == "text/event-stream"
        body = (await response.read()).decode()
    events = []
    for frame in body.strip().split("\n\n"):
        name, data = frame.split("\n", 1)
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        EVENTS.validate_python(event, strict=True)
        events.append(event)
    return events


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("Hello", "response.completed"),
        ("/sandbox:refusal", "response.completed"),
        ("/sandbox:incomplete", "response.incomplete"),
        ("/sandbox:content_filter", "response.incomplete"),
        ("/sandbox:failed", "response.failed"),
        ("/sandbox:stream_error", "error"),
        ("/sandbox:empty", "response.completed"),
        ("/sandbox:spaces", "response.completed"),
    ],
)
@pytest.mark.parametrize("pace", [Pace(), SLOW])
async def test_every_event_is_valid_and_numbered(
    sandbox: SandboxServer, http: aiohttp.ClientSession, text: str, ending: str, pace: Pace
) -> None:
    sandbox.openai.pace = pace
    events = await raw_events(http, sandbox, input=text, background=True)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"] for event in events]
    begin = ["response.created", "response.queued", "response.in_progress"]
    assert kinds[:3] == begin and kinds[-1] == ending
    if ending == "response.completed" and "refusal" not in text:
        deltas = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
        whole = events[-1]["response"]["output"][0]["content"][0]["text"]
        assert "".join(deltas) == whole


async def test_a_conversation_is_remembered_and_paid_for_once_a_call(
    sandbox: SandboxServer, client: openai.AsyncOpenAI
) -> None:
    conversation = await client.conversations.create(metadata={"chat": "1"})
    first = await client.responses.create(
        model=MODEL, conversation=conversation.id, input="Cats?", metadata={"processing": "p1"}
    )
    assert first.status == "completed" and "sandbox model" in first.output_text
    assert first.conversation is not None and first.conversation.id == conversation.id
    assert first.usage is not None and first.usage.total_tokens > 10
    second = await client.responses.create(
        model=MODEL,
        conversation={"id": conversation.id},
        input=[{"role": "user", "content": "And dogs"}],
        metadata={"processing": "p2"},
    )
    assert "**2** messages" in second.output_text and "“Cats?”" in second.output_text
    items = await client.conversations.items.list(conversation.id, order="asc")
    said = [(item.role, item.content[0].type) for item in items.data]  # type: ignore[union-attr]
    assert said == [("user", "input_text"), ("assistant", "output_text")] * 2
    assert sandbox.openai.runs_by_metadata("processing") == {"p1": 1, "p2": 1}
    await client.conversations.delete(conversation.id)
    with pytest.raises(openai.NotFoundError, match="not found"):
        await client.responses.create(model=MODEL, conversation=conversation.id, input="x")


async def test_a_russian_is_answered_in_russian(client: openai.AsyncOpenAI) -> None:
    conversation = await client.conversations.create()
    for text, words in [
        ("Привет", "модель из песочницы"),
        ("Как дела?", "**2** сообщения"),
        ("покажи пример", "```python"),
    ]:
        answer = await client.responses.create(
            model=MODEL, conversation=conversation.id, input=text
        )
        assert words in answer.output_text


async def test_a_background_run_goes_on_and_is_resumed(
    sandbox: SandboxServer, client: openai.AsyncOpenAI
) -> None:
    sandbox.openai.pace = SLOW
    stream = await client.responses.create(
        model=MODEL, input="/sandbox:text 300", background=True, stream=True
    )
    seen = []
    async for event in stream:
        seen.append(event)
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    run_id = seen[0].response.id  # type: ignore[union-attr]
    resumed = await client.responses.retrieve(
        run_id, stream=True, starting_after=seen[-1].sequence_number
    )
    seen += [event async for event in resumed]
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert seen[-1].type == "response.completed"
    assert len(seen[-1].response.output_text) == 300
    assert (await client.responses.retrieve(run_id)).status == "completed"
    assert len(sandbox.openai.records) == 1


async def test_a_foreground_stream_ends_with_its_client(
    sandbox: SandboxServer, client: openai.AsyncOpenAI
) -> None:
    sandbox.openai.pace = Pace(first_token=0.02, tokens_per_second=50)
    stream = await client.responses.create(model=MODEL, input="/sandbox:text 999", stream=True)
    async for event in stream:
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    await asyncio.sleep(0.2)
    assert [record.status for record in sandbox.openai.records] == ["cancelled"]


async def test_a_conversation_is_locked_while_a_run_is_open(
    sandbox: SandboxServer, client: openai.AsyncOpenAI
) -> None:
    sandbox.openai.pace = Pace(first_token=5)
    conversation = await client.conversations.create()
    run = await client.responses.create(
        model=MODEL, conversation=conversation.id, input="long", background=True
    )
    assert run.status == "queued" or run.status == "in_progress"
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(model=MODEL, conversation=conversation.id, input="second")
    assert caught.value.code == "conversation_locked"
    assert (await client.responses.cancel(run.id)).status == "cancelled"
    sandbox.openai.pace = Pace()
    await client.responses.create(model=MODEL, conversation=conversation.id, input="third")
    items = await client.conversations.items.list(conversation.id)
    assert len(items.data) == 2


async def test_previous_response_and_limits(client: openai.AsyncOpenAI) -> None:
    first = await client.responses.create(model=MODEL, input="one")
    told = await client.responses.create(
        model=MODEL,
        input="/sandbox:history",
        previous_response_id=first.id,
        instructions="be kind",
    )
    assert told.output_text.startswith("instructions: be kind\nuser: one\nassistant: Hello!")
    short = await client.responses.create(model=MODEL, input="hi", max_output_tokens=16)
    assert short.status == "incomplete"
    assert short.incomplete_details is not None
    assert short.incomplete_details.reason == "max_output_tokens"
    exact = await client.responses.create(model=MODEL, input="/sandbox:text 5000")
    assert len(exact.output_text) == 5000
    echo = await client.responses.create(model=MODEL, input="sandbox:echo a\n  b")
    assert echo.output_text == "a\n  b"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"input": "x", "colour": 1}, "unknown_parameter"),
        ({}, "missing_required_parameter"),
        ({"input": "x", "temperature": 3}, "decimal_out_of_range"),
        ({"input": "x", "metadata": {"a": 1}}, "invalid_type"),
        ({"input": "x", "max_output_tokens": 2}, "integer_below_min_value"),
        ({"input": "x", "previous_response_id": "resp_0"}, "previous_response_not_found"),
        ({"input": [{"role": "robot", "content": "x"}]}, "invalid_value"),
    ],
)
async def test_wrong_requests_are_refused(
    client: openai.AsyncOpenAI, asked: dict[str, Any], code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.post("/responses", cast_to=object, body={"model": MODEL, **asked})
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("rate_limited", openai.RateLimitError, "rate_limit_exceeded"),
        ("insufficient_quota", openai.RateLimitError, "insufficient_quota"),
        ("unauthorized", openai.AuthenticationError, "invalid_api_key"),
        ("forbidden", openai.PermissionDeniedError, "unsupported_country_region_territory"),
        ("model_not_found", openai.NotFoundError, "model_not_found"),
        ("conversation_not_found", openai.NotFoundError, None),
        ("context_length", openai.BadRequestError, "context_length_exceeded"),
        ("server_error", openai.InternalServerError, None),
        ("overloaded", openai.InternalServerError, "server_is_overloaded"),
        ("bad_gateway", openai.InternalServerError, None),
        ("reset_before", openai.APIConnectionError, None),
        ("malformed", Exception, None),
    ],
)
async def test_faults_by_switch_and_by_text(
    sandbox: SandboxServer,
    client: openai.AsyncOpenAI,
    kind: str,
    error: type[Exception],
    code: str | None,
) -> None:
    sandbox.faults.add("openai", kind, times=1, retry_after=2)
    with pytest.raises(error) as caught:
        await client.responses.create(model=MODEL, input="hi")
    assert getattr(caught.value, "code", None) == code
    if kind == "rate_limited":
        assert isinstance(caught.value, openai.RateLimitError)
        assert caught.value.response.headers["retry-after"] == "2"
    assert (await client.responses.create(model=MODEL, input="hi")).status == "completed"
    text = f"/sandbox:{kind} 1 by text"
    with pytest.raises(error):
        await client.responses.create(model=MODEL, input=text)
    assert (await client.responses.create(model=MODEL, input=text)).status == "completed"


@pytest.mark.parametrize("kind", ["reset_stream", "ends_early"])
async def test_a_stream_that_breaks_can_be_resumed(
    sandbox: SandboxServer, client: openai.AsyncOpenAI, kind: str
) -> None:
    sandbox.faults.add("openai", kind, times=1, after_events=6)
    stream = await client.responses.create(model=MODEL, input="hi", background=True, stream=True)
    seen = []
    try:
        async for event in stream:
            seen.append(event)
    except openai.APIConnectionError:
        assert kind == "reset_stream"
    assert len(seen) == 6 and seen[-1].type == "response.output_text.delta"
    run_id = seen[0].response.id  # type: ignore[union-attr]
    rest = await client.responses.retrieve(run_id, stream=True, starting_after=5)
    assert [event.type async for event in rest][-1] == "response.completed"
    assert len(sandbox.openai.records) == 1


async def test_keys_models_and_headers(
    sandbox: SandboxServer, client: openai.AsyncOpenAI, http: aiohttp.ClientSession
) -> None:
    models = await client.models.list()
    assert MODEL in [model.id for model in models.data]
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("no-such-model")
    raw = await client.responses.with_raw_response.create(model=MODEL, input="hi")
    assert raw.headers["x-request-id"].startswith("req_")
    assert int(raw.headers["x-ratelimit-remaining-requests"]) > 0
    async with http.get(f"{sandbox.openai_url}/models") as response:
        assert response.status == 401
        assert "didn't provide an API key" in (await response.json())["error"]["message"]
    sandbox.openai.revoked_keys.add("sk-test")
    with pytest.raises(openai.AuthenticationError):
        await client.models.list()
