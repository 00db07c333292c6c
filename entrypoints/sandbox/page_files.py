"""The sandbox's page: plain files under page/, served with a strict Content-Security-Policy.

Every address in them is relative, so the page works at / and below any prefix of a proxy.
"""

from pathlib import Path

from aiohttp import web

PAGE = Path(__file__).with_name("page")
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page_routes() -> list[web.RouteDef]:
    return [web.get("/", _file), web.get("/page/{name}", _file)]


async def _file(request: web.Request) -> web.Response:
    name = request.match_info.get("name", "index.html")
    kind = _TYPES.get(Path(name).suffix)
    path = PAGE / Path(name).name
    if kind is None or not path.is_file():
        raise web.HTTPNotFound
    return web.Response(body=path.read_bytes(), content_type=kind, charset="utf-8", headers=HEADERS)
