"""Stand-ins of those whom we tell: Logtail, and an OpenTelemetry collector, on a free port.

Each keeps what it is sent, or (`hang`) takes requests and answers none.
"""

import asyncio
from types import TracebackType
from typing import Any, Self

import msgpack
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """A server that answers every POST with `status`, or hangs."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self._answers = asyncio.Event()
        self._answers.set()
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("POST", "/{path:.*}", self._take)
        self._server = TestServer(app)
        await self._server.start_server(shutdown_timeout=0.1)
        self.url = str(self._server.make_url("/")).rstrip("/")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.close()

    def hang(self, hangs: bool = True) -> None:
        """Answer nothing from now on, or (False) all that was asked, and go on."""
        if hangs:
            self._answers.clear()
        else:
            self._answers.set()

    async def _take(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, dict(request.headers), await request.read()))
        await self._answers.wait()
        return web.Response(status=self.status)


class Logtail(Collector):
    """Better Stack's ingestion: a msgpack array of lines."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [line for _, _, body in self.requests for line in msgpack.unpackb(body)]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["message"] == name]


class Traces(Collector):
    """An OTLP/HTTP receiver: protobuf to /v1/traces."""

    @property
    def spans(self) -> list[tuple[str, Span]]:
        """Each span, with its process' service.name."""
        return [
            (_service(resource), span)
            for path, _, body in self.requests
            if path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


def _service(resource: Any) -> str:
    values = {each.key: each.value.string_value for each in resource.resource.attributes}
    return values["service.name"]


def attributes(span: Span) -> dict[str, Any]:
    """A span's attributes, decoded."""
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value")
        for each in span.attributes
    }
