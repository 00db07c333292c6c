"""A message's trace, from the webhook to its reply, as a collector gets it from real processes.

Where the collector hangs: test_hanging.py.
"""

from collections.abc import AsyncIterator

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.end_to_end.collectors import Traces, attributes
from tests.end_to_end.system import Bot, System


@pytest.fixture(scope="module")
async def traces() -> AsyncIterator[Traces]:
    async with Traces() as collector:
        yield collector


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str, traces: Traces) -> AsyncIterator[System]:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": traces.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    async with System(database_url, valkey_url, **environment) as running:
        await running.start("api", "worker", "poller")
        await running.sign_in()
        yield running


async def trace_of(system: System, traces: Traces, bot: Bot, count: int) -> list[tuple[str, Span]]:
    """The spans of the bot's one trace, once there are so many."""

    async def there() -> list[tuple[str, Span]] | None:
        begun = [
            span.trace_id
            for _, span in traces.spans
            if attributes(span).get("kotodom.bot") == bot.id
        ]
        assert len(set(begun)) <= 1, "a message has one trace"
        spans = [each for each in traces.spans if each[1].trace_id in begun]
        return spans if len(spans) >= count else None

    found: list[tuple[str, Span]] = await system.until(there)
    return found


def tree(spans: list[tuple[str, Span]]) -> dict[str, list[str]]:
    """The names of the spans under each; under "" the first."""
    names = {span.span_id: span.name for _, span in spans} | {b"": ""}
    under: dict[str, list[str]] = {}
    for _, span in sorted(spans, key=lambda each: each[1].start_time_unix_nano):
        under.setdefault(names[span.parent_span_id], []).append(span.name)
    return under


@pytest.mark.parametrize("mode", ["WEBHOOK", "POLLING"])
async def test_one_trace_from_intake_to_reply(system: System, traces: Traces, mode: str) -> None:
    bot = await system.bot(mode)
    update = bot.say("/sandbox:echo hello there", user=1002)
    assert await bot.answers(1, chat=1002) == ["hello there"]
    spans = await trace_of(system, traces, bot, 8)
    assert tree(spans) == {
        "": ["telegram.update"],
        "telegram.update": ["turn"],
        "turn": [
            "react take",
            "chat gpt-5.4-mini",
            "react openai.replyStarted",
            "react openai.replyGenerated",
            "telegram.sendMessage",
            "react telegram.messageSent",
        ],
    }
    named = {span.name: (service, span) for service, span in spans}
    intake = "kotodom-api" if mode == "WEBHOOK" else "kotodom-poller"
    assert {name: service for name, (service, _) in named.items()} == {
        name: intake if name == "telegram.update" else "kotodom-worker" for name in named
    }
    kept = attributes(named["telegram.update"][1])
    assert (kept["kotodom.chat"], kept["kotodom.update"]) == (f"{bot.id}:1002", update)
    (row,) = await system.settled(bot, 1)
    turn = attributes(named["turn"][1])
    assert (turn["kotodom.processing"], turn["kotodom.status"]) == (row["id"], "COMPLETED")
    model = attributes(named["chat gpt-5.4-mini"][1])
    assert model["gen_ai.operation.name"] == "chat"
    assert model["gen_ai.request.model"] == "gpt-5.4-mini"
    assert model["gen_ai.response.model"] == row["model"]
    assert model["gen_ai.usage.input_tokens"] == row["input_tokens"]
    assert model["gen_ai.usage.output_tokens"] == row["output_tokens"]
    assert model["server.address"] == "127.0.0.1"
    assert {span.status.code for _, span in spans} == {Status.STATUS_CODE_UNSET}


async def test_a_retry_is_in_the_same_trace(system: System, traces: Traces) -> None:
    bot = await system.bot()
    system.sandbox.faults.add(
        "telegram",
        "rate_limited",
        method="sendMessage",
        bot=bot.telegram_id,
        times=1,
        retry_after=1,
    )
    bot.say("/sandbox:echo again", user=1002)
    assert await bot.answers(1, chat=1002) == ["again"]
    spans = [span for _, span in await trace_of(system, traces, bot, 12)]
    first, second = sorted(
        (span for span in spans if span.name == "turn"), key=lambda span: span.start_time_unix_nano
    )
    assert first.parent_span_id == second.parent_span_id
    assert second.start_time_unix_nano - first.end_time_unix_nano > 0.9e9
    assert attributes(first)["kotodom.status"] == "FAILED"
    assert first.status.code == Status.STATUS_CODE_ERROR and "429" in first.status.message
    assert attributes(second)["kotodom.status"] == "COMPLETED"
    sends = {span.parent_span_id: span for span in spans if span.name == "telegram.sendMessage"}
    refused = sends[first.span_id]
    assert refused.status.code == Status.STATUS_CODE_ERROR
    assert attributes(refused)["error.type"] == "retryable"
    assert attributes(refused)["kotodom.retry_after"] == 1.0
    assert sends[second.span_id].status.code == Status.STATUS_CODE_UNSET
    assert "react turn.resumed" not in {span.name for span in spans if span.parent_span_id == b""}


async def test_a_duplicate_and_a_message_in_line_keep_the_ids_apart(
    system: System, traces: Traces
) -> None:
    """An update that came twice has one first span; the next message of the chat its own trace."""
    bot = await system.bot()
    bot.say("/sandbox:slow 1", user=1002)
    bot.say("/sandbox:echo second", user=1002)
    await bot.answers(2, chat=1002)

    async def complete() -> bool:
        ours = [s for _, s in traces.spans if attributes(s).get("kotodom.bot") == bot.id]
        return sorted(span.name for span in ours) == ["telegram.update"] * 2 + ["turn"] * 2

    await system.until(complete)
    ours = [s for _, s in traces.spans if attributes(s).get("kotodom.bot") == bot.id]
    roots = {span.span_id: span for span in ours if span.name == "telegram.update"}
    assert len({span.trace_id for span in roots.values()}) == 2
    assert {span.parent_span_id for span in ours if span.name == "turn"} == set(roots)


async def test_no_span_holds_what_people_or_models_wrote(system: System, traces: Traces) -> None:
    bot = await system.bot()
    bot.say("/sandbox:refusal a-word-of-a-person", user=1002)
    (row,) = await system.settled(bot, 1)
    assert row["status"] == "TERMINAL", row["status"]
    spans = await trace_of(system, traces, bot, 8)
    (turn,) = [span for _, span in spans if span.name == "turn"]
    assert turn.status.message == "the model refused"
    sent = b"".join(body for *_, body in traces.requests)
    said = row["terminal_reason"].partition(": ")[2]
    assert said
    for secret in (said, "a-word-of-a-person", "hello there", bot.token, "sk-of-the-stand-in"):
        assert secret.encode() not in sent
