"""What a worker does for a message, as spans of the message's trace.

Stands around the parts of a turn where traces are written, and changes nothing of what they do:

    telegram.update              of the api or the poller (opentelemetry_intake.py)
    └─ turn                      one for each try; a retry is another one beside it
       ├─ react …                each step, from asking until its commit, with the event's name
       ├─ chat MODEL             openai.generateReply or resumeReply (OpenTelemetry's gen_ai names)
       └─ telegram.sendMessage   each part, with its wait for Telegram's limits

No span holds what people or models wrote.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import time_ns

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, set_span_in_context
from structlog.contextvars import bind_contextvars, unbind_contextvars

from adapters.opentelemetry_tracing import Tracing, failed
from application.conversations import Change, ConversationStore, ConversationTransaction, Loaded
from application.jobs import Lease, Pick
from application.moves import Item, Outcome, Result
from application.react import React
from application.turns import Turns
from domain.turn import Status, Turn


class TracedJob:
    """A job that is run now: the turn that it is at, and what its last commit wrote."""

    def __init__(self, tracing: Tracing, job_id: int) -> None:
        self._tracing = tracing
        self._job_id = job_id
        self._processing_id: int | None = None
        self._span: Span | None = None
        self.context = Context()
        self.written: list[Turn] = []

    @property
    def recorded(self) -> bool:
        """Whether a turn runs whose trace is kept: a sampler may leave most of them out."""
        return self._span is not None and self._span.is_recording()

    def committed(self, name: str, began: int) -> None:
        """A step is committed: it belongs to the turns that it wrote, else to the present one."""
        written, self.written = self.written, []
        if not written:
            self._step(name, began)
        for turn in written:
            if turn.token.id != self._processing_id:
                self.end()
                self._begin(turn, began)
            self._step(name, began)
            if turn.status is not Status.PROCESSING:
                self._over(turn)

    def broke(self, name: str, began: int, error: Exception) -> None:
        """A step was not committed, as far as is known."""
        self._step(name, began, error)

    def end(self, error: BaseException | None = None) -> None:
        """The job goes on with another turn, or ends."""
        if self._span is not None:
            if error is not None:
                failed(self._span, type(error).__name__)
            self._span.end()
            unbind_contextvars("trace_id")
        self._span = self._processing_id = None

    def _begin(self, turn: Turn, began: int) -> None:
        ids = self._tracing.ids(turn.bot.id, turn.update_id, turn.token.id)
        about: dict[str, str | int] = {
            "messaging.system": "telegram",
            "messaging.operation.type": "process",
            "kotodom.bot": turn.bot.id,
            "kotodom.processing": turn.token.id,
            "kotodom.job": self._job_id,
            "kotodom.attempts": turn.attempts,
        }
        if turn.update_id is not None:
            about["kotodom.update"] = turn.update_id
        self._processing_id = turn.token.id
        self._span = self._tracing.tracer.start_span(
            "turn",
            context=self._tracing.under_root(ids),
            kind=SpanKind.CONSUMER,
            attributes=about,
            start_time=began,
        )
        self.context = set_span_in_context(self._span, Context())
        bind_contextvars(trace_id=ids.hex)

    def _step(self, name: str, began: int, error: Exception | None = None) -> None:
        if not self.recorded:
            return
        span = self._tracing.tracer.start_span(name, context=self.context, start_time=began)
        if error is not None:
            failed(span, type(error).__name__)
        span.end()

    def _over(self, turn: Turn) -> None:
        if self._span is not None:
            self._span.set_attribute("kotodom.status", turn.status.value)
            if turn.status is not Status.COMPLETED:
                failed(self._span, turn.status.value, turn.verdict or turn.last_error or "")
        self.end()


class TracedJobs:
    """The jobs that run in this process, by their ids."""

    def __init__(self, tracing: Tracing) -> None:
        self.tracing = tracing
        self._jobs: dict[int, TracedJob] = {}

    def of(self, pick: Pick) -> TracedJob | None:
        """The job of a pick, while it runs."""
        return self._jobs.get(pick.job_id)

    @asynccontextmanager
    async def running(self, pick: Pick) -> AsyncIterator[None]:
        """A job runs; whatever ends it ends its turn's span."""
        job = self._jobs[pick.job_id] = TracedJob(self.tracing, pick.job_id)
        try:
            yield
        except BaseException as error:
            job.end(error)
            raise
        finally:
            job.end()
            if self._jobs.get(pick.job_id) is job:
                del self._jobs[pick.job_id]


class TracedTurns(Turns):
    """Turns whose jobs are followed."""

    def __init__(self, turns: Turns, jobs: TracedJobs) -> None:
        self._turns = turns
        self._jobs = jobs

    async def run(self, chat: str, lease: Lease) -> None:
        async with self._jobs.running(lease.pick):
            await self._turns.run(chat, lease)


class TracedReact(React):
    """A react whose steps are spans."""

    def __init__(self, react: React, jobs: TracedJobs) -> None:
        self._react = react
        self._jobs = jobs

    async def put(self, item: Item) -> Result:
        job, began = self._jobs.of(item.pick), time_ns()
        what = item.event.__struct_config__.tag if isinstance(item, Outcome) else _kind(item)
        try:
            result = await self._react.put(item)
        except Exception as error:
            if job is not None:
                job.broke(f"react {what}", began, error)
            raise
        if job is not None:
            job.committed(f"react {what}", began)
        return result


class TracedConversations:
    """application.conversations.ConversationStore, which notes for each job what is committed."""

    def __init__(self, store: ConversationStore, jobs: TracedJobs) -> None:
        self._store = store
        self._jobs = jobs

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[ConversationTransaction]:
        async with self._store.transaction() as transaction:
            noting = _Noting(transaction)
            yield noting
        for change in noting.saved:
            if (job := self._jobs.of(change.pick)) is not None:
                job.written.extend(change.touched)


class _Noting:
    def __init__(self, transaction: ConversationTransaction) -> None:
        self._transaction = transaction
        self.saved: Sequence[Change] = ()

    async def load(self, asked: Sequence[tuple[str, Pick]]) -> dict[str, Loaded]:
        return await self._transaction.load(asked)

    async def save(self, changes: Sequence[Change]) -> None:
        await self._transaction.save(changes)
        self.saved = changes


def _kind(item: Item) -> str:
    return type(item).__name__.lower()
