"""The one error shape: application/problem+json (RFC 9457), for every way a request can fail.

Triggered by any exception that leaves a route, a guard or the router itself. A refusal of a use
case says its own sentence; a bug says nothing but an id, which the log has beside the traceback.
"""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import ParameterKwarg
from msgspec import Struct, field

from application.jobs import Unavailable
from application.refusals import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    Refusal,
    SessionsAway,
    TooMany,
    Unauthenticated,
    UpstreamFailed,
)

MEDIA_TYPE = "application/problem+json"
AWAY_SECONDS = "2"
"""Retry-After where a database is away."""

log = structlog.get_logger("http")


class Problem(Struct, frozen=True, omit_defaults=True):
    """What went wrong. `errors` name the fields; `id` finds an internal error in the log."""

    title: str
    status: int
    detail: str
    type: str = field(default="about:blank")
    errors: tuple[FieldError, ...] = ()
    id: str | None = None


def answer(request: Request[Any, Any, State], error: Exception) -> Response[bytes]:
    """The problem of an exception, as a response."""
    headers: dict[str, str] = {}
    match error:
        case TooMany():
            headers["Retry-After"] = str(error.after)
        case SessionsAway() | Unavailable():
            headers["Retry-After"] = AWAY_SECONDS
        case HTTPException() if error.headers:
            headers |= error.headers
    shown = problem_of(error, request)
    if shown.id is not None:
        log.error("request.bug", id=shown.id, path=request.url.path, exc_info=error)
    return Response(
        msgspec.json.encode(shown), status_code=shown.status, headers=headers, media_type=MEDIA_TYPE
    )


def problem_of(error: Exception, request: Request[Any, Any, State]) -> Problem:
    """What an exception tells the one who asked."""
    match error:
        case Refusal():
            errors = error.errors if isinstance(error, Invalid | Malformed) else ()
            return problem(_status(error), str(error), errors)
        case Unavailable():
            return problem(503, "PostgreSQL is away. Try again in a moment.")
        case HTTPException() if error.status_code < 500 or error.status_code in (502, 503, 504):
            return problem(error.status_code, _detail(error), _parameters(error, request))
        case _:
            shown = problem(500, "This is a bug of ours. The log has more, under this id.")
            return msgspec.structs.replace(shown, id=uuid4().hex)


def problem(status: int, detail: str, errors: tuple[FieldError, ...] = ()) -> Problem:
    """A problem whose title is the status' own."""
    return Problem(HTTPStatus(status).phrase, status, detail, errors=errors)


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """What the OpenAPI document says of a route's errors."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            description=HTTPStatus(status).phrase,
            media_type=MEDIA_TYPE,
        )
        for status in sorted({*statuses, 500, 503})
    }


def _status(refusal: Refusal) -> int:
    match refusal:
        case NotFound():
            return 404
        case Forbidden():
            return 403
        case Conflict():
            return 409
        case Malformed():
            return 400
        case Invalid():
            return 422
        case Unauthenticated():
            return 401
        case TooMany():
            return 429
        case UpstreamFailed():
            return 502
        case SessionsAway():
            return 503
        case _:
            return 500


def _detail(error: HTTPException) -> str:
    if isinstance(error.extra, list):
        return "Some of the request's parameters cannot be taken."
    phrase = HTTPStatus(error.status_code).phrase
    return error.detail if error.detail and error.detail != phrase else f"{phrase}."


def _parameters(error: HTTPException, request: Request[Any, Any, State]) -> tuple[FieldError, ...]:
    """Litestar's own list of the parameters that it could not take, by their names in the URL."""
    if not isinstance(error.extra, list):
        return ()
    known = request.route_handler.parsed_fn_signature.parameters
    errors: list[FieldError] = []
    for item in error.extra:
        key = str(item.get("key", ""))
        named = known[key].kwarg_definition if key in known else None
        name = named.name if isinstance(named, ParameterKwarg) else None
        errors.append(FieldError(name or key, str(item.get("message", ""))))
    return tuple(errors)
