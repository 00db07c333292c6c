"""The Landing Web in a real browser, as the real API serves it; stories stand in tests/browser.

The pages are those that `make web` built. Those that `make landing` writes for a static host are
served by Python's plain file server.
"""

import asyncio
import contextlib
import errno
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import aiohttp
import pytest

from entrypoints import landing
from tests.end_to_end.system import System, free_port
from tests.entrypoints.web.site_links import Page, dead_links, pages_of
from tests.entrypoints.web.site_scripts import LANDING, ROOT

STORY = ROOT / "tests" / "browser" / "landing.mjs"
pytestmark = pytest.mark.timeout(180)

STORIES = {
    "english": ("pages", "en"),
    "russian": ("pages", "ru"),
    "phone": ("phone", None),
    "paper": ("paper", None),
    "seeker": ("seeker", None),
    "scriptless": ("scriptless", None),
    "visitor": ("visitor", None),
}
"""Their names here: the story, and of which language its pages are."""


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as system:
        await system.start("api")
        yield system


@pytest.fixture(scope="module")
async def pages(system: System) -> dict[str, Page]:
    return await pages_of(system.http, system.url)


@pytest.fixture(scope="module")
async def playing(
    system: System, pages: dict[str, Page], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, asyncio.Task[str]]]:
    """All stories at once, each in a browser of its own; what went wrong in each."""
    folder = tmp_path_factory.mktemp("stories")

    async def play(name: str) -> str:
        story, language = STORIES[name]
        paths = [path for path in pages if language is None or _language(path) == language]
        world = json.dumps({"base": system.url, "pages": paths})
        picture = folder / f"{name}-failure.png"
        process = await asyncio.create_subprocess_exec(
            "node", str(STORY), story, world, str(picture), stderr=asyncio.subprocess.PIPE
        )
        _, errors = await process.communicate()
        return errors.decode() if process.returncode != 0 else ""

    async with asyncio.TaskGroup() as group:
        yield {name: group.create_task(play(name)) for name in STORIES}


def _language(path: str) -> str:
    return "ru" if path.startswith("/ru/") else "en"


@pytest.mark.parametrize("name", STORIES)
async def test_a_story(name: str, playing: dict[str, asyncio.Task[str]]) -> None:
    errors = await playing[name]
    assert not errors, errors


async def test_every_link_is_alive(system: System, pages: dict[str, Page]) -> None:
    assert {"/", "/ru/", "/docs/", "/ru/docs/"} < set(pages)
    assert await dead_links(system.http, system.url, pages) == []
    assert any("/admin/" in page.links for page in pages.values())


async def test_each_page_says_where_it_is(system: System, pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        english = path.removeprefix("/ru") if path.startswith("/ru/") else path
        where = {
            (head["rel"], head.get("hreflang")): head["href"]
            for head in page.heads
            if head["rel"] in ("canonical", "alternate")
        }
        assert where == {
            ("canonical", None): system.url + path,
            ("alternate", "en"): system.url + english,
            ("alternate", "ru"): f"{system.url}/ru{english}",
            ("alternate", "x-default"): system.url + english,
        }
        assert page.metas["og:url"] == system.url + path
        assert page.metas["og:title"] and page.metas["description"]
        assert ".invalid" not in page.text and "<!--only" not in page.text


async def test_the_picture_for_others_and_the_robots(
    system: System, pages: dict[str, Page]
) -> None:
    metas = pages["/"].metas
    async with system.http.get(metas["og:image"]) as answer:
        assert answer.status == 200 and answer.content_type == "image/png"
        header = (await answer.read())[16:24]
    size = (int.from_bytes(header[:4]), int.from_bytes(header[4:]))
    assert size == (1200, 630) == (int(metas["og:image:width"]), int(metas["og:image:height"]))
    async with system.http.get("/robots.txt") as answer:
        assert f"Sitemap: {system.url}/sitemap.xml" in await answer.text()


def test_each_language_shows_the_admin_in_it(pages: dict[str, Page]) -> None:
    """Three pictures in four looks each, and the one for links to the page."""
    shown = {}
    for path in ("/", "/ru/"):
        page = pages[path]
        pictures = {link for link in page.links if link.endswith(".png") and "/assets/" in link}
        assert len(pictures) == 12, path
        shown[path] = pictures | {page.metas["og:image"]}
    assert not shown["/"] & shown["/ru/"]


async def test_no_page_has_a_style_or_a_script_of_its_own(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        assert "<style" not in page.text and ' style="' not in page.text, path
        assert page.text.count("<script") == 1 and "></script>" in page.text, path


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[str]:
    """By `python -m http.server`, more or less; its address."""
    port = free_port()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


def _make_landing(url: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "entrypoints.landing", url, str(folder), *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


async def test_a_static_host_has_no_dead_link(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    with _served(folder) as base:
        for _ in range(2):  # written anew
            told = _make_landing(f"{base}/", folder)
            assert told.returncode == 0, told.stderr
        async with aiohttp.ClientSession() as http:
            pages = await pages_of(http, base)
            assert await dead_links(http, base, pages) == []
    assert not any("/admin/" in page.links for page in pages.values())
    assert (folder / "404.html").is_file()
    assert not list(folder.rglob(".*"))
    assert ".invalid" not in pages["/"].text and "git clone" not in pages["/"].text


def test_a_visitor_is_told_where_to_clone_from(tmp_path: Path) -> None:
    """And an empty folder is taken."""
    repository = "https://git.example.org/me/kotodom"
    told = _make_landing("https://example.org", tmp_path, repository)
    assert told.returncode == 0, told.stderr
    for page in ("index.html", "ru/index.html"):
        text = (tmp_path / page).read_text()
        clone = text.index(f"git clone {repository} kotodom &amp;&amp; cd kotodom")
        assert clone < text.index("make run")
        assert f'<a href="{repository}">' in text
    told = _make_landing("https://example.org", tmp_path, "git@example.org:me/kotodom")
    assert told.returncode == 2 and "REPO=git@example.org:me/kotodom: expected" in told.stderr


@pytest.mark.parametrize(
    "url", ["", "kotodom.example.org", "https://example.org/kotodom", 'https://"><script>']
)
def test_a_wrong_address_is_refused(url: str, tmp_path: Path) -> None:
    told = _make_landing(url, tmp_path / "site")
    assert told.returncode == 2
    assert f"URL={url}: expected https://host" in told.stderr


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    for name in ("mine.txt", "sitemap.xml"):  # as any site has
        (tmp_path / name).write_text("mine")
    told = _make_landing("https://example.org", tmp_path)
    assert told.returncode == 2
    assert "something else is there" in told.stderr
    assert (tmp_path / "mine.txt").exists()


def test_the_site_before_stays_where_a_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    assert _make_landing("https://example.org", site).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}

    def full(_: Path, folder: Path, *more: object) -> None:
        (folder / "index.html").write_text("half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(landing, "place", full)
    monkeypatch.setattr(sys, "argv", ["landing", "https://example.org", str(site)])
    with pytest.raises(SystemExit):
        landing.main()
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_link_leads_to_the_folder_that_is_written(tmp_path: Path) -> None:
    link = tmp_path / "published"
    link.symlink_to("site")
    for url in ("https://a.example", "https://b.example"):
        told = _make_landing(url, link)
        assert told.returncode == 0, told.stderr
        assert f"{url}/" in (tmp_path / "site" / "index.html").read_text()
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["published", "site"]


def test_a_folder_that_cannot_be_made_is_told_of() -> None:
    told = _make_landing("https://example.org", Path("/dev/null/site"))
    assert told.returncode == 2
    assert "DIR=/dev/null/site: Not a directory" in told.stderr


def _sizes(*folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", str(LANDING / "sizes.ts"), *map(str, folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_first_page_is_small() -> None:
    told = _sizes()
    assert told.returncode == 0, told.stdout + told.stderr
    assert "first page" in told.stdout


def test_its_size_is_that_of_its_style_and_script_too(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<link href='/style.css' rel='stylesheet'>")
    told = _sizes(tmp_path)
    assert told.returncode == 1
    assert "not a page, a style and a script: /index.html" in told.stderr


def test_a_dead_link_in_a_document_fails_the_build(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for language in ("en", "ru"):
        (docs / language).mkdir(parents=True)
        shutil.copy(LANDING / "docs" / language / "roles.md", docs / language)
    text = "---\ntitle: One\ndescription: One.\norder: 1\n---\n\n"
    (docs / "en" / "one.md").write_text(text + "See\n[two](two.md) and [here](#nowhere).\n")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "index.html").write_text("the one before")
    command = ["node", str(LANDING / "build.ts"), str(docs), str(tmp_path / "dist")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert [path.name for path in tmp_path.glob("dist*")] == ["dist"]
    assert (tmp_path / "dist" / "index.html").read_text() == "the one before"
    assert "en/one.md: there is no ru/one.md" in told.stderr
    assert "en/one.md:8: a link to two.md: there is no such document" in told.stderr
    assert "en/one.md:8: a link to #nowhere:" in told.stderr


@pytest.mark.parametrize(
    ("language", "asked", "found"),
    [
        ("en", "how do I back up?", "Backup and restore"),
        ("en", "forgot password", "Roles"),
        ("en", "docker zzzzqqqq", "Containers"),
        ("ru", "забыл пароль", "Роли"),
        ("ru", "обновить", "Обновление"),
        ("ru", "восстановить", "Резервная копия и восстановление"),
        ("ru", "как восстановлю", "Резервная копия и восстановление"),
        ("ru", "докер", "Контейнеры"),
        ("ru", "кто", "Роли"),
    ],
)
def test_a_question_in_a_persons_own_words(language: str, asked: str, found: str) -> None:
    """By the script of the page, over the index of the site."""
    folder = LANDING / "dist" / ("" if language == "en" else language)
    script = (
        f"import {{ load }} from {json.dumps(str(LANDING / 'src' / 'script' / 'search.ts'))};"
        f"import {{ readFileSync }} from 'node:fs';"
        f"const index = readFileSync({json.dumps(str(folder / 'docs' / 'search.json'))}, 'base64');"
        f"const search = await load(`data:application/json;base64,${{index}}`);"
        f"console.log(search({json.dumps(asked)})[0]?.page)"
    )
    command = ["node", "--input-type=module", "-e", script]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.stdout.strip() == found, told.stderr


def _make_with_a_build_that_fails(root: Path) -> subprocess.CompletedProcess[str]:
    """By the real Makefile, in a tree that holds no more than its rule wants."""
    shutil.copy(ROOT / "Makefile", root)
    landing = root / "entrypoints" / "web" / "landing"
    for name in ("src", "docs", "public", "node_modules"):
        (landing / name).mkdir(parents=True)
    (landing / "build.ts").write_text("process.exit(1)")
    packages = "entrypoints/web/landing/node_modules/.made"
    (root / packages).touch()
    command = ["make", "-o", packages, "entrypoints/web/landing/dist/.made"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_a_site_that_cannot_be_built_stops_make(tmp_path: Path) -> None:
    assert _make_with_a_build_that_fails(tmp_path).returncode == 2


def test_a_site_that_is_there_stays_and_make_goes_on(tmp_path: Path) -> None:
    dist = tmp_path / "entrypoints" / "web" / "landing" / "dist"
    dist.mkdir(parents=True)
    (dist / ".made").touch()
    (dist / "index.html").touch()
    told = _make_with_a_build_that_fails(tmp_path)
    assert told.returncode == 0, told.stderr
    assert "the one that was built before stays" in told.stderr
    # Unmade: whoever wants a new one finds that there is none, and the next make tries again.
    assert [path.name for path in dist.iterdir()] == ["index.html"]
