"""Durable intake: an update is in the inbox, with its job, before anybody is told "received".

Triggered by POST /webhook/{botId} and by the poller. Concurrent updates share one commit.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace
from structlog.contextvars import bind_contextvars

from application.alert_link import AlertLinks, Speaker
from application.backlog import Backlog, BacklogFull
from application.batcher import Batcher
from application.meter import Counted, Loop, Meter, Stage
from domain.alert_link import spoken_code
from domain.telegram import Unreadable, answerable, chat_key, decode_update


class InboxState(StrEnum):
    """WAITING for its turn, TAKEN by it, IGNORED (nothing to answer), UNREADABLE (kept so)."""

    WAITING = "WAITING"
    TAKEN = "TAKEN"
    IGNORED = "IGNORED"
    UNREADABLE = "UNREADABLE"


class Receipt(StrEnum):
    """What became of an update; UNKNOWN_BOT: there is no such bot, and nothing was kept."""

    KEPT = "KEPT"
    DUPLICATE = "DUPLICATE"
    UNKNOWN_BOT = "UNKNOWN_BOT"


class Incoming(Struct, frozen=True):
    """An update as it is kept: its raw JSON, and the chat whose line it joins, if any.

    `link_code`: it may show the alerts their chat (domain/alert_link.py).
    """

    bot_id: int
    update_id: int
    payload: str
    chat: str | None
    state: InboxState
    link_code: str | None = None


class Inbox(Protocol):
    """Where updates are kept."""

    async def insert(self, updates: Sequence[Incoming]) -> Sequence[Receipt]:
        """Keep the updates and publish their jobs, in one transaction. Raises Unavailable."""
        ...


class Intake:
    """The use case. One instance per process."""

    def __init__(
        self, inbox: Inbox, backlog: Backlog, meter: Meter, links: AlertLinks | None = None
    ) -> None:
        self._inbox = inbox
        self._links = links
        self._batcher: Batcher[Sequence[Incoming], Sequence[Receipt]] = Batcher(self._insert)
        self._backlog = backlog
        self._meter = meter

    async def receive(self, bot_id: int, body: bytes) -> Receipt:
        """Keep an update. Raises domain.telegram.NotAnUpdate, BacklogFull, Unavailable."""
        update = incoming_update(bot_id, body)
        bind_contextvars(bot=bot_id, chat=update.chat, update=update.update_id)
        (receipt,) = await self.keep([update])
        return receipt

    async def keep(self, updates: Sequence[Incoming]) -> Sequence[Receipt]:
        """Keep a bot's updates that are understood already, all of them in one transaction: those
        of a chat would else stand in the inbox in another order. Raises BacklogFull, Unavailable.
        """
        asked = [update for update in updates if update.link_code is not None]
        aside = [update for update in asked if await self._opens(update)]
        if aside:
            updates = [_set_aside(update) if update in aside else update for update in updates]
        size = sum(len(update.payload) for update in updates)
        try:
            self._backlog.admit(updates[0].bot_id, len(updates), size)
        except BacklogFull:
            self._meter.add(Counted.UPDATES_TURNED_AWAY, len(updates))
            raise
        try:
            with self._meter.timing(Stage.INTAKE):
                receipts = await self._batcher.put(updates)
        finally:
            self._backlog.kept(size)
        for update, receipt in zip(updates, receipts, strict=True):
            self._count(update, receipt)
            if aside and receipt is Receipt.KEPT and update.state is InboxState.IGNORED:
                self._link(update)
        return receipts

    async def _opens(self, update: Incoming) -> bool:
        """Whether its code is open: then it is no message, and nobody but the alerts hears it."""
        code = update.link_code
        return (
            self._links is not None
            and code is not None
            and await self._links.opens(update.bot_id, code)
        )

    def _link(self, update: Incoming) -> None:
        if self._links is not None and update.link_code is not None:
            self._links.accept_soon(update.bot_id, update.link_code, speaker(update))

    async def _insert(self, batch: Sequence[Sequence[Incoming]]) -> Sequence[Sequence[Receipt]]:
        together = [update for updates in batch for update in updates]
        with self._meter.committing(Loop.INTAKE, len(together)):
            receipts = iter(await self._inbox.insert(together))
        return [[next(receipts) for _ in updates] for updates in batch]

    def _count(self, incoming: Incoming, receipt: Receipt) -> None:
        match receipt:
            case Receipt.KEPT:
                self._meter.add(Counted.UPDATES_KEPT)
                if incoming.state is InboxState.UNREADABLE:
                    self._meter.add(Counted.UPDATES_UNREADABLE)
            case Receipt.DUPLICATE:
                self._meter.add(Counted.UPDATES_DUPLICATE)
            case Receipt.UNKNOWN_BOT:
                pass


def incoming_update(bot_id: int, body: bytes) -> Incoming:
    """Understand an update as far as the inbox needs. Raises NotAnUpdate."""
    payload = body.decode("utf-8", "replace")
    try:
        update = decode_update(body)
    except Unreadable as unreadable:
        return Incoming(bot_id, unreadable.update_id, payload, None, InboxState.UNREADABLE)
    message = answerable(update)
    if message is None:
        return Incoming(bot_id, update.update_id, payload, None, InboxState.IGNORED)
    chat = chat_key(bot_id, message)
    code = spoken_code(message.text)
    return Incoming(bot_id, update.update_id, payload, chat, InboxState.WAITING, code)


def speaker(update: Incoming) -> Speaker:
    """Who wrote an update that came with a code, and where."""
    message = decode_update(update.payload).message
    if message is None:
        raise ValueError(f"update {update.update_id} has no message")
    person = message.from_user
    return Speaker(message.chat.id, person.id if person is not None else None)


def _set_aside(update: Incoming) -> Incoming:
    """Kept, with no turn."""
    return replace(update, chat=None, state=InboxState.IGNORED)
