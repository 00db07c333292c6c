"""Every request has an id, which stands in its log lines and in the answer's X-Request-Id.

The outermost layer of the application. A caller's own X-Request-Id is kept where it is one; a bug's
problem+json shows the same id. Each request of /api leaves one line at INFO, every other one (what
watches over us asks all the time, and webhooks are counted) at DEBUG. A line has the path without
the query, in which people search for words.
"""

import logging
import re
from time import perf_counter
from urllib.parse import quote
from uuid import uuid4

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from application.secret_shapes import without_secrets
from application.users import User

HEADER = b"x-request-id"
LONGEST = 200
"""Characters of a path, percent-encoded: nothing in it can act on a terminal."""

_ID = re.compile(rb"[A-Za-z0-9._-]{8,128}")

log = structlog.get_logger("http")


class RequestLog:
    """The layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._all = logging.getLogger("http").isEnabledFor(logging.DEBUG)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = _given(scope) or uuid4().hex
        # Requests of one connection may be tasks that began in each other's context.
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        header = (HEADER, request_id.encode())
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], header]
            await send(message)

        began = perf_counter()
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            if self._all or scope["path"].startswith("/api/"):
                _tell(scope, status, perf_counter() - began)


def _tell(scope: HTTPScope, status: int, seconds: float) -> None:
    tell = log.info if scope["path"].startswith("/api/") else log.debug
    user: User | None = scope.get("user")
    tell(
        "request.answered",
        method=scope["method"],
        path=quote(without_secrets(scope["path"]), safe="/:")[:LONGEST],
        status=status,
        seconds=round(seconds, 4),
        **({"user": user.id} if user is not None else {}),
    )


def request_id() -> str:
    """The id of the request that is being answered."""
    return str(structlog.contextvars.get_contextvars()["request_id"])


def _given(scope: HTTPScope) -> str | None:
    """The caller's own id, where it is of a form that any log and header can take."""
    for name, value in scope["headers"]:
        if name == HEADER:
            return value.decode() if _ID.fullmatch(value) else None
    return None
