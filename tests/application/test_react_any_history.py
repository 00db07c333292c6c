"""Two workers, one bot, two chats, and everything that can happen to them, in any order.

hypothesis picks jobs, performs effects, kills workers (before and after a commit, with a message on
its way), lets leases lapse, loses commits, deletes jobs, disables the bot. Whatever it does, at the
end every message is answered or TERMINAL, in order, none twice without a reason, and the sweep has
found nothing unless a person deleted a job.
"""

import asyncio
from collections import Counter, defaultdict
from datetime import timedelta

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec import Struct
from msgspec.structs import replace

from application.jobs import Pick, Unavailable
from application.react import (
    Done,
    Ended,
    NeedsAlone,
    Outcome,
    Proceed,
    React,
    Result,
    Running,
    Take,
)
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
from domain.failures import Ambiguous, Fatal, Retryable, RunLost, Terminal, ThreadLost
from domain.turn import Status, Turn
from tests.application.memory_conversations import MemoryClock, MemoryConversations, Row

BOT = BotProfile(3, "Kotodom", "kotodom_bot")
CHATS = ("3:42", "3:43")
WORKERS = ("one", "two")
GENERATING = [
    Retryable("away"),
    Retryable("too many requests", after=9.0),
    Terminal("refused"),
    Fatal("wrong key"),
    ThreadLost("no conversation"),
    RunLost("no run"),
]
SENDING = [Retryable("away"), Ambiguous("no answer"), Terminal("blocked", chat_gone=True)]
Said = tuple[int, str, int]
"""A message, what is sent for it (its words, or the apology of its n-th try), and the part."""


class Task(Struct, eq=False):
    """A job in a worker's hands; `performed` is what came of its effect and is not yet put."""

    worker: str
    chat: str
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
        self.react = {name: React(self.store, MemoryClock(self.store)) for name in WORKERS}
        self.tasks: list[Task] = []
        self.updates = 0
        self.runs: dict[int, str] = {}
        self.shown: defaultdict[str, list[Said]] = defaultdict(list)
        self.excused: Counter[Said] = Counter()
        self.deleted = False

    # --- what users and people do ----------------------------------------------------------------

    @rule(chat=st.sampled_from(CHATS), text=st.sampled_from(["Hello", "Hello", "/start", " "]))
    def receive(self, chat: str, text: str) -> None:
        self.updates += 1
        user = int(chat.split(":")[1])
        message = {
            "message_id": self.updates,
            "chat": {"id": user},
            "from": {"id": user},
            "text": text,
        }
        raw = msgspec.json.encode({"update_id": self.updates, "message": message}).decode()
        self.store.update(chat, self.updates, raw)

    @rule(chat=st.sampled_from(CHATS), refresh=st.booleans())
    def ask(self, chat: str, refresh: bool) -> None:
        if refresh:
            self.store.request(chat, "REFRESH")
        else:
            self.store.request(chat, "OPERATOR_MESSAGE", Part("I am"), Part("a person"))

    @precondition(lambda self: self.terminal())
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        chat, turn = data.draw(st.sampled_from(self.terminal()))
        self.store.request(chat, "RETRY", of=turn.token.id)

    def terminal(self) -> list[tuple[str, Turn]]:
        waiting = {one.processing_id for one in self.store.line if not one.taken}
        return [
            (chat, turn)
            for chat, turn in self.store.turns.values()
            if turn.status is Status.TERMINAL and turn.token.id not in waiting
        ]

    @rule(enabled=st.booleans())
    def enable(self, enabled: bool) -> None:
        was = self.store.bots[3].enabled
        self.store.bots[3] = replace(BOT, enabled=enabled)
        if enabled and not was:
            for chat in sorted({one.chat for one in self.store.line if not one.taken}):
                self.store.publish(chat)

    @precondition(lambda self: self.store.queue)
    @rule(data=st.data())
    def delete_job(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.store.queue)))
        self.deleted = True
        self.store.delete_job(job_id)

    @rule(seconds=st.sampled_from([1, 10, 400, DISABLED_AFTER.total_seconds()]))
    def time_passes(self, seconds: float) -> None:
        self.store.at += timedelta(seconds=seconds)

    # --- the workers -----------------------------------------------------------------------------

    @precondition(lambda self: self.store.ready())
    @rule(data=st.data(), worker=st.sampled_from(WORKERS))
    def pick(self, data: st.DataObject, worker: str) -> None:
        self.picked(data.draw(st.sampled_from(self.store.ready())), worker)

    def picked(self, row: Row, worker: str) -> Task:
        task = Task(worker, row.chat, self.store.pick(row.id, worker))
        self.tasks.append(task)
        return task

    @precondition(lambda self: self.tasks)
    @rule(
        data=st.data(),
        away=st.sampled_from(["", "", "", "before", "after"]),
        good=st.sampled_from([True, True, False]),
    )
    def step(self, data: st.DataObject, away: str, good: bool) -> None:
        """The next thing that a task does: an effect performed, or something put and committed."""
        task = data.draw(st.sampled_from(self.tasks))
        if isinstance(task.result, Running) and task.performed is None:
            self.perform(task, None if good else data)
        else:
            self.store.away = "before" if away == "before" else "after" if away else ""
            self.put(task)
            self.store.away = ""

    def put(self, task: Task) -> None:
        held = self.store.holds(task.pick)
        match task.result:
            case None:
                item: Take | Outcome | Proceed = Take(task.chat, task.pick, task.alone)
            case Ended(epoch=epoch):
                item = Proceed(task.chat, task.pick, epoch)
            case _:
                assert task.performed is not None
                item = Outcome(task.chat, task.pick, task.performed)
        if isinstance(item, Take) and not held:
            self.drop(task)
            return
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
        failure = data.draw(st.sampled_from([*SENDING, None])) if data else None
        if failure is not None and not isinstance(failure, Ambiguous):
            return MessageFailed(effect.turn, effect.part, failure)
        if data and failure is None:
            return TurnBroke(effect.turn, "KeyError: 'x'")
        stage = "words" if turn.verdict is None else f"apology under {turn.began_at}"
        said = (effect.turn.id, stage, effect.part)
        self.shown[task.chat].append(said)
        copies = self.shown[task.chat].count(said)
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
        item = Outcome(task.chat, task.pick, event)
        assert isinstance(self.loop.run(self.react[task.worker].put(item)), Running)
        self.runs[token.id] = f"resp_{token.epoch}"

    # --- what goes wrong -------------------------------------------------------------------------

    @precondition(lambda self: self.tasks)
    @rule(worker=st.sampled_from(WORKERS))
    def kill(self, worker: str) -> None:
        for task in [task for task in self.tasks if task.worker == worker]:
            self.drop(task)
            self.lapse(task.pick)

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def stall(self, data: st.DataObject) -> None:
        """A worker does not beat in time: its job may be picked by another while it goes on."""
        task = data.draw(st.sampled_from(self.tasks))
        self.excuse(task)
        self.lapse(task.pick)

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
    def a_chat_has_one_turn_at_a_time_and_begins_them_in_order(self) -> None:
        for chat in CHATS:
            ids = [
                turn.update_id
                for of, turn in self.store.begun
                if of == chat and turn.update_id is not None
            ]
            first = list(dict.fromkeys(ids))
            assert first == sorted(first), "out of order"

    @invariant()
    def a_chat_is_never_stranded(self) -> None:
        """Or a person deleted a job: only then may the sweep find anything."""
        if not self.deleted:
            served = [row.chat for row in self.store.queue.values() if row.lives]
            for chat in CHATS:
                if self.store.unfinished(chat) is not None:
                    owner = self.store.queue.get(self.store.owners[chat] or 0)
                    assert owner is not None
                    assert owner.lives
                if self.store.bots[3].enabled and self.store.servable(chat):
                    assert chat in served

    def teardown(self) -> None:
        try:
            self.drain()
            self.check_the_end()
        finally:
            self.loop.close()

    def drain(self) -> None:
        self.kill("one")
        self.kill("two")
        self.enable(True)
        if self.deleted:
            self.store.sweep()
        for _ in range(400):
            if not self.store.queue:
                return
            self.store.at += timedelta(seconds=400)
            task = self.picked(self.store.ready()[0], "one")
            while task in self.tasks:
                self.finish(task)
        raise AssertionError("it never ends")

    def finish(self, task: Task) -> None:
        if not isinstance(task.result, Running) or task.performed is not None:
            self.put(task)
            return
        self.perform(task, None)

    def check_the_end(self) -> None:
        assert self.store.sweep() == 0
        assert all(one.taken for one in self.store.line), "an entry of a line is lost"
        assert set(self.store.owners.values()) <= {None}
        turns = [turn for _, turn in self.store.turns.values()]
        assert all(turn.over for turn in turns)
        answered = Counter(turn.update_id for turn in turns if turn.update_id is not None)
        assert answered == Counter(range(1, self.updates + 1)), "a message is lost or doubled"
        for chat, turn in self.store.turns.values():
            parts = [said[2] for said in self.shown[chat] if said[:2] == (turn.token.id, "words")]
            assert sorted(parts) == parts, "parts out of order"
            if turn.status is Status.COMPLETED:
                assert sorted(set(parts)) == list(range(len(turn.parts))), "a part is missing"
            else:
                assert turn.verdict


TwoWorkers.TestCase.settings = settings(
    max_examples=120, stateful_step_count=50, deadline=None, report_multiple_bugs=False
)
TestTwoWorkers = TwoWorkers.TestCase
