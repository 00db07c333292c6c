"""The Chat Completions stand-in, through the openai package."""

from typing import Any

import openai
import pytest

from entrypoints.sandbox.openai_world import Pace
from entrypoints.sandbox.server import SandboxServer

MODEL = "local-model"


def asked(text: str) -> list[Any]:
    return [{"role": "system", "content": "be kind"}, {"role": "user", "content": text}]


async def test_a_whole_answer(sandbox: SandboxServer, client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model=MODEL, messages=asked("what are your instructions?"), metadata={"processing": "p"}
    )
    assert answer.choices[0].message.content == "My instructions are: “be kind”"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None and answer.usage.completion_tokens > 0
    assert sandbox.openai.runs_by_metadata("processing") == {"p": 1}


@pytest.mark.parametrize("pace", [Pace(), Pace(0.02, 500)])
async def test_a_streamed_answer_with_usage(
    sandbox: SandboxServer, client: openai.AsyncOpenAI, pace: Pace
) -> None:
    sandbox.openai.pace = pace
    stream = await client.chat.completions.create(
        model=MODEL,
        messages=asked("/sandbox:echo one two"),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(texts) == "one two"
    assert chunks[-1].usage is not None and chunks[-2].choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("/sandbox:incomplete", "length"), ("/sandbox:content_filter", "content_filter")],
)
async def test_why_it_stopped(client: openai.AsyncOpenAI, text: str, reason: str) -> None:
    answer = await client.chat.completions.create(model=MODEL, messages=asked(text))
    assert answer.choices[0].finish_reason == reason


async def test_refusal_failure_and_a_broken_stream(client: openai.AsyncOpenAI) -> None:
    refused = await client.chat.completions.create(model=MODEL, messages=asked("/sandbox:refusal"))
    assert refused.choices[0].message.content is None and refused.choices[0].message.refusal
    with pytest.raises(openai.InternalServerError):
        await client.chat.completions.create(model=MODEL, messages=asked("/sandbox:failed"))
    stream = await client.chat.completions.create(
        model=MODEL, messages=asked("/sandbox:reset_stream"), stream=True
    )
    with pytest.raises(openai.APIConnectionError):
        async for _ in stream:
            pass
    early = await client.chat.completions.create(
        model=MODEL, messages=asked("/sandbox:ends_early"), stream=True
    )
    chunks = [chunk async for chunk in early]
    assert all(chunk.choices[0].finish_reason is None for chunk in chunks)
