"""The loop: lock the chats, load, handle, save, journal, publish: one commit for many.

Triggered by application/turns.py with the items of application/moves.py, each of which is answered
with what its turn's job does next. A step's bug is that step's failure alone; a statement that
fails splits the batch, and each half locks and loads again.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from application.batcher import Batcher
from application.conversations import Change, ConversationStore
from application.jobs import Unavailable
from application.live import Live, Nobody, of_chat
from application.meter import Counted, Loop, Meter, Stage
from application.moves import Item, Result, move
from application.ports import Clock
from application.turn_reasons import reason_class
from domain.turn import Status, Turn

_COUNTED = {
    Status.COMPLETED: Counted.MESSAGES_COMPLETED,
    Status.TERMINAL: Counted.MESSAGES_TERMINAL,
    Status.FAILED: Counted.MESSAGES_FAILED,
}

REMEMBERED = 10_000
"""Messages of which a process knows when they came, so that it can tell how long they took."""


class React:
    """The use case. One instance per process: its batches are what makes the commits few."""

    def __init__(
        self, store: ConversationStore, clock: Clock, meter: Meter, live: Live | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._meter = meter
        self._live = live or Nobody()
        self._came: dict[int, datetime] = {}
        self._batcher: Batcher[Item, Result] = Batcher(self._flush, key=lambda item: item.chat)

    async def put(self, item: Item) -> Result:
        """The item's result, committed. Raises Unavailable, or the bug of the item's own step."""
        return await self._batcher.put(item)

    async def _flush(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        try:
            return await self._commit(items)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one item's data broke must not take its neighbours along
            if len(items) == 1:
                return [error]
            half = len(items) // 2
            return [*await self._flush(items[:half]), *await self._flush(items[half:])]

    async def _commit(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        with self._meter.committing(Loop.REACT, len(items)):
            results, changes = await self._carry_through(items)
        self._count(changes)
        self._tell(changes)
        return results

    async def _carry_through(
        self, items: Sequence[Item]
    ) -> tuple[list[Result | Exception], list[Change]]:
        results: list[Result | Exception] = []
        changes: list[Change] = []
        async with self._store.transaction() as transaction:
            loaded = await transaction.load([(item.chat, item.pick) for item in items])
            at = self._clock.now()  # under the locks: a chat's steps follow each other in time too
            for item in items:
                try:
                    result, change = move(item, loaded.get(item.chat), at)
                except Exception as bug:  # noqa: BLE001 - one step's bug is one step's failure
                    results.append(bug)
                    continue
                results.append(result)
                if change is not None:
                    changes.append(change)
            if changes:
                await transaction.save(changes)
        return results, changes

    def _count(self, changes: Sequence[Change]) -> None:
        ends = Counter(turn.status for change in changes for turn in change.touched)
        for status, counted in _COUNTED.items():
            if ends[status]:
                self._meter.add(counted, ends[status])
        for change in changes:
            if change.taken is not None and change.begun is not None:
                self._begun(change.begun, change.taken.received_at)
            for turn in change.touched:
                if turn.status in _COUNTED:
                    self._ended(turn)

    def _begun(self, turn: Turn, came_at: datetime) -> None:
        waited = turn.began_at - came_at
        self._meter.took(Stage.QUEUE, max(waited.total_seconds(), 0.0))
        if len(self._came) >= REMEMBERED:
            self._came.clear()
        self._came[turn.token.id] = came_at

    def _ended(self, turn: Turn) -> None:
        """How long it took is told of what was answered; where another process began it, from its
        beginning.
        """
        self._meter.turn(turn.status, reason_class(turn))
        if turn.ended_at is None or not turn.over:
            return
        came_at = self._came.pop(turn.token.id, turn.began_at)
        if turn.status is Status.COMPLETED and (turn.sent or turn.noticed):
            took = turn.ended_at - came_at
            self._meter.took(Stage.TURN, max(took.total_seconds(), 0.0))

    def _tell(self, changes: Sequence[Change]) -> None:
        """Who follows hears of the chats and messages; nobody here waits for that."""
        self._live.tell(
            [
                event
                for change in changes
                if change.touched or change.taken is not None
                for event in of_chat(change.chat, [turn.token.id for turn in change.touched])
            ]
        )
