"""Where traces are written, the providers that write them; a process without loads none of it."""

from typing import Literal

from dishka import Provider

from entrypoints.settings import Settings


def tracing(settings: Settings, part: Literal["api", "worker", "poller"]) -> list[Provider]:
    """What a process' container has besides; nothing unless OTEL_EXPORTER_OTLP_ENDPOINT is set."""
    if settings.otel_exporter_otlp_endpoint is None:
        return []
    from entrypoints.tracing_wiring import TracingProvider

    providers: list[Provider] = [TracingProvider(part)]
    if part == "worker":
        from entrypoints.worker_tracing_wiring import TurnTracingProvider

        providers.append(TurnTracingProvider())
    return providers
