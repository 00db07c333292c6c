"""Plays a story on a store: two workers with a task each, and what happens around them.

Every operation leaves a line: what it was answered, and the chat as the store loads it then,
without what differs by nature: times, and the numbers of jobs and messages (told by their order).
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from application.jobs import Pick, Unavailable
from application.moves import Ended, Item, NeedsAlone, Outcome, Proceed, Result, Running, Take
from application.react import React
from domain.effects import GenerateReply, Part, ResumeReply, SendMessage
from domain.events import (
    MessageFailed,
    MessageSent,
    Reply,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    TurnBroke,
    TurnEvent,
)
from domain.failures import Failure
from tests.application.memory_conversations import START
from tests.application.memory_meter import MemoryMeter
from tests.explore.story_hands import CHAT, Away, Hands, LosingStore
from tests.explore.story_telling import Names, told

NOBODY = Pick(0, "00000000-0000-0000-0000-000000000000", START)


class Task(Struct):
    """A worker's job: what it was answered last, and whether its run's id is saved."""

    pick: Pick
    result: Result | None = None
    following: bool = False


class Player:
    """One telling of a story. `swapped` tells which of two that happen at once comes first."""

    def __init__(self, hands: Hands, *, really_at_once: bool, swapped: int = 0) -> None:
        self.hands = hands
        self._at_once = really_at_once
        self._swapped = swapped
        self._stores = {worker: LosingStore(hands.store()) for worker in "AB"}
        self._reacts = {
            worker: React(store, hands.clock, MemoryMeter())
            for worker, store in self._stores.items()
        }
        self._tasks: dict[str, Task] = {}
        self._names = Names()
        self.lines: list[Any] = []

    # --- what a story is made of ------------------------------------------------------------------

    async def says(self, update_id: int, text: str = "Hello") -> object:
        user = {"id": 42, "first_name": "Ann"}
        message = {"message_id": update_id, "chat": user, "from": user, "text": text}
        body = msgspec.json.encode({"update_id": update_id, "message": message})
        return await self.hands.says(update_id, body)

    async def picks(self, worker: str) -> object:
        pick = await self.hands.picks(worker)
        if pick is None:
            return None
        self._tasks[worker] = Task(pick)
        return self._names.job(pick.job_id)

    async def goes_on(self, worker: str, away: Away = "") -> object:
        """Whatever the worker does next succeeds, and is committed."""
        return await self._put(worker, self._item(worker, None), away)

    async def fails(self, worker: str, failure: Failure) -> object:
        return await self._put(worker, self._item(worker, failure), "")

    async def breaks(self, worker: str) -> object:
        task = self._tasks[worker]
        assert isinstance(task.result, Running)
        bug = TurnBroke(task.result.token, "KeyError: 'x'")
        return await self._put(worker, Outcome(CHAT, task.pick, bug), "")

    async def lapses(self, worker: str) -> None:
        """Its heartbeats stop; the task may go on."""
        await self.hands.lapses(self._tasks[worker].pick)

    async def dies(self, worker: str) -> None:
        await self.hands.lapses(self._tasks.pop(worker).pick)

    async def hands_back(self, worker: str) -> None:
        await self.hands.hands_back(self._tasks.pop(worker).pick)

    async def tries_again(self, message: int) -> None:
        """The n-th message that was seen."""
        await self.hands.tries_again(self._names.message_named(message))

    async def at_once(self, *doings: "tuple[Any, ...]") -> object:
        """Two operations on two connections; in memory, in either order."""
        first, second = doings
        if self._at_once:
            return list(await asyncio.gather(self._do(first), self._do(second)))
        if self._swapped:
            late = await self._do(second)
            return [await self._do(first), late]
        return [await self._do(first), await self._do(second)]

    # --- telling ---------------------------------------------------------------------------------

    async def play(self, story: list[tuple[Any, ...]]) -> list[Any]:
        """The lines of the story, and what stands at its end."""
        for doing in story:
            answer = await self._do(doing)
            self.lines.append([str(doing), answer, await self._loaded()])
        self.lines.append(msgspec.to_builtins(await self.hands.end()))
        return self.lines

    async def _do(self, doing: tuple[Any, ...]) -> object:
        name, *arguments = doing
        of: Callable[..., Any] = getattr(self, name, None) or getattr(self.hands, name)
        return await of(*arguments)

    async def _loaded(self) -> object:
        task = next(iter(self._tasks.values()), None)
        pick = task.pick if task is not None else NOBODY
        async with self.hands.store().transaction() as transaction:
            loaded = (await transaction.load([(CHAT, pick)])).get(CHAT)
            return told(loaded, self._names) if loaded is not None else None

    # --- the workers -----------------------------------------------------------------------------

    def _item(self, worker: str, failure: Failure | None) -> Item:
        task = self._tasks[worker]
        match task.result:
            case None:
                return Take(CHAT, task.pick)
            case NeedsAlone():
                return Take(CHAT, task.pick, alone=True)
            case Ended(epoch=epoch):
                return Proceed(CHAT, task.pick, epoch)
            case Running(effects=effects):
                return Outcome(CHAT, task.pick, self._outcome(task, effects[-1], failure))
            case done:
                raise AssertionError(f"worker {worker} has nothing to do: {done}")

    def _outcome(self, task: Task, effect: object, failure: Failure | None) -> TurnEvent:
        match effect:
            case SendMessage(turn=turn, part=part) if failure is not None:
                return MessageFailed(turn, part, failure)
            case SendMessage(turn=turn, part=part):
                return MessageSent(turn, part, 900 + part)
            case GenerateReply(turn=turn) if failure is None and not task.following:
                return ReplyStarted(turn, "run", "conversation")
            case GenerateReply(turn=turn) | ResumeReply(turn=turn) if failure is not None:
                return ReplyFailed(turn, failure)
            case GenerateReply(turn=turn) | ResumeReply(turn=turn):
                parts = (Part("one"), Part("two"))
                reply = Reply("one\n\ntwo", parts, "gpt", thread_id="conversation", run_id="run")
                return ReplyGenerated(turn, reply)
            case unexpected:
                raise AssertionError(unexpected)

    async def _put(self, worker: str, item: Item, away: Away) -> object:
        task = self._tasks[worker]
        self._stores[worker].away = away
        try:
            result = await self._reacts[worker].put(item)
        except Unavailable:
            del self._tasks[worker]
            await self.hands.lapses(task.pick)
            return "unavailable"
        started = isinstance(item, Outcome) and isinstance(item.event, ReplyStarted)
        if started and isinstance(result, Running):
            task.following = True
        else:
            task.result, task.following = result, False
        return type(result).__name__
