"""Every unsafe request of /api leaves its rows in the audit log, before its answer leaves.

The outermost layer of the application, around the gate: what the gate refuses is kept as well. What
cannot be written is told to the log, and the answer goes all the same. What use cases noted is
also told to those who follow (application/live.py).
"""

import asyncio
import re
import time

import structlog
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from application.api_keys import KeyBearer
from application.audit import Asker, Audit, Ended, Noted, begin_asker, begin_trail
from application.jobs import StatementFailed, Unavailable
from application.live import Live, of_note
from application.users import User
from entrypoints.http.paths import SAFE, is_api

WRITTEN_WITHIN = 3.0
"""Seconds that an answer waits for its rows where PostgreSQL hangs."""
STRANGERS = 600
"""Rows a minute, for each process, of requests by nobody who is signed in (failed sign-ins too)."""
NO_ROUTE = "none"
"""The action of a request that no route takes, or that no route was asked for."""

_ID = re.compile(r"|[0-9]{1,19}|\.{1,2}")
"""What an unknown path keeps beside the words of our routes."""

log = structlog.get_logger("audit")


class AuditTrail:
    """The layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._strangers = _Allowance()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] in SAFE or not is_api(scope):
            await self._app(scope, receive, send)
            return
        noted, asker = begin_trail(), begin_asker()
        written = False

        async def send_written(message: Message) -> None:
            nonlocal written
            if message["type"] == "http.response.start" and not written:
                written = True
                await self._keep(scope, message["status"], asker, noted)
            await send(message)

        try:
            await self._app(scope, receive, send_written)
        finally:
            if not written:  # the client is gone, or a bug beyond the routes
                await self._keep(scope, 500, asker, noted)

    async def _keep(self, scope: HTTPScope, status: int, asker: Asker, noted: list[Noted]) -> None:
        user: User | None = scope.get("user")
        if user is not None:
            asker.user_id, asker.email = user.id, user.email
            if isinstance(user, KeyBearer):
                asker.key_id, asker.key_name = user.key_id, user.key_name
        if asker.user_id is not None or self._strangers.has_one(time.monotonic()):
            await _write(scope, status, asker, noted)


class _Allowance:
    """Rows of people whom nobody knows: a flood of theirs must not fill the disk.

    STRANGERS of them at once, and as many again in a minute; the log says where more came.
    """

    def __init__(self) -> None:
        self._left: float = STRANGERS
        self._at = 0.0

    def has_one(self, now: float) -> bool:
        """Take one, where there is one."""
        self._left = min(STRANGERS, self._left + (now - self._at) * STRANGERS / 60)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        if self._left < 1:
            log.warning("audit.strangers_flood", rows=STRANGERS)
        return True


async def _write(scope: HTTPScope, status: int, asker: Asker, noted: list[Noted]) -> None:
    handler = scope.get("route_handler")
    action = handler.handler_name if isinstance(handler, HTTPRouteHandler) else NO_ROUTE
    client = scope.get("client")
    app: Litestar = scope["litestar_app"]
    path = scope["path"] if action != NO_ROUTE else _known_words(app, scope["path"])
    ended = Ended(asker, action, path, status, client[0] if client is not None else "")
    container = app.state.dishka_container
    if events := [event for note in noted if (event := of_note(note)) is not None]:
        live: Live = await container.get(Live)
        live.tell(events)
    try:
        async with asyncio.timeout(WRITTEN_WITHIN):
            audit: Audit = await container.get(Audit)
            await audit.record(ended, noted)
    except (Unavailable, StatementFailed, TimeoutError) as error:
        log.error(
            "audit.not_written",
            action=action,
            path=ended.path,
            actor=asker.email,
            user=asker.user_id,
            status=status,
            error=str(error) or repr(error),
        )


def _known_words(app: Litestar, path: str) -> str:
    """A path that no route takes, without what may be anything: a secret in the place of an id."""
    known = {part for route in app.routes for part in route.path_components}
    parts = [part if part in known or _ID.fullmatch(part) else "…" for part in path.split("/")[1:]]
    return "/" + "/".join(parts)
