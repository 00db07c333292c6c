"""/api/stats: messages, their ends, their cost, by day and by bot."""

from typing import Annotated

from dishka import FromDishka
from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter

from application.statistics import LONGEST_DAYS, Statistics, Stats
from entrypoints.http.paging import BotId
from entrypoints.http.problems import problems
from entrypoints.http.security import Asked

Days = Annotated[
    int, QueryParameter(ge=1, le=LONGEST_DAYS, description="So many days, today included (UTC)")
]


@get(
    "/stats",
    tags=["statistics"],
    responses={
        200: ResponseSpec(Stats, generate_examples=False, description="At most 30 seconds old."),
        **problems(400, 401),
    },
)
async def get_stats(
    request: Asked, statistics: FromDishka[Statistics], days: Days = 30, bot_id: BotId = None
) -> Response[bytes]:
    """Messages, statuses, times to answer, tokens and price: in all, by day, and by bot."""
    content = await statistics.of(request.user.actor, days, bot_id)
    return Response(content, media_type="application/json")
