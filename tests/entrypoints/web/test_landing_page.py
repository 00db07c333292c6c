"""The first page as it was built: its figures against the files that they come from, its parts."""

import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from tests.entrypoints.web.site_scripts import LANDING, RESULTS, ROOT, read_proof, run_script, told

DIST = LANDING / "dist"
XHTML = "{http://www.w3.org/1999/xhtml}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
COUNTED = (
    *("messages", "answered", "lost", "out_of_order", "billed_twice", "left_waiting"),
    *("given_up", "parts_doubled", "asked_again"),
)
NUMBERS = {
    "en": re.compile(r"(\d+(?:,\d{3})*(?:\.\d+)?)(?:\xa0(ms|s)\b)?"),
    "ru": re.compile(r"(\d+(?:\xa0\d{3})*(?:,\d+)?)(?:\xa0(мс|с)\b)?"),
}
RIVALS = [
    "https://github.com/langbot-app/LangBot",
    "https://github.com/AstrBotDevs/AstrBot",
    "https://github.com/openclaw/openclaw",
    "https://github.com/chatwoot/chatwoot",
    "https://github.com/aiogram/aiogram",
]


class Built:
    """A built page; React closes every element, so that it is XML as well."""

    def __init__(self, path: str, language: str) -> None:
        text = (DIST / path).read_text().removeprefix("<!doctype html>")
        self.root = ElementTree.fromstring(text)
        self.language = language

    def all(self, path: str) -> list[Element]:
        return self.root.findall(f".//{path}")

    def proof(self, place: int) -> Element:
        return self.all("section[@class='step proof']")[place]

    def numbers(self, elements: Iterable[Element]) -> list[float]:
        """Every number that is written there, in order; a time in milliseconds."""
        text = " ".join(_text(element) for element in elements)
        return [
            self._number(digits) * (1000 if unit in ("s", "с") else 1)
            for digits, unit in NUMBERS[self.language].findall(text)
        ]

    def _number(self, digits: str) -> float:
        if self.language == "en":
            return float(digits.replace(",", ""))
        return float(digits.replace("\xa0", "").replace(",", "."))

    def prose(self, proof: Element) -> list[float]:
        """The numbers of its sentences."""
        return self.numbers(p for p in proof.iter("p") if p.get("class") != "measured")


def _text(element: Element) -> str:
    return "".join(element.itertext())


def _rounded(numbers: Iterable[float]) -> Any:
    """As three digits show them."""
    return pytest.approx(list(numbers), rel=0.005)


@pytest.fixture(params=["en", "ru"])
def page(request: pytest.FixtureRequest) -> Built:
    language = str(request.param)
    return Built("index.html" if language == "en" else f"{language}/index.html", language)


def test_what_chaos_counted(page: Built) -> None:
    chaos = told(read_proof("chaos", RESULTS["chaos"]))
    cells = page.numbers(page.all("table[@class='counts']/tbody/tr/td"))
    assert cells == [chaos[name] for name in COUNTED]
    faults = [count for count in chaos["faults"].values() if count > 0]
    said = [chaos["seconds"], chaos["chats"], *faults, chaos["longest_wait"] * 1000]
    assert sorted(page.prose(page.proof(0))) == _rounded(sorted(said))
    assert chaos["machine"]["commit"].rstrip("+") in _text(page.proof(0))


def test_what_bench_measured(page: Built) -> None:
    bench = told(read_proof("bench", RESULTS["bench"]))
    flood, quiet, replay = bench["flood"], bench["quiet"], bench["replay"]
    rows = page.all("table[@class='speed']/tbody/tr")
    contestants = ("kotodom", "aiogram", "aiogramAiohttp")
    for row, name in zip(rows, contestants, strict=True):
        figures = [flood[what][name] for what in ("perSecond", "acknowledged", "cpu")]
        replayed = [replay[name]] if name in replay else []
        assert page.numbers(row.iter("td")) == _rounded(figures + replayed)
    longest = max(flood["perSecond"].values())
    bars = [float(bar.get("width", 0)) for bar in page.proof(2).iter("rect")]
    parts = [flood["perSecond"][name] / longest * 100 for name in contestants]
    assert bars == pytest.approx(parts, abs=0.1)
    said = [
        *(flood["sizes"][size] for size in ("chats", "each", "rounds")),
        *(quiet[what] for what in ("p50", "p99", "aiogram", "aiogramAiohttp")),
        *(99, quiet["sizes"]["quiet"]),
    ]
    assert sorted(page.prose(page.proof(2))) == _rounded(sorted(said))
    assert flood["machine"]["commit"].rstrip("+") in _text(page.proof(2))


def test_what_the_terminal_showed(page: Built) -> None:
    shown = [_text(samp) for samp in page.all("samp")]
    replay = ROOT / "entrypoints" / "web" / "screenshots" / "replay.txt"
    assert shown == [replay.read_text()]


def test_a_russian_sentence_tells_of_the_chaos() -> None:
    said = _text(Built("ru/index.html", "ru").proof(0))
    assert re.search(r"За \S+\xa0секунд[уы]?, пока писали \S+\xa0человека?, \S+\xa0раза? ", said)


def test_both_commands(page: Built) -> None:
    commands = [_text(code) for code in page.all("div[@class='commands']//pre/code")]
    assert commands[1:] == ["make run", "make test"]
    assert commands[0].startswith("git clone ")  # only where it is known from where


def test_three_pictures_in_four_looks_each(page: Built) -> None:
    pictures = page.all("figure/picture")
    assert [[look.tag for look in picture] for picture in pictures] == [
        [*["source"] * 3, "img"]
    ] * 3
    files = {look.get("src") or look.get("srcSet") for picture in pictures for look in picture}
    assert len(files) == 12
    assert all((DIST / str(file).lstrip("/")).is_file() for file in files)
    # Who hears a list of the page's links tells them apart.
    assert len({_text(link) for link in page.all("figcaption/a[@class='light']")}) == 3


def test_five_others(page: Built) -> None:
    assert [link.get("href") for link in page.all("div[@class='rivals']//h3/a")] == RIVALS
    sizes = {len(each.findall("dl/div/dd")) for each in page.all("div[@class='rivals']/article")}
    assert sizes == {3}


def test_its_icons_are_there(page: Built) -> None:
    icons = {
        (link.get("rel"), link.get("href"))
        for link in page.all("link")
        if "icon" in link.get("rel", "")
    }
    expected = {("icon", "/favicon.svg"), ("icon", "/icon.png"), ("apple-touch-icon", "/icon.png")}
    assert icons == expected
    assert all((DIST / str(href).lstrip("/")).is_file() for _, href in icons)


def test_the_page_that_nothing_is_there_is_in_no_search_engine() -> None:
    (robots,) = Built("404.html", "en").all("meta[@name='robots']")
    assert robots.get("content") == "noindex"


def test_the_sitemap_knows_each_page_in_each_language() -> None:
    urls = ElementTree.fromstring((DIST / "sitemap.xml").read_text()).findall(f"{SITEMAP}url")
    pages = {url.findtext(f"{SITEMAP}loc", "") for url in urls}
    assert len(pages) > 10
    for url in urls:
        page = url.findtext(f"{SITEMAP}loc", "")
        others = {link.get("hreflang"): link.get("href") for link in url.findall(f"{XHTML}link")}
        assert set(others) == {"en", "ru"} and page in others.values()
        assert set(others.values()) <= pages
        assert others["ru"] == str(others["en"]).replace(".invalid/", ".invalid/ru/")


@pytest.mark.parametrize(
    "html",
    [
        '<only-where where="public"></only-where>',
        '<link rel="icon" data-only="public" href="/"/>',
        '<p data-only="public">text</p>',
    ],
)
def test_a_mark_that_marks_nothing_fails_the_build(html: str) -> None:
    assert "a mark that marks nothing" in run_script("only.ts", "withComments", html).stderr


def test_what_only_some_places_have_is_marked() -> None:
    html = '<head><meta data-only="public" property="og:url" content="a"/></head>'
    marked = '<head><!--only:public--><meta property="og:url" content="a"/><!--/only--></head>'
    assert told(run_script("only.ts", "withComments", html)) == marked
