"""The page at /schema: everything in the document, readable, and nothing from another host."""

import asyncio
import re
from html import unescape
from pathlib import Path

from entrypoints.openapi import api_document
from tests.entrypoints.http.conftest import Api, Person

BROWSER = Path(__file__).parents[2] / "browser" / "schema.mjs"


async def _page(nobody: Person) -> str:
    answer = await nobody.get("/schema")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page: str = answer.json
    return page


async def test_it_shows_every_route_and_every_body(nobody: Person) -> None:
    page = await _page(nobody)
    document = api_document()
    text = unescape(re.sub(r"<[^>]+>", "", page))
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert f"{method.upper()} {path} {operation['summary']}" in text
            assert f'<div id="{operation["operationId"]}">' in page
            for parameter in operation.get("parameters", ()):
                assert f"{parameter['name']} {parameter['in']}" in text
    for name in document["components"]["schemas"]:
        assert f'<div id="{name}">' in page
    assert '"token": "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"' in text  # an example


async def test_every_link_leads_somewhere_here(nobody: Person) -> None:
    page = await _page(nobody)
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    links = set(re.findall(r'\b(?:href|src|action)="([^"]*)"', page))
    assert len(links) > 100
    for link in links:
        if link.startswith("#"):
            assert link[1:] in ids
        else:
            assert re.match(r"/[^/]", link), link
            assert (await nobody.get(link)).status == 200


async def test_it_needs_no_other_host_and_no_script(nobody: Person) -> None:
    page = await _page(nobody)
    assert not re.search(r"<script|<style|\bstyle=|\bon\w+=", page)
    policy = (await nobody.get("/schema")).headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "unsafe" not in policy
    style = await nobody.get("/schema/page.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "url(" not in style.json
    assert "@import" not in style.json


async def test_a_browser_shows_it(api: Api) -> None:
    browser = await asyncio.create_subprocess_exec(
        "node",
        str(BROWSER),
        api.url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await asyncio.wait_for(browser.communicate(), 100)
    assert browser.returncode == 0, told.decode()
