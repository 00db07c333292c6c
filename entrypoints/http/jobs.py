"""/api/jobs: the queue, for managers and administrators."""

from typing import Annotated

from dishka import FromDishka
from litestar import delete, get, post
from litestar.params import QueryParameter

from application.job_desk import JobDesk, JobStats, JobStatus, JobView
from application.paging import Page
from entrypoints.http.ids import JobKey
from entrypoints.http.paging import Cursor, Limit
from entrypoints.http.problems import problems
from entrypoints.http.security import Asked

StatusFilter = Annotated[JobStatus | None, QueryParameter(description="`failed`: held")]


@get("/jobs", tags=["jobs"], responses=problems(400, 401, 403))
async def list_jobs(
    request: Asked,
    desk: FromDishka[JobDesk],
    status: StatusFilter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[JobView]:
    """Every job there is, newest first."""
    return await desk.browse(request.user.actor, status, limit, cursor)


@get("/jobs/stats", tags=["jobs"], responses=problems(401, 403))
async def get_job_stats(request: Asked, desk: FromDishka[JobDesk]) -> JobStats:
    """How many wait and run, how long the oldest has been due, how many ended each minute."""
    return await desk.stats(request.user.actor)


@post(
    "/jobs/{job_id:int}/requeue",
    status_code=202,
    tags=["jobs"],
    responses=problems(400, 401, 403, 404, 409),
)
async def requeue_job(job_id: JobKey, request: Asked, desk: FromDishka[JobDesk]) -> JobView:
    """Queue a held job again, or bring a waiting one forward: it is due now."""
    return await desk.requeue(request.user.actor, job_id)


@delete("/jobs/{job_id:int}", tags=["jobs"], responses=problems(400, 401, 403, 404))
async def delete_job(job_id: JobKey, request: Asked, desk: FromDishka[JobDesk]) -> None:
    """Delete a job; the message that it was answering ends TERMINAL, and its chat goes on."""
    await desk.delete(request.user.actor, job_id)
