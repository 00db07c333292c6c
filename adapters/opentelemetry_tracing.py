"""Traces over OTLP/HTTP: their ids, and the way to the collector, which nothing here waits for.

Made only where OTEL_EXPORTER_OTLP_ENDPOINT is set (entrypoints/tracing_wiring.py).

A message's trace has an id that follows from its bot and update, and so has its first span. So the
api that kept an update, the worker that answered it, and the one that tried again after a crash or
tomorrow all write into one trace, and nothing about traces is stored or carried along. The ids are
keyed with SECRET_KEY, so that two installations before one collector do not meet.

Spans wait in a bounded queue (OTEL_BSP_MAX_QUEUE_SIZE, 2048), whose oldest are dropped when it is
full; a thread of the SDK's sends them. The SDK reads its other variables itself
(OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES, …).
"""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from threading import Thread

from msgspec import Struct
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from domain.alerts import unquoted

Attributes = Mapping[str, str | int | float | bool]

LAST_EXPORT = 0.8
"""Seconds at a process' end for the spans that still wait; closing all has one second."""
ROOT = "telegram.update"


class TraceIds(Struct, frozen=True):
    """A trace, and its first span: an update's being kept, or what stands for it."""

    trace: int
    root: int

    @property
    def hex(self) -> str:
        """The trace's id, as people look for it."""
        return f"{self.trace:032x}"


class Tracing:
    """The tracer of a process; `service` is the process' name, `secret` keys the ids."""

    def __init__(self, endpoint: str, service: str, version: str, secret: str) -> None:
        self._key = blake2b(secret.encode(), person=b"kotodom traces").digest()
        self._next_ids = _NextIds()
        self._provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: service, SERVICE_VERSION: version}),
            id_generator=self._next_ids,
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self._provider.get_tracer("kotodom", version)

    def ids(self, bot_id: int, update_id: int | None, processing_id: int | None = None) -> TraceIds:
        """The same for the same update, else for the same message (an operator's has no update)."""
        what = f"update:{update_id}" if update_id is not None else f"processing:{processing_id}"
        name = f"{bot_id}:{what}".encode()
        digest = blake2b(name, key=self._key, digest_size=24).digest()
        return TraceIds(int.from_bytes(digest[:16]), int.from_bytes(digest[16:]))

    def begin(self, ids: TraceIds, kind: SpanKind, attributes: Attributes, at: int) -> Span:
        """The trace's first span; `at` in nanoseconds since 1970."""
        self._next_ids.given = ids
        return self.tracer.start_span(
            ROOT, context=Context(), kind=kind, attributes=attributes, start_time=at
        )

    def under_root(self, ids: TraceIds) -> Context:
        """Where a span goes that follows the first one, whichever process has written that."""
        sampled = self._provider.sampler.should_sample(Context(), ids.trace, ROOT)
        taken = sampled.decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if taken else TraceFlags.DEFAULT)
        parent = SpanContext(ids.trace, ids.root, is_remote=True, trace_flags=flags)
        return set_span_in_context(NonRecordingSpan(parent), Context())

    async def close(self) -> None:
        """Send what waits, for a moment; a collector that hangs is left in its (daemon) thread."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(done.set)

        Thread(target=shut_down, daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), LAST_EXPORT)


class _NextIds(IdGenerator):
    """Random ids, but for a trace's first span. One thread starts all spans."""

    def __init__(self) -> None:
        self.given: TraceIds | None = None

    def generate_trace_id(self) -> int:
        return self.given.trace if self.given is not None else random.getrandbits(128) | 1

    def generate_span_id(self) -> int:
        given, self.given = self.given, None
        return given.root if given is not None else random.getrandbits(64) | 1


def failed(span: Span, kind: str, reason: str = "") -> None:
    """The span ended with an error; what a model or a server said is left out of its reason."""
    span.set_attribute(ERROR_TYPE, kind)
    span.set_status(Status(StatusCode.ERROR, unquoted(reason) or None))
