"""The rate limit headers of the OpenAI stand-in, on every generation's answer."""

import openai
import pytest

from entrypoints.sandbox.openai_rate_limits import RateLimits, duration
from entrypoints.sandbox.server import SandboxServer

MODEL = "gpt-5.4-mini"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.006, "6ms"), (0.12, "120ms"), (1, "1s"), (1.5, "1.5s"), (60, "1m0s"), (360.25, "6m0.25s")],
)
def test_a_duration_is_written_as_the_api_does(seconds: float, written: str) -> None:
    assert duration(seconds) == written


def test_what_is_taken_comes_back_over_a_minute() -> None:
    now = 0.0
    limits = RateLimits(lambda: now)
    first = limits.take(MODEL, 500_000)
    assert first["x-ratelimit-limit-tokens"] == "2000000"
    assert first["x-ratelimit-remaining-tokens"] == "1500000"
    assert first["x-ratelimit-reset-tokens"] == "15s"
    assert first["x-ratelimit-remaining-requests"] == "9999"
    assert first["x-ratelimit-reset-requests"] == "6ms"
    assert limits.take("another", 0)["x-ratelimit-remaining-tokens"] == "2000000"
    now = 10.0
    assert limits.take(MODEL, 0)["x-ratelimit-reset-tokens"] == "5s"
    assert limits.take(MODEL, 9_000_000)["x-ratelimit-remaining-tokens"] == "0"


async def test_every_generations_answer_has_them(sandbox: SandboxServer) -> None:
    client = openai.AsyncOpenAI(base_url=sandbox.openai_url, api_key="sk-test", max_retries=0)
    responses = client.responses.with_raw_response
    chat = client.chat.completions.with_raw_response
    prompt = "x" * 40_000
    for answer in (
        await responses.create(model="a", input=prompt),
        await responses.create(model="b", input=prompt, stream=True, background=True),
        await chat.create(model="c", messages=[{"role": "user", "content": prompt}]),
        await chat.create(model="d", messages=[{"role": "user", "content": prompt}], stream=True),
    ):
        assert answer.headers["x-ratelimit-remaining-tokens"] == "1990000"
        assert answer.headers["x-ratelimit-reset-tokens"] == "300ms"
    models = await client.models.with_raw_response.list()
    assert "x-ratelimit-remaining-tokens" not in models.headers
    sandbox.faults.add("openai", "rate_limited", times=1, retry_after=12)
    with pytest.raises(openai.RateLimitError) as refused:
        await responses.create(model="e", input=prompt)
    assert refused.value.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert refused.value.response.headers["x-ratelimit-reset-requests"] == "12s"
    await client.close()
