"""The OpenAI API over HTTP: /openai/v1, as api.openai.com serves it.

Every call passes `_guarded`: the key is checked, an `OpenAiError` becomes the API's error answer,
and each answer carries x-request-id, each generation's also the rate limit headers.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from entrypoints.sandbox.openai_chat_completions import ChatCompletions
from entrypoints.sandbox.openai_conversations import Conversations
from entrypoints.sandbox.openai_responses import LIMITS, Responses, early_fault
from entrypoints.sandbox.openai_shapes import OpenAiError, json_response, known_error
from entrypoints.sandbox.openai_world import MODELS, OpenAiWorld

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {"openai-version": "2020-10-01", "openai-organization": "org-sandbox"}


class OpenAiApi:
    """The stand-in's routes on one world."""

    def __init__(self, world: OpenAiWorld) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        responses = Responses(self._world)
        conversations = Conversations(self._world)
        chat = ChatCompletions(self._world)
        one_response = "/responses/{response}"
        one_conversation = "/conversations/{conversation}"
        table: list[tuple[str, str, Handler]] = [
            ("POST", "/responses", responses.create),
            ("GET", one_response, responses.get),
            ("DELETE", one_response, responses.delete),
            ("POST", f"{one_response}/cancel", responses.cancel),
            ("GET", f"{one_response}/input_items", responses.input_items),
            ("POST", "/conversations", conversations.create),
            ("GET", one_conversation, conversations.get),
            ("POST", one_conversation, conversations.update),
            ("DELETE", one_conversation, conversations.delete),
            ("GET", f"{one_conversation}/items", conversations.items),
            ("POST", f"{one_conversation}/items", conversations.add_items),
            ("GET", f"{one_conversation}/items/{{item}}", conversations.item),
            ("DELETE", f"{one_conversation}/items/{{item}}", conversations.delete_item),
            ("POST", "/chat/completions", chat.create),
            ("GET", "/models", self._models),
            ("GET", "/models/{model}", self._model),
            ("*", "/{rest:.*}", _unknown_url),
        ]
        return [
            web.route(method, f"/openai/v1{path}", self._guarded(handler))
            for method, path, handler in table
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                self._check_key(request)
                return await handler(request)
            except OpenAiError as error:
                return error.response()

        return guarded

    def _check_key(self, request: web.Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise OpenAiError(
                401,
                "You didn't provide an API key. You need to provide your API key in an "
                "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            )
        if key.strip() in self._world.revoked_keys:
            raise known_error("unauthorized")

    async def _models(self, request: web.Request) -> web.StreamResponse:
        early = await early_fault(request, self._world.faults.take("openai", "models"))
        if early is not None:
            return early
        return json_response({"object": "list", "data": [_model(name) for name in MODELS]})

    async def _model(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["model"]
        self._world.check_model(name)
        return json_response(_model(name))


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """The on_response_prepare signal: the headers of every answer of the API."""
    if request.path.startswith("/openai/"):
        for name, value in (HEADERS | request.get(LIMITS, {})).items():
            response.headers.setdefault(name, value)
        response.headers["x-request-id"] = f"req_{secrets.token_hex(16)}"


async def _unknown_url(request: web.Request) -> web.StreamResponse:
    path = request.path.removeprefix("/openai")
    raise OpenAiError(404, f"Invalid URL ({request.method} {path})")


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 1_780_000_000, "owned_by": "sandbox"}
