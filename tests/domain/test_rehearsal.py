"""Bare updates played without a world: every effect succeeds, or what the script says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import texts
from domain.bot import Bot
from domain.effects import (
    HANDLE_UPDATE,
    AdminAlert,
    Effect,
    GenerateReply,
    Part,
    PublishJob,
    ReportBotFailure,
    ResetThread,
    ResumeReply,
    SendChatAction,
    SendMessage,
    TurnToken,
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
from domain.rehearsal import ANSWER, BEGAN, BOT, Played, Rehearsal
from domain.script import Rule
from domain.telegram import Chat, Update
from domain.turn import Conversation, Status, Turn
from tests.domain.given import GROUP, message
from tests.domain.given import begun as begun_turn
from tests.domain.given import update as update_of
from tests.domain.strategies import UPDATES

KEY = "1:42"
SORRY = texts.FAILED["en"]
ASK, SEND = "openai.generateReply", "telegram.sendMessage"


def hello(text: str = "Hello") -> Update:
    return update_of(text)


def token(epoch: int = 1, message_id: int = 1) -> TurnToken:
    return TurnToken(message_id, epoch)


def asked(epoch: int = 1, message_id: int = 1, **changes: object) -> tuple[Effect, ...]:
    """The model is asked, and the user sees that."""
    of = token(epoch, message_id)
    return (SendChatAction(of, 1, 42), GenerateReply(of, 1, KEY, **changes))  # type: ignore[arg-type]


def sent(text: str, part: int = 0, epoch: int = 1, message_id: int = 1) -> SendMessage:
    return SendMessage(token(epoch, message_id), 1, 42, part, text)


def later(seconds: float) -> PublishJob:
    return PublishJob(HANDLE_UPDATE, KEY, seconds)


def alert(reason: str) -> AdminAlert:
    return AdminAlert(1, reason, f"Rehearsal: message 1 was not answered. {reason}")


def play(*rules: Rule, text: str = "Hello") -> Played:
    return Rehearsal(rules).play(hello(text))


def last(played: Played) -> Turn:
    """The chat's turn after the last of its steps."""
    chat = next(step.state for step in reversed(played.steps) if not isinstance(step.state, Bot))
    assert chat.turn is not None
    return chat.turn


# --- plain success -------------------------------------------------------------------------------


def test_a_text_is_answered() -> None:
    played = play()
    assert played == Played(hello(), KEY, played.steps)
    assert played.effects == (*asked(), sent(ANSWER))
    assert last(played).status is Status.COMPLETED
    assert [step.effects for step in played.steps] == [asked(), (sent(ANSWER),), ()]


def test_a_command_is_answered_by_itself() -> None:
    assert play(text="/start").effects == (sent(texts.START["en"]),)


@pytest.mark.parametrize(
    ("update", "key"),
    [(Update(1, kind="poll"), None), (Update(1, message(None)), KEY), (hello(" "), KEY)],
)
def test_nothing_is_said_to_what_is_no_question(update: Update, key: str | None) -> None:
    played = Rehearsal().play(update)
    assert (played.key, played.effects, played.waiting) == (key, (), False)


def test_a_topic_is_a_chat_of_its_own() -> None:
    in_topic = update_of("Hello", chat=GROUP, message_thread_id=5, is_topic_message=True)
    played = Rehearsal().play(in_topic)
    assert played.key == "1:-500:5"
    (said,) = [effect for effect in played.effects if isinstance(effect, SendMessage)]
    assert (said.chat_id, said.topic_id, said.reply_to) == (-500, 5, 9)
    elsewhere = update_of("Hello", chat=GROUP, message_thread_id=5)
    assert Rehearsal().play(elsewhere).key == "1:-500"


def test_steps_are_counted() -> None:
    rehearsal = Rehearsal()
    played = [rehearsal.play(hello()) for _ in range(3)]
    assert rehearsal.steps == sum(len(one.steps) for one in played) == 9


@settings(max_examples=100)
@given(st.lists(UPDATES, max_size=5))
def test_any_updates_are_played_the_same_each_time(updates: list[Update]) -> None:
    one, other = Rehearsal(), Rehearsal()
    for update in updates:
        played = one.play(update)
        assert played == other.play(update)
        if played.key is not None:
            chat = one.chat(played.key)
            assert chat is None or not chat.busy


# --- what is kept of a chat ----------------------------------------------------------------------


def test_a_chat_that_is_as_new_takes_no_memory() -> None:
    rehearsal = Rehearsal()
    for chat_id in range(1, 50):
        rehearsal.play(update_of("Hello", chat=Chat(chat_id)))
        assert rehearsal.chat(f"1:{chat_id}") is None
    photo = update_of(unsupported="photo")
    assert len(rehearsal.play(photo).effects) == 1
    assert rehearsal.play(photo).effects == ()
    assert rehearsal.chat(KEY) == Conversation(KEY, 42, told=("photo",), epoch=2)
    assert rehearsal.play(hello("/refresh")).effects == (
        sent(texts.REFRESHED["en"], epoch=3, message_id=52),
    )
    assert rehearsal.chat(KEY) == Conversation(KEY, 42, context_from=52, epoch=3)


def test_a_chat_may_be_known() -> None:
    rehearsal = Rehearsal()
    known = Conversation(KEY, 42, thread_id="conv_1", thread_upto=5, epoch=7)
    rehearsal.know(known)
    assert rehearsal.chat(KEY) == known
    assert rehearsal.play(hello("/refresh")).effects == (
        ResetThread(1, "conv_1"),
        sent(texts.REFRESHED["en"], epoch=8),
    )


def test_a_chat_in_the_middle_of_a_turn_is_not_begun_from() -> None:
    with pytest.raises(ValueError, match=r"^the chat 1:42 is in the middle of a turn$"):
        Rehearsal().know(Conversation(KEY, 42, turn=begun_turn()))


@pytest.mark.parametrize(
    ("date", "at"),
    [
        (1_790_000_000, datetime.fromtimestamp(1_790_000_000, UTC)),
        (1, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        (0, BEGAN),
        (-1, BEGAN),
        (253_402_300_799, BEGAN),
        (2**37, BEGAN),
        (2**62, BEGAN),
        (10**30, BEGAN),
    ],
)
def test_an_update_arrives_when_it_was_written(date: int, at: datetime) -> None:
    played = Rehearsal([Rule(SEND, nth=1, failure=Retryable("away"))]).play(
        update_of("Hello", date=date)
    )
    assert last(played).began_at == at
    assert (last(played).ended_at or at) > at, "a retry takes its time"


# --- the script ----------------------------------------------------------------------------------

AGAIN = later(1.0)


@pytest.mark.parametrize(
    ("rule", "effects"),
    [
        (
            Rule(SEND, nth=1, failure=Retryable("429", after=3.0)),
            (*asked(), sent(ANSWER), later(3.0), sent(ANSWER, epoch=2)),
        ),
        (
            Rule(SEND, nth=1, failure=Ambiguous("?")),
            (*asked(), sent(ANSWER), AGAIN, sent(ANSWER, epoch=2)),
        ),
        (
            Rule(SEND, nth=1, failure=Retryable("503"), jitter=0.0),
            (*asked(), sent(ANSWER), later(0.75), sent(ANSWER, epoch=2)),
        ),
        (
            Rule(SEND, nth=1, failure=EntitiesRefused("bold")),
            (*asked(), sent(ANSWER), sent(ANSWER)),
        ),
        (
            Rule(SEND, nth=1, failure=ChatMigrated(-7)),
            (*asked(), sent(ANSWER), replace(sent(ANSWER), chat_id=-7)),
        ),
        (
            Rule(SEND, nth=1, failure=Terminal("blocked", chat_gone=True)),
            (*asked(), sent(ANSWER), alert("blocked")),
        ),
        (
            Rule(ASK, failure=Terminal("refused")),
            (*asked(), alert("refused"), sent(SORRY)),
        ),
        (
            Rule(ASK, nth=1, failure=Retryable("503")),
            (*asked(), AGAIN, *asked(2), sent(ANSWER, epoch=2)),
        ),
        (
            Rule(ASK, nth=1, failure=ContextTooLong("long")),
            (*asked(), *asked(trim=True), sent(ANSWER)),
        ),
        (Rule(ASK, nth=1, failure=ThreadLost("404")), (*asked(), *asked(), sent(ANSWER))),
        (Rule(ASK, nth=1, failure=RunLost("404")), (*asked(), *asked(), sent(ANSWER))),
        (Rule(ASK, reply=("one", "two")), (*asked(), sent("one"), sent("two", 1))),
        (Rule(ASK, nth=1, died=True), (*asked(), *asked(2), sent(ANSWER, epoch=2))),
        (Rule(SEND, nth=1, died=True), (*asked(), sent(ANSWER), sent(ANSWER, epoch=2))),
        (
            Rule(ASK, nth=1, bug="KeyError"),
            (*asked(), AGAIN, *asked(2), sent(ANSWER, epoch=2)),
        ),
        (Rule(SEND, nth=2, failure=Terminal("x")), (*asked(), sent(ANSWER))),
        (Rule(SEND, key="1:43", failure=Terminal("x")), (*asked(), sent(ANSWER))),
        (Rule("openai.resumeReply", failure=Terminal("x")), (*asked(), sent(ANSWER))),
    ],
)  # fmt: skip
def test_a_rule_says_what_becomes_of_an_effect(rule: Rule, effects: tuple[Effect, ...]) -> None:
    assert play(rule).effects == effects


def test_a_part_that_fails_is_the_one_that_is_sent_again() -> None:
    rules = (Rule(ASK, reply=("one", "two", "three")), Rule(SEND, nth=2, failure=Ambiguous("?")))
    assert play(*rules).effects == (
        *asked(),
        sent("one"),
        sent("two", 1),
        AGAIN,
        sent("two", 1, epoch=2),
        sent("three", 2, epoch=2),
    )
    assert last(play(*rules)).sent == (1, 2, 3)


def test_the_first_rule_wins() -> None:
    rules = (Rule(ASK, nth=1, reply=("one",)), Rule(ASK, reply=("two",)))
    rehearsal = Rehearsal(rules)
    said = [rehearsal.play(hello()).effects[-1] for _ in range(2)]
    assert said == [sent("one"), sent("two", epoch=1, message_id=2)]


def test_askings_are_counted_over_all_chats_or_in_one() -> None:
    rules = (Rule(ASK, nth=3, reply=("third of all",)), Rule(ASK, nth=2, key="1:2", reply=("2nd",)))
    rehearsal = Rehearsal(rules)
    said: list[str] = []
    for chat_id in (1, 2, 1, 2, 2):
        (one,) = (
            effect.text
            for effect in rehearsal.play(update_of("Hello", chat=Chat(chat_id))).effects
            if isinstance(effect, SendMessage)
        )
        said.append(one)
    assert said == [ANSWER, ANSWER, "third of all", "2nd", ANSWER]


FAILURES: list[Failure] = [
    Retryable("x"),
    Retryable("x", after=0.001),
    Retryable("x", after=600.0),
    Retryable("x", after=1e300),
    Retryable("x", run_ended=True),
    Ambiguous("x"),
    Fatal("x"),
    Fatal("x", token_dead=True),
    Terminal("x"),
    EntitiesRefused("x"),
    ChatMigrated(5),
    ChatMigrated(42),
    ThreadLost("x"),
    RunLost("x"),
    ContextTooLong("x"),
]
RULES = [
    *(Rule(effect, failure=failure) for failure in FAILURES for effect in (ASK, SEND)),  # type: ignore[arg-type]
    *(Rule(effect, died=True) for effect in (ASK, SEND)),  # type: ignore[arg-type]
    *(Rule(effect, bug="KeyError") for effect in (ASK, SEND)),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_whatever_always_happens_comes_to_an_end(rule: Rule) -> None:
    played = play(rule)
    assert last(played).status is Status.TERMINAL
    assert last(played).verdict
    told = [effect for effect in played.effects if isinstance(effect, AdminAlert)]
    assert len(told) == 1


# --- the bot's own life --------------------------------------------------------------------------


def test_a_bot_whose_token_is_dead_answers_no_more() -> None:
    rehearsal = Rehearsal([Rule(SEND, nth=2, failure=Fatal("gone", token_dead=True))])
    assert not rehearsal.play(hello()).waiting
    dead = rehearsal.play(hello())
    assert dead.effects == (
        *asked(1, 2),
        sent(ANSWER, message_id=2),
        ReportBotFailure(1, "gone", token_dead=True),
        AdminAlert(1, "gone", "Rehearsal: the bot cannot answer. gone"),
    )
    assert any(isinstance(step.state, Bot) and not step.state.enabled for step in dead.steps)
    assert rehearsal.play(hello()) == Played(hello(), KEY, waiting=True)
    assert rehearsal.play(Update(1, kind="poll")) == Played(Update(1, kind="poll"), None)


def test_a_bot_in_error_recovers_with_its_next_answer() -> None:
    rehearsal = Rehearsal([Rule(ASK, nth=1, failure=Fatal("no credit"))])
    broken = rehearsal.play(hello())
    assert ReportBotFailure(1, "no credit") in broken.effects
    well = rehearsal.play(hello())
    assert [type(effect).__name__ for effect in well.effects] == [
        "SendChatAction",
        "GenerateReply",
        "ReportBotRecovery",
        "SendMessage",
    ]
    assert last(well).bot.failing
    assert not last(rehearsal.play(hello())).bot.failing


def test_the_bot_is_the_one_that_is_given() -> None:
    profile = replace(BOT, id=7, name="Other", start_message="Welcome!")
    played = Rehearsal(profile=profile).play(hello("/start"))
    assert played.key == "7:42"
    assert played.effects == (replace(sent("Welcome!"), bot_id=7),)
    assert Part("Welcome!") in last(played).notice
    disabled = Rehearsal(profile=replace(profile, enabled=False)).play(hello())
    assert disabled == Played(hello(), "7:42", waiting=True)


def test_a_run_that_began_is_resumed() -> None:
    rule = Rule("openai.generateReply", died=True, run_id="run_1")
    rehearsal = Rehearsal([rule])
    wishes = rehearsal.play(hello()).effects
    resumed = ResumeReply(token(2), BOT.id, "run_1")
    assert [wish for wish in wishes if isinstance(wish, ResumeReply)] == [resumed]
    assert wishes[-1] == sent(ANSWER, epoch=2)
    assert rehearsal.unmatched == []


def test_rules_that_were_about_nothing_are_known() -> None:
    rules = [Rule("telegram.sendMessage", nth=9, died=True), Rule("telegram.sendMessage", bug="x")]
    rehearsal = Rehearsal(rules)
    assert rehearsal.unmatched == [1, 2]
    rehearsal.play(hello())
    assert rehearsal.unmatched == [1]
