"""A turn taken up again: after a kill, when its retry is due, after a bug, at a person's wish."""

import pytest
from msgspec.structs import replace

from domain import texts
from domain.effects import HANDLE_UPDATE, AdminAlert, Effect, Part, PublishJob, TurnToken
from domain.events import RetryAsked, TurnBroke, TurnResumed
from domain.step import Step
from domain.turn import Conversation, Status, Turn
from tests.domain.given import (
    BOT,
    GROUP,
    LATER,
    NOW,
    TOKEN,
    after,
    begun,
    chat,
    generate,
    given,
    message,
    replied,
    resume,
    send,
    typing,
)

SORRY = texts.FAILED["en"]
HELLO = Part("Hello!")
COMMAND = begun("/start", asking="nothing", in_context=False, notice=(HELLO,))
SPOKEN = Turn(
    TOKEN, BOT, "Hi\nthere", NOW, notice=(Part("Hi"), Part("there")), in_context=True, operator=True
)
APOLOGY = begun(verdict="refused", last_error="refused", last_error_at=NOW, notice=(Part(SORRY),))

STAGES: list[tuple[Turn, tuple[Effect, ...]]] = [
    (begun(), (typing(LATER), generate(LATER))),
    (begun(trimmed=True), (typing(LATER), generate(LATER, trim=True))),
    (begun(run_id="resp_1"), (typing(LATER), resume("resp_1", LATER))),
    (replied(), (send("one", 0, LATER),)),
    (replied(sent=(900,)), (send("two", 1, LATER),)),
    (COMMAND, (send("Hello!", 0, LATER),)),
    (SPOKEN, (send("Hi", 0, LATER),)),
    (replace(SPOKEN, noticed=(900,)), (send("there", 1, LATER),)),
    (APOLOGY, (send(SORRY, 0, LATER),)),
    (replied(sent=(900,), verdict="refused", notice=(Part(SORRY),)), (send(SORRY, 0, LATER),)),
]
IDS = [
    "nothing is known",
    "less history",
    "a run has begun",
    "a reply is there",
    "its first part is sent",
    "a command",
    "an operator's words",
    "half an operator's words are sent",
    "an apology",
    "an apology after a part",
]


def alert(reason: str, cause: str | None = None) -> AdminAlert:
    text = f"Kotodom: message 100 was not answered. {reason}"
    return AdminAlert(3, cause if cause is not None else reason, text)


# --- a kill, a retry that is due -----------------------------------------------------------------


@pytest.mark.parametrize(("turn", "wishes"), STAGES, ids=IDS)
@pytest.mark.parametrize("died", [False, True])
@pytest.mark.parametrize("status", [Status.PROCESSING, Status.FAILED])
def test_a_turn_goes_on_from_where_it_was(
    turn: Turn, wishes: tuple[Effect, ...], died: bool, status: Status
) -> None:
    known = chat(replace(turn, status=status, attempts=2), thread_id=None)
    going = replace(turn, token=LATER, attempts=2, deaths=1 if died else 0)
    given(known).when(TurnResumed(LATER, died), after(minutes=5)).then(Step(chat(going), wishes))


def test_a_run_is_followed_in_its_thread() -> None:
    known = {"thread_id": "conv_1", "thread_upto": 90}
    given(chat(begun(run_id="resp_1"), **known)).when(TurnResumed(LATER, died=True)).then(
        Step(
            chat(begun(run_id="resp_1", token=LATER, deaths=1), **known),
            (typing(LATER), resume("resp_1", LATER, "conv_1")),
        )
    )


def test_a_group_hears_the_rest_where_it_asked() -> None:
    group = {"id": "3:-500:11", "chat_id": -500, "topic_id": 11}
    turn = replied(incoming=message("Hello", chat=GROUP))
    given(chat(turn, **group)).when(TurnResumed(LATER)).then(
        Step(
            chat(replace(turn, token=LATER), **group),
            (send("one", 0, LATER, chat_id=-500, topic_id=11, reply_to=9),),
        )
    )


def test_a_turn_in_a_paused_chat_is_finished() -> None:
    given(chat(begun(), paused=True)).when(TurnResumed(LATER)).then(
        Step(chat(begun(token=LATER), paused=True), (typing(LATER), generate(LATER)))
    )


def test_three_kills_are_survived_and_the_fourth_is_the_end() -> None:
    known = chat(begun(deaths=2))
    given(known).when(TurnResumed(LATER, died=True)).then(
        Step(chat(begun(token=LATER, deaths=3)), (typing(LATER), generate(LATER)))
    )
    reason = "its worker was killed 4 times while running it"
    ended = begun(
        token=LATER, deaths=4, verdict=reason, status=Status.TERMINAL, ended_at=after(minutes=1)
    )
    given(chat(begun(deaths=3))).when(TurnResumed(LATER, died=True), after(minutes=1)).then(
        Step(chat(ended), (alert(reason, "its worker was killed # times while running it"),))
    )


def test_kills_under_an_apology_end_the_message_with_its_own_reason_and_no_other_alert() -> None:
    given(chat(replace(APOLOGY, deaths=3))).when(TurnResumed(LATER, died=True)).then(
        Step(chat(replace(APOLOGY, token=LATER, deaths=4, status=Status.TERMINAL, ended_at=NOW)))
    )


def test_a_retry_that_is_due_is_no_kill() -> None:
    given(chat(begun(deaths=3, status=Status.FAILED))).when(TurnResumed(LATER)).then(
        Step(chat(begun(token=LATER, deaths=3)), (typing(LATER), generate(LATER)))
    )


@pytest.mark.parametrize(
    "known",
    [
        chat(),
        chat(begun(token=TurnToken(101, 7))),
        chat(begun(status=Status.COMPLETED, ended_at=NOW)),
        chat(begun(status=Status.TERMINAL, ended_at=NOW, verdict="refused")),
        chat(begun(token=TurnToken(100, 9))),
    ],
    ids=["no turn", "another message", "completed", "terminal", "a later ownership"],
)
@pytest.mark.parametrize("died", [False, True])
def test_what_cannot_be_resumed_is_left_alone(known: Conversation, died: bool) -> None:
    given(known).when(TurnResumed(LATER, died)).then_nothing()


# --- bugs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("breaks", "seconds"), [(0, 0.75), (1, 3.0)])
@pytest.mark.parametrize("turn", [begun(run_id="resp_1"), replied(sent=(900,)), COMMAND])
def test_a_bug_is_tried_again_twice(turn: Turn, breaks: int, seconds: float) -> None:
    waiting = replace(
        turn,
        breaks=breaks + 1,
        status=Status.FAILED,
        last_error="KeyError: 'x'",
        last_error_at=NOW,
    )
    given(chat(replace(turn, breaks=breaks))).when(TurnBroke(TOKEN, "KeyError: 'x'", 0.0)).then(
        Step(chat(waiting), (PublishJob(HANDLE_UPDATE, "3:42", seconds),))
    )


def test_the_third_bug_ends_the_message() -> None:
    reason = "a bug: KeyError: 'x'"
    turn = replied(sent=(900,), breaks=2)
    apologizing = replace(
        turn,
        breaks=3,
        last_error=reason,
        last_error_at=NOW,
        verdict=reason,
        notice=(Part(SORRY),),
    )
    given(chat(turn)).when(TurnBroke(TOKEN, "KeyError: 'x'")).then(
        Step(chat(apologizing), (alert(reason), send(SORRY)))
    )


@pytest.mark.parametrize("breaks", [2, 3])
def test_a_bug_in_sending_the_apology_ends_the_message(breaks: int) -> None:
    """As any other failure of the error message: it must not go round and round."""
    turn = replace(APOLOGY, breaks=breaks)
    step = given(chat(turn)).when(TurnBroke(TOKEN, "KeyError: 'x'"), after(seconds=1)).step
    assert step.effects == ()
    assert step.state.turn is not None
    assert step.state.turn.status is Status.TERMINAL
    assert step.state.turn.verdict == "refused"


@pytest.mark.parametrize("known", [chat(), chat(replied(status=Status.COMPLETED, ended_at=NOW))])
def test_a_bug_at_the_very_beginning_ends_the_message(known: Conversation) -> None:
    reason = "a bug: KeyError: 'x'"
    token = TurnToken(101, 8)
    turn = Turn(
        token,
        BOT,
        "",
        NOW,
        update_id=78,
        last_error=reason,
        last_error_at=NOW,
        verdict=reason,
        notice=(Part(SORRY),),
    )
    told = AdminAlert(3, reason, f"Kotodom: message 101 was not answered. {reason}")
    given(known).when(TurnBroke(token, "KeyError: 'x'", update_id=78, bot=BOT)).then(
        Step(chat(turn), (told, send(SORRY, 0, token)))
    )


def test_a_bug_at_the_beginning_of_a_retry_keeps_what_is_known() -> None:
    known = replied(sent=(900,), status=Status.TERMINAL, verdict="no rights", ended_at=NOW)
    step = given(chat(known)).when(TurnBroke(LATER, "KeyError: 'x'", bot=BOT)).step
    assert step.state.turn is not None
    assert (step.state.turn.reply, step.state.turn.sent) == (known.reply, known.sent)
    assert (step.state.turn.text, step.state.turn.incoming) == (known.text, known.incoming)


def test_a_bug_at_the_beginning_of_an_operators_retry_keeps_what_was_sent() -> None:
    known = replace(SPOKEN, status=Status.TERMINAL, verdict="x", noticed=(900,), ended_at=NOW)
    step = given(chat(known)).when(TurnBroke(LATER, "KeyError: 'x'", bot=BOT)).step
    assert step.state.turn is not None
    assert step.state.turn.noticed == (900,)
    again = TurnToken(100, 9)
    assert given(step.state).when(RetryAsked(again, BOT)).step.effects == (send("there", 1, again),)


@pytest.mark.parametrize("token", [LATER, TurnToken(99, 7)])
def test_a_bug_of_another_turn_changes_nothing(token: TurnToken) -> None:
    given(chat(begun())).when(TurnBroke(token, "KeyError: 'x'")).then_nothing()
    given(chat(begun())).when(TurnBroke(token, "KeyError: 'x'", bot=BOT)).then_nothing()


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.TERMINAL])
def test_a_bug_of_a_turn_that_is_over_changes_nothing(status: Status) -> None:
    over = chat(replied(status=status, ended_at=NOW))
    given(over).when(TurnBroke(TOKEN, "KeyError: 'x'")).then_nothing()


# --- a person's retry ----------------------------------------------------------------------------


def terminal(turn: Turn, **changes: object) -> Turn:
    """The turn as it is once it has failed for good, with all that has to be forgotten then."""
    ended = replace(
        turn,
        status=Status.TERMINAL,
        verdict="refused",
        last_error="refused",
        last_error_at=NOW,
        attempts=6,
        breaks=2,
        deaths=3,
        rebuilt=True,
        trimmed=True,
        plain=True,
        ended_at=NOW,
    )
    return replace(ended, **changes)


@pytest.mark.parametrize(
    ("turn", "wishes"),
    [
        (begun(), (typing(LATER), generate(LATER))),
        (begun(run_id="resp_1"), (typing(LATER), resume("resp_1", LATER))),
        (replied(), (send("one", 0, LATER),)),
        (replied(sent=(900,)), (send("two", 1, LATER),)),
    ],
    ids=["nothing", "the run", "the reply", "the parts that were sent"],
)
def test_a_retry_keeps(turn: Turn, wishes: tuple[Effect, ...]) -> None:
    """And it is tried as if for the first time, by the bot as it is now."""
    failed = terminal(turn, notice=(Part(SORRY),), noticed=(901,))
    bot = replace(BOT, name="Renamed")
    given(chat(failed)).when(RetryAsked(LATER, bot), after(hours=5)).then(
        Step(chat(replace(turn, token=LATER, bot=bot, began_at=after(hours=5))), wishes)
    )


def test_a_retry_of_a_command_answers_it_again() -> None:
    bot = replace(BOT, start_message="Hello!")
    given(chat(terminal(COMMAND))).when(RetryAsked(LATER, bot)).then(
        Step(chat(replace(COMMAND, token=LATER, bot=bot)), (send("Hello!", 0, LATER),))
    )


def test_a_retry_of_an_operators_words_sends_only_what_was_not_sent() -> None:
    given(chat(terminal(SPOKEN, noticed=(900,)))).when(RetryAsked(LATER, BOT)).then(
        Step(
            chat(replace(SPOKEN, token=LATER, noticed=(900,))),
            (send("there", 1, LATER),),
        )
    )


def test_a_retry_of_a_message_that_was_never_begun_begins_it() -> None:
    """Its bot was disabled when it was its turn."""
    never = begun(asking="nothing", in_context=False, status=Status.TERMINAL, ended_at=NOW)
    given(chat(replace(never, verdict="bot disabled"))).when(RetryAsked(LATER, BOT)).then(
        Step(chat(begun(token=LATER)), (typing(LATER), generate(LATER)))
    )


@pytest.mark.parametrize(
    ("text", "unsupported", "words"),
    [("/start", None, texts.START["en"]), (None, "photo", texts.UNSUPPORTED["en"])],
)
def test_a_retry_of_what_was_never_begun_is_answered_as_it_would_have_been(
    text: str | None, unsupported: str | None, words: str
) -> None:
    never = begun(
        text or "",
        incoming=message(text, unsupported=unsupported),
        asking="nothing",
        in_context=False,
        status=Status.TERMINAL,
        verdict="bot disabled",
        ended_at=NOW,
    )
    step = given(chat(never)).when(RetryAsked(LATER, BOT)).step
    assert step.effects == (send(words, 0, LATER),)


def test_a_retry_of_what_broke_at_the_beginning_does_not_pass_an_apology_for_an_answer() -> None:
    broke = Turn(TOKEN, BOT, "", NOW, verdict="a bug: x", notice=(Part(SORRY),), noticed=(900,))
    ended = replace(broke, status=Status.TERMINAL, ended_at=NOW)
    step = given(chat(ended)).when(RetryAsked(LATER, BOT)).step
    assert send(SORRY, 0, LATER) not in step.effects
    assert step.state.turn is None or step.state.turn.status is not Status.COMPLETED


@pytest.mark.parametrize(
    "known",
    [
        chat(),
        chat(begun()),
        chat(begun(status=Status.FAILED)),
        chat(replied(status=Status.COMPLETED, sent=(1, 2), ended_at=NOW)),
        chat(terminal(begun(), token=TurnToken(99, 7))),
    ],
    ids=["no turn", "processing", "waiting", "completed", "another message"],
)
def test_only_a_message_that_is_terminal_is_retried(known: Conversation) -> None:
    given(known).when(RetryAsked(LATER, BOT)).then_nothing()
