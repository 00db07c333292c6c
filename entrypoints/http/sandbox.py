"""/sandbox/: the sandbox's page and its control API, handed through to the sandbox's own server.

Only where the sandbox is on, and only for requests from this machine: it plays anybody.
"""

from collections.abc import AsyncIterator
from typing import Annotated

import aiohttp
from litestar import HttpMethod, Request, Response, route
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import PathParameter
from litestar.response import Redirect, Stream

from entrypoints.settings import is_loopback

_PASSED_ON = (
    "content-type",
    "accept",
    "sec-fetch-site",
    "origin",
    "if-none-match",
    "last-event-id",
)
_PASSED_BACK = ("content-type", "cache-control", "etag", "content-security-policy", "location")


_FORWARDED_FOR = ("x-forwarded-for", "x-real-ip")
"""What proxies say, TRUSTED_PROXIES or not: it makes strangers of neighbours, never the reverse."""


def _is_of_this_machine(request: Request[None, None, State]) -> bool:
    told = ",".join(v for name in _FORWARDED_FOR for v in request.headers.getall(name, []))
    senders = [each.strip() for each in told.split(",") if each.strip()]
    client = request.client.host if request.client is not None else ""
    return "forwarded" not in request.headers and all(map(is_loopback, [client, *senders]))


@route(
    ["/sandbox", "/sandbox/{path:path}"],
    http_method=[HttpMethod.GET, HttpMethod.POST, HttpMethod.DELETE],
    exclude_from_auth=True,
    include_in_schema=False,
)
async def sandbox(
    request: Request[None, None, State], path: Annotated[str, PathParameter()] = "/"
) -> Response[bytes] | Redirect | Stream:
    """Hand the request through. 404 where the sandbox is off, 403 for another machine."""
    base: str | None = request.app.state.sandbox_url
    if base is None:
        raise NotFoundException()
    if not _is_of_this_machine(request):
        raise HTTPException(status_code=403, detail="the sandbox answers this machine only")
    if request.scope["raw_path"] == b"/sandbox":
        return Redirect("/sandbox/")  # the page's links are relative
    session: aiohttp.ClientSession = request.app.state.sandbox_session
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    url = f"{base}{path}" + (f"?{request.url.query}" if request.url.query else "")
    try:
        answer = await session.request(
            request.method, url, data=await request.body(), headers=headers, allow_redirects=False
        )
    except aiohttp.ClientError:
        raise HTTPException(status_code=502, detail="the sandbox does not answer") from None
    back = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
    if "text/event-stream" not in back.get("content-type", ""):
        async with answer:
            body = await answer.read()
        return Response(body, status_code=answer.status, headers=back, media_type=None)

    async def events() -> AsyncIterator[bytes]:
        async with answer:
            async for chunk in answer.content.iter_any():
                yield chunk

    return Stream(events, status_code=answer.status, headers=back)
