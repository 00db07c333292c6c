"""/api/processing: what became of each message, failures, and another try."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar import get, post
from litestar.params import JSONBody, QueryParameter

from application.failures import (
    LONGEST_FINGERPRINT,
    FailureFilter,
    Failures,
    FailureView,
    ManyToRetry,
    Retried,
    RetryCount,
)
from application.paging import Page
from application.processing import (
    Processing,
    ProcessingDetail,
    ProcessingFilter,
    ProcessingView,
)
from application.refusals import FieldError, Invalid
from domain.turn import Status
from entrypoints.http.bodies import StrictJson
from entrypoints.http.ids import ProcessingKey
from entrypoints.http.paging import BotId, Cursor, Limit, Words, moment, text, words
from entrypoints.http.problems import problems
from entrypoints.http.security import Asked

StatusFilter = Annotated[Status | None, QueryParameter(description="Only in this status")]
Since = Annotated[datetime | None, QueryParameter(name="from", description="Created then or later")]
Until = Annotated[datetime | None, QueryParameter(name="to", description="Created before then")]
Fingerprint = Annotated[
    str | None,
    QueryParameter(
        max_length=LONGEST_FINGERPRINT,
        description="Only failures of this kind, as GET /api/processing/failures names it",
    ),
]


def filter_of(
    status: Status | None,
    bot_id: int | None,
    q: str | None,
    since: datetime | None,
    until: datetime | None,
    fingerprint: str | None,
    within: str = "",
) -> ProcessingFilter:
    """Which messages are meant; `within`: where the fields stand. Raises Malformed."""
    return ProcessingFilter(
        status,
        bot_id,
        words(q),
        moment(since, f"{within}from"),
        moment(until, f"{within}to"),
        text(fingerprint, f"{within}fingerprint"),
    )


@get("/processing", tags=["processing"], responses=problems(400, 401))
async def list_processing(
    request: Asked,
    processing: FromDishka[Processing],
    status: StatusFilter = None,
    bot_id: BotId = None,
    q: Words = None,
    since: Since = None,
    until: Until = None,
    fingerprint: Fingerprint = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ProcessingView]:
    """Messages and what became of them, newest first."""
    asked = filter_of(status, bot_id, q, since, until, fingerprint)
    return await processing.browse(request.user.actor, asked, limit, cursor)


@get("/processing/{processing_id:int}", tags=["processing"], responses=problems(400, 401, 404))
async def get_processing(
    processing_id: ProcessingKey, request: Asked, processing: FromDishka[Processing]
) -> ProcessingDetail:
    """One message, with every step of its turn."""
    return await processing.get(request.user.actor, processing_id)


@post(
    "/processing/{processing_id:int}/retry",
    status_code=202,
    tags=["processing"],
    responses=problems(400, 401, 403, 404, 409),
)
async def retry_processing(
    processing_id: ProcessingKey, request: Asked, processing: FromDishka[Processing]
) -> ProcessingDetail:
    """Try a message again: a TERMINAL one joins the end of its chat's line, a FAILED is due now."""
    return await processing.retry(request.user.actor, processing_id)


@get("/processing/retry", tags=["processing"], responses=problems(400, 401))
async def count_retryable(
    request: Asked,
    failures: FromDishka[Failures],
    status: StatusFilter = None,
    bot_id: BotId = None,
    q: Words = None,
    since: Since = None,
    until: Until = None,
    fingerprint: Fingerprint = None,
) -> RetryCount:
    """How many messages match and may be tried again: what a POST here would do."""
    asked = filter_of(status, bot_id, q, since, until, fingerprint)
    return await failures.retryable(request.user.actor, asked)


@post(
    "/processing/retry",
    status_code=202,
    tags=["processing"],
    dto=StrictJson[ManyToRetry],
    return_dto=None,
    responses=problems(400, 401, 403, 413, 415, 422),
)
async def retry_many(
    data: JSONBody[ManyToRetry], request: Asked, failures: FromDishka[Failures]
) -> Retried:
    """Try all messages again that match; at most 1000 at once: ask again for those left."""
    wanted = data.filter
    if wanted.q is not None and words(wanted.q) is None:  # it would mean all
        raise Invalid([FieldError("filter.q", "must not be blank")])
    asked = filter_of(
        wanted.status,
        wanted.bot_id,
        wanted.q,
        wanted.since,
        wanted.until,
        wanted.fingerprint,
        within="filter.",
    )
    return await failures.retry(request.user.actor, asked)


@get("/processing/failures", tags=["processing"], responses=problems(400, 401))
async def list_failures(
    request: Asked,
    failures: FromDishka[Failures],
    bot_id: BotId = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[FailureView]:
    """Failures by their kind, the kind with the latest one first."""
    asked = FailureFilter(bot_id, moment(since, "from"), moment(until, "to"))
    return await failures.browse(request.user.actor, asked, limit, cursor)
