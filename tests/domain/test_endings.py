"""How a turn goes on and ends: each outcome, each Failure at each stage, in whole Steps."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from domain import texts
from domain.conversation import handle
from domain.effects import (
    HANDLE_UPDATE,
    AdminAlert,
    Entity,
    Part,
    PublishJob,
    ReportBotFailure,
    ReportBotRecovery,
    TurnToken,
)
from domain.events import (
    ChatPaused,
    ChatUnpaused,
    JobDeleted,
    MessageFailed,
    MessageSent,
    OperatorWrote,
    Reply,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    RetryAsked,
    TurnResumed,
    UpdateReceived,
)
from domain.failures import (
    MAX_AGE,
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
    backoff,
)
from domain.step import Envelope, Step
from domain.turn import Status, Turn
from tests.domain.given import (
    BOT,
    GROUP,
    LATER,
    NOW,
    REPLY,
    RUSSIAN,
    TOKEN,
    after,
    begun,
    chat,
    generate,
    given,
    message,
    replied,
    send,
    typing,
    update,
)

SORRY = texts.FAILED["en"]
BOLD = Part("bold", (Entity("bold", 0, 4),))
LAST_ATTEMPT = 6


def alert(reason: str, cause: str | None = None) -> AdminAlert:
    text = f"Kotodom: message 100 was not answered. {reason}"
    return AdminAlert(3, cause if cause is not None else reason, text)


def failing(turn: Turn, reason: str, at: datetime = NOW, **changes: object) -> Turn:
    """The turn with its last error."""
    return replace(turn, last_error=reason, last_error_at=at, **changes)


def apologizing(turn: Turn, reason: str, words: str = SORRY, at: datetime = NOW) -> Turn:
    """The turn as it is when it will end TERMINAL, and the user is to hear of it."""
    return failing(turn, reason, at, verdict=reason, notice=(Part(words),))


def terminal(turn: Turn, reason: str, at: datetime = NOW, **changes: object) -> Turn:
    ended = replace(turn, verdict=reason, status=Status.TERMINAL, ended_at=at)
    return replace(ended, **changes)


def waiting(turn: Turn, reason: str, attempts: int = 1, at: datetime = NOW) -> Turn:
    """The turn as it is between two attempts."""
    return failing(turn, reason, at, status=Status.FAILED, attempts=attempts)


def again_in(seconds: float) -> PublishJob:
    return PublishJob(HANDLE_UPDATE, "3:42", float(seconds))


# --- how it succeeds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run_id", "thread_id"), [("resp_1", "conv_1"), ("resp_1", None), (None, "conv_1")]
)
def test_a_run_that_started_is_remembered(run_id: str | None, thread_id: str | None) -> None:
    known = chat(begun(run_id="resp_0"), thread_id="conv_0", thread_upto=90)
    given(known).when(ReplyStarted(TOKEN, run_id, thread_id)).then(
        Step(
            chat(
                begun(run_id=run_id or "resp_0"),
                thread_id=thread_id or "conv_0",
                thread_upto=90,
            )
        )
    )


def test_a_run_without_an_id_changes_nothing() -> None:
    given(chat(begun())).when(ReplyStarted(TOKEN)).then_nothing()


def test_a_reply_is_kept_and_its_first_part_is_sent() -> None:
    given(chat(begun(run_id="resp_1"))).when(ReplyGenerated(TOKEN, REPLY), after(seconds=5)).then(
        Step(
            chat(replied(generated_at=after(seconds=5)), thread_id="conv_1", thread_upto=100),
            (send("one"),),
        )
    )


def test_a_reply_of_a_server_without_threads_leaves_the_thread_as_it_is() -> None:
    reply = replace(REPLY, thread_id=None)
    given(chat(begun())).when(ReplyGenerated(TOKEN, reply)).then(
        Step(chat(begun(reply=reply, generated_at=NOW)), (send("one"),))
    )


def test_a_bot_in_error_that_is_answered_recovers() -> None:
    broken = replace(BOT, failing=True)
    given(chat(begun(bot=broken))).when(ReplyGenerated(TOKEN, REPLY)).then(
        Step(
            chat(replied(bot=broken, run_id=None), thread_id="conv_1", thread_upto=100),
            (ReportBotRecovery(3), send("one")),
        )
    )


def test_in_a_group_only_the_first_part_quotes_the_question() -> None:
    group = {"id": "3:-500", "chat_id": -500}
    turn = replied(incoming=message("Hello", chat=GROUP))
    given(chat(begun(incoming=turn.incoming, run_id="resp_1"), **group)).when(
        ReplyGenerated(TOKEN, REPLY)
    ).then(
        Step(
            chat(turn, thread_id="conv_1", thread_upto=100, **group),
            (send("one", chat_id=-500, reply_to=9),),
        )
    )
    given(chat(turn, **group)).when(MessageSent(TOKEN, 0, 900)).then(
        Step(chat(replace(turn, sent=(900,)), **group), (send("two", 1, chat_id=-500),))
    )


def test_parts_go_out_one_after_the_other_and_then_it_is_completed() -> None:
    given(chat(replied())).when(MessageSent(TOKEN, 0, 900)).then(
        Step(chat(replied(sent=(900,))), (send("two", 1),))
    )
    given(chat(replied(sent=(900,)))).when(MessageSent(TOKEN, 1, 901), after(seconds=1)).then(
        Step(chat(replied(sent=(900, 901), status=Status.COMPLETED, ended_at=after(seconds=1))))
    )


@pytest.mark.parametrize("event", [ChatPaused(), ChatUnpaused()])
@pytest.mark.parametrize("turn", [None, begun(), replied(), waiting(begun(), "away")])
def test_pausing_leaves_the_turn_as_it_is(
    event: ChatPaused | ChatUnpaused, turn: Turn | None
) -> None:
    paused = isinstance(event, ChatPaused)
    given(chat(turn, paused=not paused)).when(event).then(Step(chat(turn, paused=paused)))


def test_a_turn_that_was_begun_before_the_pause_is_finished() -> None:
    given(chat(begun(run_id="resp_1"), paused=True)).when(ReplyGenerated(TOKEN, REPLY)).then(
        Step(
            chat(replied(), thread_id="conv_1", thread_upto=100, paused=True),
            (send("one"),),
        )
    )


# --- failures to be tried again ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [
        (1, 0.5, 1),
        (2, 0.5, 4),
        (3, 0.5, 16),
        (4, 0.5, 64),
        (5, 0.5, 256),
        (1, 0.0, 0.75),
        (5, 0.0, 192),
        (5, 1.0, 320),
    ],
)
def test_the_schedule_of_retries(attempts: int, jitter: float, seconds: float) -> None:
    assert backoff(attempts, jitter) == seconds


@pytest.mark.parametrize("failure", [Retryable("model away"), Ambiguous("no answer")])
def test_a_generation_is_tried_again_later(failure: Retryable | Ambiguous) -> None:
    event = ReplyFailed(TOKEN, failure, jitter=0.0)
    given(chat(begun(run_id="resp_1"))).when(event).then(
        Step(chat(waiting(begun(run_id="resp_1"), failure.reason)), (again_in(0.75),))
    )


@pytest.mark.parametrize("failure", [Retryable("telegram away"), Ambiguous("no answer")])
def test_a_part_is_tried_again_later(failure: Retryable | Ambiguous) -> None:
    turn = replied(sent=(900,), attempts=3)
    given(chat(turn)).when(MessageFailed(TOKEN, 1, failure)).then(
        Step(chat(waiting(turn, failure.reason, attempts=4)), (again_in(64),))
    )


@pytest.mark.parametrize("seconds", [0.5, 30.0, 3599.0])
def test_a_wait_that_a_server_told_costs_no_attempt(seconds: float) -> None:
    failure = Retryable("too many requests", after=seconds)
    turn = begun(attempts=5)
    given(chat(turn)).when(ReplyFailed(TOKEN, failure)).then(
        Step(chat(waiting(turn, "too many requests", attempts=5)), (again_in(seconds),))
    )
    turn = replied(attempts=5)
    given(chat(turn)).when(MessageFailed(TOKEN, 0, failure)).then(
        Step(chat(waiting(turn, "too many requests", attempts=5)), (again_in(seconds),))
    )


@pytest.mark.parametrize("told", [None, 30.0])
def test_a_run_that_ended_is_not_followed_again(told: float | None) -> None:
    failure = Retryable("server_error", after=told, run_ended=True)
    given(chat(begun(run_id="resp_1"))).when(ReplyFailed(TOKEN, failure)).then(
        Step(
            chat(waiting(begun(), "server_error", attempts=0 if told else 1)),
            (again_in(told or 1),),
        )
    )


def test_after_six_attempts_at_generating_it_is_given_up() -> None:
    turn = begun(attempts=5)
    given(chat(turn)).when(ReplyFailed(TOKEN, Retryable("model away"))).then(
        Step(
            chat(apologizing(replace(turn, attempts=LAST_ATTEMPT), "gave up: model away")),
            (alert("gave up: model away"), send(SORRY)),
        )
    )


def test_after_six_attempts_at_sending_it_is_given_up() -> None:
    turn = replied(sent=(900,), attempts=5)
    given(chat(turn)).when(MessageFailed(TOKEN, 1, Ambiguous("no answer"))).then(
        Step(
            chat(apologizing(replace(turn, attempts=LAST_ATTEMPT), "gave up: no answer")),
            (alert("gave up: no answer"), send(SORRY)),
        )
    )


@pytest.mark.parametrize("told", [None, 30.0])
def test_an_hour_after_the_first_try_it_is_given_up(told: float | None) -> None:
    turn, event = begun(), ReplyFailed(TOKEN, Retryable("away", after=told))
    attempts = 0 if told else 1
    late = NOW + MAX_AGE
    before = late - timedelta(seconds=31)
    given(chat(turn)).when(event, before).then(
        Step(chat(waiting(turn, "away", attempts, before)), (again_in(told or 1),))
    )
    given(chat(turn)).when(event, late).then(
        Step(
            chat(apologizing(replace(turn, attempts=attempts), "gave up: away", at=late)),
            (alert("gave up: away"), send(SORRY)),
        )
    )


@pytest.mark.parametrize("told", [3600.0, 86_400.0, 1e12, float("inf")])
def test_a_wait_beyond_the_hour_is_not_waited_for(told: float) -> None:
    event = ReplyFailed(TOKEN, Retryable("flood", after=told))
    reason = "gave up: told to wait for longer than an hour: flood"
    given(chat(begun())).when(event).then(
        Step(chat(apologizing(begun(), reason)), (alert(reason), send(SORRY)))
    )


# --- repairs, each a step of the same turn that costs no attempt ---------------------------------


def test_entities_that_telegram_refuses_are_left_out_once() -> None:
    reply = replace(REPLY, parts=(BOLD, BOLD))
    turn = replied(reply=reply)
    plain = failing(turn, "can't parse", plain=True)
    refused = MessageFailed(TOKEN, 0, EntitiesRefused("can't parse"))
    given(chat(turn)).when(refused).then(Step(chat(plain), (send("bold"),)))
    given(chat(plain)).when(refused).then(
        Step(
            chat(replace(apologizing(turn, "can't parse"), plain=False)),
            (alert("can't parse"), send(SORRY)),
        )
    )


def test_an_operators_entities_are_left_out_too() -> None:
    turn = Turn(TOKEN, BOT, "bold", NOW, notice=(BOLD,), in_context=True, operator=True)
    refused = MessageFailed(TOKEN, 0, EntitiesRefused("can't parse"))
    given(chat(turn)).when(refused).then(
        Step(chat(failing(turn, "can't parse", plain=True)), (send("bold"),))
    )


def test_a_group_that_migrated_is_answered_where_it_is_now() -> None:
    turn = replied(sent=(900,))
    told = "the group is a supergroup now: -1009"
    given(chat(turn, chat_id=-500)).when(MessageFailed(TOKEN, 1, ChatMigrated(-1009))).then(
        Step(chat(failing(turn, told), chat_id=-1009), (send("two", 1, chat_id=-1009),))
    )


def test_a_group_that_migrated_to_itself_is_given_up() -> None:
    reason = "the group migrated to itself"
    given(chat(replied())).when(MessageFailed(TOKEN, 0, ChatMigrated(42))).then(
        Step(chat(apologizing(replied(), reason)), (alert(reason), send(SORRY)))
    )


def test_a_thread_that_is_lost_is_made_anew_once() -> None:
    known = {"thread_id": "conv_1", "thread_upto": 90, "context_from": 50}
    turn = begun(run_id="resp_1")
    rebuilt = failing(begun(), "no conversation", rebuilt=True)
    given(chat(turn, **known)).when(ReplyFailed(TOKEN, ThreadLost("no conversation"))).then(
        Step(chat(rebuilt, context_from=50), (typing(), generate(context_from=50)))
    )
    given(chat(rebuilt)).when(ReplyFailed(TOKEN, ThreadLost("gone again"))).then(
        Step(chat(apologizing(rebuilt, "gone again")), (alert("gone again"), send(SORRY)))
    )


def test_a_run_that_is_lost_is_made_anew_in_its_thread_once() -> None:
    known = {"thread_id": "conv_1", "thread_upto": 90}
    lost = ReplyFailed(TOKEN, RunLost("no run"))
    step = given(chat(begun(run_id="resp_1"), **known)).when(lost).step
    assert step.effects == (typing(), generate(**known))
    rebuilt = step.state.turn
    assert rebuilt is not None
    assert (rebuilt.run_id, rebuilt.last_error, rebuilt.attempts) == (None, "no run", 0)
    given(step.state).when(ReplyFailed(TOKEN, RunLost("gone again"))).then(
        Step(
            chat(apologizing(rebuilt, "gone again"), **known),
            (alert("gone again"), send(SORRY)),
        )
    )


def test_a_run_that_is_lost_with_its_thread_is_still_made_anew() -> None:
    """The server forgot both: 404 for the run comes first, then 404 for its conversation."""
    known = chat(begun(run_id="resp_1"), thread_id="conv_1", thread_upto=90)
    lost = given(known).when(ReplyFailed(TOKEN, RunLost("no run"))).step.state
    step = given(lost).when(ReplyFailed(TOKEN, ThreadLost("no conversation"))).step
    assert step.effects == (typing(), generate())
    assert step.state.thread_id is None


def test_a_context_that_is_too_long_is_trimmed_once() -> None:
    known = {"thread_id": "conv_1", "thread_upto": 90}
    trimmed = failing(begun(), "too long", trimmed=True)
    given(chat(begun(run_id="resp_1"), **known)).when(
        ReplyFailed(TOKEN, ContextTooLong("too long"))
    ).then(Step(chat(trimmed), (typing(), generate(trim=True))))
    given(chat(trimmed)).when(ReplyFailed(TOKEN, ContextTooLong("too long still"))).then(
        Step(chat(apologizing(trimmed, "too long still")), (alert("too long still"), send(SORRY)))
    )


# --- how it ends TERMINAL ------------------------------------------------------------------------


def test_what_cannot_be_generated_ends_with_an_apology_and_its_run_is_over() -> None:
    given(chat(begun(run_id="resp_1"))).when(ReplyFailed(TOKEN, Terminal("content refused"))).then(
        Step(chat(apologizing(begun(), "content refused")), (alert("content refused"), send(SORRY)))
    )


def test_what_cannot_be_sent_ends_with_an_apology() -> None:
    turn = replied(sent=(900,))
    given(chat(turn)).when(MessageFailed(TOKEN, 1, Terminal("message is too long"))).then(
        Step(
            chat(apologizing(replace(turn, run_id=None), "message is too long")),
            (alert("message is too long"), send(SORRY)),
        )
    )


@pytest.mark.parametrize("turn", [begun(), replied(), replied(sent=(900,))])
def test_a_chat_that_is_gone_hears_no_apology(turn: Turn) -> None:
    failure = Terminal("bot was blocked by the user", chat_gone=True)
    event = (
        MessageFailed(TOKEN, turn.next_part, failure)
        if turn.reply is not None
        else ReplyFailed(TOKEN, failure)
    )
    reason = failure.reason
    given(chat(turn)).when(event).then(
        Step(chat(terminal(failing(turn, reason), reason, run_id=None)), (alert(reason),))
    )


def test_a_model_that_is_dead_is_reported_and_the_user_hears_an_apology() -> None:
    reason = "OpenAI 401: wrong key"
    given(chat(begun())).when(ReplyFailed(TOKEN, Fatal(reason))).then(
        Step(
            chat(apologizing(begun(), reason)),
            (ReportBotFailure(3, reason), send(SORRY)),
        )
    )


def test_a_token_that_is_dead_is_reported_and_nothing_more_is_said() -> None:
    reason = "Telegram 401: Unauthorized"
    given(chat(replied())).when(MessageFailed(TOKEN, 0, Fatal(reason, token_dead=True))).then(
        Step(
            chat(terminal(failing(replied(), reason), reason)),
            (ReportBotFailure(3, reason, token_dead=True),),
        )
    )


def test_an_answer_of_nothing_ends_terminal_and_its_run_is_not_followed_again() -> None:
    """DESIGN §2: the run id stays unless the run itself ended, and this one did."""
    reason = "the model answered with nothing"
    empty = Reply("  ", (), "gpt", thread_id="conv_1", run_id="resp_1")
    given(chat(begun(run_id="resp_1"))).when(ReplyGenerated(TOKEN, empty)).then(
        Step(
            chat(apologizing(begun(), reason), thread_id="conv_1", thread_upto=100),
            (alert(reason), send(SORRY)),
        )
    )


@pytest.mark.parametrize("words", ["/start", "/help", "/refresh", ""])
def test_a_command_that_cannot_be_answered_gets_no_apology(words: str) -> None:
    turn = begun(words, asking="nothing", in_context=False, notice=(Part("Hello!"),))
    given(chat(turn)).when(MessageFailed(TOKEN, 0, Terminal("no rights"))).then(
        Step(chat(terminal(failing(turn, "no rights"), "no rights")), (alert("no rights"),))
    )


def test_an_operators_words_that_cannot_be_sent_get_no_apology() -> None:
    turn = Turn(TOKEN, BOT, "Hi", NOW, notice=(Part("Hi"),), in_context=True, operator=True)
    given(chat(turn)).when(MessageFailed(TOKEN, 0, Terminal("no rights"))).then(
        Step(chat(terminal(failing(turn, "no rights"), "no rights")), (alert("no rights"),))
    )


# --- the error message ---------------------------------------------------------------------------


def test_the_apology_is_the_bots_own_where_it_has_one() -> None:
    bot = replace(BOT, error_message="Ой.")
    turn = begun(bot=bot, language="ru", incoming=message("Hello", from_user=RUSSIAN))
    given(chat(turn)).when(ReplyFailed(TOKEN, Terminal("refused"))).then(
        Step(chat(apologizing(turn, "refused", "Ой.")), (alert("refused"), send("Ой.")))
    )


def test_the_apology_is_in_the_users_language() -> None:
    turn = begun(language="ru", incoming=message("Hello", from_user=RUSSIAN))
    words = texts.FAILED["ru"]
    given(chat(turn)).when(ReplyFailed(TOKEN, Terminal("refused"))).then(
        Step(chat(apologizing(turn, "refused", words)), (alert("refused"), send(words)))
    )


def test_the_apology_is_a_reply_in_a_group() -> None:
    group = {"id": "3:-500", "chat_id": -500}
    turn = begun(incoming=message("Hello", chat=GROUP))
    given(chat(turn, **group)).when(ReplyFailed(TOKEN, Terminal("refused"))).then(
        Step(
            chat(apologizing(turn, "refused"), **group),
            (alert("refused"), send(SORRY, chat_id=-500, reply_to=9)),
        )
    )


def test_once_the_apology_is_sent_the_message_is_terminal() -> None:
    turn = apologizing(begun(), "refused")
    given(chat(turn)).when(MessageSent(TOKEN, 0, 900), after(seconds=1)).then(
        Step(chat(terminal(turn, "refused", after(seconds=1), noticed=(900,))))
    )


@pytest.mark.parametrize(
    "failure",
    [
        Terminal("too long"),
        Terminal("blocked", chat_gone=True),
        Fatal("unauthorized"),
        Fatal("unauthorized", token_dead=True),
        ThreadLost("what?"),
        RunLost("what?"),
        ContextTooLong("what?"),
    ],
)
def test_an_apology_that_fails_ends_the_message_without_another_alert(failure: Failure) -> None:
    turn = apologizing(begun(), "refused")
    given(chat(turn)).when(MessageFailed(TOKEN, 0, failure), after(seconds=1)).then(
        Step(chat(terminal(turn, "refused", after(seconds=1))))
    )


@pytest.mark.parametrize(
    ("failure", "attempts", "seconds"),
    [
        (Retryable("away"), 1, 1),
        (Retryable("too many requests", after=5.0), 0, 5),
        (Ambiguous("no answer"), 1, 1),
    ],
)
def test_an_apology_waits_for_a_passing_trouble(
    failure: Retryable | Ambiguous, attempts: int, seconds: float
) -> None:
    turn = apologizing(begun(), "refused")
    later = waiting(turn, failure.reason, attempts)
    given(chat(turn)).when(MessageFailed(TOKEN, 0, failure)).then(
        Step(chat(later), (again_in(seconds),))
    )
    again = replace(later, token=LATER, status=Status.PROCESSING)
    given(chat(later)).when(TurnResumed(LATER)).then(Step(chat(again), (send(SORRY, token=LATER),)))


def test_an_apology_is_not_tried_for_ever() -> None:
    turn = apologizing(replace(begun(), attempts=5), "refused")
    event = MessageFailed(TOKEN, 0, Retryable("away"))
    given(chat(turn)).when(event).then(Step(chat(terminal(replace(turn, attempts=6), "refused"))))


def test_a_persons_retry_resumes_no_run_that_ended() -> None:
    """Credit ran out within a run: once there is some again, another run begins."""
    running = replace(begun(), run_id="resp_1")
    for ended, kept in ((True, None), (False, "resp_1")):
        event = ReplyFailed(TOKEN, Fatal("no credit", run_ended=ended))
        step = handle(chat(running), Envelope("x", NOW, event))
        assert step.state.turn is not None
        assert step.state.turn.run_id == kept


def test_an_apology_whose_entities_are_refused_is_sent_plain_once() -> None:
    turn = apologizing(begun(), "refused")
    event = MessageFailed(TOKEN, 0, EntitiesRefused("can't parse"))
    plain = failing(turn, "can't parse", plain=True)
    given(chat(turn)).when(event).then(Step(chat(plain), (send(SORRY),)))
    given(chat(plain)).when(event).then(Step(chat(terminal(plain, "refused"))))


def test_an_apology_follows_a_group_that_migrated() -> None:
    turn = apologizing(begun(), "refused")
    moved = failing(turn, "the group is a supergroup now: -1009")
    given(chat(turn, chat_id=-500)).when(MessageFailed(TOKEN, 0, ChatMigrated(-1009))).then(
        Step(chat(moved, chat_id=-1009), (send(SORRY, chat_id=-1009),))
    )
    given(chat(moved, chat_id=-1009)).when(MessageFailed(TOKEN, 0, ChatMigrated(-1009))).then(
        Step(chat(terminal(moved, "refused"), chat_id=-1009))
    )


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("chat 123456 not found", "chat # not found"),
        ("retry after 17.5", "retry after #"),
        ("no digits", "no digits"),
        ("x" * 300, "x" * 200),
    ],
)
def test_the_cause_of_an_alert_holds_no_numbers(reason: str, cause: str) -> None:
    step = given(chat(begun())).when(ReplyFailed(TOKEN, Terminal(reason))).step
    assert step.effects[0] == alert(reason, cause)


# --- a job that a person deleted -----------------------------------------------------------------


@pytest.mark.parametrize(
    "turn", [begun(), begun(run_id="resp_1"), replied(sent=(900,)), waiting(begun(), "away")]
)
def test_a_turn_whose_job_was_deleted_is_terminal(turn: Turn) -> None:
    given(chat(turn)).when(JobDeleted(TOKEN), after(seconds=1)).then(
        Step(chat(terminal(turn, "its job was deleted", after(seconds=1))))
    )


# --- stale events --------------------------------------------------------------------------------

OTHERS = [TurnToken(100, 6), TurnToken(100, 8), TurnToken(99, 7), TurnToken(101, 7)]
OUTCOMES = [
    ReplyStarted(TOKEN, "resp_9", "conv_9"),
    ReplyGenerated(TOKEN, REPLY),
    *(
        ReplyFailed(TOKEN, failure)
        for failure in (Retryable("away"), Fatal("dead"), Terminal("refused"), RunLost("lost"))
    ),
    MessageSent(TOKEN, 0, 900),
    *(
        MessageFailed(TOKEN, 0, failure)
        for failure in (Retryable("away"), Terminal("refused"), EntitiesRefused("can't parse"))
    ),
    JobDeleted(TOKEN),
]
TURNS = [begun(), begun(run_id="resp_1"), replied(), apologizing(begun(), "refused")]


@pytest.mark.parametrize("event", OUTCOMES)
@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("token", OTHERS)
def test_an_outcome_of_another_turn_or_ownership_changes_nothing(
    event: ReplyStarted, turn: Turn, token: TurnToken
) -> None:
    given(chat(turn)).when(replace(event, turn=token)).then_nothing()


@pytest.mark.parametrize("event", OUTCOMES)
@pytest.mark.parametrize("status", [Status.COMPLETED, Status.TERMINAL])
def test_an_outcome_of_a_turn_that_is_over_changes_nothing(
    event: ReplyStarted, status: Status
) -> None:
    over = replied(status=status, ended_at=NOW, verdict="refused")
    given(chat(over)).when(event).then_nothing()


@pytest.mark.parametrize("event", OUTCOMES)
def test_an_outcome_of_no_turn_changes_nothing(event: ReplyStarted) -> None:
    given(chat()).when(event).then_nothing()


@pytest.mark.parametrize("part", [0, 2, -1])
def test_an_outcome_of_another_part_changes_nothing(part: int) -> None:
    known = chat(replied(sent=(900,)))
    given(known).when(MessageSent(TOKEN, part, 901)).then_nothing()
    given(known).when(MessageFailed(TOKEN, part, Retryable("away"))).then_nothing()
    given(known).when(MessageFailed(TOKEN, part, Terminal("refused"))).then_nothing()


@pytest.mark.parametrize("event", [e for e in OUTCOMES if "Message" in type(e).__name__])
def test_the_outcome_of_a_send_means_nothing_while_the_model_is_asked(event: MessageSent) -> None:
    given(chat(begun())).when(event).then_nothing()


@pytest.mark.parametrize("event", [e for e in OUTCOMES if "Reply" in type(e).__name__])
@pytest.mark.parametrize("turn", [replied(), replied(sent=(900,)), TURNS[-1]])
def test_the_outcome_of_a_generation_means_nothing_once_there_are_words_to_send(
    event: ReplyStarted, turn: Turn
) -> None:
    given(chat(turn)).when(event).then_nothing()


@pytest.mark.parametrize("event", [e for e in OUTCOMES if not isinstance(e, JobDeleted)])
@pytest.mark.parametrize("turn", [begun(run_id="resp_1"), replied()])
def test_an_outcome_means_nothing_between_two_attempts(event: ReplyStarted, turn: Turn) -> None:
    given(chat(waiting(turn, "away"))).when(event).then_nothing()


@pytest.mark.parametrize(
    "event",
    [
        UpdateReceived(TurnToken(101, 7), update("Hello"), BOT),
        RetryAsked(LATER, BOT),
        RetryAsked(TurnToken(101, 8), BOT),
        OperatorWrote(TurnToken(101, 7), "Hi", (Part("Hi"),), BOT),
    ],
)
@pytest.mark.parametrize("turn", [begun(), replied(), waiting(begun(), "away")])
def test_nothing_begins_while_a_turn_is_unfinished(event: RetryAsked, turn: Turn) -> None:
    given(chat(turn)).when(event).then_nothing()
