"""Two workers, a chat, and everything that can happen to them, in any order.

hypothesis picks jobs, performs effects, kills workers (before and after a commit, with a message on
its way), lets leases lapse, loses commits, deletes jobs, disables the bot. Whatever it does, at the
end every message is answered or TERMINAL, in order, none twice without a reason, and the sweep has
found nothing unless a person deleted a job.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Literal

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec import Struct
from msgspec.structs import replace

from application.jobs import Pick, Unavailable
from application.moves import (
    Done,
    Ended,
    NeedsAlone,
    Outcome,
    Proceed,
    Result,
    Running,
    Take,
)
from application.react import React
from domain.effects import GenerateReply, Part, ResumeReply, SendMessage, TurnToken
from domain.endings import DISABLED_AFTER
from domain.events import (
    BotProfile,
    MessageFailed,
    MessageSent,
    Reply,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    TurnBroke,
    TurnEvent,
)
from domain.failures import Ambiguous, Failure, Fatal, Retryable, RunLost, Terminal, ThreadLost
from domain.turn import Status, Turn
from tests.application.memory_conversations import MemoryClock, MemoryConversations, Row
from tests.application.memory_meter import MemoryMeter

BOT = BotProfile(3, "Kotodom", "kotodom_bot")
CHAT = "3:42"
WORKERS = ("one", "two")
WORKER = st.sampled_from(WORKERS)
AWAY = st.sampled_from(["before", "after"])
GENERATING: list[Failure] = [
    Retryable("away"),
    Retryable("too many requests", after=9.0),
    Terminal("refused"),
    Fatal("wrong key"),
    ThreadLost("no conversation"),
    RunLost("no run"),
]
SENDING: list[Failure] = [
    Retryable("away"),
    Ambiguous("no answer"),
    Terminal("blocked", chat_gone=True),
]
Said = tuple[int, str, int]
"""A message, what is sent for it (its words, or the apology of its n-th try), and the part."""


class Task(Struct, eq=False):
    """A job in a worker's hands; `performed` is what came of its effect and is not yet put."""

    worker: str
    pick: Pick
    result: Result | None = None
    performed: TurnEvent | None = None
    shown: Said | None = None
    alone: bool = False


class TwoWorkers(RuleBasedStateMachine):
    """The workers' processes, Telegram and the model around a store in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryConversations(BOT)
        self.loop = asyncio.Runner()
        self.react = {
            name: React(self.store, MemoryClock(self.store), MemoryMeter()) for name in WORKERS
        }
        self.tasks: list[Task] = []
        self.updates = 0
        self.runs: dict[int, str] = {}
        self.shown: list[Said] = []
        self.excused: Counter[Said] = Counter()
        self.deleted = False

    # --- what users and people do ----------------------------------------------------------------

    @rule(text=st.sampled_from(["Hello", "Hello", "/start", " "]))
    def receive(self, text: str) -> None:
        self.updates += 1
        user = {"id": 42}
        message = {"message_id": self.updates, "chat": user, "from": user, "text": text}
        raw = msgspec.json.encode({"update_id": self.updates, "message": message}).decode()
        self.store.update(CHAT, self.updates, raw)

    @rule(refresh=st.booleans())
    def ask(self, refresh: bool) -> None:
        if refresh:
            self.store.request(CHAT, "REFRESH")
        else:
            self.store.request(CHAT, "OPERATOR_MESSAGE", Part("I am"), Part("a person"))

    @precondition(lambda self: self.terminal())
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        turn = data.draw(st.sampled_from(self.terminal()))
        self.store.request(CHAT, "RETRY", of=turn.token.id)

    def terminal(self) -> list[Turn]:
        waiting = {one.processing_id for one in self.store.line if not one.taken}
        return [
            turn
            for _, turn in self.store.turns.values()
            if turn.status is Status.TERMINAL and turn.token.id not in waiting
        ]

    @rule()
    def disable(self) -> None:
        self.store.bots[3] = replace(BOT, enabled=False)

    @rule()
    def enable(self) -> None:
        if not self.store.bots[3].enabled:
            self.store.bots[3] = BOT
            self.store.publish(CHAT)

    @rule(seconds=st.sampled_from([10, 400, DISABLED_AFTER.total_seconds()]))
    def time_passes(self, seconds: float) -> None:
        self.store.at += timedelta(seconds=seconds)

    # --- the workers -----------------------------------------------------------------------------

    def some_task(self, data: st.DataObject) -> Task:
        """A task that is at work, or a job that is picked now; there is always something to do."""
        if not self.tasks and not self.store.ready():
            self.enable()
            self.receive("Hello")
        ready = self.store.ready()
        if self.tasks and (not ready or data.draw(st.booleans())):
            return data.draw(st.sampled_from(self.tasks))
        return self.picked(data.draw(st.sampled_from(ready)), data.draw(WORKER))

    def picked(self, row: Row, worker: str) -> Task:
        task = Task(worker, self.store.pick(row.id, worker))
        self.tasks.append(task)
        return task

    @rule(data=st.data(), moves=st.integers(1, 6))
    def go_on(self, data: st.DataObject, moves: int) -> None:
        task = self.some_task(data)
        for _ in range(moves):
            self.move(task)

    @rule(data=st.data(), moves=st.integers(0, 2))
    def fail(self, data: st.DataObject, moves: int) -> None:
        """The next effect that a task performs fails, in one way or another."""
        task = self.some_task(data)
        for _ in range(moves):
            self.move(task)
        for _ in range(3):
            if not self.performs(task):
                self.move(task)
        self.move(task, data)

    @rule(data=st.data(), moves=st.integers(0, 4), away=AWAY)
    def lose_a_commit(
        self, data: st.DataObject, moves: int, away: Literal["before", "after"]
    ) -> None:
        task = self.some_task(data)
        for _ in range(moves):
            self.move(task)
        if task in self.tasks and not self.performs(task):
            self.store.away = away
            self.move(task)
            self.store.away = ""

    def move(self, task: Task, data: st.DataObject | None = None) -> None:
        """The next thing that a task does: an effect performed, or something put and committed."""
        if task not in self.tasks:
            return
        if self.performs(task):
            self.perform(task, data)
        else:
            self.put(task)

    def performs(self, task: Task) -> bool:
        return isinstance(task.result, Running) and task.performed is None

    def put(self, task: Task) -> None:
        match task.result:
            case None:
                item: Take | Outcome | Proceed = Take(CHAT, task.pick, task.alone)
            case Ended(epoch=epoch):
                item = Proceed(CHAT, task.pick, epoch)
            case _:
                assert task.performed is not None
                item = Outcome(CHAT, task.pick, task.performed)
        try:
            result = self.loop.run(self.react[task.worker].put(item))
        except Unavailable:
            self.drop(task)
            self.lapse(task.pick)
            return
        stale = isinstance(item, Outcome) and isinstance(result, Done) and not self.kept(task)
        if stale:
            self.excuse(task)
        task.performed, task.shown = None, None
        if isinstance(result, NeedsAlone):
            task.alone = True
        elif isinstance(result, Done):
            self.tasks.remove(task)
        else:
            task.result = result

    def kept(self, task: Task) -> bool:
        """Whether the part that Telegram showed stands in the state."""
        if task.shown is None:
            return True
        message_id, stage, part = task.shown
        _, turn = self.store.turns[message_id]
        return part < len(turn.noticed if stage != "words" or turn.asking != "model" else turn.sent)

    def perform(self, task: Task, data: st.DataObject | None) -> None:
        """`data` draws a failure; None: everything succeeds."""
        assert isinstance(task.result, Running)
        if not self.store.holds(task.pick):
            self.drop(task)
            return
        effect = task.result.effects[-1]
        _, turn = self.store.turns[task.result.token.id]
        assert turn.token == task.result.token, "two workers act for one chat"
        match effect:
            case SendMessage():
                task.performed = self.send(task, effect, turn, data)
            case GenerateReply() | ResumeReply():
                task.performed = self.generate(task, effect, data)
            case unexpected:
                raise AssertionError(unexpected)

    def send(
        self, task: Task, effect: SendMessage, turn: Turn, data: st.DataObject | None
    ) -> TurnEvent:
        failure: Failure | None = data.draw(st.sampled_from([*SENDING, None])) if data else None
        if failure is not None and not isinstance(failure, Ambiguous):
            return MessageFailed(effect.turn, effect.part, failure)
        if data and failure is None:
            return TurnBroke(effect.turn, "KeyError: 'x'")
        tries = sum(begun.token.id == turn.token.id for _, begun in self.store.begun)
        stage = "words" if turn.verdict is None else f"apology of try {tries}"
        said = (effect.turn.id, stage, effect.part)
        self.shown.append(said)
        copies = self.shown.count(said)
        assert copies <= 1 + self.excused[said], f"{said} is sent twice"
        if isinstance(failure, Ambiguous):
            self.excused[said] += 1
            return MessageFailed(effect.turn, effect.part, failure)
        task.shown = said
        return MessageSent(effect.turn, effect.part, 900)

    def generate(
        self,
        task: Task,
        effect: GenerateReply | ResumeReply,
        data: st.DataObject | None,
    ) -> TurnEvent:
        token = effect.turn
        if isinstance(effect, GenerateReply):
            assert token.id not in self.runs, "a run whose id is saved is paid for again"
            self.start(task, token)
        failure = data.draw(st.sampled_from(GENERATING)) if data else None
        if failure is not None:
            if isinstance(failure, Terminal | ThreadLost | RunLost):
                self.runs.pop(token.id, None)
            return ReplyFailed(token, failure)
        parts = (Part("one"), Part("two"))
        return ReplyGenerated(token, Reply("…", parts, "gpt", thread_id="conv_1"))

    def start(self, task: Task, token: TurnToken) -> None:
        """The model's run has an id, and it is saved while the run goes on."""
        event = ReplyStarted(token, f"resp_{token.epoch}", "conv_1")
        item = Outcome(CHAT, task.pick, event)
        assert isinstance(self.loop.run(self.react[task.worker].put(item)), Running)
        self.runs[token.id] = f"resp_{token.epoch}"

    # --- what goes wrong -------------------------------------------------------------------------

    @rule(data=st.data(), moves=st.integers(0, 6))
    def kill(self, data: st.DataObject, moves: int) -> None:
        """A worker is killed, whatever its tasks were about to put."""
        task = self.some_task(data)
        for _ in range(moves):
            self.move(task)
        self.killed(task.worker)

    def killed(self, worker: str) -> None:
        for task in [task for task in self.tasks if task.worker == worker]:
            self.drop(task)
            self.lapse(task.pick)

    @rule(data=st.data(), before=st.integers(0, 6), meanwhile=st.integers(0, 6))
    def overtake(self, data: st.DataObject, before: int, meanwhile: int) -> None:
        """A worker stalls, another picks its job and goes on with it; later the first wakes up."""
        task = self.some_task(data)
        for _ in range(before):
            self.move(task)
        self.excuse(task)
        self.lapse(task.pick)
        row = self.store.queue.get(task.pick.job_id)
        if row is not None and row.lapsed:
            other = self.picked(row, "two" if task.worker == "one" else "one")
            for _ in range(meanwhile):
                self.move(other)

    def lapse(self, pick: Pick) -> None:
        row = self.store.queue.get(pick.job_id)
        if row is not None and row.pick == pick and row.status == "picked":
            row.lapsed = True

    def drop(self, task: Task) -> None:
        self.excuse(task)
        self.tasks.remove(task)

    def excuse(self, task: Task) -> None:
        if task.shown is not None:
            self.excused[task.shown] += 1
            task.shown = None

    # --- what always holds -----------------------------------------------------------------------

    @invariant()
    def messages_begin_in_order(self) -> None:
        begun = [turn.update_id for _, turn in self.store.begun if turn.update_id is not None]
        first = list(dict.fromkeys(begun))
        assert first == sorted(first), "out of order"

    @invariant()
    def the_chat_is_never_stranded(self) -> None:
        """Unless a person deleted a job: only then may the sweep find anything."""
        if self.deleted or CHAT not in self.store.chats:
            return
        turn = self.store.unfinished(CHAT)
        if turn is not None:
            owner = self.store.queue.get(self.store.owners[CHAT] or 0)
            assert owner is not None
            assert owner.lives
            assert owner.status == "picked" or turn.status is Status.FAILED
        if self.store.servable(CHAT):
            coming = [row for row in self.store.queue.values() if row.lives]
            assert coming or not self.store.bots[3].enabled

    def teardown(self) -> None:
        try:
            self.drain()
            self.check_the_end()
        finally:
            self.loop.close()

    def drain(self) -> None:
        for worker in WORKERS:
            self.killed(worker)
        self.enable()
        if self.deleted:
            self.store.sweep()
        for _ in range(400):
            if not self.store.queue:
                return
            self.store.at += timedelta(seconds=400)
            task = self.picked(self.store.ready()[0], "one")
            for _ in range(400):
                if task not in self.tasks:
                    break
                self.move(task)
            assert task not in self.tasks, "a job never ends"
        raise AssertionError("the queue is never empty")

    def check_the_end(self) -> None:
        assert self.store.sweep() == 0
        assert all(one.taken for one in self.store.line), "an entry of a line is lost"
        assert set(self.store.owners.values()) <= {None}
        turns = [turn for _, turn in self.store.turns.values()]
        assert all(turn.over for turn in turns)
        answered = Counter(turn.update_id for turn in turns if turn.update_id is not None)
        assert answered == Counter(range(1, self.updates + 1)), "a message is lost or doubled"
        for turn in turns:
            parts = [part for *said, part in self.shown if said == [turn.token.id, "words"]]
            assert sorted(parts) == parts, "parts out of order"
            if turn.status is Status.COMPLETED:
                assert sorted(set(parts)) == list(range(len(turn.parts))), "a part is missing"
            else:
                assert turn.verdict


class Deletions(TwoWorkers):
    """The same, where a person deletes jobs as well."""

    @precondition(lambda self: self.store.queue)
    @rule(data=st.data())
    def delete_job(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.store.queue)))
        self.deleted = True
        for task in self.tasks:
            if task.pick.job_id == job_id:
                self.excuse(task)
        self.store.delete_job(job_id)


TwoWorkers.TestCase.settings = settings(
    max_examples=120, stateful_step_count=30, report_multiple_bugs=False
)
Deletions.TestCase.settings = settings(TwoWorkers.TestCase.settings, max_examples=60)
TestTwoWorkers = TwoWorkers.TestCase
TestDeletions = Deletions.TestCase
