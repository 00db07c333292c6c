"""Live events through one Valkey channel (application.live.Live, application.listeners.Feed).

`ValkeyLive` tells: what was changed while a PUBLISH is on its way, or within 50 ms of the last one,
goes with the next one, so the loop pays next to nothing for it. Nothing is kept for who does not
listen: whatever may have been lost is followed by a refresh.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextvars import Context

import msgspec
import structlog
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from application.live import REFRESH, Changed

CHANNEL = "kotodom:live"
APART = 0.05
"""Seconds between two PUBLISH of a process."""
MOST = 500
"""Events of one PUBLISH; more of them are a refresh."""
AWAY_FOR = 2.0
"""Seconds until Valkey is tried again once it was away."""
AGAIN_AFTER = 0.5
"""Seconds until a subscription that was lost is tried again."""
QUIET = 10.0
"""Seconds without an event after which the subscription is pinged."""
PONG_WITHIN = 2.0

_LAST_EVENTS = 0.5
"""Seconds for what is still to be told when a process ends."""
_DECODER = msgspec.json.Decoder(list[Changed])

log = structlog.get_logger("live")


class ValkeyLive:
    """Tells every process."""

    def __init__(self, client: Valkey) -> None:
        self._client = client
        self._pending: dict[Changed, None] = {}
        self._task: asyncio.Task[None] | None = None

    def tell(self, events: Sequence[Changed]) -> None:
        """Return at once."""
        if not events:
            return
        self._add(events)
        if self._task is None:
            self._task = asyncio.create_task(self._publish(), context=Context())  # nobody's

    def _add(self, events: Sequence[Changed]) -> None:
        self._pending.update(dict.fromkeys(events))
        if REFRESH in self._pending or len(self._pending) > MOST:
            # A refresh stands for all that listeners hear, and they do not hear of users.
            users = [event for event in self._pending if event.type == "user"]
            self._pending = dict.fromkeys([*users[:MOST], REFRESH])

    async def close(self) -> None:
        """Tell what is still to be told, for half a second at most."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        if self._pending:
            try:
                async with asyncio.timeout(_LAST_EVENTS):
                    await self._send()
            except (ValkeyError, OSError, TimeoutError) as error:
                log.info("live.not_told", error=str(error) or repr(error))

    async def _publish(self) -> None:
        try:
            while self._pending:
                told = list(self._pending)
                try:
                    await self._send()
                    await asyncio.sleep(APART)
                except (ValkeyError, OSError, TimeoutError) as error:
                    log.info("live.not_told", error=str(error) or repr(error))
                    self._add([*told, REFRESH])
                    await asyncio.sleep(AWAY_FOR)
        finally:
            self._task = None

    async def _send(self) -> None:
        events, self._pending = list(self._pending), {}
        await self._client.publish(CHANNEL, msgspec.json.encode(events))


class ValkeyFeed:
    """What all processes tell, over a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def follow(self) -> AsyncIterator[Sequence[Changed] | None]:
        """Events as they come; None: the subscription holds from now on. It ends never."""
        held = True
        while True:
            client: Valkey = Valkey.from_url(
                self._url, socket_connect_timeout=PONG_WITHIN, single_connection_client=False
            )
            try:
                async for events in _subscribed(client):
                    held = True
                    yield events
            except (ValkeyError, OSError, TimeoutError) as error:
                if held:  # said once for each loss
                    log.warning("live.subscription_lost", error=str(error) or repr(error))
                held = False
            finally:
                await client.aclose()
            await asyncio.sleep(AGAIN_AFTER)


async def _subscribed(client: Valkey) -> AsyncIterator[Sequence[Changed] | None]:
    """One subscription, until it is lost. Raises ValkeyError, OSError, TimeoutError."""
    pubsub = client.pubsub()
    try:
        async with asyncio.timeout(PONG_WITHIN):
            await pubsub.subscribe(CHANNEL)
        silent = False
        while True:
            message = await pubsub.get_message(timeout=PONG_WITHIN if silent else QUIET)
            if message is None:
                if silent:
                    raise TimeoutError("Valkey does not answer")
                silent = True
                await pubsub.ping()
                continue
            silent = False
            match message["type"]:
                case "subscribe":  # the client's own reconnecting subscribes again, too
                    yield None
                case "message":
                    yield _decoded(message["data"])
    finally:
        await pubsub.aclose()  # type: ignore[no-untyped-call]


def _decoded(data: bytes) -> Sequence[Changed]:
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError:  # told by another version of ours
        return [REFRESH]
