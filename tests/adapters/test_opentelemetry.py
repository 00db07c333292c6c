"""Which spans there are where something fails, comes twice, or is not sampled.

With real processes and a collector: end_to_end/test_traces.py.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, get_current_span
from structlog.contextvars import get_contextvars

from adapters import opentelemetry_tracing
from adapters.opentelemetry_effects import TracedRunner
from adapters.opentelemetry_intake import TracedIntake
from adapters.opentelemetry_tracing import Tracing
from adapters.opentelemetry_turns import TracedJobs, TracedReact, TracedTurns
from application.intake import InboxState, Incoming, Intake, Receipt
from application.jobs import LeaseLost, Pick, Unavailable
from application.moves import Outcome, Take
from domain.effects import SendMessage, TurnToken
from domain.events import BotProfile, ReplyStarted
from domain.turn import Turn

AT = datetime(2026, 11, 27, tzinfo=UTC)
PICK = Pick(7, "a-manager", AT)
TOKEN = TurnToken(5, 1)
TURN = Turn(token=TOKEN, bot=BotProfile(3, "Bot"), text="words", began_at=AT, update_id=77)
Make = Callable[..., Tracing]


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(opentelemetry_tracing, "OTLPSpanExporter", lambda endpoint: exporter)
    return exporter


def _tracing(secret: str = "a secret") -> Tracing:
    return Tracing("http://127.0.0.1:9", "kotodom-test", "1.0", secret)


async def _spans(tracing: Tracing, exported: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    await tracing.close()
    return exported.get_finished_spans()


def test_ids_follow_from_what_a_message_is(exported: InMemorySpanExporter) -> None:
    one, same, other = _tracing(), _tracing(), _tracing("another installation's")
    assert one.ids(3, 77) == same.ids(3, 77, processing_id=5)
    different = [one.ids(3, 78), one.ids(4, 77), one.ids(3, None, 77), other.ids(3, 77)]
    assert len({one.ids(3, 77), *different}) == 5
    assert one.ids(3, None, 5) == same.ids(3, None, 5)


def test_every_process_keeps_the_same_traces(
    exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    api, worker = _tracing(), _tracing()
    kept = []
    for update_id in range(64):
        ids = api.ids(3, update_id)
        first = api.begin(ids, SpanKind.CONSUMER, {}, 1)
        assert first.get_span_context().trace_id == ids.trace
        assert first.get_span_context().span_id == ids.root
        turn = worker.tracer.start_span("turn", context=worker.under_root(ids))
        assert turn.is_recording() == first.is_recording()
        kept.append(first.is_recording())
    assert 0 < sum(kept) < 64


class _Inbox(Intake):
    """An intake that answers with these, or raises it."""

    def __init__(self, answer: list[Receipt] | Exception) -> None:
        self._answer = answer

    async def keep(self, updates: Sequence[Incoming]) -> Sequence[Receipt]:
        self.lines_say = get_contextvars().get("trace_id")
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def _update(update_id: int, chat: str | None = "3:42") -> Incoming:
    return Incoming(3, update_id, "{}", chat, InboxState.WAITING)


async def test_intake_writes_a_first_span_once(exported: InMemorySpanExporter) -> None:
    tracing = _tracing()
    receipts = [Receipt.KEPT, Receipt.DUPLICATE, Receipt.UNKNOWN_BOT, Receipt.KEPT]
    intake = TracedIntake(_Inbox(receipts), tracing)
    updates = [_update(1), _update(1), _update(2), _update(3, chat=None)]
    assert await intake.keep(updates) == receipts
    kept, again = await _spans(tracing, exported)
    assert kept.context is not None and kept.parent is None
    assert (kept.context.trace_id, kept.context.span_id) == (
        tracing.ids(3, 1).trace,
        tracing.ids(3, 1).root,
    )
    assert again.parent is not None and again.parent.span_id == kept.context.span_id


async def test_an_intake_that_fails_is_in_the_trace(exported: InMemorySpanExporter) -> None:
    tracing = _tracing()
    inbox = _Inbox(Unavailable("PostgreSQL is away"))
    with pytest.raises(Unavailable):
        await TracedIntake(inbox, tracing).keep([_update(1)])
    assert inbox.lines_say == tracing.ids(3, 1).hex
    assert "trace_id" not in get_contextvars()
    (span,) = await _spans(tracing, exported)
    assert span.parent is not None and span.parent.span_id == tracing.ids(3, 1).root
    assert span.status.description == "PostgreSQL is away"
    assert dict(span.attributes or {})["error.type"] == "Unavailable"


class _Worker:
    """A worker's traced parts; what a put does is the test's."""

    def __init__(self, tracing: Tracing, put: Callable[[TracedJobs], Any]) -> None:
        self.jobs = TracedJobs(tracing)
        self.lease = cast(Any, SimpleNamespace(pick=PICK))

        async def react_put(item: object) -> object:
            return put(self.jobs)

        self.react = TracedReact(cast(Any, SimpleNamespace(put=react_put)), self.jobs)

    async def run(self, turn: Callable[[], Any]) -> None:
        async def run(chat: str, lease: object) -> None:
            await turn()

        turns = TracedTurns(cast(Any, SimpleNamespace(run=run)), self.jobs)
        await turns.run("3:42", self.lease)


def _writes(jobs: TracedJobs) -> None:
    job = jobs.of(PICK)
    assert job is not None
    job.written = [TURN]


async def test_a_job_that_is_lost_ends_its_spans(exported: InMemorySpanExporter) -> None:
    tracing = _tracing()
    worker = _Worker(tracing, _writes)
    lines_say = []

    async def perform(*_: object) -> None:
        lines_say.append(get_contextvars().get("trace_id"))
        raise LeaseLost("job 7")

    effect = SendMessage(TOKEN, 3, 42, 0, "words")
    runner = TracedRunner(cast(Any, SimpleNamespace(perform=perform)), worker.jobs)

    async def turn() -> None:
        await worker.react.put(Take("3:42", PICK))
        await runner.perform(effect, worker.lease, cast(Any, None))

    with pytest.raises(LeaseLost):
        await worker.run(turn)
    assert worker.jobs.of(PICK) is None
    assert lines_say == [f"{tracing.ids(3, 77).trace:032x}"]
    assert "trace_id" not in get_contextvars()
    react, send, whole = await _spans(tracing, exported)
    assert [span.name for span in (react, send, whole)] == [
        "react take",
        "telegram.sendMessage",
        "turn",
    ]
    assert [dict(span.attributes or {})["error.type"] for span in (send, whole)] == [
        "LeaseLost"
    ] * 2
    assert not send.events, "what an exception says stands in no span"
    assert whole.parent is not None and whole.parent.span_id == tracing.ids(3, 77).root


async def test_a_step_that_is_not_committed_is_an_error(exported: InMemorySpanExporter) -> None:
    tracing = _tracing()
    outcomes = iter([_writes, None])

    def put(jobs: TracedJobs) -> None:
        writes = next(outcomes)
        if writes is None:
            raise Unavailable("PostgreSQL is away")
        writes(jobs)

    worker = _Worker(tracing, put)

    async def turn() -> None:
        await worker.react.put(Take("3:42", PICK))
        await worker.react.put(Outcome("3:42", PICK, ReplyStarted(TOKEN)))

    with pytest.raises(Unavailable):
        await worker.run(turn)
    _, broken, _ = await _spans(tracing, exported)
    assert broken.name == "react openai.replyStarted"
    assert dict(broken.attributes or {})["error.type"] == "Unavailable"


async def test_what_is_not_sampled_costs_no_spans(
    exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    tracing = _tracing()
    worker = _Worker(tracing, _writes)
    current = []

    async def perform(*_: object) -> None:
        current.append(get_current_span())

    runner = TracedRunner(cast(Any, SimpleNamespace(perform=perform)), worker.jobs)

    async def turn() -> None:
        await worker.react.put(Take("3:42", PICK))
        await runner.perform(SendMessage(TOKEN, 3, 42, 0, ""), worker.lease, cast(Any, None))

    await worker.run(turn)
    assert current == [get_current_span(Context())]
    assert await _spans(tracing, exported) == ()
