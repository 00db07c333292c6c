"""application.conversations.ConversationStore in memory: chats, lines, turns and the job queue.

It keeps to what the port promises, the owner's life and the fencing of picks included, and can be
told to lose the database around a commit. Its queue is pgqueuer's as far as turns see it: a job is
queued (delayed or not), picked under a pick, or held after a failure; a pick whose worker is gone
lapses, and the job can be picked again.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from application.conversations import Change, Entry, EntryKind, JournalRow, Loaded
from application.jobs import Job, Pick, Unavailable
from application.ports import Clock
from domain.conversation import handle
from domain.effects import HANDLE_UPDATE, Effect, Part
from domain.endings import DISABLED_AFTER
from domain.events import BotProfile, JobDeleted
from domain.step import Envelope
from domain.turn import Conversation, Turn

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Row(Struct):
    """A job in the queue."""

    id: int
    chat: str
    due: datetime
    status: Literal["queued", "picked", "failed"] = "queued"
    manager: str = ""
    updated: datetime = START
    lapsed: bool = False

    @property
    def pick(self) -> Pick:
        return Pick(self.id, self.manager, self.updated)

    @property
    def lives(self) -> bool:
        return self.status != "failed"


class Waiting(Struct):
    """An entry of a chat's line."""

    chat: str
    entry: Entry
    processing_id: int | None = None
    taken: bool = False


class MemoryConversations:
    """The store, its clock, and the hands that reach into it."""

    def __init__(self, *bots: BotProfile) -> None:
        self.at = START
        self.bots = {bot.id: bot for bot in bots}
        self.chats: dict[str, Conversation] = {}
        self.owners: dict[str, int | None] = {}
        self.turns: dict[int, tuple[str, Turn]] = {}
        self.line: list[Waiting] = []
        self.queue: dict[int, Row] = {}
        self.detached: list[Effect] = []
        self.journal: list[JournalRow] = []
        self.begun: list[tuple[str, Turn]] = []
        self.commits = 0
        self.refuses: set[str] = set()
        """Chats whose rows a statement cannot write."""
        self.away: Literal["", "before", "after"] = ""
        """Where the next commit loses the database: before it took place, or after."""
        self._ids = 0

    # --- the port --------------------------------------------------------------------------------

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["_Transaction"]:
        current = _Transaction(self)
        yield current
        away, self.away = self.away, ""
        if away == "before":
            raise Unavailable("it was not committed")
        for change in current.changes:
            self._save(change)
        self.commits += 1
        if away == "after":
            raise Unavailable("it was committed, and nobody knows")

    def there(self, chat: str) -> bool:
        """Whether the chat is known, or begins with what waits."""
        return chat in self.chats or any(one.chat == chat and not one.taken for one in self.line)

    def load(self, chat: str, pick: Pick) -> Loaded | None:
        bot = self.bots.get(int(chat.split(":")[0]))
        if bot is None:
            return None
        known = self.chats.get(chat)
        if known is None:
            known = self.chats[chat] = Conversation(chat, int(chat.split(":")[1]))
            self.owners[chat] = None
        owner = self.queue.get(self.owners[chat] or 0)
        held = self.queue.get(pick.job_id)
        return Loaded(
            conversation=replace(known, turn=self.unfinished(chat)),
            profile=bot,
            owner_job_id=self.owners[chat],
            owner_lives=owner is not None and owner.lives,
            pick_held=held is not None and held.status == "picked" and held.pick == pick,
            update=self._update(chat),
            request=self._request(chat),
            new_id=self._new_id(),
        )

    def _update(self, chat: str) -> Entry | None:
        waiting = [one.entry for one in self.line if one.chat == chat and not one.taken]
        updates = [entry for entry in waiting if entry.kind == "UPDATE"]
        return min(updates, key=lambda entry: entry.id, default=None)

    def _request(self, chat: str) -> Entry | None:
        waiting = [one for one in self.line if one.chat == chat and not one.taken]
        others = [one for one in waiting if one.entry.kind != "UPDATE"]
        head = min(others, key=lambda one: one.entry.id, default=None)
        if head is None:
            return None
        _, again = self.turns.get(head.processing_id or 0, (chat, None))
        return replace(head.entry, turn=again)

    def _save(self, change: Change) -> None:
        retry = self._publish(change.retry) if change.retry is not None else None
        for job in change.jobs:
            self._publish(job)
        if change.chat in self.chats:
            self.chats[change.chat] = replace(change.conversation, turn=None)
            if change.owner != "keep":
                owners = {"take": change.pick.job_id, "release": None, "retry": retry}
                self.owners[change.chat] = owners[change.owner]
        for turn in change.touched:
            self.turns[turn.token.id] = (change.chat, turn)
        assert len(self._all_unfinished(change.chat)) <= 1, "two turns of a chat at once"
        if change.begun is not None:
            self.begun.append((change.chat, change.begun))
        if change.taken is not None:
            self._taken(change.chat, change.taken)
        self.journal += change.journal
        held = self.queue.get(change.pick.job_id)
        if change.acknowledge and held and held.status == "picked" and held.pick == change.pick:
            del self.queue[change.pick.job_id]

    def _taken(self, chat: str, entry: Entry) -> None:
        (found,) = (
            one
            for one in self.line
            if (one.chat, one.entry.kind, one.entry.id) == (chat, entry.kind, entry.id)
        )
        assert not found.taken, "an entry of the line is taken twice"
        found.taken = True

    def _publish(self, job: Job) -> int:
        if job.name != HANDLE_UPDATE:
            self.detached.append(msgspec.json.decode(job.payload, type=Effect))  # type: ignore[arg-type]
            return 0
        return self.publish(job.payload.decode(), job.delay)

    # --- the hands -------------------------------------------------------------------------------

    def update(self, chat: str, update_id: int, payload: str) -> int:
        """Intake: the update and its job; the job's id."""
        entry = Entry("UPDATE", update_id, payload, self.at)
        self.line.append(Waiting(chat, entry))
        return self.publish(chat)

    def request(self, chat: str, kind: EntryKind, *parts: Part, of: int | None = None) -> int:
        """A wish from the web, with its job; the job's id."""
        payload = msgspec.json.encode(parts).decode()
        self.line.append(Waiting(chat, Entry(kind, self._new_id(), payload, self.at), of))
        return self.publish(chat)

    def publish(self, chat: str, delay: float = 0.0) -> int:
        row = Row(self._new_id(), chat, self.at + timedelta(seconds=delay))
        self.queue[row.id] = row
        return row.id

    def ready(self) -> list[Row]:
        """The jobs that a worker may pick."""
        return [
            row
            for row in self.queue.values()
            if (row.status == "queued" and row.due <= self.at) or row.lapsed
        ]

    def pick(self, job_id: int, manager: str = "one") -> Pick:
        row = self.queue[job_id]
        row.status, row.manager, row.lapsed = "picked", manager, False
        row.updated = START + timedelta(microseconds=self._new_id())
        return row.pick

    def holds(self, pick: Pick) -> bool:
        """What a heartbeat hears: whether the job is still held under this pick."""
        row = self.queue.get(pick.job_id)
        return row is not None and row.pick == pick and not row.lapsed

    def delete_job(self, job_id: int) -> None:
        """A person deletes a job, under its chat's lock."""
        row = self.queue.pop(job_id)
        if self.owners.get(row.chat) != job_id:
            return
        chat = replace(self.chats[row.chat], turn=self.unfinished(row.chat))
        if chat.turn is not None:
            step = handle(chat, Envelope("deleted", self.at, JobDeleted(chat.turn.token)))
            chat = step.state
            assert chat.turn is not None
            self.turns[chat.turn.token.id] = (row.chat, chat.turn)
        self.chats[row.chat] = replace(chat, turn=None, epoch=chat.epoch + 1)
        self.owners[row.chat] = None
        if self._update(row.chat) or self._request(row.chat):
            self.publish(row.chat)

    def sweep(self) -> int:
        """Publish a job for each chat that nobody serves though it may be; how many there are."""
        found = 0
        for chat in {one.chat for one in self.line} | set(self.chats):
            owner = self.queue.get(self.owners.get(chat) or 0)
            served = owner is not None and owner.lives
            coming = any(row.chat == chat and row.lives for row in self.queue.values())
            if (self.unfinished(chat) or self.servable(chat)) and not served and not coming:
                self.publish(chat)
                found += 1
        return found

    def servable(self, chat: str) -> bool:
        enabled = self.bots[int(chat.split(":")[0])].enabled
        waiting = [one.entry for one in self.line if one.chat == chat and not one.taken]
        return any(enabled or self.at - one.received_at >= DISABLED_AFTER for one in waiting)

    def unfinished(self, chat: str) -> Turn | None:
        return next(iter(self._all_unfinished(chat)), None)

    def _all_unfinished(self, chat: str) -> list[Turn]:
        return [turn for of, turn in self.turns.values() if of == chat and not turn.over]

    def _new_id(self) -> int:
        self._ids += 1
        return self._ids


class MemoryClock(Clock):
    """The store's own time, and no chance."""

    def __init__(self, store: MemoryConversations) -> None:
        self._store = store

    def now(self) -> datetime:
        return self._store.at

    def jitter(self) -> float:
        return 0.5


class _Transaction:
    def __init__(self, store: MemoryConversations) -> None:
        self._store = store
        self.changes: list[Change] = []

    async def load(self, asked: Sequence[tuple[str, Pick]]) -> dict[str, Loaded]:
        there = [ask for ask in asked if self._store.there(ask[0])]
        found = {chat: self._store.load(chat, pick) for chat, pick in there}
        assert len(found) == len(there), "two items of a chat in one batch"
        return {chat: loaded for chat, loaded in found.items() if loaded is not None}

    async def save(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.chat in self._store.refuses:
                raise ValueError(f"a statement cannot write {change.chat}")
        self.changes = list(changes)
