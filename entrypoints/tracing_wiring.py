"""dishka provider of a process' tracer and traced intake. Loaded by entrypoints/tracing.py."""

from collections.abc import AsyncIterator
from importlib.metadata import version

from dishka import Provider, Scope, decorate, provide

from adapters.opentelemetry_intake import TracedIntake
from adapters.opentelemetry_tracing import Tracing
from application.intake import Intake
from entrypoints.settings import Settings


class TracingProvider(Provider):
    """The tracer of a process (api, worker, poller), and its intake."""

    scope = Scope.APP

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    @provide
    async def tracing(self, settings: Settings) -> AsyncIterator[Tracing]:
        endpoint, secret = settings.otel_exporter_otlp_endpoint, settings.secret_key
        if endpoint is None or secret is None:
            raise RuntimeError("the settings have no address or key; see entrypoints.tracing")
        newest = secret.partition(",")[0].strip()
        tracing = Tracing(endpoint, f"kotodom-{self._part}", version("kotodom-gpt"), newest)
        yield tracing
        await tracing.close()

    @decorate
    def intake(self, intake: Intake, tracing: Tracing) -> Intake:
        return TracedIntake(intake, tracing)
