"""Logs: structlog to the console (or JSON lines), and to Logtail where its token is set.

A line is an event's name with fields. The same thing has the same name in every line: `part` (api,
worker, poller, …), `request_id`, `bot`, `chat`, `update`, `job`, `processing` (a message's) and
`trace_id`. Whoever takes a request, an update, a job or a turn up binds them as context variables,
which each task has of its own; lines do not repeat them. At INFO and above no line holds what
people or models wrote, and `_mask` takes out what looks like a secret from every line.
"""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from application.secret_shapes import without_secrets
from entrypoints.settings import Settings

LOGTAIL_HOST = "https://in.logs.betterstack.com"

_NOISY = (
    "adapters.postgres_pool",
    "alembic",
    "asyncio",
    "httpcore2",
    "httpx2",
    "openai",
    "urllib3",
    "uvicorn",
)
_REPEATING = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk._shared_internal",
)
"""They tell of each batch that a collector does not take."""

log = structlog.get_logger("logs")


def configure(settings: Settings, part: str) -> None:
    """Set logging up for one process; `part` is its name (api, worker, poller, …)."""

    def of_part(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["part"] = part
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        of_part,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Tracebacks without local variables: those hold tokens, keys and what people wrote.
    as_json: list[Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    for_console: list[Processor] = [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]
    handlers: list[logging.Handler] = [
        _handler(
            logging.StreamHandler(),
            shared,
            as_json if settings.log_format == "json" else for_console,
        )
    ]
    if settings.logtail_source_token is not None:
        handlers.append(
            _handler(_logtail(settings, settings.logtail_source_token), shared, as_json)
        )
    logging.basicConfig(handlers=handlers, level=settings.log_level, force=True)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for repeating in _REPEATING:
        logging.getLogger(repeating).addFilter(_OnceAMinute())


class _OnceAMinute(logging.Filter):
    """Lets a line through where its like has not been for a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """By the line without its values, of which a library has a few."""
        now, before = record.created, self._told.get(str(record.msg))
        if before is not None and now - before < 60:
            return False
        self._told[str(record.msg)] = now
        return True


def _handler(
    handler: logging.Handler, shared: list[Processor], render: list[Processor]
) -> logging.Handler:
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render, _mask],
        )
    )
    return handler


def _mask(_: WrappedLogger, __: str, line: Any) -> str:  # noqa: ANN401 - structlog's own type
    """The line without what looks like a secret, wherever an exception brought it from."""
    return without_secrets(line)


def _logtail(settings: Settings, token: str) -> logging.Handler:
    from adapters.logtail_handler import BoundedLogtailHandler
    from adapters.prometheus_meter import PrometheusMeter
    from application.meter import Counted

    meter = PrometheusMeter()

    def lost(lines: int, why: str) -> None:
        meter.add(Counted.LOG_LINES_LOST, lines)
        log.warning("logs.lost", lines=lines, why=why)

    return BoundedLogtailHandler(token, settings.logtail_host or LOGTAIL_HOST, lost)
