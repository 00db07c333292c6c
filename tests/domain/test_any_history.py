"""Any sequence of events: hypothesis plays the users, the world and its deaths over one chat.

The machine keeps a line of messages and one worker, as application/react.py does, and checks every
Step: one final state for each message, parts in order, nothing wished for by a turn that is over,
nothing asked twice without a reason.
"""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TypeAlias

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from domain.conversation import handle
from domain.effects import (
    AdminAlert,
    Effect,
    GenerateReply,
    Part,
    PublishJob,
    ReportBotFailure,
    ResumeReply,
    SendChatAction,
    SendMessage,
    TurnToken,
)
from domain.endings import MAX_BREAKS
from domain.events import (
    ChatEvent,
    ChatPaused,
    ChatUnpaused,
    JobDeleted,
    MessageFailed,
    MessageSent,
    OperatorWrote,
    RefreshAsked,
    Reply,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    RetryAsked,
    TurnBroke,
    TurnResumed,
    UpdateReceived,
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
from domain.step import Envelope, Step
from domain.turn import Conversation, Status, Turn
from tests.domain.given import BOT, NOW, message
from tests.domain.given import update as update_of

Wish: TypeAlias = GenerateReply | ResumeReply | SendMessage
Outcome = ReplyStarted | ReplyGenerated | ReplyFailed | MessageSent | MessageFailed | JobDeleted
Said: TypeAlias = tuple[int, str]
"""A message and what is sent for it: its words, or the apology of its n-th try."""

GENERATING: list[Failure] = [
    Retryable("away"),
    Retryable("too many requests", after=9.0),
    Retryable("server_error", run_ended=True),
    Ambiguous("no answer"),
    Fatal("wrong key"),
    Terminal("refused"),
    ThreadLost("no conversation"),
    RunLost("no run"),
    ContextTooLong("too long"),
]
SENDING: list[Failure] = [
    Retryable("away"),
    Retryable("too many requests", after=9.0),
    Ambiguous("no answer"),
    Fatal("unauthorized", token_dead=True),
    Terminal("too long"),
    Terminal("blocked", chat_gone=True),
    EntitiesRefused("can't parse"),
    ChatMigrated(-1009),
]
TEXTS = st.sampled_from(["Hello", "Hello", "/start", "/refresh", "/help@other", " ", "photo"])


class History(RuleBasedStateMachine):
    """A chat, its line, its worker, and what the user's client shows."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOW
        self.chat = Conversation("3:42", 42)
        self.ids = 0
        self.wish: Wish | None = None
        self.started = False
        self.happened: list[Outcome] = []
        self.finals: dict[int, Turn] = {}
        self.begun: set[int] = set()
        self.tries: Counter[int] = Counter()
        self.alerts: Counter[tuple[int, int]] = Counter()
        self.deleted: set[int] = set()
        self.replies: Counter[tuple[int, int]] = Counter()
        self.runs: dict[int, str] = {}
        self.shown: defaultdict[Said, list[int]] = defaultdict(list)
        self.excused: Counter[tuple[Said, int]] = Counter()

    # --- what is checked of every step -----------------------------------------------------------

    def put(self, event: ChatEvent, at: datetime | None = None) -> Step[Conversation]:
        before = self.chat
        step = handle(before, Envelope("test", at or self.at, event))
        if isinstance(event, Outcome) and (
            before.turn is None or before.turn.over or before.turn.token != event.turn
        ):
            assert step == Step(before), f"a stale {event} is not ignored"
        if step == Step(before):
            return step
        assert step.state.epoch >= before.epoch
        self.chat = step.state
        self.check_effects(step)
        for effect in step.effects:
            if isinstance(effect, Wish):
                self.wish, self.started = effect, False
        turn = step.state.turn
        if turn is None or not isinstance(event, ReplyStarted | ChatPaused | ChatUnpaused):
            self.check_turn(step, event)
        return step

    def check_effects(self, step: Step[Conversation]) -> None:
        turn = step.state.turn
        for effect in step.effects:
            if not isinstance(effect, Wish | SendChatAction):
                continue
            assert turn is not None
            assert not turn.over, "a turn that is over wishes for something"
            assert turn.status is Status.PROCESSING
            assert effect.turn == turn.token
            match effect:
                case GenerateReply():
                    assert turn.run_id is None, "a run that was started is not resumed"
                    assert turn.asking == "model", "the model is asked what it should not hear"
                case ResumeReply():
                    assert effect.run_id == turn.run_id
                case SendMessage():
                    assert effect.part == turn.next_part
            if isinstance(effect, GenerateReply | ResumeReply):
                assert turn.reply is None, "a reply is generated again"

    def check_turn(self, step: Step[Conversation], event: ChatEvent) -> None:
        turn = step.state.turn
        if turn is None or isinstance(event, RefreshAsked):
            return
        message_id = turn.token.id
        this_try = (message_id, self.tries[message_id])
        self.alerts[this_try] += sum(
            isinstance(effect, AdminAlert | ReportBotFailure) for effect in step.effects
        )
        if isinstance(event, ReplyGenerated):
            self.replies[this_try] += 1
            assert self.replies[this_try] == 1, "two outcomes of one generation are accepted"
        wishes = [effect for effect in step.effects if isinstance(effect, Wish)]
        jobs = [effect for effect in step.effects if isinstance(effect, PublishJob)]
        match turn.status:
            case Status.PROCESSING:
                assert (len(wishes), len(jobs)) == (1, 0)
            case Status.FAILED:
                assert (len(wishes), len(jobs)) == (0, 1)
                assert turn.last_error is not None
                self.wish = None
            case Status.COMPLETED | Status.TERMINAL:
                assert (len(wishes), len(jobs)) == (0, 0)
                assert message_id not in self.finals, "a message ends twice"
                self.finals[message_id] = turn
                self.wish = None
                self.check_final(turn, this_try)

    def check_final(self, turn: Turn, this_try: tuple[int, int]) -> None:
        if turn.status is Status.TERMINAL:
            assert turn.verdict
            if turn.token.id not in self.deleted:
                assert self.alerts[this_try] == 1, f"{self.alerts[this_try]} alerts"
            return
        assert turn.verdict is None
        assert self.alerts[this_try] == 0
        assert len(turn.noticed if turn.notice else turn.sent) == len(turn.parts)

    # --- what users and people do ----------------------------------------------------------------

    def token(self, *, epoch: int = 0) -> TurnToken:
        self.ids += 1
        return TurnToken(self.ids, self.chat.epoch + epoch)

    @precondition(lambda self: not self.chat.busy)
    @rule(text=TEXTS)
    def receive(self, text: str) -> None:
        token = self.token(epoch=1)
        self.begun.add(token.id)
        incoming = message(unsupported=text) if text == "photo" else message(text)
        self.put(UpdateReceived(token, replace(update_of(), message=incoming), BOT))

    @precondition(lambda self: not self.chat.busy)
    @rule(parts=st.lists(st.just(Part("I am a person.")), min_size=1, max_size=3))
    def write(self, parts: list[Part]) -> None:
        token = self.token(epoch=1)
        self.begun.add(token.id)
        self.put(OperatorWrote(token, "I am a person.", tuple(parts), BOT))

    @precondition(lambda self: not self.chat.busy)
    @rule()
    def refresh(self) -> None:
        self.put(RefreshAsked(self.token(epoch=1), BOT))

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        self.put(ChatPaused() if paused else ChatUnpaused())

    @precondition(lambda self: not self.chat.busy and self.terminal())
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        turn = data.draw(st.sampled_from(self.terminal()))
        del self.finals[turn.token.id]
        self.deleted.discard(turn.token.id)
        self.tries[turn.token.id] += 1
        self.chat = replace(self.chat, turn=turn)
        self.put(RetryAsked(TurnToken(turn.token.id, self.chat.epoch + 1), BOT))

    def terminal(self) -> list[Turn]:
        return [turn for turn in self.finals.values() if turn.status is Status.TERMINAL]

    @precondition(lambda self: self.chat.busy)
    @rule(in_flight=st.booleans())
    def delete_job(self, in_flight: bool) -> None:
        turn = self.turn()
        self.deleted.add(turn.token.id)
        if in_flight and isinstance(self.wish, SendMessage):
            self.deliver(self.wish, excused=True)
        self.put(JobDeleted(turn.token))

    @rule(seconds=st.sampled_from([1, 60, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)

    # --- what the world does ---------------------------------------------------------------------

    def turn(self) -> Turn:
        assert self.chat.turn is not None
        return self.chat.turn

    def outcome(self, event: Outcome) -> None:
        self.happened.append(event)
        self.put(event)

    def deliver(self, wish: SendMessage, *, excused: bool) -> None:
        """Telegram shows the part; `excused`: and we do not hear of it."""
        turn = self.turn()
        stage = "words" if turn.verdict is None else f"apology {self.tries[turn.token.id]}"
        said = (turn.token.id, stage)
        parts = self.shown[said]
        assert wish.part in ({0} if not parts else {parts[-1], parts[-1] + 1}), "out of order"
        parts.append(wish.part)
        assert parts.count(wish.part) <= 1 + self.excused[said, wish.part], "sent twice"
        if excused:
            self.excused[said, wish.part] += 1

    @precondition(
        lambda self: isinstance(self.wish, GenerateReply | ResumeReply) and not self.started
    )
    @rule()
    def run_starts(self) -> None:
        assert isinstance(self.wish, GenerateReply | ResumeReply)
        self.started, message_id = True, self.wish.turn.id
        if isinstance(self.wish, GenerateReply):
            assert message_id not in self.runs, "paid for twice"
            self.runs[message_id] = f"resp_{self.wish.turn.epoch}"
        self.outcome(ReplyStarted(self.wish.turn, self.runs[message_id], "conv_1"))

    @precondition(lambda self: isinstance(self.wish, GenerateReply | ResumeReply))
    @rule(parts=st.integers(0, 3))
    def generated(self, parts: int) -> None:
        assert isinstance(self.wish, GenerateReply | ResumeReply)
        reply = Reply("…", (Part("…"),) * parts, "gpt", thread_id="conv_1")
        if not parts:
            self.runs.pop(self.wish.turn.id, None)
        self.outcome(ReplyGenerated(self.wish.turn, reply))

    @precondition(lambda self: isinstance(self.wish, GenerateReply | ResumeReply))
    @rule(failure=st.sampled_from(GENERATING))
    def not_generated(self, failure: Failure) -> None:
        assert isinstance(self.wish, GenerateReply | ResumeReply)
        ended = isinstance(failure, Retryable) and failure.run_ended
        if ended or isinstance(failure, Terminal | ThreadLost | RunLost | ContextTooLong):
            self.runs.pop(self.wish.turn.id, None)
        self.outcome(ReplyFailed(self.wish.turn, failure))

    @precondition(lambda self: isinstance(self.wish, SendMessage))
    @rule()
    def sent(self) -> None:
        assert isinstance(self.wish, SendMessage)
        self.deliver(self.wish, excused=False)
        self.outcome(MessageSent(self.wish.turn, self.wish.part, 900))

    @precondition(lambda self: isinstance(self.wish, SendMessage))
    @rule(failure=st.sampled_from(SENDING), arrived=st.booleans())
    def not_sent(self, failure: Failure, arrived: bool) -> None:
        assert isinstance(self.wish, SendMessage)
        if isinstance(failure, Ambiguous) and arrived:
            self.deliver(self.wish, excused=True)
        self.outcome(MessageFailed(self.wish.turn, self.wish.part, failure))

    # --- what goes wrong with us -----------------------------------------------------------------

    @precondition(lambda self: self.wish is not None)
    @rule(arrived=st.booleans())
    def kill(self, arrived: bool) -> None:
        if arrived and isinstance(self.wish, SendMessage):
            self.deliver(self.wish, excused=True)
        turn = self.turn()
        self.put(TurnResumed(TurnToken(turn.token.id, self.chat.epoch + 1), died=True))

    @precondition(lambda self: self.chat.busy and self.turn().status is Status.FAILED)
    @rule()
    def retry_is_due(self) -> None:
        self.put(TurnResumed(TurnToken(self.turn().token.id, self.chat.epoch + 1)))

    @precondition(lambda self: self.wish is not None)
    @rule()
    def bug(self) -> None:
        breaks = self.turn().breaks
        self.put(TurnBroke(self.turn().token, "KeyError: 'x'"))
        assert breaks < MAX_BREAKS or self.turn().over, "a bug goes round and round"

    @precondition(lambda self: self.happened)
    @rule(data=st.data())
    def stale(self, data: st.DataObject) -> None:
        """An outcome comes once more; what it says stands already, or nobody asks any more."""
        event = data.draw(st.sampled_from(self.happened))
        before, turn = self.chat, self.chat.turn
        current = turn is not None and not turn.over and turn.token == event.turn
        if current and not isinstance(event, ReplyGenerated | MessageSent):
            return
        step = self.put(event)
        assert step == Step(before), f"{event} is taken twice"

    # --- what always holds -----------------------------------------------------------------------

    @invariant()
    def no_turn_is_stuck(self) -> None:
        turn = self.chat.turn
        if turn is None or turn.over:
            return
        for died in (False, True):
            token = TurnToken(turn.token.id, self.chat.epoch + 1)
            step = handle(self.chat, Envelope("test", self.at, TurnResumed(token, died)))
            wishes: list[Effect] = [effect for effect in step.effects if isinstance(effect, Wish)]
            after = step.state.turn
            assert after is not None
            assert after.over != bool(wishes)

    @invariant()
    def every_message_has_one_state(self) -> None:
        unfinished = {self.turn().token.id} if self.chat.busy else set[int]()
        assert self.begun == set(self.finals) | unfinished
        assert not set(self.finals) & unfinished

    def teardown(self) -> None:
        for _ in range(20):
            if not self.chat.busy:
                break
            if self.turn().status is Status.FAILED:
                self.retry_is_due()
            elif isinstance(self.wish, SendMessage):
                self.sent()
            else:
                self.generated(2)
        assert not self.chat.busy, "it never ends"
        self.every_message_has_one_state()
        for message_id, turn in self.finals.items():
            if turn.status is Status.COMPLETED and turn.parts:
                shown = self.shown[message_id, "words"]
                assert sorted(set(shown)) == list(range(len(turn.parts))), "a part is missing"


History.TestCase.settings = settings(
    max_examples=300, stateful_step_count=30, report_multiple_bugs=False
)
TestHistory = History.TestCase
