"""Logs: structlog to the console (or JSON lines), and to Logtail where its token is set."""

import logging
import sys

import structlog
from logtail import LogtailHandler
from structlog.typing import Processor

from entrypoints.settings import Settings


def configure(settings: Settings, part: str) -> None:
    """Set logging up for one process; `part` is its name (api, worker, poller, …)."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
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
    structlog.contextvars.bind_contextvars(part=part)
    # Tracebacks without local variables: those hold tokens, keys and what people wrote.
    as_json: list[Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
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
        host = settings.logtail_host or "https://in.logs.betterstack.com"
        logtail = LogtailHandler(source_token=settings.logtail_source_token, host=host)
        handlers.append(_handler(logtail, shared, as_json))
    logging.basicConfig(handlers=handlers, level=settings.log_level, force=True)
    for noisy in ("alembic", "asyncio", "httpcore2", "httpx2", "openai", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _handler(
    handler: logging.Handler, shared: list[Processor], render: list[Processor]
) -> logging.Handler:
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    return handler
