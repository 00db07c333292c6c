"""GET /health, /health/ready, /metrics: for whoever watches over the system; no session needed."""

import asyncio

from dishka import FromDishka
from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST

from adapters.prometheus_database import DatabaseMetrics
from adapters.prometheus_meter import exposition
from application.health import Health
from application.readiness import Readiness


class Alive(Struct, frozen=True):
    """The process answers."""

    status: str = "ok"


@get("/health", tags=["health"], security=[{}])
async def health() -> Alive:
    """Whether the process is alive; nothing else is touched."""
    return Alive()


@get(
    "/health/ready",
    tags=["health"],
    security=[{}],
    responses={
        503: ResponseSpec(Readiness, generate_examples=False, description="A needed part is down")
    },
)
async def ready(health: FromDishka[Health]) -> Response[Readiness]:
    """How each part is; 503 where one that messages need is down."""
    readiness = await health.readiness()
    return Response(readiness, status_code=200 if readiness.ready else 503)


@get("/metrics", tags=["health"], security=[{}], media_type="text/plain")
async def metrics(database: FromDishka[DatabaseMetrics]) -> Response[bytes]:
    """Prometheus' text format, of all processes of this machine that count together."""
    read = await database.read()
    # In a thread: what many processes have counted takes milliseconds to be added up.
    told = await asyncio.to_thread(exposition, read)
    return Response(told, media_type=CONTENT_TYPE_LATEST)
