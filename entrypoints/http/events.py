"""GET /api/events: live events as Server-Sent Events, {type, id} and nothing more.

A comment every 15 s keeps the way open. Who comes back after a drop (Last-Event-ID, which browsers
send by themselves) hears "refresh": ask for everything again.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec
from dishka import FromDishka
from litestar import get
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.response import Stream

from application.listeners import Listener, Listeners
from application.live import Changed
from domain.access import Actor
from entrypoints.http.problems import problems
from entrypoints.http.security import SESSION_COOKIE, Asked, signed_in

EVENT_STREAM = "text/event-stream"
HEARTBEAT_EVERY = 15.0

_BEGINNING = b"retry: 2000\n\n"
"""Milliseconds after which a browser comes back."""
_HEARTBEAT = b": still here\n\n"


def encoded(number: int, events: Sequence[Changed]) -> bytes:
    """Events as lines of the stream."""
    lines = [
        b'id: %d\ndata: {"type":"%s","id":%s}\n\n'
        % (number, event.type.encode(), msgspec.json.encode(event.id))
        for event in events
    ]
    return b"".join(lines)


@get(
    "/events",
    operation_id="streamEvents",
    tags=["events"],
    media_type=EVENT_STREAM,
    responses={
        200: ResponseSpec(
            str,
            generate_examples=False,
            media_type=EVENT_STREAM,
            description='Server-Sent Events: `data: {"type": …, "id": …}`. `type` is message (a '
            "processing's id), chat, bot, job, settings or refresh (ask for everything again).",
            examples=[Example(value='retry: 2000\n\nid: 5\ndata: {"type":"chat","id":"3:42"}\n\n')],
        ),
        **problems(401),
    },
)
async def events(request: Asked, listeners: FromDishka[Listeners]) -> Stream:
    """What has changed of what one may see, as it happens."""

    async def check() -> Actor:
        await signed_in(request, request.route_handler)
        return request.user.actor

    shown = request.headers.get("authorization"), request.cookies.get(SESSION_COOKIE)
    listener = Listener(request.user.actor, repr(shown), check)
    await listeners.join(listener)
    came_back = "last-event-id" in request.headers

    async def stream() -> AsyncIterator[bytes]:
        try:
            yield _BEGINNING + (listeners.refresh() if came_back else b"")
            while (heard := await listener.next(HEARTBEAT_EVERY)) is not None:
                yield heard or _HEARTBEAT
        finally:
            listeners.leave(listener)

    return Stream(stream, media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})
