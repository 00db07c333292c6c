"""/ and /docs: the Landing Web as `make web` built it (entrypoints/web/landing/dist).

It is put into a temporary folder with this system's own address (landing_site.py) and served from
there. All that is no file of the site is the application's: a browser that finds nothing there is
shown the site's page that says so.
"""

import fcntl
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import cast

import psutil
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from servestatic import ServeStaticASGI  # type: ignore[import-untyped]

from entrypoints.http.landing_site import DIST, RUNNING, SANDBOX, origin_in, place
from entrypoints.http.page_policy import permanently, with_policy
from entrypoints.settings import Settings

ASSETS = "/assets/"
MISSING = "/404.html"

_CONTENT_SECURITY_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MACHINES = ("/api", "/webhook", "/health", "/metrics", "/schema", "/sandbox", "/admin")
"""Whoever asks for something there gets the application's own word, in a browser too."""
_CONDITIONS = {b"if-none-match", b"if-modified-since", b"range"}

_FOLDER = "kotodom-landing-"

log = structlog.get_logger("http")


class LandingPages:
    """Answers what is a file of the site, and hands all else on to `app`.

    Where nothing was built yet, `app` answers everything.
    """

    def __init__(self, app: ASGIApp, settings: Settings, dist: Path = DIST) -> None:
        self._app = app
        self._folder = _placed(dist, settings)
        self._files = ServeStaticASGI(
            app,
            root=self._folder.name if self._folder is not None else None,
            index_file=True,
            max_age=0,
            allow_all_origins=False,
            immutable_file_test=lambda _, url: url.startswith(ASSETS),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        elif scope["path"] in self._files.files:
            policy = with_policy(permanently(send), _CONTENT_SECURITY_POLICY)
            await self._files(scope, receive, policy)
        elif self._is_for_people(scope):
            await self._app_or_missing(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_for_people(self, scope: Scope) -> bool:
        """Whether a 404 would be read in a browser."""
        accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
        path = scope["path"]
        machines = any(path == one or path.startswith(f"{one}/") for one in _MACHINES)
        return MISSING in self._files.files and b"text/html" in accepted and not machines

    async def _app_or_missing(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the application answers; the site's own page for its 404."""
        missing = False

        async def send_other(message: Message) -> None:
            nonlocal missing
            if message["type"] == "http.response.start" and message["status"] == 404:
                missing = True
            if not missing:
                await send(message)

        async def send_missing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["status"] = 404
            await send(message)

        await self._app(scope, receive, send_other)
        if missing:
            # As a page that nobody has yet: a browser may ask for it only if it has changed.
            headers = [(name, value) for name, value in scope["headers"] if name not in _CONDITIONS]
            page = cast(Scope, {**scope, "path": MISSING, "headers": headers})
            policy = with_policy(send_missing, _CONTENT_SECURITY_POLICY)
            await self._files(page, receive, policy)


def _placed(dist: Path, settings: Settings) -> tempfile.TemporaryDirectory[str] | None:
    """The site with this system's address, in a folder that goes when the process ends.

    None where nothing was built. Nor is a full disk a reason not to serve all else.
    """
    if not (dist / "index.html").is_file():
        return None
    there = {RUNNING, SANDBOX} if settings.sandbox_url is not None else {RUNNING}
    try:
        _sweep()
        folder = tempfile.TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-")
        weakref.finalize(folder, os.close, _hold(folder.name))
        place(dist, Path(folder.name), origin_of(settings), there)
    except OSError as error:
        log.warning("landing.unserved", error=str(error))
        return None
    return folder


def _hold(folder: str) -> int:
    """A lock on it until the descriptor is closed: systemd-tmpfiles leaves it alone that long."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _sweep() -> None:
    """Remove what processes that were killed have left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*-*"):
        pid = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def origin_of(settings: Settings) -> str | None:
    """That of PUBLIC_URL. None without one, and at a path: the root there is somebody else's."""
    if settings.public_url is None:
        return None
    try:
        return origin_in(settings.public_url)
    except ValueError:
        return None
