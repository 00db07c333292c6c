"""The one error shape: application/problem+json (RFC 9457), for every way a request can fail.

Triggered by any exception that leaves a route, a guard or the router itself. A refusal of a use
case says its own sentence; a bug says nothing but an id, which the log has beside the traceback.
"""

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, InternalServerException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import ParameterKwarg
from msgspec import UNSET, Struct, UnsetType, field

from application.jobs import Busy, TookTooLong, Unavailable
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
from entrypoints.http.request_log import request_id
from entrypoints.http.wrong_values import bounds, kind_of, sentence

MEDIA_TYPE = "application/problem+json"
_BUG = "This is a bug of ours. The log has more, under this id."
_TOO_LONG = (
    "This took too long and was given up. "
    "Ask for less: with more words or rarer ones, of one bot, or of fewer days."
)
AWAY_SECONDS = "2"
"""Retry-After where a database is away."""

CLIENT_GONE = 499
"""Nobody's status but the logs' (nginx has it): the client went before its body had come."""
_CLIENT_GONE = "client disconnected prematurely"
"""What Litestar says then."""

MEANINGS = {
    400: "The request cannot be read: a parameter, a cursor, or a body that is no JSON.",
    401: "Nobody is signed in, or what was shown is not right.",
    403: "Whoever asks may not do this, or a page of another origin asks.",
    404: "There is no such thing, or whoever asks may not see it.",
    409: "What stands already is against it.",
    413: "The body is too long.",
    415: "The body is of another type than it must be.",
    422: "The request was read, and some of its fields cannot be taken: `errors` names them.",
    429: "Too much was asked: come again in `Retry-After` seconds.",
    500: "A bug of ours: the log has more, under the `id`.",
    502: "A server that had to be asked did not answer as it should.",
    503: "PostgreSQL or Valkey is away or busy: come again in `Retry-After` seconds.",
}
"""What each status of an error says, for the OpenAPI document."""
_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address takes other methods: the Allow header names them.",
    413: "The body is too long.",
}
"""What we say where Litestar says no more than the status' name."""
_NAMES = {413: "Content Too Large", 422: "Unprocessable Content"}

log = structlog.get_logger("http")


class Problem(Struct, frozen=True, omit_defaults=True):
    """What went wrong. `errors` name the fields; `id` finds an internal error in the log."""

    title: str
    status: int
    detail: str
    type: str = field(default="about:blank")
    errors: tuple[FieldError, ...] = ()
    id: str | UnsetType = UNSET


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
    if client_is_gone(error):
        return Response(b"", status_code=CLIENT_GONE, media_type=MEDIA_TYPE)
    shown = problem_of(error, request)
    if shown.status == 401:
        headers["WWW-Authenticate"] = "Bearer"  # of Basic, browsers would ask by themselves
    if shown.id is not UNSET:
        log.error("request.bug", path=request.url.path, exc_info=error)
    return Response(
        msgspec.json.encode(shown), status_code=shown.status, headers=headers, media_type=MEDIA_TYPE
    )


def client_is_gone(error: Exception) -> bool:
    """Whether nobody is there any more to be answered."""
    return isinstance(error, InternalServerException) and error.detail == _CLIENT_GONE


def problem_of(error: Exception, request: Request[Any, Any, State]) -> Problem:
    """What an exception tells the one who asked."""
    match error:
        case Refusal():
            errors = error.errors if isinstance(error, Invalid | Malformed) else ()
            return problem(_status(error), str(error), errors)
        case TookTooLong():
            return problem(503, _TOO_LONG)
        case Busy():
            return problem(503, "The server is busy. Try again in a moment.")
        case Unavailable():
            return problem(503, "PostgreSQL is away. Try again in a moment.")
        case HTTPException() if error.status_code < 500 or error.status_code in (502, 503, 504):
            return problem(error.status_code, _detail(error), _parameters(error, request))
        case _:
            shown = problem(500, _BUG)
            return msgspec.structs.replace(shown, id=request_id())


def problem(status: int, detail: str, errors: tuple[FieldError, ...] = ()) -> Problem:
    """A problem whose title is the status' own."""
    return Problem(phrase(status), status, detail, errors=errors)


def phrase(status: int) -> str:
    """The status' name (RFC 9110); Python before 3.13 knows two of them by older ones."""
    return _NAMES.get(status) or HTTPStatus(status).phrase


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """What the OpenAPI document says of a route's errors."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            description=MEANINGS[status],
            media_type=MEDIA_TYPE,
            examples=[Example(value=msgspec.to_builtins(_example(status)))],
        )
        for status in sorted({*statuses, 500, 503})
    }


def _example(status: int) -> Problem:
    match status:
        case 422:
            errors = (FieldError("name", "is missing"),)
            return problem(422, str(Invalid(errors)), errors)
        case 500:
            return msgspec.structs.replace(problem(500, _BUG), id="6f1d3c…")
        case _:
            return problem(status, MEANINGS[status].replace("`", ""))


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
    if _is_bodyless(error):
        return "The request has no body: send JSON."
    if isinstance(error.extra, list):
        return "Some of the request's parameters cannot be taken."
    phrase = HTTPStatus(error.status_code).phrase
    if error.detail and error.detail != phrase:
        return error.detail
    return _SENTENCES.get(error.status_code, f"{phrase}.")


def _is_bodyless(error: HTTPException) -> bool:
    """Litestar takes an empty body for a parameter `data` that is missing."""
    given = error.extra if isinstance(error.extra, list) else []
    return any(item.get("key") == "data" for item in given)


def _parameters(error: HTTPException, request: Request[Any, Any, State]) -> tuple[FieldError, ...]:
    """Litestar's own list of the parameters that it could not take, by their names in the URL."""
    if not isinstance(error.extra, list) or _is_bodyless(error):
        return ()
    known = request.route_handler.parsed_fn_signature.parameters
    errors: list[FieldError] = []
    for item in error.extra:
        key = str(item.get("key", ""))
        definition = known.get(key)
        named = definition.kwarg_definition if definition is not None else None
        name, kind = key, None
        if definition is not None and isinstance(named, ParameterKwarg):
            bounded = named.ge is not None and named.le is not None
            kind = bounds(named.ge, named.le) if bounded else kind_of(definition.annotation)
            name = named.name or key
        errors.append(FieldError(name, sentence(str(item.get("message", "")), kind)))
    return tuple(errors)
