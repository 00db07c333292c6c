"""The loop: lock the chats, load, handle, save, journal, publish: one commit for many.

Triggered by application/turns.py with the items of application/moves.py, each of which is answered
with what its turn's job does next. A step's bug is that step's failure alone; a statement that
fails splits the batch, and each half locks and loads again.
"""

from collections import Counter
from collections.abc import Sequence

from application.batcher import Batcher
from application.conversations import Change, ConversationStore
from application.jobs import Unavailable
from application.live import Live, Nobody, of_chat
from application.meter import Counted, Meter
from application.moves import Item, Result, move
from application.ports import Clock
from domain.turn import Status

_COUNTED = {
    Status.COMPLETED: Counted.MESSAGES_COMPLETED,
    Status.TERMINAL: Counted.MESSAGES_TERMINAL,
    Status.FAILED: Counted.MESSAGES_FAILED,
}


class React:
    """The use case. One instance per process: its batches are what makes the commits few."""

    def __init__(
        self, store: ConversationStore, clock: Clock, meter: Meter, live: Live | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._meter = meter
        self._live = live or Nobody()
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
        self._count(changes)
        self._tell(changes)
        return results

    def _count(self, changes: Sequence[Change]) -> None:
        ends = Counter(turn.status for change in changes for turn in change.touched)
        for status, counted in _COUNTED.items():
            if ends[status]:
                self._meter.add(counted, ends[status])

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
