"""Every documented error of a model server, and what it tells us to do."""

import time
from collections.abc import AsyncIterator
from email.utils import formatdate

import msgspec
import pytest
from model_server_stub import KEY, Answer, ModelServer, error, html, json, model_server
from openai import APIStatusError

from adapters.model_circuits import ModelCircuits
from adapters.openai_clients import OpenAIClients
from adapters.openai_failures import complaint_in, failure, masked, refused
from application.model import ModelAccess, ModelApi
from application.ports import Failed
from domain.failures import (
    ChatMigrated,
    ContextTooLong,
    Failure,
    Fatal,
    Retryable,
    Terminal,
    ThreadLost,
)
from tests.application.memory_meter import MemoryMeter


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as running:
        yield running


@pytest.fixture(scope="module")
async def clients() -> AsyncIterator[OpenAIClients]:
    made = OpenAIClients(5, ModelCircuits(lambda server, reason: None), MemoryMeter())
    yield made
    await made.close()


def _access(url: str, key: str = KEY) -> ModelAccess:
    return ModelAccess(ModelApi.RESPONSES, "gpt-5", url, key)


async def _complain(server: ModelServer, clients: OpenAIClients, answer: Answer) -> APIStatusError:
    server.say(answer)
    with pytest.raises(APIStatusError) as caught:
        await clients.send(_access(server.url), "POST", "/responses", {"model": "gpt-5"})
    return caught.value


RATE = "Rate limit reached for gpt-5 in organization org-x on requests per min. Limit: 3."
QUOTA = "You exceeded your current quota, please check your plan and billing details."

ROWS = [
    (error(429, RATE, code="rate_limit_exceeded"), Retryable(f"OpenAI 429: {RATE}")),
    (error(429, "Slow down", code="slow_down"), Retryable("OpenAI 429: Slow down")),
    (
        error(429, QUOTA, code="insufficient_quota", type="insufficient_quota"),
        Fatal(f"OpenAI 429: {QUOTA}"),
    ),
    (error(429, "No credit", code="credit_balance_exhausted"), Fatal("OpenAI 429: No credit")),
    (error(429, "Limit", code="billing_hard_limit_reached"), Fatal("OpenAI 429: Limit")),
    (error(429, "Limit", code="project_spend_limit_exceeded"), Fatal("OpenAI 429: Limit")),
    (error(429, "Limit", code="organization_usage_limit_exceeded"), Fatal("OpenAI 429: Limit")),
    (error(402, "Insufficient Balance"), Fatal("OpenAI 402: Insufficient Balance")),
    (
        error(401, f"Incorrect API key provided: {KEY}.", code="invalid_api_key"),
        Fatal("OpenAI 401: Incorrect API key provided: ***."),
    ),
    (
        error(401, "Incorrect API key provided: sk-te****cdef. You can find it at x.y."),
        Fatal("OpenAI 401: Incorrect API key provided: *** You can find it at x.y."),
    ),
    (
        error(403, "Country not supported", code="unsupported_country_region_territory"),
        Fatal("OpenAI 403: Country not supported"),
    ),
    (
        error(404, "The model `gpt-9` does not exist.", code="model_not_found"),
        Fatal("OpenAI 404: The model `gpt-9` does not exist."),
    ),
    (
        error(400, "The requested model 'x' does not exist.", code="model_not_found"),
        Fatal("OpenAI 400: The requested model 'x' does not exist."),
    ),
    (
        error(400, "This model is only supported in v1/chat/completions.", param="model"),
        Fatal("OpenAI 400: This model is only supported in v1/chat/completions."),
    ),
    (
        json({"error": 'model "x" not found, try pulling it first'}, 404),
        Fatal('OpenAI 404: model "x" not found, try pulling it first'),
    ),
    (
        error(400, "Another process is operating on it.", code="conversation_locked"),
        Retryable("OpenAI 400: Another process is operating on it."),
    ),
    (
        error(400, "Too long", code="context_length_exceeded"),
        ContextTooLong("OpenAI 400: Too long"),
    ),
    (
        json({"message": "This model's maximum context length is 8 tokens.", "code": 400}, 400),
        ContextTooLong("OpenAI 400: This model's maximum context length is 8 tokens."),
    ),
    (
        error(400, "It is 9000 tokens", code=400, type="exceed_context_size_error"),
        ContextTooLong("OpenAI 400: It is 9000 tokens"),
    ),
    (
        error(429, "Request too large for gpt-5 on tokens per min.", code="rate_limit_exceeded"),
        ContextTooLong("OpenAI 429: Request too large for gpt-5 on tokens per min."),
    ),
    (error(408, "Timeout"), Retryable("OpenAI 408: Timeout")),
    (error(409, "Conflict"), Retryable("OpenAI 409: Conflict")),
    (error(500, "Oops", type="server_error"), Retryable("OpenAI 500: Oops")),
    (error(503, "The engine is overloaded"), Retryable("OpenAI 503: The engine is overloaded")),
    (html(502), Retryable("OpenAI 502: an HTML page")),
    (Answer(529), Retryable("OpenAI 529: no explanation")),
    (
        error(400, "Your request was rejected", code="content_policy_violation"),
        Terminal("OpenAI 400: Your request was rejected"),
    ),
    (error(400, "Filtered", code="content_filter"), Terminal("OpenAI 400: Filtered")),
    (error(400, "Invalid input", param="input"), Terminal("OpenAI 400: Invalid input")),
    (
        json({"detail": [{"loc": ["body", "input"], "msg": "missing"}]}, 422),
        Terminal('OpenAI 422: [{"loc":["body","input"],"msg":"missing"}]'),
    ),
    (json({"detail": "Not Found"}, 404), Terminal("OpenAI 404: Not Found")),
    (
        error(404, "Conversation 'c' not found."),
        Terminal("OpenAI 404: Conversation 'c' not found."),
    ),
]


@pytest.mark.parametrize(("answer", "expected"), ROWS, ids=lambda row: type(row).__name__)
async def test_each_row(
    server: ModelServer, clients: OpenAIClients, answer: Answer, expected: object
) -> None:
    assert refused(await _complain(server, clients, answer)) == expected


async def test_a_conversation_that_is_gone(server: ModelServer, clients: OpenAIClients) -> None:
    gone = await _complain(server, clients, error(404, "Conversation with id 'c' not found."))
    assert refused(gone, thread=True) == ThreadLost(
        "OpenAI 404: Conversation with id 'c' not found."
    )
    foreign = error(400, "Invalid 'conversation': 'c'.", code="invalid", param="conversation")
    assert isinstance(refused(await _complain(server, clients, foreign), thread=True), ThreadLost)
    locked = error(400, "Busy", code="conversation_locked", param="conversation")
    assert isinstance(refused(await _complain(server, clients, locked), thread=True), Retryable)


async def test_a_reason_is_short_and_of_one_line(
    server: ModelServer, clients: OpenAIClients
) -> None:
    told = refused(await _complain(server, clients, error(400, "a\nb  c " + "x" * 1000)))
    assert isinstance(told, Terminal)
    assert told.reason.startswith("OpenAI 400: a b c xxx")
    assert len(told.reason) == 300


async def test_no_key_of_any_shape_gets_into_a_reason(
    server: ModelServer, clients: OpenAIClients
) -> None:
    server.say(error(401, "Bad token hunter2-hunter2, sent as Bearer hunter2-hunter2"))
    access = _access(server.url, key="hunter2-hunter2")
    with pytest.raises(APIStatusError) as caught:
        await clients.send(access, "POST", "/responses", {})
    assert refused(caught.value) == Fatal("OpenAI 401: Bad token ***, sent as Bearer ***")


@pytest.mark.parametrize(
    ("message", "headers", "after"),
    [
        ("Slow", {"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ("Slow", {"retry_after": "7"}, 7.0),
        ("Slow", {"retry_after": "0.5"}, 0.5),
        ("Slow", {"retry_after": "-3"}, 0.0),
        ("Slow", {"retry_after": "soon"}, None),
        ("Please try again in 6m0s.", {}, 360.0),
        ("Please try again in 20ms.", {}, 0.02),
        ("Please try again in 1.2s. Thanks", {}, 1.2),
        ("Slow", {"x_ratelimit_reset_requests": "1m2.5s"}, 62.5),
        (
            "Slow",
            {
                "x_ratelimit_remaining_requests": "12",
                "x_ratelimit_reset_requests": "1h0m0s",
                "x_ratelimit_remaining_tokens": "0",
                "x_ratelimit_reset_tokens": "6ms",
            },
            0.006,
        ),
        ("Slow", {}, None),
        ("Slow", {"retry_after": "inf"}, None),
    ],
)
async def test_how_long_a_429_waits(
    server: ModelServer,
    clients: OpenAIClients,
    message: str,
    headers: dict[str, str],
    after: float | None,
) -> None:
    told = refused(await _complain(server, clients, error(429, message, **headers)))
    assert told == Retryable(f"OpenAI 429: {message}", after=after)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            Retryable("It was ab/c-1234 (ab%2Fc-1234), again ab/c-1234", 3.0),
            "It was *** (***), again ***",
        ),
        (Terminal("cut off: ab/c-123…"), "cut off: ***"),
        (Fatal("cut off: ab%2Fc-1", run_ended=True), "cut off: ***"),
        (Terminal("cut off: ab/c"), "cut off: ab/c"),
        (Terminal("nothing of it"), "nothing of it"),
    ],
)
def test_a_key_of_any_form_is_masked_wherever_it_was_quoted(said: Failure, kept: str) -> None:
    told = masked(said, "ab/c-1234")
    assert told == msgspec.structs.replace(said, reason=kept)


def test_what_is_no_key_is_not_masked() -> None:
    assert masked(Terminal("none of them"), "none") == Terminal("none of them")
    assert masked(ChatMigrated(-1001), "ab/c-1234") == ChatMigrated(-1001)


async def test_retry_after_as_a_date(server: ModelServer, clients: OpenAIClients) -> None:
    date = formatdate(time.time() + 30, usegmt=True)
    told = refused(await _complain(server, clients, error(503, "Busy", retry_after=date)))
    assert isinstance(told, Retryable)
    assert told.after is not None
    assert 27 < told.after <= 31


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("server_error", Retryable),
        ("rate_limit_exceeded", Retryable),
        ("vector_store_timeout", Retryable),
        ("invalid_prompt", Terminal),
        ("image_content_policy_violation", Terminal),
        ("insufficient_quota", Fatal),
        ("model_not_found", Fatal),
        ("context_length_exceeded", ContextTooLong),
    ],
)
def test_a_failed_run(code: str, kind: type) -> None:
    told = failure(complaint_in({"error": {"code": code, "message": "It broke"}}), run_ended=True)
    if kind in (Retryable, Fatal):
        assert told == kind("OpenAI: It broke", run_ended=True)
    else:
        assert told == kind("OpenAI: It broke")


def test_a_gateway_puts_the_status_into_the_code() -> None:
    told = failure(complaint_in({"error": {"code": 502, "message": "Provider is down"}}))
    assert told == Retryable("OpenAI 502: Provider is down")


async def test_a_server_that_cannot_be_reached(clients: OpenAIClients) -> None:
    with pytest.raises(Failed) as caught:
        await clients.send(_access("http://127.0.0.1:9/v1"), "POST", "/responses", {})
    told = caught.value.failure
    assert isinstance(told, Retryable)
    assert told.reason.startswith("OpenAI: no answer: Cannot connect to host 127.0.0.1:9")


@pytest.mark.parametrize(
    ("url", "key", "reason"),
    [
        ("localhost:8000/v1", KEY, "the model's base URL is not one of http://"),
        ("http:///v1", KEY, "the model's base URL is not one of http://"),
        ("http://127.0.0.1/v1", "ключ", "the model's API key holds characters"),
        ("http://127.0.0.1/v1", "two\nlines", "the model's API key holds characters"),
    ],
)
async def test_settings_that_no_server_can_have(
    clients: OpenAIClients, url: str, key: str, reason: str
) -> None:
    with pytest.raises(Failed) as caught:
        await clients.send(_access(url, key), "POST", "/responses", {})
    told = caught.value.failure
    assert isinstance(told, Fatal)
    assert told.reason.startswith(reason)


async def test_nothing_of_the_environment_reaches_a_server(
    server: ModelServer, clients: OpenAIClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-global-key")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-key")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-ours")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-ours")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Ours: secret\nAuthorization: Bearer ours")
    server.say(json({}), json({}))
    await clients.send(_access(server.url), "POST", "/responses", {})
    await clients.send(_access(server.url, key=""), "POST", "/responses", {})
    sent = [{name.lower(): value for name, value in seen.headers.items()} for seen in server.seen]
    assert [headers["authorization"] for headers in sent] == [f"Bearer {KEY}", "Bearer none"]
    for headers in sent:
        assert not {"x-ours", "openai-organization", "openai-project"} & headers.keys()


async def test_one_client_for_each_server_and_key(clients: OpenAIClients) -> None:
    first = clients.client(_access("http://127.0.0.1:1/v1"))
    assert clients.client(_access("http://127.0.0.1:1/v1")) is first
    assert clients.client(_access("http://127.0.0.1:1/v1", "sk-other-key")) is not first
    assert first.max_retries == 0
    for number in range(600):
        clients.client(_access(f"http://127.0.0.1:{number + 2}/v1"))
    assert clients.client(_access("http://127.0.0.1:1/v1")) is not first
