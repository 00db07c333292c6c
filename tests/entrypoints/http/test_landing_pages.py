"""/ and /docs: what of the built Landing Web is served, how, and what stays the application's."""

import fcntl
import gzip
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from litestar import Litestar, get

from entrypoints.http.landing_pages import LandingPages, origin_of
from entrypoints.http.landing_site import DIST, RUNNING, SANDBOX, origin_in, place, repository_in
from entrypoints.settings import Settings, load
from tests.entrypoints.http.conftest import Api, Person, serving
from tests.entrypoints.web.site_links import Page

PAGE = (
    """<!--only:public--><link rel="canonical" href="https://origin.invalid/"><!--/only-->
<!--only:repository-->git clone https://repository.invalid<!--/only-->
<!--only:running--><a href="/admin/">Sign in</a><!--/only-->
<!--only:sandbox--><a href="/sandbox/">Sandbox</a><!--/only-->
"""
    + "words " * 200
)
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build leaves, in small."""
    folder = tmp_path_factory.mktemp("dist")
    files = {
        "index.html": PAGE,
        "docs/index.html": "documents",
        "404.html": "nothing is here",
        "robots.txt": "Allow: /",
        "sitemap.xml": "<loc>https://origin.invalid/</loc>",
        "docs/search.json": "[]",
        "assets/main-abc.js": "https://origin.invalid",
        ".made": "",
        ".vite/manifest.json": "{}",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "assets" / "main-abc.js.br").write_bytes(b"brotli")
    return folder


def _settings(**environ: str) -> Settings:
    return load({"SANDBOX": "off", **environ})


@get("/health", sync_to_thread=False)
def _health() -> str:
    return "well"


@get("/", sync_to_thread=False)
def _start() -> str:
    return "not built"


@pytest.fixture(scope="module")
async def site(dist: Path) -> AsyncIterator[Person]:
    """A browser before the pages, with an application of two routes behind them."""
    app = Litestar([_health, _start])
    app.asgi_handler = LandingPages(
        app.asgi_handler, _settings(PUBLIC_URL="https://bots.example.org"), dist
    )
    async with serving(app) as url, aiohttp.ClientSession(auto_decompress=False) as session:
        yield Person(session, url)


async def test_a_page_has_the_origin_and_what_a_running_system_has(site: Person) -> None:
    page = await site.get("/", headers={"Accept-Encoding": "identity"})
    assert page.status == 200
    assert 'href="https://bots.example.org/"' in page.json
    assert "/admin/" in page.json
    assert "/sandbox/" not in page.json and "only" not in page.json
    assert page.headers["Content-Security-Policy"] == POLICY
    assert page.headers["Content-Type"] == 'text/html; charset="utf-8"'
    assert page.headers["Cache-Control"] == "max-age=0, public"
    assert "Access-Control-Allow-Origin" not in page.headers


async def test_it_is_compressed_beforehand(site: Person) -> None:
    headers = {"Accept-Encoding": "gzip, br"}
    async with site.session.get(f"{site.url}/", headers=headers) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert b"https://bots.example.org/" in gzip.decompress(await answer.read())
    async with site.session.get(f"{site.url}/assets/main-abc.js", headers=headers) as answer:
        assert answer.headers["Content-Encoding"] == "br"
        assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
        assert await answer.read() == b"brotli"


async def test_a_browser_that_has_it_is_told_so(site: Person) -> None:
    page = await site.get("/docs/")
    again = await site.get("/docs/", headers={"If-None-Match": page.headers["ETag"]})
    assert (again.status, again.json) == (304, "")
    assert again.headers["Content-Security-Policy"] == POLICY
    head = await site.ask("HEAD", "/docs/")
    assert (head.status, head.json) == (200, "")
    assert head.headers["Content-Length"] == str(len("documents"))


async def test_a_folder_leads_to_its_page(site: Person) -> None:
    answer = await site.get("/docs", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (308, "docs/")


async def test_what_is_no_file_is_the_applications(site: Person) -> None:
    assert (await site.get("/health")).json == "well"
    assert (await site.post("/")).status == 405
    assert (await site.get("/nowhere")).json["detail"] == "Not Found"
    assert (await site.get("/.made")).status == (await site.get("/.vite/manifest.json")).status
    assert (await site.get("/.made")).status == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_browser_is_shown_a_page_that_nothing_is_there(site: Person, method: str) -> None:
    page = await site.get("/404.html")
    headers = {**BROWSER, "If-None-Match": page.headers["ETag"]}
    answer = await site.ask(method, "/docs/nowhere", headers=headers)
    assert answer.status == 404
    assert answer.json == ("nothing is here" if method == "GET" else "")
    assert answer.headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize("path", ["/api/nowhere", "/admin/nowhere", "/sandbox", "/webhook/1"])
async def test_machines_get_no_page(site: Person, path: str) -> None:
    answer = await site.get(path, headers=BROWSER)
    assert answer.status == 404
    assert answer.json["detail"] == "Not Found"


async def test_without_a_build_the_application_answers(tmp_path: Path) -> None:
    app = Litestar([_start])
    app.asgi_handler = LandingPages(app.asgi_handler, _settings(), tmp_path / "dist")
    async with serving(app) as url, aiohttp.ClientSession() as session:
        person = Person(session, url)
        assert (await person.get("/")).json == "not built"
        assert (await person.get("/nowhere", headers=BROWSER)).json["detail"] == "Not Found"


async def test_where_it_cannot_be_put_in_place_all_else_is_served(
    dist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    app = Litestar([_start])
    app.asgi_handler = LandingPages(app.asgi_handler, _settings(), dist)
    async with serving(app) as url, aiohttp.ClientSession() as session:
        assert (await Person(session, url).get("/")).json == "not built"


def test_what_a_killed_process_left_is_removed(
    dist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    died = subprocess.Popen(["true"])
    died.wait()
    for owner in (died.pid, os.getppid(), "somebody"):
        (tmp_path / f"kotodom-landing-{owner}-abc").mkdir()
    pages = LandingPages(_start, _settings(), dist)  # type: ignore[arg-type]
    left = sorted(path.name.rpartition("-")[0] for path in tmp_path.iterdir())
    assert left == sorted(
        f"kotodom-landing-{owner}" for owner in (os.getpid(), os.getppid(), "somebody")
    )
    del pages
    assert len(list(tmp_path.iterdir())) == 2


def test_who_cleans_tmp_sees_that_it_is_in_use(
    dist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As systemd-tmpfiles looks: it takes a lock before it removes what is old."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pages = LandingPages(_start, _settings(), dist)  # type: ignore[arg-type]
    (folder,) = tmp_path.iterdir()
    descriptor = os.open(folder, os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    del pages
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


@pytest.mark.parametrize(
    ("environ", "origin"),
    [
        ({"PORT": "9000"}, None),
        ({"PUBLIC_URL": "https://a.example"}, "https://a.example"),
        ({"PUBLIC_URL": "https://A.example:8443/"}, "https://a.example:8443"),
        ({"PUBLIC_URL": "https://a.example/bots"}, None),  # the root is somebody else's
        ({"PUBLIC_URL": 'https://a"><script>'}, None),
    ],
)
def test_the_origin(environ: dict[str, str], origin: str | None) -> None:
    assert origin_of(_settings(**environ)) == origin


@pytest.mark.parametrize(
    "url", ["https://a.example", "http://a:80", "http://[::1]:80", "https://ю.рф"]
)
def test_an_origin(url: str) -> None:
    assert origin_in(url) == origin_in(f"{url}/") == url


def test_an_origin_as_people_type_it() -> None:
    assert origin_in("HTTPS://Example.org:/") == "https://example.org"
    assert repository_in("HTTPS://Example.org/Me/K") == "https://example.org/Me/K"


@pytest.mark.parametrize(
    "url",
    [
        *("", "a.example", "ftp://a.example", "https://", "https://a/b", "https://a:99999"),
        *(
            "https://me:word@a",
            "https://@a",
            "https://a?",
            "https://a?b",
            "https://a#",
            "https://a#b",
        ),
        *("https://a:b", "https://a b", "https://a\n", 'https://a"><script>', "https://[::1"),
    ],
)
def test_no_origin(url: str) -> None:
    with pytest.raises(ValueError, match="expected https://host"):
        origin_in(url)


def test_a_repository() -> None:
    assert repository_in("https://a.example/~me/kotodom.git") == "https://a.example/~me/kotodom.git"
    for url in (
        "https://a.example",
        "git@a:b",
        "https://a/$(id)",
        "https://a/b;c",
        "https://a/b c",
    ):
        with pytest.raises(ValueError, match="expected https://host/path"):
            repository_in(url)


@pytest.mark.parametrize(
    ("there", "links"),
    [(set(), []), ({RUNNING}, ["/admin/"]), ({RUNNING, SANDBOX}, ["/admin/", "/sandbox/"])],
)
def test_what_is_there(there: set[str], links: list[str], dist: Path, tmp_path: Path) -> None:
    place(dist, tmp_path, "https://a.example", there)
    text = (tmp_path / "index.html").read_text()
    assert "git clone" not in text
    assert [link for link in ("/admin/", "/sandbox/") if link in text] == links
    assert (tmp_path / "sitemap.xml").read_text() == "<loc>https://a.example/</loc>"
    # What has a digest in its name stays what it was.
    assert (tmp_path / "assets" / "main-abc.js").read_text() == "https://origin.invalid"


def test_addresses_are_escaped(dist: Path, tmp_path: Path) -> None:
    place(dist, tmp_path, 'https://"<a>', set(), "https://b.example/c&d")
    text = (tmp_path / "index.html").read_text()
    assert 'href="https://&quot;&lt;a&gt;/"' in text
    assert "git clone https://b.example/c&amp;d" in text


def test_where_it_is_unknown_it_says_no_address(dist: Path, tmp_path: Path) -> None:
    place(dist, tmp_path, None, {RUNNING})
    assert "canonical" not in (tmp_path / "index.html").read_text()
    assert not list(tmp_path.glob("sitemap.xml*"))
    assert (tmp_path / "robots.txt").read_text() == "User-agent: *\nDisallow: /\n"


def test_no_built_page_says_an_address_that_is_unknown(tmp_path: Path) -> None:
    place(DIST, tmp_path, None, {RUNNING, SANDBOX})
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 10
    for path in pages:
        page = Page(path.read_text())
        assert not [head for head in page.heads if head["rel"] in ("canonical", "alternate")]
        assert not [meta for meta in page.metas if meta.startswith(("og:url", "og:image"))]


async def test_the_real_application_serves_it(api: Api, nobody: Person) -> None:
    """In its place: the gate before it, the routes behind it."""
    page = await nobody.get("/")
    assert page.headers["Content-Security-Policy"] == POLICY
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert origin_of(api.settings) is None and ".invalid" not in page.json
    for word in ("canonical", 'rel="alternate"', "og:url", "og:image"):
        assert word not in page.json
    admin = await nobody.get("/admin", allow_redirects=False)
    assert (admin.status, admin.headers["Location"]) == (308, "admin/")
    for path in ("/health", "/metrics", "/schema"):
        assert (await nobody.get(path)).headers.get("Content-Security-Policy") != POLICY
    missing = await nobody.get("/api/nowhere", headers=BROWSER)
    assert missing.headers["Content-Type"] == "application/problem+json"
