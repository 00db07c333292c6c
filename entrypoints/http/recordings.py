"""/api/processing/{id}/recording and /api/replay: a message's turn to take along, and to try again.

A recording is JSON lines (DESIGN §9); the replay asks nothing of any part of the system.
"""

import asyncio
from dataclasses import dataclass

from dishka import FromDishka
from litestar import Response, get, post
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType

from application.recordings import Recordings
from application.refusals import Malformed, TooMany
from application.replays import ReplayReport, report
from domain.recording import NotARecording
from entrypoints.http.ids import ProcessingKey
from entrypoints.http.problems import problems
from entrypoints.http.security import Asked

JSON_LINES = "application/x-ndjson"
TAKEN = (JSON_LINES, "application/jsonl", "application/octet-stream", "text/plain")
"""What a browser or curl calls such a file."""

_ONE = asyncio.Lock()
"""One recording at a time: it takes a core, and several times its own size."""

MAX_RECORDING = 10 * 1024 * 1024
"""Bytes; a message's turn has a few thousand. `kotodom replay` takes any size."""
_LINE = (
    '{"key":"3:42","seq":1,"at":"2026-11-27T12:00:00Z","id":"chat.paused:7",'
    '"from":{"type":"chat","id":"3:42","chat_id":42},"event":{"type":"chat.paused"},'
    '"effects":[],"state":"bcf0c8b4b9a1d2e7"}\n'
)


@dataclass
class _TakesRecording(Operation):
    """What the OpenAPI document says of the body, which is no JSON."""

    def __post_init__(self) -> None:
        lines = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING), example=_LINE)
        self.request_body = RequestBody(
            content={JSON_LINES: lines},
            required=True,
            description="A recording: one JSON line a step, 10 MB at most.",
        )


@get(
    "/processing/{processing_id:int}/recording",
    tags=["processing"],
    media_type=JSON_LINES,
    responses={
        200: ResponseSpec(
            str,
            generate_examples=False,
            media_type=JSON_LINES,
            description="The recording: one JSON line a step.",
            examples=[Example(value=_LINE)],
        ),
        **problems(400, 401, 404),
    },
)
async def get_recording(
    processing_id: ProcessingKey, request: Asked, recordings: FromDishka[Recordings]
) -> Response[bytes]:
    """One message's turn as a recording; it replays with `kotodom replay`."""
    content = await recordings.of_message(request.user.actor, processing_id)
    name = f'attachment; filename="recording-{processing_id}.jsonl"'
    return Response(content, media_type=JSON_LINES, headers={"Content-Disposition": name})


@post(
    "/replay",
    status_code=200,
    tags=["processing"],
    request_max_body_size=MAX_RECORDING,
    operation_class=_TakesRecording,
    responses=problems(400, 401, 403, 413, 415, 429),
)
async def replay(request: Asked) -> ReplayReport:
    """Replay a recording through the pure handlers; how it differs from what they do today."""
    media_type = request.headers.get("content-type", JSON_LINES).partition(";")[0].strip().lower()
    if media_type not in TAKEN:
        raise HTTPException(status_code=415, detail=f"Send {JSON_LINES}: a recording.")
    content = await request.body()
    if _ONE.locked():
        raise TooMany("Another recording is being replayed. Try again in a moment.", 1)
    async with _ONE:
        try:
            # In a thread: webhooks are answered meanwhile.
            return await asyncio.to_thread(report, content)
        except NotARecording as error:
            raise Malformed(f"This is not a recording: {error}.") from None
