"""Who listens to live events in this process: a page each, for as long as its session lives.

Triggered by GET /api/events (entrypoints/http/events.py). One subscription serves all of them, made
for the first and given up after the last. A listener who does not keep up, and all of them after a
gap in the subscription, hear "refresh". A user's sessions are looked at again when something was
done that may end them, and every one of them each 20 s.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import Context
from typing import Protocol
from weakref import WeakSet

import structlog

from application.jobs import Unavailable
from application.live import REFRESH, Changed, Owners, may_hear
from application.refusals import SessionsAway, Unauthenticated
from domain.access import Actor, sees_every_bot

log = structlog.get_logger("live")

CHECK_EVERY = 20.0
"""Seconds between two looks at the listeners' sessions."""
SUBSCRIBED_WITHIN = 5.0
"""Seconds that a first listener waits for the subscription."""
MOST_BYTES = 64 * 1024
"""Of what waits for one listener; beyond that it is one refresh."""

Encode = Callable[[int, Sequence[Changed]], bytes]
"""Events as a listener gets them; the number grows from one call to the next."""


class Feed(Protocol):
    """What all processes tell."""

    def follow(self) -> AsyncIterator[Sequence[Changed] | None]:
        """Events as they come; None: the subscription holds from now on. It ends never."""
        ...


class Listener:
    """One page. `check` says who it is by now, or raises Unauthenticated; `session` names it."""

    def __init__(self, actor: Actor, session: str, check: Callable[[], Awaitable[Actor]]) -> None:
        self.actor = actor
        self.session = session
        self.check = check
        self._waiting: list[bytes] = []
        self._size = 0
        self._over = False
        self._woken = asyncio.Event()

    async def next(self, within: float) -> bytes | None:
        """What has come; b"" after so many seconds of silence; None: it is over."""
        if not self._woken.is_set():
            try:
                async with asyncio.timeout(within):
                    await self._woken.wait()
            except TimeoutError:
                return b""
        if self._over:
            return None
        self._woken.clear()
        came, self._waiting, self._size = self._waiting, [], 0
        return b"".join(came)

    def hear(self, encoded: bytes, refresh: Callable[[], bytes]) -> None:
        """Add to what waits, or replace it by a refresh."""
        self._waiting.append(encoded)
        self._size += len(encoded)
        if self._size > MOST_BYTES:
            self._waiting = [refresh()]
            self._size = len(self._waiting[0])
        self._woken.set()

    def end(self) -> None:
        """Its session is over, or the process ends."""
        self._over = True
        self._woken.set()


class Listeners:
    """The use case. One instance per process."""

    def __init__(self, feed: Feed, owners: Owners, encode: Encode) -> None:
        self._feed = feed
        self._owners = owners
        self._encode = encode
        # Weak: a page that is gone before its stream began has nobody who says so.
        self._listeners: WeakSet[Listener] = WeakSet()
        self._bots: dict[int, str] = {}
        self._gone: dict[int, str] = {}
        self._number = 0
        self._subscribed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def count(self) -> int:
        """How many listen."""
        return len(self._listeners)

    async def join(self, listener: Listener) -> None:
        """Let it hear from now on. Raises SessionsAway where Valkey is away, Unavailable."""
        self._listeners.add(listener)
        try:
            if self._task is None:
                self._task = asyncio.create_task(self._run(), context=Context())  # nobody's
            try:
                async with asyncio.timeout(SUBSCRIBED_WITHIN):
                    await self._subscribed.wait()
            except TimeoutError:
                raise SessionsAway from None
            await self._learn([listener])
        except BaseException:
            self.leave(listener)
            raise
        if self._closed:
            listener.end()

    def leave(self, listener: Listener) -> None:
        """It hears nothing more; after the last one nothing is followed."""
        self._listeners.discard(listener)
        self._rest()

    def _rest(self) -> None:
        """Follow nothing where nobody listens."""
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None
            self._subscribed.clear()
            self._bots, self._gone = {}, {}

    def close(self) -> None:
        """The process ends: so does every listener's stream, and there are no new ones."""
        self._closed = True
        for listener in self._listeners:
            listener.end()

    def refresh(self) -> bytes:
        """What tells a listener to ask for everything again."""
        self._number += 1
        return self._encode(self._number, [REFRESH])

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow())
                tasks.create_task(self._watch())
        except Exception:
            log.exception("live.broke")
            if self._task is asyncio.current_task():  # whoever listens comes again
                self._task = None
                self._subscribed.clear()
                for listener in self._listeners:
                    listener.end()

    async def _follow(self) -> None:
        async for events in self._feed.follow():
            if events is not None:
                await self._deliver(events)
            elif self._subscribed.is_set():
                await self._deliver([REFRESH])
            else:
                self._subscribed.set()

    async def _deliver(self, events: Sequence[Changed]) -> None:
        if users := {event.id for event in events if event.type == "user"}:
            # First: who may not listen any more hears nothing of what comes with it.
            await self._look([each for each in self._listeners if each.actor.id in users])
        if any(event.type in ("bot", "refresh") for event in events):
            try:
                await self._learn(list(self._listeners))
            except Unavailable:
                events = [*events, REFRESH]
        self._number += 1
        encoded: dict[object, bytes] = {}
        for listener in self._listeners:
            actor = listener.actor
            audience = (actor.role, None if sees_every_bot(actor.role) else actor.id)
            if audience not in encoded:
                heard = [
                    event for event in events if may_hear(actor, event, (self._gone, self._bots))
                ]
                encoded[audience] = self._encode(self._number, heard) if heard else b""
            if encoded[audience]:
                listener.hear(encoded[audience], self.refresh)

    async def _learn(self, listeners: Sequence[Listener]) -> None:
        """Which bots these listeners own, where that narrows what they hear."""
        users = {each.actor.id for each in listeners if not sees_every_bot(each.actor.role)}
        if not users:
            return
        owned = await self._owners.bots_of(sorted(users))
        others = {bot_id: owner for bot_id, owner in self._bots.items() if owner not in users}
        # Of a bot that is gone its owner still has to hear: its event may come after this look.
        self._gone |= {
            id_: owner for id_, owner in self._bots.items() if id_ not in (others | owned)
        }
        self._bots = others | owned

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY)
            self._gone = {}
            self._rest()
            await self._look(list(self._listeners))

    async def _look(self, listeners: Sequence[Listener]) -> None:
        """Whether they are still who they were, session by session."""
        sessions: dict[str, list[Listener]] = {}
        for listener in listeners:
            sessions.setdefault(listener.session, []).append(listener)
        try:
            for of_session in sessions.values():
                await self._look_at(of_session)
        except (SessionsAway, Unavailable):
            return  # nobody has said that they are not any more

    async def _look_at(self, listeners: Sequence[Listener]) -> None:
        """Listeners of one session. Raises SessionsAway, Unavailable."""
        try:
            actor = await listeners[0].check()
            if actor != listeners[0].actor:
                for listener in listeners:
                    listener.actor = actor
                await self._learn(listeners)
        except Unauthenticated:
            for listener in listeners:
                listener.end()
