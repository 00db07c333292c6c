"""Telegram and a model for the bench: as lean as they can be, in a process of their own.

`python -m tests.bench.stand_ins` prints its port and serves until SIGTERM. Bot API below
/bot{token}/, OpenAI below /v1/, and the bench itself below /control/: how the model behaves, what
has been counted. The sandbox's stand-ins check every request against the documents and would be
the limit here; these check nothing. Times are CLOCK_MONOTONIC's, which all processes share.
"""

import asyncio
import itertools
import time
from collections.abc import Coroutine
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl

import httptools
import msgspec
import uvloop
from msgspec import Struct

from tests.bench.stand_in_model import Model
from tests.bench.stand_in_report import Behaviour, Hook, Sent

_HEAD = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


class _Message(Struct):
    chat_id: int
    text: str


_message = msgspec.json.Decoder(_Message)
_hook = msgspec.json.Decoder(Hook)
_behaviour = msgspec.json.Decoder(Behaviour)

T = TypeVar("T")


def _parameters(body: bytes, decoder: msgspec.json.Decoder[T], kind: type[T]) -> T:
    """A method's parameters: we send JSON, aiogram a form (Bot API, "Making requests")."""
    if body.startswith(b"{"):
        return decoder.decode(body)
    return msgspec.convert(dict(parse_qsl(body.decode())), kind, strict=False)


class StandIns:
    """The state of both, and the answer to every request."""

    def __init__(self) -> None:
        self._model = Model()
        self._ids = itertools.count(1)
        self._hooks: dict[str, Hook] = {}

    def answer(self, connection: "Connection", method: bytes, path: str, body: bytes) -> None:
        """Answer a request now, or let the model think about it."""
        first, _, rest = path[1:].partition("/")
        if first.startswith("bot"):
            connection.json(self._telegram(first[3:], rest, body))
        elif rest == "responses":
            self._model.ask(connection, body)
        elif rest.startswith("responses/"):
            self._model.tell(connection, rest.split("/")[1].partition("?")[0])
        elif first == "control":
            connection.json(self._control(rest, body))
        elif method == b"DELETE":
            connection.json(b'{"id":"conv","object":"conversation.deleted","deleted":true}')
        else:
            self._model.conversation(connection)

    def _telegram(self, token: str, method: str, body: bytes) -> bytes:
        self._model.report.count(method)
        match method:
            case "sendMessage":
                message = _parameters(body, _message, _Message)
                number = message.text.partition(":")[0]
                self._model.report.sent.append(Sent(message.chat_id, number, time.monotonic()))
                return (
                    b'{"ok":true,"result":{"message_id":%d,"date":1800000000,"chat":{"id":%d,'
                    b'"type":"private","first_name":"P"},"from":{"id":1,"is_bot":true,'
                    b'"first_name":"Bot","username":"bench_bot"},"text":%b}}'
                    % (next(self._ids), message.chat_id, msgspec.json.encode(message.text))
                )
            case "getMe":
                return (
                    b'{"ok":true,"result":{"id":%b,"is_bot":true,"first_name":"Bot",'
                    b'"username":"bench_bot"}}' % token.partition(":")[0].encode()
                )
            case "setWebhook":
                self._hooks[token] = _parameters(body, _hook, Hook)
            case "getWebhookInfo":
                url = self._hooks[token].url if token in self._hooks else ""
                info = {"url": url, "has_custom_certificate": False, "pending_update_count": 0}
                return msgspec.json.encode({"ok": True, "result": info})
        return b'{"ok":true,"result":true}'

    def _control(self, what: str, body: bytes) -> bytes:
        match what:
            case "behave":
                self._model.behave(_behaviour.decode(body))
                return b"{}"
            case "count":
                return b"%d" % len(self._model.report.sent)
            case "hooks":
                return msgspec.json.encode(self._hooks)
            case _:
                return msgspec.json.encode(self._model.report)


class Connection(asyncio.Protocol):
    """One connection: reads requests, one after the other, and hands them on."""

    def __init__(self, stand_ins: StandIns) -> None:
        self._stand_ins = stand_ins
        self._url = bytearray()
        self._body = bytearray()
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        for task in self._tasks:
            task.cancel()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        path, body = self._url.decode(), bytes(self._body)
        self._url.clear()
        self._body.clear()
        self._stand_ins.answer(self, self._parser.get_method(), path, body)

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def json(self, body: bytes, status: bytes = b"200 OK") -> None:
        """Answer with a body of JSON."""
        self.write(_HEAD % (status, len(body), body))

    def busy(self, thinking: Coroutine[Any, Any, None]) -> None:
        """Let the model think; it stops where the client goes away."""
        task = asyncio.get_running_loop().create_task(thinking)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    stand_ins = StandIns()
    server = await loop.create_server(lambda: Connection(stand_ins), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
