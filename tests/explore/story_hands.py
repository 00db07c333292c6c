"""What a story needs of a store, besides React: users, people, the queue. Here: in memory.

story_postgres.py does the same to PostgreSQL, with production's own statements where there are any.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Literal, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from application.conversations import ConversationStore, ConversationTransaction, EntryKind
from application.jobs import Pick, Unavailable
from application.ports import Clock
from domain.effects import Part
from domain.events import BotProfile
from domain.turn import Status
from tests.application.memory_conversations import MemoryClock, MemoryConversations

BOT = BotProfile(3, "Kotodom", "kotodom_bot")
CHAT = "3:42"
OPERATOR = (Part("I am a person"),)
DAY = timedelta(hours=25)
Away = Literal["", "before", "after"]


class LosingStore:
    """A store that can lose the database around its next commit."""

    def __init__(self, store: ConversationStore) -> None:
        self._store = store
        self.away: Away = ""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[ConversationTransaction]:
        away, self.away = self.away, ""
        async with self._store.transaction() as transaction:
            yield transaction
            if away == "before":
                raise Unavailable("it was not committed")
        if away == "after":
            raise Unavailable("it was committed, and nobody knows")


class End(Struct, frozen=True):
    """What stands there: messages (status, update, run, parts sent, reason, tries), line, queue."""

    messages: list[tuple[str, int | None, str | None, int, str | None, int]]
    waiting_updates: list[int]
    waiting_requests: list[str]
    jobs: list[str]
    steps: list[str]
    owned: bool


class Hands(Protocol):
    """What happens to a store from outside."""

    clock: Clock

    def store(self) -> ConversationStore:
        """The store as another process has it."""
        ...

    async def says(self, update_id: int, body: bytes) -> bool:
        """Intake of an update; False for a duplicate."""
        ...

    async def asks(self, kind: EntryKind) -> None: ...

    async def tries_again(self, processing_id: int) -> None:
        """A person's retry of a TERMINAL message."""
        ...

    async def enables(self, enabled: bool) -> None: ...

    async def picks(self, manager: str) -> Pick | None:
        """A dequeue of one job."""
        ...

    async def lapses(self, pick: Pick) -> None:
        """No heartbeat has got through for long enough."""
        ...

    async def hands_back(self, pick: Pick) -> None: ...

    async def becomes_due(self) -> None:
        """The delayed jobs."""
        ...

    async def a_day_passes(self) -> None:
        """For what waits in the line."""
        ...

    async def sweeps(self) -> int: ...

    async def end(self) -> End: ...


class MemoryHands:
    """On MemoryConversations."""

    def __init__(self) -> None:
        self._store = MemoryConversations(BOT)
        self.clock: Clock = MemoryClock(self._store)
        self._seen: set[int] = set()

    def store(self) -> ConversationStore:
        return self._store

    async def says(self, update_id: int, body: bytes) -> bool:
        if update_id in self._seen:
            return False
        self._seen.add(update_id)
        self._store.update(CHAT, update_id, body.decode())
        return True

    async def asks(self, kind: EntryKind) -> None:
        self._store.request(CHAT, kind, *(OPERATOR if kind == "OPERATOR_MESSAGE" else ()))

    async def tries_again(self, processing_id: int) -> None:
        self._store.request(CHAT, "RETRY", of=processing_id)

    async def enables(self, enabled: bool) -> None:
        self._store.bots[3] = replace(BOT, enabled=enabled)
        if enabled and any(not one.taken for one in self._store.line):
            self._store.publish(CHAT)

    async def picks(self, manager: str) -> Pick | None:
        ready = sorted(self._store.ready(), key=lambda row: (row.status == "picked", row.id))
        return self._store.pick(ready[0].id, manager) if ready else None

    async def lapses(self, pick: Pick) -> None:
        if (row := self._store.queue.get(pick.job_id)) is not None:
            row.lapsed = True

    async def hands_back(self, pick: Pick) -> None:
        row = self._store.queue.get(pick.job_id)
        if row is not None and row.status == "picked" and row.pick == pick:
            row.status, row.lapsed = "queued", False
            if self._store.owners[CHAT] == row.id:
                self._store.owners[CHAT] = None

    async def becomes_due(self) -> None:
        for row in self._store.queue.values():
            row.due = self._store.at

    async def a_day_passes(self) -> None:
        for one in self._store.line:
            one.entry = replace(one.entry, received_at=one.entry.received_at - DAY)

    async def sweeps(self) -> int:
        return self._store.sweep()

    async def end(self) -> End:
        waiting = [one.entry for one in self._store.line if not one.taken]
        asked = {one.processing_id for one in self._store.line if not one.taken}
        turns = sorted(self._store.turns.items())
        return End(
            messages=[
                (
                    (Status.RECEIVED if number in asked else turn.status).value,
                    turn.update_id,
                    turn.run_id or (turn.reply.run_id if turn.reply is not None else None),
                    len(turn.sent),
                    turn.verdict if turn.over else None,
                    turn.attempts,
                )
                for number, (_, turn) in turns
            ],
            waiting_updates=sorted(one.id for one in waiting if one.kind == "UPDATE"),
            waiting_requests=[one.kind for one in waiting if one.kind != "UPDATE"],
            jobs=sorted(row.status for row in self._store.queue.values()),
            steps=[_tag(row.event) for row in self._store.journal],
            owned=self._store.owners.get(CHAT) is not None,
        )


def _tag(event: str) -> str:
    return str(msgspec.json.decode(event)["type"])
