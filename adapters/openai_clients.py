"""The way to model servers: an openai.AsyncOpenAI for each (base_url, key), one pool for all.

Triggered by both model adapters, once for every request. What comes out is the SDK's raw response,
status 2xx, its body read or still to be streamed.

The SDK builds the request, its aiohttp transport carries it, and we decode the bytes with msgspec:
measured on two cores, a call with six events costs 0.49 ms of CPU this way, 0.92 through
`with_streaming_response`, 2.6 through `responses.create`, and 0.84 on the SDK's default transport,
where each streamed event costs three times as much as well.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import Literal, cast

import aiohttp
import httpx2
from msgspec import json
from openai import (
    APIConnectionError,
    APIStatusError,
    AsyncOpenAI,
    AsyncStream,
    DefaultAioHttpClient,
)

from adapters.model_circuits import ModelCircuits
from adapters.openai_failures import unreachable
from adapters.openai_rate_limits import rate_limits
from application.meter import Answer, Meter, Stage, answer_of
from application.model import OPENAI_URL, ModelAccess
from application.ports import Failed
from domain.failures import Fatal, Retryable

MAX_CONNECTIONS = 4096
MAX_CLIENTS = 512
CONNECT_SECONDS = 10.0
# A connection that the server closed leaves the pool by itself; this spares a TLS handshake to a
# chat whose messages come seconds apart.
KEEP_ALIVE_SECONDS = 60.0


class OpenAIClients:
    """Clients by (base_url, key), at most 512: the least recently used is forgotten.

    A client holds no connections of its own, so forgetting one closes nothing. `timeout` is in
    seconds and per read; the deadline around a whole call is the adapters'.
    """

    def __init__(
        self,
        timeout: float,
        circuits: ModelCircuits,
        meter: Meter,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._circuits = circuits
        self._meter = meter
        self._clients: OrderedDict[tuple[str, str], AsyncOpenAI] = OrderedDict()
        self._http = DefaultAioHttpClient(
            limits=httpx2.Limits(
                max_connections=max_connections,
                max_keepalive_connections=max_connections,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
            ),
            timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS),
        )

    def client(self, access: ModelAccess) -> AsyncOpenAI:
        """The client for a bot's server and key. Raises Failed(Fatal) where they cannot be."""
        key = (_server(access), access.api_key)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = self._connect(*key)
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)
        else:
            self._clients.move_to_end(key)
        return client

    @asynccontextmanager
    async def deadline(self, access: ModelAccess, seconds: float) -> AsyncIterator[None]:
        """Raise Failed(Retryable) where the block takes longer; a run may go on on the server."""
        try:
            async with asyncio.timeout(seconds) as limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            reason = f"OpenAI: no answer in {seconds:g} s"
            self._meter.model(_server(access), Answer.NONE)
            self._circuits.failed(_server(access), reason)
            raise Failed(Retryable(reason)) from error

    async def send(
        self,
        access: ModelAccess,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        body: object = None,
        *,
        stream: bool = False,
        asks: bool = False,
    ) -> httpx2.Response:
        """One request; with `stream` the body is unread, and the caller must `aclose()`.

        `asks`: it is the request for an answer, and how soon that begins is timed.

        Raises openai.APIStatusError for an answer of 3xx, 4xx or 5xx, Failed(Retryable) where no
        answer came, or where the server is down and its circuit open.
        """
        client = self.client(access)
        server = _server(access)
        self._circuits.admit(server)
        try:
            with self._meter.timing(Stage.MODEL_FIRST_BYTE) if asks else nullcontext():
                match method:
                    case "POST":
                        answer = await client.post(
                            path,
                            content=json.encode(body),
                            cast_to=httpx2.Response,
                            stream=stream,
                            stream_cls=AsyncStream[object],
                        )
                    case "GET":
                        answer = await client.get(
                            path,
                            cast_to=httpx2.Response,
                            stream=stream,
                            stream_cls=AsyncStream[object],
                        )
                    case "DELETE":
                        answer = await client.delete(path, cast_to=httpx2.Response)
        except APIStatusError as error:
            self._heard(access, answer_of(error.status_code), error.response)
            if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                self._circuits.answered(server)
            else:
                self._circuits.failed(server, f"HTTP {error.status_code}")
            raise
        except (APIConnectionError, aiohttp.ClientError) as error:
            # The SDK's aiohttp transport lets a few of aiohttp's own errors through.
            self._meter.model(server, Answer.NONE)
            failure = unreachable(error)
            self._circuits.failed(server, failure.reason)
            raise Failed(failure) from error
        self._circuits.answered(server)
        # The SDK types a streamed answer by stream_cls; for this cast_to it returns the response.
        response = cast("httpx2.Response", answer)
        self._heard(access, Answer.OK, response)
        return response

    def _heard(self, access: ModelAccess, answer: Answer, response: httpx2.Response) -> None:
        server = _server(access)
        self._meter.model(server, answer)
        for limit in rate_limits(response.headers.raw):
            self._meter.model_limit(server, access.model, limit)

    async def close(self) -> None:
        """Close the pool with its open connections."""
        await self._http.aclose()

    def _connect(self, base_url: str, api_key: str) -> AsyncOpenAI:
        # A key with such characters cannot be put into a header at all.
        if not (api_key.isascii() and api_key.isprintable()):
            raise Failed(Fatal("the model's API key holds characters that no key can hold"))
        if not _is_http(base_url):
            raise Failed(Fatal("the model's base URL is not one of http:// or https://"))
        client = AsyncOpenAI(
            # A local server may need no key, the SDK does.
            api_key=api_key or "none",
            base_url=base_url,
            max_retries=0,
            http_client=self._http,
        )
        # The SDK fills these from OPENAI_* variables. They belong to the owner of the environment
        # and must not reach the server of a bot that brings its own base URL.
        client.organization = client.project = client.admin_api_key = None
        client._custom_headers = {}
        return client


def _server(access: ModelAccess) -> str:
    return access.base_url or OPENAI_URL


def _is_http(url: str) -> bool:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        return False
    return parsed.scheme in ("http", "https") and bool(parsed.host)
