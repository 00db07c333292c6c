"""/schema: the OpenAPI document as a page, and /schema/openapi.json: the document itself.

Litestar's own pages fetch their scripts from another host.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler

from entrypoints.http.schema_page import page

OPENAPI = "application/vnd.oai.openapi+json"
_CSS = Path(__file__).with_name("schema.css")


def pages(document: Callable[[], dict[str, Any]]) -> list[HTTPRouteHandler]:
    """The routes. The document is made in a thread when it is first asked for: half a second."""

    @cache
    def as_json() -> bytes:
        return msgspec.json.encode(document())

    @cache
    def as_html() -> str:
        return page(msgspec.json.decode(as_json()))

    @get("/schema/openapi.json", include_in_schema=False, sync_to_thread=True)
    def schema_document() -> Response[bytes]:
        return Response(as_json(), media_type=OPENAPI)

    @get("/schema", media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=True)
    def schema_page() -> str:
        return as_html()

    @get("/schema/page.css", media_type=MediaType.CSS, include_in_schema=False, sync_to_thread=True)
    def schema_style() -> str:
        return _CSS.read_text()

    return [schema_document, schema_page, schema_style]
