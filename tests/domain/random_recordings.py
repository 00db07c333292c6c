"""A hypothesis strategy: the recording of a random conversation, journalled by the loop's own code.

Two people's chats, a group's topic and their bot are interleaved: users write, people act in the
web, effects succeed and fail in every way, workers die, handlers break, jobs and chats are deleted.
application/moves.py and application/bot_life.py decide what is journalled; what has no use case yet
(pauses, deleted jobs) is journalled here as they would.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from application.bot_life import BotLife
from application.conversations import JournalRow
from application.jobs import Job, Pick
from application.moves import (
    Bug,
    Ended,
    Item,
    NeedsAlone,
    Outcome,
    Proceed,
    Result,
    Running,
    Take,
    move,
)
from application.recordings import StoredStep
from domain.bot import Bot, TelegramMode
from domain.conversation import handle
from domain.effects import (
    EnsureWebhook,
    Entity,
    GenerateReply,
    Part,
    RemoveWebhook,
    ReportBotFailure,
    ReportBotRecovery,
    ResumeReply,
    SendMessage,
)
from domain.endings import DISABLED_AFTER
from domain.events import (
    BotEdited,
    BotEvent,
    BotFailed,
    BotProfile,
    BotRecovered,
    ChatEvent,
    ChatPaused,
    ChatUnpaused,
    DisableAsked,
    EnableAsked,
    JobDeleted,
    MessageFailed,
    MessageSent,
    Reply,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    TurnBroke,
    TurnEvent,
    WebhookAsked,
    WebhookEnsured,
    WebhookFailed,
    WebhookRemovalAsked,
    WebhookRemoved,
)
from domain.failures import (
    Ambiguous,
    ChatMigrated,
    ContextTooLong,
    EntitiesRefused,
    Failure,
    Fatal,
    Retryable,
    RunLost,
    Terminal,
    ThreadLost,
)
from domain.step import Envelope, digest
from domain.turn import Conversation, Status
from tests.application.memory_conversations import MemoryClock, MemoryConversations, Row

T = TypeVar("T")

BOT = BotProfile(
    610_333,
    "Marzipan",
    "Marzipan_Helper_bot",
    start_message="Welcome, traveller",
    error_message="Something snapped",
)
PEOPLE: dict[int, dict[str, Any]] = {
    4_200_042: {"first_name": "Annabelle", "username": "annie_pancake", "language_code": "en"},
    4_200_043: {"first_name": "Бронислава", "last_name": "Q", "language_code": "ru-RU"},
    -100_500_777: {"title": "Feline Society", "type": "supergroup"},
}
TOPIC = 31_337
CHATS = ["610333:4200042", "610333:4200043", f"610333:-100500777:{TOPIC}"]
MIGRATED = -100_987_654
TEXTS = [
    "Where is grandmother's wallet?",
    "ГДЕ бабушкин 👛 кошелёк",
    "/start deeplink_payload",
    "/help@MARZIPAN_helper_bot quickly",
    "/refresh@other_creature_bot",
    "/refresh",
    "/st\x00art",
    "/passport 77123",
    " ",
]
REPLIES: list[tuple[Part, ...]] = [
    (Part("Look under the sofa", (Entity("bold", 5, 14),)),),
    (
        Part("/start@Marzipan_Helper_bot 👛 here", (Entity("text_link", 30, 4, "https://sofa.example/x"),)),
        Part("print(wallet)", (Entity("pre", 0, 13, None, "walletlang"),)),
    ),
    (Part("one"), Part("two"), Part("three")),
    (),
]  # fmt: skip
GENERATING: list[Failure] = [
    Retryable("OpenAI 503: overloaded by Annabelle"),
    Retryable("OpenAI 429: patience, customer", after=9.0),
    Retryable("OpenAI: server_error happened", run_ended=True),
    Ambiguous("OpenAI: silence fell"),
    Fatal("OpenAI 401: Incorrect key provided"),
    Terminal("the model refused wallets"),
    ThreadLost("OpenAI 404: conversation conv_4242 vanished"),
    RunLost("OpenAI 404: response resp_4242 vanished"),
    ContextTooLong("OpenAI 400: context exceeds limits"),
]
SENDING: list[Failure] = [
    Retryable("Telegram 502: Bad Gateway"),
    Retryable("Telegram 429: Too Many Requests", after=3.0),
    Ambiguous("Telegram: TimeoutError"),
    Fatal("Telegram 401: Unauthorized", token_dead=True),
    Terminal("Telegram 400: message lengthy"),
    Terminal("Telegram 403: bot was blocked by Annabelle", chat_gone=True),
    EntitiesRefused("Telegram 400: can't parse entities near wallet"),
    ChatMigrated(MIGRATED),
]
FAILURES = [*GENERATING, *SENDING]
ERRORS = ["KeyError: 'grandmother'", "ZeroDivisionError: wallet"]
ASKED: list[BotEvent] = [
    EnableAsked(),
    DisableAsked(),
    BotEdited("POLLING", reconnect=True),
    BotEdited("WEBHOOK", reconnect=True),
    WebhookAsked(),
    WebhookRemovalAsked(),
    BotFailed("Telegram 401: Unauthorized pollster", token_dead=True),
]
SECRETS = [
    *(str(abs(identity)) for identity in (BOT.id, *PEOPLE, MIGRATED, TOPIC)),
    *("Marzipan", "Annabelle", "pancake", "Бронислава", "Feline", "Society", "traveller"),
    *("snapped", "grandmother", "wallet", "бабушкин", "кошелёк", "deeplink", "quickly", "creature"),
    *("passport", "77123", "sofa", "4242", "overloaded", "patience", "happened", "silence"),
    *("Incorrect", "refused", "vanished", "exceeds", "Gateway", "Requests", "Unauthorized"),
    *("lengthy", "blocked", "entities near", "pollster", "Operator", "Traceback", "squirrel"),
]
"""Every word and id of a person, a bot or a server that these conversations hold."""


class RandomRecording(Struct, frozen=True):
    """The journal's rows."""

    steps: tuple[StoredStep, ...]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of the export, decoded."""
        return [_line(step) for step in self.steps]


def _line(step: StoredStep) -> dict[str, Any]:
    line: dict[str, Any] = {"key": step.key, "seq": step.seq, "id": step.id, "state": step.state}
    line["at"] = step.at.isoformat().replace("+00:00", "Z")
    if step.from_state is not None:
        line["from"] = msgspec.json.decode(step.from_state)
    line["event"] = msgspec.json.decode(step.event)
    line["effects"] = msgspec.json.decode(step.effects)
    return line


class _Task(Struct, eq=False):
    """A job in a worker's hands."""

    chat: str
    pick: Pick
    result: Result | None = None
    alone: bool = False


class _World:
    """The store in memory, its workers' tasks, Telegram and the model; `draw` is chance."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.store = MemoryConversations(BOT)
        self.bot = Bot(BOT.id, BOT.name, TelegramMode.WEBHOOK, enabled=True, is_active=True)
        self.life = BotLife(self, MemoryClock(self.store))
        self.tasks: list[_Task] = []
        self.seqs: list[int] = []
        self.deleted: list[tuple[int, str, int, bool]] = []
        """After which row, which chat, its epoch, whether it was in the middle of a turn."""
        self.numbers = 70_000_000

    def one_of(self, values: Sequence[T]) -> T:
        chosen: T = self.draw(st.sampled_from(values))
        return chosen

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    # --- the bot's store, for BotLife -------------------------------------------------------------

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["_World"]:
        yield self

    async def load(self, bot_id: int) -> Bot:
        return self.bot

    async def save(self, bot: Bot, journal: JournalRow, jobs: list[Job]) -> None:
        self.bot = bot
        profile = replace(BOT, enabled=bot.enabled, failing=bot.error is not None)
        self.store.bots[BOT.id] = profile
        self.store.journal.append(journal)
        for job in jobs:
            self.store._publish(job)

    async def acknowledge(self, pick: Pick) -> None: ...

    # --- what users and people do ----------------------------------------------------------------

    def receive(self) -> None:
        chat = self.one_of(CHATS)
        person = self.one_of([4_200_042, 4_200_043])
        place = int(chat.split(":")[1])
        number = self.number()
        message: dict[str, Any] = {
            "message_id": self.number(),
            "date": 1_790_000_000,
            "chat": {"id": place, "type": "private"} | PEOPLE[place],
            "from": {"id": person} | PEOPLE[person],
        }
        if place < 0:
            message |= {"message_thread_id": TOPIC, "is_topic_message": True}
        kind = self.one_of([*["text"] * 5, "photo", "caption", "left_chat_member"])
        if kind == "text":
            message["text"] = self.one_of([*TEXTS[:2] * 4, *TEXTS])
        else:
            message |= {"photo": []} if kind != "left_chat_member" else {}
            message |= {"caption": "squirrel"} if kind == "caption" else {}
        raw = msgspec.json.encode({"update_id": number, "message": message}).decode()
        self.store.update(chat, number, raw)

    def ask(self) -> None:
        """An operator writes, or an administrator wants the thread forgotten."""
        chat = self.one_of(CHATS)
        self.known(chat)
        if self.one_of([True, False]):
            self.store.request(chat, "REFRESH")
        else:
            parts = [Part("Operator says hi"), Part("squirrel", (Entity("bold", 0, 8),))]
            self.store.request(chat, "OPERATOR_MESSAGE", *parts)

    def retry(self) -> None:
        waiting = {one.processing_id for one in self.store.line if not one.taken}
        terminal = [
            (chat, turn)
            for chat, turn in self.store.turns.values()
            if turn.status is Status.TERMINAL and turn.token.id not in waiting
        ]
        if terminal:
            chat, turn = self.one_of(terminal)
            self.store.request(chat, "RETRY", of=turn.token.id)

    def pause(self) -> None:
        """A chat is paused, or a paused one is not any more."""
        paused = [chat for chat, known in self.store.chats.items() if known.paused]
        chat = self.one_of([*paused, *paused, *CHATS])
        self.known(chat)
        event = ChatUnpaused() if self.store.chats[chat].paused else ChatPaused()
        self.step(chat, f"paused:{len(self.store.journal)}", event)

    def delete_job(self) -> None:
        jobs = sorted(self.store.queue)
        if not jobs:
            return
        job = self.one_of(jobs)
        chat = self.store.queue[job].chat
        turn = self.store.unfinished(chat)
        if self.store.owners.get(chat) == job and turn is not None:
            token = turn.token
            self.step(chat, f"turn:{token.id}.{token.epoch}:job.deleted", JobDeleted(token))
        self.store.delete_job(job)

    def delete_chat(self) -> None:
        chat = self.one_of(CHATS)
        known = self.store.chats.pop(chat, None)
        if known is not None:
            busy = self.store.unfinished(chat) is not None
            self.deleted.append((len(self.store.journal), chat, known.epoch, busy))
        self.store.owners.pop(chat, None)
        self.store.line = [one for one in self.store.line if one.chat != chat]
        gone = [number for number, (of, _) in self.store.turns.items() if of == chat]
        for number in gone:
            del self.store.turns[number]

    def ask_bot(self) -> None:
        self.tell_bot(self.one_of(ASKED))
        if self.bot.enabled:
            for chat in CHATS:
                if self.store.servable(chat):
                    self.store.publish(chat)

    def time_passes(self) -> None:
        seconds = self.one_of([0.25, 10, 4000, DISABLED_AFTER.total_seconds()])
        self.store.at += timedelta(seconds=seconds)

    def known(self, chat: str) -> None:
        """The chat's row, as intake or an earlier message made it."""
        if chat not in self.store.chats:
            self.store.load(chat, Pick(0, "", self.store.at))

    def step(self, chat: str, identity: str, event: ChatEvent) -> None:
        """A step outside of the loop, journalled as the loop does."""
        self.store.at += timedelta(microseconds=1)
        before = replace(self.store.chats[chat], turn=self.store.unfinished(chat))
        after = handle(before, Envelope(identity, self.store.at, event))
        turn = after.state.turn
        self.store.journal.append(
            JournalRow(
                key=chat,
                at=self.store.at,
                id=identity,
                turn_id=turn.token.id if turn is not None else None,
                from_state=None if before.busy else msgspec.json.encode(before).decode(),
                event=msgspec.json.encode(event).decode(),
                effects=msgspec.json.encode(after.effects).decode(),
                state=digest(after.state),
            )
        )
        self.store.chats[chat] = replace(after.state, turn=None)
        if turn is not None:
            self.store.turns[turn.token.id] = (chat, turn)

    # --- the workers -----------------------------------------------------------------------------

    def work(self) -> None:
        """Everything succeeds for a while."""
        for _ in range(self.draw(st.integers(1, 6))):
            self.advance(self.some_task(), fails=False)

    def fail(self) -> None:
        self.advance(self.some_task(), fails=True)

    def kill(self) -> None:
        """A worker dies, or loses its job to a pause; the job is picked again later."""
        task = self.some_task()
        if task is not None:
            self.tasks.remove(task)
            row = self.store.queue.get(task.pick.job_id)
            if row is not None and row.pick == task.pick:
                row.lapsed = True

    def break_beginning(self) -> None:
        row = self.ready()
        if row is not None:
            task = self.picked(row)
            bug = Bug(self.one_of(ERRORS), "Traceback of squirrel")
            self.put(task, Take(task.chat, task.pick, alone=True, broken=bug))

    def perform_detached(self) -> None:
        if self.store.detached:
            effect = self.store.detached.pop(0)
            failure = self.one_of([None, None, *SENDING])
            match effect:
                case EnsureWebhook(attempt=attempt):
                    failed = WebhookFailed(failure, attempt) if failure else None
                    self.tell_bot(failed or WebhookEnsured())
                case RemoveWebhook(polling=polling, attempt=attempt, asked=asked):
                    failed = None
                    if failure is not None:
                        failed = WebhookFailed(failure, attempt, 0.5, True, polling, asked)
                    self.tell_bot(failed or WebhookRemoved(polling, asked))
                case ReportBotFailure(reason=reason, token_dead=token_dead):
                    self.tell_bot(BotFailed(reason, token_dead))
                case ReportBotRecovery():
                    self.tell_bot(BotRecovered())

    def tell_bot(self, event: BotEvent) -> None:
        self.store.at += timedelta(microseconds=1)
        at_once(self.life.put(BOT.id, event))
        self.number_rows()

    def some_task(self) -> _Task | None:
        row = self.ready()
        if row is not None and (not self.tasks or self.one_of([True, False])):
            return self.picked(row)
        return self.one_of(self.tasks) if self.tasks else None

    def ready(self) -> Row | None:
        ready = self.store.ready()
        if not ready and self.store.queue and not self.tasks:
            self.store.at = max(self.store.at, *(row.due for row in self.store.queue.values()))
            ready = self.store.ready()
        return self.one_of(ready) if ready else None

    def picked(self, row: Row) -> _Task:
        task = _Task(row.chat, self.store.pick(row.id))
        self.tasks.append(task)
        return task

    def advance(self, task: _Task | None, *, fails: bool) -> None:
        """The next thing that a task does."""
        if task is None or task not in self.tasks:
            return
        match task.result:
            case Running() as running:
                self.perform(task, running, fails=fails)
            case Ended(epoch=epoch):
                self.put(task, Proceed(task.chat, task.pick, epoch))
            case _:
                again = fails and self.one_of([True, False])
                self.put(task, Take(task.chat, task.pick, task.alone, again))

    def put(self, task: _Task, item: Item) -> None:
        loaded = self.store.load(task.chat, task.pick)
        self.store.at += timedelta(microseconds=1)
        result, change = move(item, loaded, self.store.at)
        if change is not None:
            self.store._save(change)
        if isinstance(result, NeedsAlone):
            task.alone = True
        elif isinstance(result, Running | Ended):
            task.result = result
        else:
            self.tasks.remove(task)

    def perform(self, task: _Task, running: Running, *, fails: bool) -> None:
        effect = running.effects[-1]
        event: TurnEvent
        if fails and not self.draw(st.integers(0, 4)):
            error = self.one_of(ERRORS)
            event = TurnBroke(effect.turn, error, 0.25, traceback="Traceback of squirrel")
        elif isinstance(effect, SendMessage):
            event = MessageSent(effect.turn, effect.part, self.number())
            if fails:
                event = MessageFailed(effect.turn, effect.part, self.one_of(SENDING), 0.75)
        else:
            event = self.answer(task, effect, fails=fails)
            if task not in self.tasks:
                return  # the run's id was nobody's any more
        self.put(task, Outcome(task.chat, task.pick, event))

    def answer(self, task: _Task, effect: Any, *, fails: bool) -> TurnEvent:
        if isinstance(effect, GenerateReply) and self.one_of([True, False]):
            started = ReplyStarted(effect.turn, f"resp_4242{effect.turn.id}", "conv_4242")
            self.put(task, Outcome(task.chat, task.pick, started))
        assert isinstance(effect, GenerateReply | ResumeReply)
        if fails:
            return ReplyFailed(effect.turn, self.one_of(GENERATING), 0.125)
        parts = self.one_of(REPLIES)
        text = "\n".join(part.text for part in parts)
        reply = Reply(text, parts, "gpt", 3, 4, "0.000123", 0.5, "conv_4242", "resp_4242")
        return ReplyGenerated(effect.turn, reply)

    def number_rows(self) -> None:
        """The sequence of the journal: other bots' steps lie between ours."""
        while len(self.seqs) < len(self.store.journal):
            last = self.seqs[-1] if self.seqs else 10
            self.seqs.append(last + 1 + last % 3)

    def recorded(self) -> RandomRecording:
        self.number_rows()
        for row, chat, epoch, busy in self.deleted:
            assume(self.seen_to_return(row, chat, epoch, busy=busy))
        steps = tuple(
            StoredStep(
                seq, row.key, row.at, row.id, row.from_state, row.event, row.effects, row.state
            )
            for seq, row in zip(self.seqs, self.store.journal, strict=True)
        )
        return RandomRecording(steps)

    def seen_to_return(self, row: int, chat: str, epoch: int, *, busy: bool) -> bool:
        """Whether a reader can tell the chat's return from steps that are missing or swapped.

        They are alike where the chat was deleted in the middle of a turn, and jobs that found
        nothing to do brought the new one's epoch up to the old one's before its first step.
        """
        again = next((one for one in self.store.journal[row:] if one.key == chat), None)
        if again is None or again.from_state is None:
            return True
        reached = msgspec.json.decode(again.from_state, type=Conversation).epoch
        return reached < epoch or not busy


ACTIONS: list[Callable[[_World], None]] = [
    *[_World.work] * 8,
    *[_World.receive] * 5,
    *[_World.fail] * 8,
    *[_World.ask, _World.retry] * 2,
    *[_World.pause, _World.kill, _World.kill, _World.break_beginning],
    *[_World.delete_job, _World.delete_chat, _World.ask_bot, _World.perform_detached],
    _World.time_passes,
]


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("it waits")


@st.composite
def recordings(draw: st.DrawFn, longest: int = 50) -> RandomRecording:
    """The recording of up to so many things that happened; there is a step in it."""
    world = _World(draw)
    for action in draw(st.lists(st.sampled_from(ACTIONS), min_size=longest // 3, max_size=longest)):
        action(world)
    if not world.store.journal:
        world.pause()
    return world.recorded()


def one_recording() -> RandomRecording:
    """The longest of some recordings, the same one each time."""
    found: list[RandomRecording] = []

    @settings(max_examples=30, derandomize=True, database=None, phases=[Phase.generate])
    @given(recordings(longest=90))
    def keep(recording: RandomRecording) -> None:
        found.append(recording)

    keep()
    return max(found, key=lambda recording: len(recording.steps))
