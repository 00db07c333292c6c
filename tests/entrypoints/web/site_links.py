"""Every link of a served site: which pages there are, and what leads nowhere."""

from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from xml.etree import ElementTree

import aiohttp

_LINKS = {"a": "href", "link": "href", "script": "src", "img": "src", "source": "srcset"}
_LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


class Page(HTMLParser):
    """A page's links and anchors, the attributes of its <link>s, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.heads: list[dict[str, str | None]] = []
        self.metas: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attributes = dict(given)
        if name := attributes.get("id"):
            self.anchors.add(name)
        if tag in _LINKS and (link := attributes.get(_LINKS[tag])):
            self.links.append(link)
        if tag == "link":
            self.heads.append(attributes)
        if tag == "meta":
            name = attributes.get("property") or attributes.get("name") or ""
            self.metas[name] = attributes.get("content") or ""


async def pages_of(http: aiohttp.ClientSession, base: str) -> dict[str, Page]:
    """The pages that the sitemap names, by path."""
    async with http.get(f"{base}/sitemap.xml") as answer:
        sitemap = ElementTree.fromstring(await answer.text())
    paths = [urlsplit(loc.text or "").path for loc in sitemap.iter(_LOC)]
    return {path: Page(await _text(http, base + path)) for path in paths}


async def dead_links(http: aiohttp.ClientSession, base: str, pages: dict[str, Page]) -> list[str]:
    """Links of the pages to this host that do not answer 200, or whose anchor is not there."""
    dead: set[str] = set()
    seen: dict[str, Page | None] = {}
    for path, page in pages.items():
        for link in page.links:
            url, anchor = urldefrag(urljoin(base + path, link))
            if not url.startswith(f"{base}/"):
                continue
            if url not in seen:
                seen[url] = await _target(http, url)
            target = seen[url]
            if target is None:
                dead.add(f"{path}: {link} does not answer")
            elif anchor and unquote(anchor) not in target.anchors:
                dead.add(f"{path}: {link} has no such anchor")
    return sorted(dead)


async def _text(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(url) as answer:
        assert answer.status == 200, f"{url}: {answer.status}"
        return await answer.text()


async def _target(http: aiohttp.ClientSession, url: str) -> Page | None:
    async with http.get(url) as answer:
        if answer.status != 200:
            return None
        text = await answer.text() if "html" in answer.content_type else ""
    return Page(text)
