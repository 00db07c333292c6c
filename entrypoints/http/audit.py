"""GET /api/audit: who asked for which change."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar import get
from litestar.params import QueryParameter

from application.audit import Audit, AuditEntry, AuditFilter
from application.paging import Page
from entrypoints.http.paging import Cursor, Limit, moment, words
from entrypoints.http.problems import problems
from entrypoints.http.security import Asked

ByActor = Annotated[
    str | None, QueryParameter(name="actor", max_length=320, description="The asker's e-mail")
]
ByAction = Annotated[
    str | None,
    QueryParameter(name="action", max_length=100, description="A route's name: create_bot"),
]
ByTarget = Annotated[
    str | None,
    QueryParameter(name="target", max_length=300, description="What changed: bot:3, user:ID"),
]
Since = Annotated[datetime | None, QueryParameter(name="from", description="Then or later")]
Until = Annotated[datetime | None, QueryParameter(name="to", description="Before then")]


@get("/audit", tags=["audit"], responses=problems(400, 401, 403))
async def list_audit(
    request: Asked,
    audit: FromDishka[Audit],
    actor: ByActor = None,
    action: ByAction = None,
    target: ByTarget = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[AuditEntry]:
    """What was asked for and what it changed, newest first."""
    asked = AuditFilter(
        words(actor), words(action), words(target), moment(since, "from"), moment(until, "to")
    )
    return await audit.browse(request.user.actor, asked, limit, cursor)
