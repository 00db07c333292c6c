"""/admin/: what of the built Admin Web is served, and how."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from litestar import Litestar, get
from litestar.response import Redirect

from entrypoints.http.admin_pages import AdminPages
from tests.entrypoints.http.conftest import Person, serving

PAGE = "the document"


@get("/elsewhere", sync_to_thread=False)
def _elsewhere() -> Redirect:
    return Redirect("/admin/", status_code=302)


@pytest.fixture(scope="module")
async def admin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Person]:
    """A browser before the pages, with an application of one route behind them."""
    dist = tmp_path_factory.mktemp("dist")
    files = {
        "index.html": PAGE,
        "assets/start-abc.js": "script",
        ".made": "",
        ".vite/manifest.json": "{}",
    }
    for name, text in files.items():
        path = dist / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    app = Litestar([_elsewhere])
    app.asgi_handler = AdminPages(app.asgi_handler, dist)
    async with serving(app) as url, aiohttp.ClientSession() as session:
        yield Person(session, url)


async def test_the_folder_leads_to_its_page_for_good(admin: Person) -> None:
    answer = await admin.get("/admin", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (308, "admin/")


async def test_a_redirect_of_the_applications_stays_what_it_is(admin: Person) -> None:
    assert (await admin.get("/elsewhere", allow_redirects=False)).status == 302


@pytest.mark.parametrize("path", ["", "bots", "chats/3:42"])
async def test_every_page_is_the_document(admin: Person, path: str) -> None:
    answer = await admin.get(f"/admin/{path}")
    assert (answer.status, answer.json) == (200, PAGE)
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", [".vite/manifest.json", ".made"])
async def test_what_the_build_keeps_for_itself_is_not_served(admin: Person, path: str) -> None:
    assert (await admin.get(f"/admin/{path}")).json == PAGE


async def test_an_asset_is_kept_for_ever(admin: Person) -> None:
    answer = await admin.get("/admin/assets/start-abc.js")
    assert "immutable" in answer.headers["Cache-Control"]
    assert (await admin.get("/admin/assets/start-of-another-build.js")).status == 404
