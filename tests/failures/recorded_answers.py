"""A server between the system and its stand-ins that plays answers of the real APIs.

A test gives a bot `telegram_url("name")` and `openai_url("name")`. Calls pass through to the
stand-ins, until `play("name", recorded(…))`: then the calls that the recording is of are answered
with it, byte for byte, as often as it is to be played. The files under recorded/ say in `source`
where their status, headers and body come from.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp
import msgspec
from aiohttp import web
from msgspec import Struct

RECORDED = Path(__file__).with_name("recorded")
_SILENCE = 60.0
_OF_THE_BODY = frozenset({"content-length", "transfer-encoding", "content-encoding", "connection"})


class Answer(Struct, forbid_unknown_fields=True):
    """One answer to a call: its body is `body` as JSON, `text` as it stands, or `events` as SSE.

    `call` is a method of the Bot API, or `responses`, `responses.get`, `conversations`,
    `chat.completions`. `transport` is what comes instead of an answer. `carried_out`: the call
    took effect all the same. `then` is what the next call is answered.
    """

    call: str
    source: str = ""
    status: int = 200
    headers: dict[str, str] = {}
    body: Any = None
    text: str | None = None
    events: list[Any] | None = None
    transport: Literal["reset", "silence"] | None = None
    carried_out: bool = False
    then: "Answer | None" = None

    @property
    def bytes(self) -> bytes:
        """The body as it goes over the wire."""
        if self.events is not None:
            return b"".join(_event(event) for event in self.events)
        return msgspec.json.encode(self.body) if self.text is None else self.text.encode()


def recorded(name: str) -> Answer:
    """The recording recorded/NAME.json. Raises msgspec.ValidationError for a field unknown."""
    return msgspec.json.decode((RECORDED / f"{name}.json").read_bytes(), type=Answer)


class RecordedAnswers:
    """See the module. `behind` is the stand-ins' address."""

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self._playing: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self._port = 0

    def telegram_url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._port}/{name}/telegram"

    def openai_url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._port}/{name}/openai/v1"

    def play(self, name: str, answer: Answer, times: int = 1) -> None:
        """Answer the next calls that the recording is of, so many times."""
        for _ in range(times):
            one: Answer | None = answer
            while one is not None:
                self._playing[name].append(one)
                one = one.then

    def played(self, name: str) -> bool:
        """Whether everything that was to be played has been."""
        return not self._playing[name]

    async def start(self) -> None:
        """Listen; again on the same port, after a `stop`."""
        app = web.Application()
        app.router.add_route("*", "/{name}/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def stop(self) -> None:
        """Be away: from now on connections are refused."""
        await self._runner.cleanup()
        await self._http.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        playing = self._playing[request.match_info["name"]]
        if not playing or playing[0].call != _call(request):
            return await self._pass(request)
        answer = playing.popleft()
        if answer.carried_out:
            async with self._forward(request) as told:
                await told.read()
        if answer.transport == "silence":
            await asyncio.sleep(_SILENCE)
        if answer.transport is not None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.bytes)

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        async with self._forward(request) as told:
            passed = web.StreamResponse(status=told.status, headers=_kept(told.headers.items()))
            await passed.prepare(request)
            async for chunk in told.content.iter_any():
                await passed.write(chunk)
            await passed.write_eof()
        return passed

    def _forward(self, request: web.Request) -> Any:
        url = f"{self._behind}/{request.match_info['path']}"
        return self._http.request(
            request.method,
            url,
            params=request.query,
            data=request.content if request.body_exists else None,
            headers=_kept(request.headers.items()) | {"Host": self._behind.removeprefix("http://")},
        )


def _call(request: web.Request) -> str:
    """Which call of which API this is, as `Answer.call` names it."""
    api, _, rest = request.match_info["path"].partition("/")
    if api == "telegram":
        return rest.rpartition("/")[2]
    parts = rest.removeprefix("v1/").split("/")
    if parts[0] == "chat":
        return "chat.completions"
    return parts[0] if len(parts) == 1 else f"{parts[0]}.{request.method.lower()}"


def _kept(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _OF_THE_BODY}


def _event(event: Any) -> bytes:
    """One server-sent event as OpenAI writes it."""
    if isinstance(event, str):
        return f"data: {event}\n\n".encode()
    line = f"event: {event['type']}\n".encode() if "type" in event else b""
    return line + b"data: " + msgspec.json.encode(event) + b"\n\n"


def files() -> Sequence[str]:
    """The names of all recordings."""
    found = RECORDED.rglob("*.json")
    return sorted(str(path.relative_to(RECORDED).with_suffix("")) for path in found)
