"""A turn's effects as spans: a message sent, a model asked. Beside opentelemetry_turns.py.

Facts: OpenTelemetry semantic conventions for generative AI, "Model spans": the span is named
`chat MODEL`, its attributes are gen_ai.*.
"""

from urllib.parse import urlsplit

from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS
from opentelemetry.trace import Span, SpanKind, get_current_span

from adapters.opentelemetry_tracing import failed
from adapters.opentelemetry_turns import TracedJobs
from application.jobs import Lease
from application.model import Ask, Check, Generated, LanguageModel, ModelAccess, Started
from application.turns import Emit, TurnRunner
from domain.effects import GenerateReply, ResumeReply, SendChatAction, SendMessage
from domain.events import MessageFailed, ReplyFailed, ReplyGenerated, TurnEvent
from domain.failures import ChatMigrated, Failure, Retryable

# The names stand in the SDK's package as "incubating", which may move in any version.
OPERATION, PROVIDER = "gen_ai.operation.name", "gen_ai.provider.name"
REQUEST_MODEL, RESPONSE_MODEL = "gen_ai.request.model", "gen_ai.response.model"
INPUT_TOKENS, OUTPUT_TOKENS = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"


class TracedRunner:
    """application.turns.TurnRunner whose effects are spans of their job's turn."""

    def __init__(self, runner: TurnRunner, jobs: TracedJobs) -> None:
        self._runner = runner
        self._jobs = jobs

    async def perform(
        self, effect: GenerateReply | ResumeReply | SendMessage, lease: Lease, emit: Emit
    ) -> TurnEvent:
        job = self._jobs.of(lease.pick)
        if job is None or not job.recorded:
            return await self._runner.perform(effect, lease, emit)
        with self._jobs.tracing.tracer.start_as_current_span(
            str(effect.__struct_config__.tag),
            context=job.context,
            kind=SpanKind.CLIENT,
            # What an exception says may quote what people wrote.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                event = await self._runner.perform(effect, lease, emit)
            except BaseException as error:
                failed(span, type(error).__name__)
                raise
            _tell(span, event)
            return event

    async def show(self, effect: SendChatAction, lease: Lease) -> None:
        await self._runner.show(effect, lease)


class TracedModel:
    """application.model.LanguageModel that names the model in the effect's span."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    async def generate(
        self, access: ModelAccess, ask: Ask, started: Started, check: Check
    ) -> Generated:
        _ask(access)
        return await self._model.generate(access, ask, started, check)

    async def resume(
        self, access: ModelAccess, run_id: str, thread_id: str | None, started: Started
    ) -> Generated:
        _ask(access)
        return await self._model.resume(access, run_id, thread_id, started)

    async def forget(self, access: ModelAccess, thread_id: str) -> None:
        await self._model.forget(access, thread_id)


def _ask(access: ModelAccess) -> None:
    span = get_current_span()
    span.update_name(f"chat {access.model}")
    span.set_attribute(OPERATION, "chat")
    span.set_attribute(PROVIDER, "openai")
    span.set_attribute(REQUEST_MODEL, access.model)
    if access.base_url is not None:
        span.set_attribute(SERVER_ADDRESS, urlsplit(access.base_url).hostname or "")


def _tell(span: Span, event: TurnEvent) -> None:
    match event:
        case ReplyGenerated(reply=reply):
            if reply.model is not None:
                span.set_attribute(RESPONSE_MODEL, reply.model)
            if reply.input_tokens is not None:
                span.set_attribute(INPUT_TOKENS, reply.input_tokens)
            if reply.output_tokens is not None:
                span.set_attribute(OUTPUT_TOKENS, reply.output_tokens)
        case ReplyFailed(failure=failure) | MessageFailed(failure=failure):
            failed(span, str(failure.__struct_config__.tag), _reason(failure))
            if isinstance(failure, Retryable) and failure.after is not None:
                span.set_attribute("kotodom.retry_after", failure.after)
        case _:
            pass


def _reason(failure: Failure) -> str:
    return "" if isinstance(failure, ChatMigrated) else failure.reason
