"""Telegram's side of a flood: updates posted over keep-alive connections, each post timed.

Called by the measurements with the updates in their order; what comes out is when each post began
and when it was acknowledged. A client of bytes, for the flood shares the machine with what it
measures.
"""

import asyncio
import itertools
import time
from collections.abc import Iterable, Iterator
from typing import cast
from urllib.parse import urlsplit

import httptools
import msgspec
from msgspec import Struct

from tests.bench.stand_in_report import Hook

CONNECTIONS = 100
"""As many as a bot's webhook allows Telegram (Bot API 10.3, setWebhook, max_connections)."""
PATIENCE = 120.0


class Update(Struct):
    """An update of the bench: `number` is its text, by which its answer is known."""

    chat_id: int
    number: str
    body: bytes


class Post(Struct):
    """One update's post: begun, and acknowledged with this status (seconds, CLOCK_MONOTONIC)."""

    number: str
    began: float
    ended: float = 0.0
    status: int = 0


class Updates:
    """Makes a bot's updates; chats, updates and texts are new each time."""

    def __init__(self) -> None:
        self._ids = itertools.count(100_000_001)
        self._chats = itertools.count(10_000_001)

    def chats(self, count: int) -> list[int]:
        """Chats that nobody has heard of."""
        return list(itertools.islice(self._chats, count))

    def messages(self, chats: list[int], each: int) -> list[Update]:
        """So many messages of each chat; all chats write their first, then all their second."""
        return [self._message(chat_id) for _ in range(each) for chat_id in chats]

    def _message(self, chat_id: int) -> Update:
        update_id = next(self._ids)
        person = {"id": chat_id, "is_bot": False, "first_name": "Person", "language_code": "en"}
        message = {
            "message_id": update_id,
            "date": 1_800_000_000,
            "chat": {"id": chat_id, "type": "private", "first_name": "Person"},
            "from": person,
            "text": str(update_id),
        }
        body = msgspec.json.encode({"update_id": update_id, "message": message})
        return Update(chat_id, str(update_id), body)


async def flood(
    hook: Hook, updates: Iterable[Update], connections: int = CONNECTIONS
) -> list[Post]:
    """Post the updates as fast as they are acknowledged. In the order in which they were begun."""
    url = urlsplit(hook.url)
    loop = asyncio.get_running_loop()
    head = (
        f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {hook.secret_token}\r\nContent-Length: "
    ).encode()
    waiting = iter(updates)
    posts: list[Post] = []
    clients = []
    for _ in range(connections):
        _, client = await loop.create_connection(
            lambda: _Client(head, waiting, posts), url.hostname or "", url.port or 80
        )
        clients.append(client)
    for client in clients:
        client.go_on()
    try:
        await asyncio.wait_for(asyncio.gather(*(client.over for client in clients)), PATIENCE)
    finally:
        for client in clients:
            client.close()
    return posts


class _Client(asyncio.Protocol):
    """One connection: posts the next update when the last one was acknowledged."""

    def __init__(self, head: bytes, waiting: Iterator[Update], posts: list[Post]) -> None:
        self._head = head
        self._waiting = waiting
        self._posts = posts
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._parser = httptools.HttpResponseParser(self)

    def go_on(self) -> None:
        """Post the next update, if one waits."""
        update = next(self._waiting, None)
        if update is None:
            self.over.set_result(None)
            return
        self._post = Post(update.number, time.monotonic())
        self._posts.append(self._post)
        self._transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(update.body), update.body))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._post.ended = time.monotonic()
        self._post.status = self._parser.get_status_code()
        self.go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(exc or ConnectionResetError("the webhook hung up"))

    def close(self) -> None:
        self._transport.close()
