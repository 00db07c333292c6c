"""How a turn begins: what each message, and each wish from the web, is asked to become."""

import pytest
from msgspec.structs import replace

from domain import conversation as chat_turn
from domain import texts
from domain.beginnings import needed
from domain.effects import AdminAlert, Part, ResetThread, TurnToken
from domain.events import OperatorWrote, RefreshAsked, UpdateReceived
from domain.step import Envelope, Step
from domain.telegram import Message, Update
from domain.texts import Language
from domain.turn import Conversation, Status, Turn
from tests.domain.given import (
    BOT,
    CHAT,
    GROUP,
    NOW,
    RUSSIAN,
    TOKEN,
    USER,
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

CUSTOM = replace(BOT, start_message="Welcome!", help_text="Ask me.", error_message="Oops.")
TYPED = begun()

TELLING = (
    "Hello",
    "/start",
    "/START@kotodom_bot now",
    "/help",
    "/help@other_bot",
    "/refresh",
    "",
    None,
)


def noticed(text: str, words: str, **changes: object) -> Turn:
    """A turn that the system itself answers with `words`."""
    return replace(
        begun(text, asking="nothing", in_context=False, notice=(Part(words),)), **changes
    )


def over(text: str, **changes: object) -> Turn:
    """A turn that is COMPLETED in silence as soon as it begins."""
    ended = begun(text, asking="nothing", in_context=False, status=Status.COMPLETED, ended_at=NOW)
    return replace(ended, **changes)


# --- text ----------------------------------------------------------------------------------------


def test_a_text_asks_the_model() -> None:
    event = UpdateReceived(TOKEN, update("Hello"), BOT)
    given(CHAT).when(event).then(Step(chat(begun("Hello")), (typing(), generate())))


def test_a_text_asks_the_model_in_its_thread() -> None:
    known = {"thread_id": "conv_1", "thread_upto": 90, "context_from": 50}
    event = UpdateReceived(TOKEN, update("Hello"), BOT)
    given(chat(**known)).when(event).then(
        Step(chat(begun("Hello"), **known), (typing(), generate(**known)))
    )


def test_a_message_begins_after_one_that_is_over() -> None:
    ended = chat(over("Before", token=TurnToken(99, 6)))
    event = UpdateReceived(TOKEN, update("Hello"), BOT)
    given(ended).when(event).then(Step(chat(begun("Hello")), (typing(), generate())))


def test_no_message_begins_while_another_is_unfinished() -> None:
    event = UpdateReceived(TurnToken(101, 7), update("Me too"), BOT)
    given(chat(begun())).when(event).then_nothing()
    given(chat(begun(status=Status.FAILED))).when(event).then_nothing()


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t ", "\u2003", "\x00", " \x00 "], ids=["empty", *map(repr, range(5))]
)
def test_a_text_of_nothing_is_completed_in_silence(text: str) -> None:
    event = UpdateReceived(TOKEN, update(text), BOT)
    cleaned = text.replace("\x00", "")
    given(CHAT).when(event).then(Step(chat(over(cleaned, incoming=message(text)))))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x00b", "ab"),
        ("\ufffd", "\ufffd"),
        ("x" * 100_000, "x" * 100_000),
        ("👩‍👩‍👧 привет", "👩‍👩‍👧 привет"),
        ("/", "/"),
    ],
    ids=["NUL", "a mended surrogate", "100,000 characters", "emoji", "a slash"],
)
def test_any_other_text_asks_the_model(text: str, cleaned: str) -> None:
    event = UpdateReceived(TOKEN, update(text), BOT)
    turn = begun(cleaned, incoming=message(text))
    given(CHAT).when(event).then(Step(chat(turn), (typing(), generate())))


def test_in_a_topic_of_a_group_everything_stays_in_the_topic() -> None:
    forum = Conversation("3:-500:11", -500, topic_id=11, epoch=6)
    inside = {"chat": GROUP, "message_thread_id": 11, "is_topic_message": True}
    turn = begun("Hi", incoming=message("Hi", **inside))
    there = {"chat_id": -500, "topic_id": 11}
    given(forum).when(UpdateReceived(TOKEN, update("Hi", **inside), BOT)).then(
        Step(
            replace(forum, epoch=7, turn=turn),
            (typing(**there), generate(chat="3:-500:11")),
        )
    )


# --- commands ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/start", texts.START),
        ("/start ref_17", texts.START),
        ("/START", texts.START),
        ("/start@kotodom_bot", texts.START),
        ("/start@Kotodom_Bot now", texts.START),
        ("/start\nnow", texts.START),
        ("/help", texts.HELP),
        ("/help me with my homework", texts.HELP),
        ("/Help@KOTODOM_BOT", texts.HELP),
    ],
)
def test_a_command_is_answered_in_the_users_language(
    text: str, words: dict[Language, str], language: Language
) -> None:
    user = RUSSIAN if language == "ru" else USER
    incoming = message(text, from_user=user)
    turn = noticed(text, words[language], incoming=incoming, language=language)
    given(CHAT).when(UpdateReceived(TOKEN, Update(77, incoming), BOT)).then(
        Step(chat(turn), (send(words[language]),))
    )


@pytest.mark.parametrize(("text", "words"), [("/start", "Welcome!"), ("/help", "Ask me.")])
def test_the_bots_own_words_win(text: str, words: str) -> None:
    incoming = message(text, from_user=RUSSIAN)
    turn = noticed(text, words, incoming=incoming, language="ru", bot=CUSTOM)
    given(CHAT).when(UpdateReceived(TOKEN, Update(77, incoming), CUSTOM)).then(
        Step(chat(turn), (send(words),))
    )


@pytest.mark.parametrize("text", ["/refresh", "/refresh please", "/refresh@kotodom_bot"])
def test_refresh_forgets_the_thread_and_says_so(text: str) -> None:
    known = chat(thread_id="conv_1", thread_upto=90, context_from=50, told=("photo",))
    words = texts.REFRESHED["en"]
    given(known).when(UpdateReceived(TOKEN, update(text), BOT)).then(
        Step(
            chat(noticed(text, words), context_from=100),
            (ResetThread(BOT.id, "conv_1"), send(words)),
        )
    )


def test_refresh_without_a_thread_resets_none() -> None:
    words = texts.REFRESHED["ru"]
    incoming = message("/refresh", from_user=RUSSIAN)
    turn = noticed("/refresh", words, incoming=incoming, language="ru")
    given(CHAT).when(UpdateReceived(TOKEN, Update(77, incoming), BOT)).then(
        Step(chat(turn, context_from=100), (send(words),))
    )


def test_a_command_in_a_group_is_answered_as_a_reply() -> None:
    group = Conversation("3:-500", -500, epoch=6)
    turn = noticed("/help", texts.HELP["en"], incoming=message("/help", chat=GROUP))
    given(group).when(UpdateReceived(TOKEN, update("/help", chat=GROUP), BOT)).then(
        Step(
            replace(group, epoch=7, turn=turn),
            (send(texts.HELP["en"], chat_id=-500, reply_to=9),),
        )
    )


@pytest.mark.parametrize(
    "text",
    ["/help@other_bot", "/start@other_bot now", "/unknown@other_bot", "/refresh@kotodom_bot2"],
)
def test_a_command_to_another_bot_is_not_for_us(text: str) -> None:
    given(CHAT).when(UpdateReceived(TOKEN, update(text), BOT)).then(Step(chat(over(text))))


@pytest.mark.parametrize(
    "text",
    ["/weather", "/weather@kotodom_bot", "/starting", "/start!", "/etc/hosts", "say /start"],
)
def test_a_command_that_we_do_not_know_asks_the_model(text: str) -> None:
    event = UpdateReceived(TOKEN, update(text), BOT)
    given(CHAT).when(event).then(Step(chat(begun(text)), (typing(), generate())))


def test_a_command_to_any_bot_is_ours_while_our_name_is_unknown() -> None:
    nameless = replace(BOT, username=None)
    turn = noticed("/help@any_bot", texts.HELP["en"], bot=nameless)
    given(CHAT).when(UpdateReceived(TOKEN, update("/help@any_bot"), nameless)).then(
        Step(chat(turn), (send(texts.HELP["en"]),))
    )


# --- contents that we cannot answer --------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_we_cannot_answer_is_told_once(language: Language) -> None:
    words = texts.UNSUPPORTED[language]
    incoming = message(unsupported="photo", from_user=RUSSIAN if language == "ru" else USER)
    turn = noticed("", words, incoming=incoming, language=language)
    told = given(CHAT).when(UpdateReceived(TOKEN, Update(77, incoming), BOT))
    told.then(Step(chat(turn, told=("photo",)), (send(words),)))


def test_the_second_photo_of_an_album_is_met_with_silence() -> None:
    known = chat(told=("sticker", "photo"))
    ended = over("", incoming=message(unsupported="photo"))
    given(known).when(UpdateReceived(TOKEN, update(unsupported="photo"), BOT)).then(
        Step(chat(ended, told=("sticker", "photo")))
    )


def test_another_kind_is_told_again() -> None:
    words = texts.UNSUPPORTED["en"]
    turn = noticed("", words, incoming=message(unsupported="voice"))
    given(chat(told=("photo",))).when(UpdateReceived(TOKEN, update(unsupported="voice"), BOT)).then(
        Step(chat(turn, told=("photo", "voice")), (send(words),))
    )


def test_a_photo_with_a_caption_is_answered_as_text() -> None:
    incoming = message(caption="What is this?", unsupported="photo")
    turn = begun("What is this?", incoming=incoming)
    given(CHAT).when(UpdateReceived(TOKEN, Update(77, incoming), BOT)).then(
        Step(chat(turn), (typing(), generate()))
    )


def test_a_command_may_be_a_caption() -> None:
    incoming = message(caption="/help", unsupported="photo")
    turn = noticed("/help", texts.HELP["en"], incoming=incoming)
    given(CHAT).when(UpdateReceived(TOKEN, Update(77, incoming), BOT)).then(
        Step(chat(turn), (send(texts.HELP["en"]),))
    )


@pytest.mark.parametrize(
    "unanswered",
    [
        Update(77, kind="edited_message"),
        Update(77, kind="my_chat_member"),
        Update(77, kind="channel_post"),
        Update(77, kind="empty"),
        Update(77, message()),
        Update(77, message("Buy!", from_user=replace(USER, is_bot=True))),
        Update(77, message("A post", from_user=None)),
        Update(77, message(unsupported="photo", from_user=None)),
    ],
    ids=[
        "an edit",
        "a member change",
        "a channel post",
        "nothing",
        "a service message",
        "another bot's",
        "a channel's",
        "a channel's photo",
    ],
)
def test_what_we_do_not_answer_changes_nothing(unanswered: Update) -> None:
    given(CHAT).when(UpdateReceived(TOKEN, unanswered, BOT)).then_nothing()


# --- a paused chat, a disabled bot ---------------------------------------------------------------


def test_in_a_paused_chat_a_text_is_kept_for_the_model_and_not_answered() -> None:
    event = UpdateReceived(TOKEN, update("Hello"), BOT)
    given(chat(paused=True)).when(event).then(
        Step(chat(over("Hello", in_context=True), paused=True))
    )


@pytest.mark.parametrize("text", ["/start", "/help", "/refresh"])
def test_in_a_paused_chat_a_command_is_not_answered(text: str) -> None:
    paused = {"paused": True, "thread_id": "conv_1", "thread_upto": 90}
    event = UpdateReceived(TOKEN, update(text), BOT)
    given(chat(**paused)).when(event).then(Step(chat(over(text), **paused)))


def test_in_a_paused_chat_a_photo_is_not_answered() -> None:
    event = UpdateReceived(TOKEN, update(unsupported="photo"), BOT)
    ended = over("", incoming=message(unsupported="photo"))
    given(chat(paused=True)).when(event).then(Step(chat(ended, paused=True)))


@pytest.mark.parametrize(
    "incoming", [message("Hello"), message("/start"), message(unsupported="photo")]
)
def test_a_message_that_waited_too_long_for_a_disabled_bot(incoming: Message) -> None:
    disabled = replace(BOT, enabled=False)
    ended = over(
        incoming.text or "",
        incoming=incoming,
        bot=disabled,
        status=Status.TERMINAL,
        verdict="bot disabled",
    )
    alert = AdminAlert(3, "bot disabled", "Kotodom: message 100 was not answered. bot disabled")
    given(CHAT).when(UpdateReceived(TOKEN, Update(77, incoming), disabled)).then(
        Step(chat(ended), (alert,))
    )


# --- a person's wishes ---------------------------------------------------------------------------


def spoken(*parts: Part, **changes: object) -> Turn:
    words = "\n".join(part.text for part in parts)
    turn = Turn(TOKEN, BOT, words, NOW, notice=parts, in_context=True, operator=True)
    return replace(turn, **changes)


@pytest.mark.parametrize("paused", [False, True])
def test_an_operators_words_go_out_as_the_bots(paused: bool) -> None:
    parts = (Part("I am a person."), Part("Ask me."))
    event = OperatorWrote(TOKEN, "I am a person.\nAsk me.", parts, BOT)
    given(chat(paused=paused)).when(event).then(
        Step(chat(spoken(*parts), paused=paused), (send("I am a person."),))
    )


def test_an_operators_words_without_any_text_ask_the_model_nothing() -> None:
    ended = spoken(status=Status.COMPLETED, ended_at=NOW)
    given(CHAT).when(OperatorWrote(TOKEN, "", (), BOT)).then(Step(chat(ended)))


@pytest.mark.parametrize("turn", [begun(), replied(), begun(status=Status.FAILED)])
def test_an_operators_words_never_displace_a_turn_in_progress(turn: Turn) -> None:
    event = OperatorWrote(TurnToken(101, 7), "Hi", (Part("Hi"),), BOT)
    given(chat(turn)).when(event).then_nothing()


def test_a_refresh_asked_from_the_web_forgets_and_says_nothing() -> None:
    known = chat(thread_id="conv_1", thread_upto=90, told=("photo",))
    given(known).when(RefreshAsked(TOKEN, BOT)).then(
        Step(chat(epoch=7, context_from=100), (ResetThread(BOT.id, "conv_1"),))
    )
    given(CHAT).when(RefreshAsked(TOKEN, BOT)).then(Step(chat(epoch=7, context_from=100)))


def test_a_refresh_asked_from_the_web_leaves_a_turn_in_progress_alone() -> None:
    busy = chat(TYPED, thread_id="conv_1", thread_upto=90)
    given(busy).when(RefreshAsked(TurnToken(101, 7), BOT)).then_nothing()


# --- what a turn takes of its bot ----------------------------------------------------------------


@pytest.mark.parametrize("words", TELLING)
@pytest.mark.parametrize("field", ["text", "caption"])
def test_a_turn_takes_no_texts_that_it_does_not_say(words: str | None, field: str) -> None:
    """Whatever it is asked, what follows is the same with the texts that were left out."""
    asked = update(**{field: words, "unsupported": "photo"})
    slim = needed(CUSTOM, asked)
    whole, without = (
        chat_turn.handle(CHAT, Envelope("x", NOW, UpdateReceived(TOKEN, asked, bot)))
        for bot in (CUSTOM, slim)
    )
    assert without.effects == whole.effects
    assert without.state.turn is not None and whole.state.turn is not None
    assert replace(without.state.turn, bot=CUSTOM) == whole.state.turn
    assert slim.error_message == CUSTOM.error_message


def test_the_text_of_a_command_is_taken_with_that_command_alone() -> None:
    start, help_, other = (needed(CUSTOM, update(text)) for text in ("/start", "/help", "Hi"))
    assert (start.start_message, start.help_text) == ("Welcome!", None)
    assert (help_.start_message, help_.help_text) == (None, "Ask me.")
    assert (other.start_message, other.help_text) == (None, None)
    assert needed(CUSTOM, Update(1)) == other
