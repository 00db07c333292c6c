"""Servers that quote whatever secret they are sent: Telegram's and a model's, at their worst.

    /tg/MODE/bot…       the Bot API; `ok` works, any other mode fails and quotes the URL
    /ai/MODE/…          a model's API, which quotes the key

What a chat is told, and which call came in which mode, is kept.
"""

import asyncio
import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from aiohttp import web
from aiohttp.test_utils import TestServer

TELEGRAM = ("400", "401", "403", "404", "429", "500", "html", "moved", "garbled", "close")
MODEL = ("401", "400", "429", "500", "html", "moved", "garbled", "failed", "event", "close")


class Echoing:
    """Both, on a free port. `main`: the mode of the Bot API at /tg/main."""

    def __init__(self) -> None:
        self.main = "ok"
        self.told: list[str] = []
        self.calls: set[tuple[str, str]] = set()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/tg/{mode}/bot{token}/{method}", self._telegram)
        app.router.add_route("*", "/ai/{mode}/{path:.*}", self._model)
        self._server = TestServer(app)
        await self._server.start_server(shutdown_timeout=0.1)
        self.url = str(self._server.make_url("/")).rstrip("/")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.close()

    async def _telegram(self, request: web.Request) -> web.StreamResponse:
        token, method = request.match_info["token"], request.match_info["method"]
        mode = request.match_info["mode"]
        self.calls.add((mode, method))
        mode = self.main if mode == "main" else mode
        if mode == "ok":
            return await self._works(request, token, method)
        said = f"{request.url} {token} {quote(token, safe='')} {json.dumps({'token': token})}"
        if mode.isdecimal():
            refusal = {"ok": False, "error_code": int(mode), "description": f"Refused: {said}"}
            return web.json_response(refusal, status=int(mode))
        return await _broken(request, mode, said)

    async def _works(self, request: web.Request, token: str, method: str) -> web.Response:
        result: Any = True
        if method == "getMe":
            identity = token.partition(":")[0]
            result = {"id": int(identity), "is_bot": True, "first_name": f"Bot {identity}"}
            result["username"] = f"b{identity}_bot"
        elif method == "sendMessage":
            self.told.append((await request.read()).decode())
            result = {"message_id": len(self.told), "date": 1, "chat": {"id": 1, "type": "private"}}
        elif method == "getUpdates":
            result = []
            await asyncio.sleep(1)  # a long poll
        elif method == "getWebhookInfo":
            result = {"url": "", "has_custom_certificate": False, "pending_update_count": 0}
        return web.json_response({"ok": True, "result": result})

    async def _model(self, request: web.Request) -> web.StreamResponse:
        mode, path = request.match_info["mode"], request.match_info["path"]
        self.calls.add((mode, path))
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        masked = f"{key[:8]}{'*' * 20}{key[-4:]}"
        said = f"Incorrect API key provided: {masked}. It was {key} ({quote(key)})"
        if mode.isdecimal():
            error = {"message": said, "type": key, "code": None, "param": key}
            return web.json_response({"error": error}, status=int(mode))
        if mode not in ("failed", "event"):
            return await _broken(request, mode, said)
        if path.endswith("conversations"):
            return web.json_response({"id": "conv_1", "object": "conversation", "created_at": 1})
        error = {"code": "server_error", "message": said}
        run = {"id": "resp_1", "object": "response", "status": "failed", "error": error}
        event: dict[str, Any] = {"type": "response.failed", "sequence_number": 0, "response": run}
        if mode == "event":
            event = {"type": "error", **error, "param": None, "sequence_number": 0}
        if path.endswith("completions"):
            event = {"error": error}
        data = f"event: {event.get('type', 'error')}\ndata: {json.dumps(event)}\n\n"
        return web.Response(text=data, content_type="text/event-stream")


async def _broken(request: web.Request, mode: str, said: str) -> web.StreamResponse:
    """An answer that is none of the API's."""
    match mode:
        case "html":
            return web.Response(text=f"<html>{said}</html>", status=502, content_type="text/html")
        case "moved":
            return web.Response(
                status=307, headers={"Location": f"http://127.0.0.1:1/{quote(said)}"}
            )
        case "garbled":
            return web.Response(text=f'{{"ok": {said}', content_type="application/json")
        case _:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
