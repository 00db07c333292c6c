"""A model server that answers what a test scripts, one answer a request, and keeps the requests.

For the tests of the model adapters: recorded answers (status, headers, body), streams that are cut
into chunks wherever a test likes, connections that break.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

KEY = "sk-test-0123456789abcdef"


def held() -> None:
    """A lease that holds: application.model.Check."""


class Answer(Struct):
    """One answer. `chunks` are sent one by one; `breaks`: the connection is then cut."""

    status: int = 200
    headers: dict[str, str] = {}
    chunks: list[bytes] = []
    breaks: bool = False
    delay: float = 0.0


class Seen(Struct):
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


class ModelServer:
    """Answers in the order of `say`; a request beyond them gets 500."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.url = ""
        self._answers: deque[Answer] = deque()

    def say(self, *answers: Answer) -> None:
        self._answers.extend(answers)

    @property
    def calls(self) -> list[str]:
        return [f"{seen.method} {seen.path}" for seen in self.seen]

    @property
    def bodies(self) -> list[Any]:
        return [seen.body for seen in self.seen]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.read()
        self.seen.append(
            Seen(
                request.method,
                request.path.removeprefix("/v1"),
                dict(request.query),
                dict(request.headers),
                msgspec.json.decode(text) if text else None,
            )
        )
        answer = self._answers.popleft() if self._answers else error(500, "nothing scripted")
        if answer.delay:
            await asyncio.sleep(answer.delay)
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        await response.prepare(request)
        for chunk in answer.chunks:
            await response.write(chunk)
            if len(answer.chunks) > 1:
                # Long enough that each chunk is read by itself.
                await asyncio.sleep(0.002)
        if answer.breaks:
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write_eof()
        return response


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServer]:
    server = ModelServer()
    app = web.Application()
    app.router.add_route("*", "/v1/{rest:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        server.url = f"http://127.0.0.1:{port}/v1"
        yield server
    finally:
        await runner.cleanup()


def json(body: Any, status: int = 200, **headers: str) -> Answer:
    told = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return Answer(status, told, [msgspec.json.encode(body)])


def error(
    status: int,
    message: str,
    *,
    code: str | int | None = None,
    type: str = "invalid_request_error",  # noqa: A002 - OpenAI's name for it
    param: str | None = None,
    **headers: str,
) -> Answer:
    told = {"message": message, "type": type, "param": param, "code": code}
    return json({"error": told}, status, **headers)


def html(status: int = 200) -> Answer:
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    return Answer(status, {"content-type": "text/html"}, [page])


def sse(*events: Any, named: bool = True) -> bytes:
    """Events as OpenAI writes them: an `event:` line where there is a type, and a `data:` line."""
    lines = b""
    for event in events:
        if named and isinstance(event, dict) and "type" in event:
            lines += f"event: {event['type']}\n".encode()
        data = event.encode() if isinstance(event, str) else msgspec.json.encode(event)
        lines += b"data: " + data + b"\n\n"
    return lines


def stream(*chunks: bytes, breaks: bool = False, delay: float = 0.0) -> Answer:
    told = {"content-type": "text/event-stream; charset=utf-8"}
    return Answer(200, told, list(chunks), breaks, delay)
