"""Each request has an id, in its answer and in its lines; what is logged of it, and what is not."""

import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from structlog.contextvars import bind_contextvars, get_contextvars, merge_contextvars
from structlog.typing import EventDict
from yarl import URL

from entrypoints.http import request_log
from entrypoints.http.request_log import RequestLog
from tests.entrypoints.http.conftest import Person

OURS = "a-request.of_ours-1"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EventDict]]:
    """What is logged about requests."""
    kept: list[EventDict] = []

    def keep(_: object, level: str, event: EventDict) -> EventDict:
        kept.append({**event, "level": level})
        raise structlog.DropEvent

    monkeypatch.setattr(
        request_log, "log", structlog.wrap_logger(None, processors=[merge_contextvars, keep])
    )
    yield kept


async def test_every_answer_has_an_id_of_its_own(nobody: Person) -> None:
    first, second = await nobody.get("/health"), await nobody.get("/api/nowhere")
    ids = {first.headers["X-Request-Id"], second.headers["X-Request-Id"]}
    assert len(ids) == 2 and all(len(each) == 32 for each in ids)


async def test_a_caller_may_bring_one(nobody: Person) -> None:
    answer = await nobody.get("/health", headers={"X-Request-Id": OURS})
    assert answer.headers["X-Request-Id"] == OURS


@pytest.mark.parametrize("given", ["short", "with a space", "a" * 129, "quoted\"'", "ids-с-кир"])
async def test_what_is_no_id_is_not_kept(nobody: Person, given: str) -> None:
    answer = await nobody.get("/health", headers={"X-Request-Id": given})
    assert len(answer.headers["X-Request-Id"]) == 32


async def test_a_request_of_the_api_leaves_one_line(nobody: Person, lines: list[EventDict]) -> None:
    await nobody.get("/api/b%0Aots?q=words", headers={"X-Request-Id": OURS})
    for path in ("/health", "/health/ready", "/metrics"):
        await nobody.get(path)
    (line,) = lines
    assert line.pop("seconds") >= 0
    assert line == {
        "level": "info",
        "event": "request.answered",
        "request_id": OURS,
        "method": "GET",
        "path": "/api/b%0Aots",
        "status": 404,
    }


@pytest.mark.parametrize("colon", [":", "%3A", "%3a", "%253A"])
async def test_a_token_in_a_path_is_masked(
    nobody: Person, lines: list[EventDict], colon: str
) -> None:
    token = "AAFthisIsABotTokenThisIs" + "%41BotTokenXX"
    path = f"/api/bots/111222333{colon}{token}/enable"
    async with nobody.session.get(URL(nobody.url + path, encoded=True)):
        pass
    (line,) = lines
    assert line["path"] == "/api/bots/%E2%80%A6/enable"


async def test_a_line_says_who_asked(admin: Person, lines: list[EventDict]) -> None:
    me = (await admin.get("/api/auth/me")).json
    (line,) = lines
    assert (line["path"], str(line["user"])) == ("/api/auth/me", me["id"])


async def test_debug_tells_of_every_request(lines: list[EventDict]) -> None:
    logger = logging.getLogger("http")
    logger.setLevel(logging.DEBUG)
    try:
        layer = RequestLog(_answering(204))
    finally:
        logger.setLevel(logging.NOTSET)
    await _ask(layer, "/health")
    (line,) = lines
    assert (line["level"], line["path"], line["status"]) == ("debug", "/health", 204)


async def test_nothing_of_a_former_request_is_left(lines: list[EventDict]) -> None:
    """Requests of one connection may run in one context."""
    bind_contextvars(request_id="the-former-one", chat="1:42")
    await _ask(RequestLog(_answering(200)), "/api/bots")
    (line,) = lines
    assert line["request_id"] != "the-former-one" and "chat" not in line
    assert get_contextvars()["request_id"] == line["request_id"]


def _answering(status: int) -> Callable[..., object]:
    async def app(scope: object, receive: object, send: Callable[..., object]) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})  # type: ignore[misc]

    return app


async def _ask(layer: RequestLog, path: str) -> None:
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode()}

    async def send(_: object) -> None:
        pass

    await layer({**scope, "headers": []}, None, send)  # type: ignore[arg-type, typeddict-item]
