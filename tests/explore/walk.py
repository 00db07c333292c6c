"""Two processes in a real event loop, which stop where they commit or call until chance lets them.

Nothing is advanced by hand here: Turns, React, its batcher and the gate are as they are, on the
store in memory. A kill takes the batch along that was about to be committed.
"""

import asyncio
import random
from collections import Counter
from datetime import timedelta

import msgspec

from application.jobs import LeaseLost, Unavailable
from application.turns import Emit
from domain.effects import GenerateReply, Part, ResumeReply, SendChatAction, SendMessage
from domain.events import (
    MessageFailed,
    MessageSent,
    Reply,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    TurnEvent,
)
from domain.failures import Ambiguous, EntitiesRefused, Failure, Retryable, RunLost, Terminal
from domain.turn import Status
from tests.application.memory_conversations import MemoryConversations
from tests.explore.loading import BOT
from tests.explore.positions import CHAT
from tests.explore.walk_process import Lease, Worker

PARTS = tuple(Part(f"part {number}") for number in range(3))
REPLY = Reply("reply", PARTS, "gpt", thread_id="conversation", run_id="run")
AWAY = Retryable("away")
NOT_SENT: list[Failure] = [
    Ambiguous("no answer"),
    AWAY,
    EntitiesRefused("can't parse entities"),
]
NOT_GENERATED: list[Failure] = [
    AWAY,
    Retryable("the run failed", run_ended=True),
    Terminal("refused"),
    RunLost("no run"),
]


class Walk:
    """The world of one story, and application.turns.TurnRunner."""

    def __init__(self, seed: int, faults: int) -> None:
        self.chance = random.Random(seed)
        self.store = MemoryConversations(BOT)
        self.faults = faults
        self.spent = 0
        self.fails_often = self.chance.choice([0.0, 0.05, 0.2])
        self.breaks_often = self.chance.choice([0.02, 0.1, 0.3])
        self.updates = 0
        self.waiting: list[asyncio.Future[None]] = []
        self.workers = [self.worker(), self.worker()]
        self.runs: Counter[int] = Counter()
        self.resumable: set[int] = set()
        """Messages with a run whose id is saved, and that can be followed to its reply."""
        self.said: Counter[tuple[int, str, int]] = Counter()

    def worker(self) -> Worker:
        return Worker(self.store, self, self.pause)

    async def pause(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        await future

    # --- Telegram and the model ------------------------------------------------------------------

    async def perform(
        self, effect: GenerateReply | ResumeReply | SendMessage, lease: object, emit: Emit
    ) -> TurnEvent:
        await self.pause()
        assert isinstance(lease, Lease)
        lease.check()
        fails = self.fault(self.fails_often)
        match effect:
            case SendMessage(turn=turn, part=part, text=text):
                arrived = self.chance.random() < 0.5
                if not fails or arrived:
                    self.said[turn.id, text, part] += 1
                await self.pause()
                if not fails:
                    return MessageSent(turn, part, 900)
                if arrived:
                    return MessageFailed(turn, part, Ambiguous("no answer"))
                return MessageFailed(turn, part, self.chance.choice(NOT_SENT))
            case GenerateReply(turn=turn):
                _, kept = self.store.turns[turn.id]
                stale = kept.token != turn
                assert stale or turn.id not in self.resumable, "a saved run is paid for again"
                self.runs[turn.id] += 1
                await self.pause()
                await emit(ReplyStarted(turn, f"run {self.runs[turn.id]}", "conversation"))
                self.resumable.add(turn.id)
            case ResumeReply(turn=turn):
                pass
        await self.pause()
        if not fails:
            return ReplyGenerated(turn, REPLY)
        failure = self.chance.choice(NOT_GENERATED)
        if failure != AWAY:
            self.resumable.discard(turn.id)
        return ReplyFailed(turn, failure)

    async def show(self, effect: SendChatAction, lease: object) -> None:
        await asyncio.Event().wait()

    # --- what happens ----------------------------------------------------------------------------

    def fault(self, likely: float) -> bool:
        """Whether one happens now; there are only so many in a story."""
        happens = self.faults > 0 and self.chance.random() < likely
        self.faults -= happens
        self.spent += happens
        return happens

    def happen(self) -> None:
        """One thing."""
        if self.fault(self.breaks_often):
            worker = self.chance.randrange(2)
            self.chance.choice([self.kill, self.stall, self.lose])(worker)
        elif self.updates < 4 and self.chance.random() < 0.1:
            self.updates += 1
            user = {"id": 42}
            words = self.chance.choice(["Hello", "Hello", "Hello", "/refresh"])
            message = {"message_id": self.updates, "chat": user, "from": user, "text": words}
            raw = msgspec.json.encode({"update_id": self.updates, "message": message})
            self.store.update(CHAT, self.updates, raw.decode())
        elif self.waiting and self.chance.random() < 0.8:
            future = self.waiting.pop(self.chance.randrange(len(self.waiting)))
            if not future.done():
                future.set_result(None)
        elif ready := self.store.ready():
            self.dequeue(self.chance.choice(ready).id)
        else:
            self.store.at += timedelta(seconds=self.chance.choice([1, 30]))

    def dequeue(self, job_id: int) -> None:
        index = self.chance.randrange(2)
        worker = self.workers[index]
        mine = [lease for lease in worker.tasks.values() if lease.pick.job_id == job_id]
        for lease in mine:
            lease.held = False
        lease = Lease(self.store.pick(job_id, str(index)), bool(mine))
        task = asyncio.create_task(self.run(worker, lease))
        worker.tasks[task] = lease
        task.add_done_callback(lambda done: worker.tasks.pop(done, None))

    async def run(self, worker: Worker, lease: Lease) -> None:
        try:
            await worker.turns.run(CHAT, lease)
        except (LeaseLost, Unavailable):
            self.lapse(lease)

    def lapse(self, lease: Lease) -> None:
        lease.held = False
        row = self.store.queue.get(lease.pick.job_id)
        if row is not None and row.pick == lease.pick and row.status == "picked":
            row.lapsed = True

    def kill(self, index: int) -> None:
        """Nothing of the process is left, the batch that it was about to commit neither."""
        for task, lease in list(self.workers[index].tasks.items()):
            task.cancel()
            self.lapse(lease)
        self.workers[index].forget_batch()
        self.workers[index] = self.worker()

    def stall(self, index: int) -> None:
        """Its leases run out; half of its tasks are told so at once, the others find out later."""
        for task, lease in list(self.workers[index].tasks.items()):
            self.lapse(lease)
            if self.chance.random() < 0.5:
                task.cancel()

    def lose(self, _: int) -> None:
        self.store.away = self.chance.choice(["before", "after"])

    # --- its end ---------------------------------------------------------------------------------

    def over(self) -> bool:
        return self.updates == 4 and not (
            self.store.queue or self.waiting or any(worker.tasks for worker in self.workers)
        )

    def check(self) -> None:
        assert self.store.sweep() == 0
        assert all(one.taken for one in self.store.line)
        turns = [turn for _, (_, turn) in sorted(self.store.turns.items())]
        assert [turn.update_id for turn in turns] == [1, 2, 3, 4]
        assert all(turn.over for turn in turns)
        for turn in turns:
            if turn.status is Status.COMPLETED:
                parts = [(turn.token.id, part.text, at) for at, part in enumerate(turn.parts)]
                assert all(self.said[part] for part in parts), "a part is missing"
            else:
                assert turn.verdict
                assert not turn.verdict.startswith("a bug")
        assert sum(count - 1 for count in self.said.values()) <= self.spent
        assert sum(count - 1 for count in self.runs.values()) <= self.spent
