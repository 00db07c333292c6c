"""Delivers updates as Telegram does: to a webhook, or to who asks with getUpdates.

`TelegramWorld.push` puts an update into its bot's queue. With a webhook it is POSTed: updates of
one chat one after another, of different chats at the same time, at most max_connections at once;
what is not answered with 2xx is sent again after a growing delay (or the Retry-After told). Without
a webhook it waits for getUpdates. Either way it leaves the queue only when it was confirmed.
"""

import asyncio
import errno
import os
import ssl
import time
from collections import deque
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct, field

from entrypoints.sandbox.feed import Pulse
from entrypoints.sandbox.json_text import encode_json
from entrypoints.sandbox.telegram_world import Bot, TelegramWorld, Update, Webhook

DELIVERY_TIMEOUT = 60.0
LONGEST_RETRY = 60.0


class ConflictError(Exception):
    """getUpdates may not go on; the message is the description's end."""


class _Pump(Struct):
    """The updates on their way to one webhook; a new webhook gets a new pump."""

    webhook: Webhook
    lines: dict[int, deque[Update]] = field(default_factory=dict)
    ready: deque[int] = field(default_factory=deque)
    in_flight: int = 0
    failures: dict[int, int] = field(default_factory=dict)
    closed: bool = False


class _Poll(Struct):
    """One getUpdates that is being answered."""

    news: Pulse
    ended: str | None = None


class Delivery:
    """The way of updates to the bots. `first_retry` is in seconds and doubles."""

    def __init__(self, world: TelegramWorld, *, first_retry: float = 1.0) -> None:
        self._world = world
        self._first_retry = first_retry
        self._pumps: dict[int, _Pump] = {}
        self._polls: dict[int, _Poll] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        world.update_added = self._added

    def start(self) -> None:
        """Begins with what an earlier run has left in the queues."""
        for bot in self._world.kept.bots.values():
            self.webhook_changed(bot)

    async def close(self) -> None:
        for bot_id in list(self._polls):
            self._end_poll(bot_id, "terminated by other getUpdates request")
        for pump in self._pumps.values():
            pump.closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def webhook_changed(self, bot: Bot) -> None:
        """After setWebhook and deleteWebhook: the queue goes its new way."""
        old = self._pumps.pop(bot.id, None)
        if old is not None:
            old.closed = True
        if bot.webhook is None:
            return
        self._end_poll(bot.id, "terminated by setWebhook request")
        pump = self._pumps[bot.id] = _Pump(bot.webhook)
        for update in bot.pending.values():
            self._line_up(pump, update)
        self._serve(bot, pump)

    async def poll(self, bot: Bot, offset: int, limit: int, timeout: float) -> list[Update]:
        """getUpdates: confirms what lies before `offset`, waits up to `timeout` seconds.

        Raises ConflictError where a webhook is set or another getUpdates takes over.
        """
        if bot.webhook is not None:
            raise ConflictError(
                "can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first"
            )
        self._end_poll(
            bot.id,
            "terminated by other getUpdates request; "
            "make sure that only one bot instance is running",
        )
        if offset < 0:
            offset = next(iter(list(bot.pending)[offset:]), 0)
        while bot.pending and (oldest := next(iter(bot.pending))) < offset:
            del bot.pending[oldest]
        ends = time.monotonic() + timeout
        poll = self._polls[bot.id] = _Poll(Pulse())
        try:
            while not bot.pending and (left := ends - time.monotonic()) > 0:
                await poll.news.wait(left)
                if poll.ended is not None:
                    raise ConflictError(poll.ended)
        finally:
            if self._polls.get(bot.id) is poll:
                del self._polls[bot.id]
        return list(bot.pending.values())[:limit]

    def _end_poll(self, bot_id: int, why: str) -> None:
        poll = self._polls.pop(bot_id, None)
        if poll is not None:
            poll.ended = why
            poll.news.fire()

    def _added(self, bot: Bot, update: Update) -> None:
        pump = self._pumps.get(bot.id)
        if pump is not None:
            self._line_up(pump, update)
            self._serve(bot, pump)
        elif (poll := self._polls.get(bot.id)) is not None:
            poll.news.fire()

    def _line_up(self, pump: _Pump, update: Update) -> None:
        key = _chat_of(update)
        line = pump.lines.get(key)
        if line is None:
            pump.lines[key] = deque((update,))
            pump.ready.append(key)
        else:
            line.append(update)

    def _serve(self, bot: Bot, pump: _Pump) -> None:
        while pump.ready and not pump.closed and pump.in_flight < pump.webhook.max_connections:
            pump.in_flight += 1
            task = asyncio.create_task(self._deliver(bot, pump, pump.ready.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, bot: Bot, pump: _Pump, key: int) -> None:
        """Sends the first update of a chat's line; the line waits until it is through."""
        line = pump.lines[key]
        update = line[0]
        update_id: int = update["update_id"]
        try:
            error, wait = (
                await self._post(pump.webhook, update) if update_id in bot.pending else (None, 0.0)
            )
        finally:
            pump.in_flight -= 1
        if pump.closed:
            return
        if error is None:
            bot.pending.pop(update_id, None)
            pump.failures.pop(key, None)
            line.popleft()
            self._world.changed.fire()
            if line:
                pump.ready.append(key)
            else:
                del pump.lines[key]
        else:
            bot.last_error_date, bot.last_error_message = int(time.time()), error
            failures = pump.failures[key] = pump.failures.get(key, 0) + 1
            wait = wait or min(self._first_retry * 2 ** (failures - 1), LONGEST_RETRY)
            asyncio.get_running_loop().call_later(wait, self._again, bot, pump, key)
        self._serve(bot, pump)

    def _again(self, bot: Bot, pump: _Pump, key: int) -> None:
        if not pump.closed:
            pump.ready.append(key)
            self._serve(bot, pump)

    async def _post(self, webhook: Webhook, update: Update) -> tuple[str | None, float]:
        """Why Telegram would call the delivery failed (None: it was taken), and Retry-After."""
        headers = {"Content-Type": "application/json"}
        if webhook.secret_token:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret_token
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=DELIVERY_TIMEOUT),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        try:
            async with self._session.post(
                webhook.url, data=encode_json(update), headers=headers, allow_redirects=False
            ) as response:
                await response.read()
                if 200 <= response.status < 300:
                    return None, 0.0
                why = f"Wrong response from the webhook: {response.status} {response.reason}"
                return why, _seconds(response.headers.get("Retry-After"))
        except TimeoutError:
            return "Read timeout expired", 0.0
        except aiohttp.ClientConnectorCertificateError as error:
            return f"SSL error {{{error}}}", 0.0
        except aiohttp.ClientConnectorError as error:
            return os.strerror(error.os_error.errno or errno.ECONNREFUSED), 0.0
        except (aiohttp.ClientError, ssl.SSLError, OSError):
            return "Connection reset by peer", 0.0


def _chat_of(update: Update) -> int:
    """The line of an update: its chat's id, or its sender's."""
    for content in update.values():
        if isinstance(content, dict):
            nested: Any = content.get("chat") or content.get("message", {}).get("chat")
            chat = nested or content.get("from") or content.get("user")
            if chat:
                return int(chat["id"])
    return 0


def _seconds(retry_after: str | None) -> float:
    try:
        return msgspec.convert(retry_after or "0", float, strict=False)
    except msgspec.ValidationError:
        return 0.0
