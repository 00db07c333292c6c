"""/admin/: the Admin Web as `make web` built it (entrypoints/web/admin/dist).

Names of assets hold a digest of what is in them, so browsers keep them for ever; each leaves as it
was compressed by the build. Every other path under /admin/ is one of the application's own pages,
and those are one document.
"""

from pathlib import Path
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from servestatic import ServeStaticASGI  # type: ignore[import-untyped]

from entrypoints.http.layer_problem import refuse
from entrypoints.http.page_policy import permanently, with_policy

DIST = Path(__file__).parent.parent / "web" / "admin" / "dist"
PREFIX = "/admin/"
ASSETS = f"{PREFIX}assets/"
_METHODS = ("GET", "HEAD")

_CONTENT_SECURITY_POLICY = (
    b"default-src 'self'; img-src 'self' data:; base-uri 'self'; form-action 'self'; "
    # Mantine writes its theme's variables into a <style>.
    b"frame-ancestors 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'"
)


class AdminPages:
    """Answers what is under /admin/, and hands all else on to `app`.

    Where nothing was built yet, `app` answers that too.
    """

    def __init__(self, app: ASGIApp, dist: Path = DIST) -> None:
        self._app = app
        self._files = ServeStaticASGI(
            app,
            root=dist if dist.is_dir() else None,
            prefix=PREFIX,
            index_file=True,
            max_age=0,
            allow_all_origins=False,
            immutable_file_test=lambda _, url: url.startswith(ASSETS),
        )
        # What the build keeps for itself: .vite/manifest.json names every page's files.
        for url in [url for url in self._files.files if "/." in url]:
            del self._files.files[url]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or PREFIX not in self._files.files:
            await self._app(scope, receive, send)
        elif scope["path"] == PREFIX.rstrip("/"):
            await self._files(scope, receive, permanently(send))
        elif not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
        elif scope["method"] not in _METHODS:
            allow = (b"allow", ", ".join(_METHODS).encode())
            await refuse(send, 405, "A page is only to be read.", allow)
        else:
            if self._is_page(scope["path"]):
                scope = cast(Scope, {**scope, "path": PREFIX})
            await self._files(scope, receive, with_policy(send, _CONTENT_SECURITY_POLICY))

    def _is_page(self, path: str) -> bool:
        return not path.startswith(ASSETS) and path not in self._files.files
