"""A redacted recording replays the same, and nothing of its people is left in it."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from msgspec import inspect
from msgspec.structs import replace

from domain.bot import Bot, TelegramMode
from domain.effects import Effect, Entity, Part
from domain.events import (
    BotFailed,
    ChatPaused,
    Event,
    MessageSent,
    Reply,
    ReplyStarted,
    TurnBroke,
    TurnResumed,
)
from domain.failures import ChatMigrated
from domain.recording import NotARecording, Recorded, State, decode, encode
from domain.redaction import REPLACED, Redaction
from domain.replay import Replay
from domain.telegram import Message, User, decode_update
from tests.domain.given import BOT, CHAT, LATER, NOW, TOKEN, begun, chat
from tests.domain.random_recordings import SECRETS, RandomRecording, recordings
from tests.domain.reachable import structs
from tests.domain.strategies import kinds

MODERATE = settings(max_examples=80)
KEY = b"a key of these tests"
TEXTS = ("text", "caption", "start_message", "help_text", "error_message", "reason", "error")
NUMBERS = range(70_000_000, 71_000_000)
"""The messages' and updates' ids of random recordings."""


def redacted(recording: RandomRecording, key: bytes = KEY) -> list[Recorded]:
    redaction = Redaction(key)
    return [redaction.step(decode(msgspec.json.encode(line))) for line in recording.lines]


def pairs(one: Any, other: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, Any, Any]]:
    """The leaves of two JSON values of one shape, with where they stand; no traceback is kept."""
    assert type(one) is type(other), path
    if isinstance(one, dict):
        one = {name: value for name, value in one.items() if name != "traceback"}
        assert one.keys() == other.keys(), path
        for name in one:
            yield from pairs(one[name], other[name], (*path, name))
    elif isinstance(one, list):
        assert len(one) == len(other), path
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from pairs(left, right, (*path, index))
    else:
        yield path, one, other


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


# --- of any recording ----------------------------------------------------------------------------


@MODERATE
@given(recordings())
def test_a_redacted_recording_replays_the_same(recording: RandomRecording) -> None:
    replayed = Replay()
    for number, step in enumerate(redacted(recording), 1):
        assert replayed.step(number, decode(encode(step))) is None


@MODERATE
@given(recordings())
def test_nothing_of_its_people_is_left(recording: RandomRecording) -> None:
    content = b"\n".join(map(encode, redacted(recording))).decode()
    numbers = set(re.findall(r"(?<![0-9a-zA-Z])\d+(?![0-9a-zA-Z])", content))
    for secret in SECRETS:
        left = secret in numbers if secret.isdecimal() else secret in content
        assert not left, secret
    assert not [number for number in numbers if int(number) in NUMBERS]


@MODERATE
@given(recordings())
def test_the_same_becomes_the_same(recording: RandomRecording) -> None:
    """Effect by effect and field by field, over all lines, wherever it stands."""
    became: defaultdict[Any, set[Any]] = defaultdict(set)
    for line, step in zip(recording.lines, redacted(recording), strict=True):
        after = msgspec.json.decode(encode(step))
        assert line["seq"] == after["seq"]
        assert line["at"] == after["at"]
        for name in ("key", "id", "event", "effects"):
            for _, was, now in pairs(line[name], after[name], (name,)):
                became[type(was), was].add(now)
        if "from" in line:
            for path, was, now in pairs(line["from"], after["from"]):
                if not isinstance(was, str):
                    became[type(was), was].add(now)
                elif path == ("id",):
                    assert now == after["key"]
    assert {was: now for was, now in became.items() if len(now) > 1} == {}
    ids = [now for (kind, was), now in became.items() if kind is int and was in NUMBERS]
    assert len(ids) == len({number for now in ids for number in now})


@MODERATE
@given(recordings())
def test_texts_keep_their_length_and_entities_stay_inside(recording: RandomRecording) -> None:
    for line, step in zip(recording.lines, redacted(recording), strict=True):
        after = msgspec.json.decode(encode(step))
        for path, was, now in pairs(line["event"], after["event"]):
            if path[-1] in TEXTS and "@" not in was and "\x00" not in was:
                assert units(now) == units(was)
        for part in parts(after):
            for entity in part["entities"]:
                assert entity["offset"] + entity["length"] <= units(part["text"])


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Whatever has a text and entities."""
    if isinstance(value, dict):
        if "entities" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from parts(item)


@MODERATE
@given(recordings())
def test_another_key_makes_another_recording(recording: RandomRecording) -> None:
    one, other = redacted(recording), redacted(recording, b"another key")
    assert redacted(recording) == one
    for left, right in zip(one, other, strict=True):
        assert left.key != right.key


# --- every field has its rule --------------------------------------------------------------------


def told(kind: inspect.Type) -> bool:
    """Whether a value can hold a text or a number, other than in a struct."""
    match kind:
        case inspect.UnionType():
            return any(map(told, kind.types))
        case inspect.VarTupleType():
            return told(kind.item_type)
        case (
            inspect.StructType()
            | inspect.NoneType()
            | inspect.BoolType()
            | inspect.FloatType()
            | inspect.DateTimeType()
        ):
            return False
        case inspect.StrType() | inspect.IntType() | inspect.EnumType() | inspect.LiteralType():
            return True
        case unknown:
            raise AssertionError(unknown)


def test_every_text_and_number_has_its_rule() -> None:
    """A field that is new is named here until domain/redaction.py says what becomes of it."""
    holding = {
        f"{cls.__name__}.{field.name}"
        for cls, kind in structs(Event | State).items()
        for field in kind.fields
        if told(field.type)
    }
    ruled = {f"{cls.__name__}.{name}" for cls, rules in REPLACED.items() for name in rules}
    assert holding - ruled == set(), "nothing is said of these"
    assert ruled - holding == set(), "these are no more"


def test_what_effects_are_made_of_has_its_rules() -> None:
    """The effects themselves are made anew, by the handlers."""
    assert set(structs(Effect)) - set(kinds(Effect)) <= set(REPLACED)


# --- one value at a time -------------------------------------------------------------------------

redaction = Redaction(KEY)
HER = redaction.username("Kotodom_bot")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("", ""),
        ("Hello, Ann!", "Xxxxx, Xxx!"),
        ("Привет 👛 1½", "Xxxxxx xx 0x"),
        (" \n\t", " \n\t"),
        ("²", "0"),
        ("ann@example.org", "xxx@xxxxxxx.xxx"),
        ("/start", "/start"),
        ("/START secret", "/START xxxxxx"),
        ("/help@kotodom_bot now", f"/help@{HER} xxx"),
        ("/help@KOTODOM_BOT", f"/help@{HER}"),
        ("/secret", "/xxxxxx"),
        ("/secret@kotodom_bot", f"/xxxxxx@{HER}"),
        ("/startle", "/xxxxxxx"),
        (" /start", " /xxxxx"),
        ("/st\x00art", "/start"),
        ("/start@", "/xxxxx@"),
    ],
)
def test_what_a_person_wrote(text: str, hidden: str) -> None:
    assert redaction.asked(text) == hidden


@pytest.mark.parametrize("text", ["/start@kotodom_bot 👛", "Hello"])
def test_a_part_keeps_its_length_whatever_it_begins_with(text: str) -> None:
    part = redaction.of(Part(text, (Entity("pre", 0, 5, "https://x.org/ann", "ann"),)))
    assert units(part.text) == units(text)
    assert part.entities == (Entity("pre", 0, 5, "https://example.com/", "xxx"),)


@pytest.mark.parametrize(
    ("reason", "hidden"),
    [
        ("Telegram 403: blocked by Ann", "Telegram 403: xxxxxxx xx Xxx"),
        ("gave up: OpenAI 503: Ann", "gave up: OpenAI 503: Xxx"),
        ("a bug: KeyError: 'Ann'", "a bug: KeyError: 'Xxx'"),
        ("OpenAI: Ann", "OpenAI: Xxx"),
        ("TimeoutError", "TimeoutError"),
        ("StatementFailed: DataError 22P05", "StatementFailed: XxxxXxxxx 00X00"),
        ("a bug: ServerDisconnectedError: Ann", "a bug: ServerDisconnectedError: Xxx"),
        ("RateLimitError", "RateLimitError"),
        ("AnnSmithError: x", "XxxXxxxxXxxxx: x"),
        ("a bug: AnnSmithException", "a bug: XxxXxxxxXxxxxxxxx"),
        ("KeyErrors: Ann", "XxxXxxxxx: Xxx"),
        ("Ann's KeyError: x", "Xxx'x XxxXxxxx: x"),
        ("Telegrams: Ann", "Xxxxxxxxx: Xxx"),
        ("the model refused: Ann", "xxx xxxxx xxxxxxx: Xxx"),
        ("the group is a supergroup now: -100987", "xxx xxxxx xx x xxxxxxxxxx xxx: -000000"),
        ("", ""),
    ],
)
def test_why_something_failed(reason: str, hidden: str) -> None:
    assert redaction.reason(reason) == hidden


def test_a_traceback_is_left_out() -> None:
    event = redaction.of(TurnBroke(TOKEN, "KeyError: 'Ann'", update_id=77, traceback="File ann.py"))
    assert event == TurnBroke(
        TOKEN, "KeyError: 'Xxx'", update_id=redaction.update_id(77), traceback=""
    )


@pytest.mark.parametrize("kept", ["conv", "resp", "thread", "run"])
def test_an_id_of_openai_stays_one(kept: str) -> None:
    assert re.fullmatch(rf"{kept}_[0-9a-f]{{16}}", redaction.server_id(f"{kept}_ann"))


@pytest.mark.parametrize("value", ["ann_42", "ann", "_", "Conv_1"])
def test_an_id_of_another_server_says_nothing(value: str) -> None:
    assert re.fullmatch(r"id_[0-9a-f]{16}", redaction.server_id(value))


def test_what_is_empty_stays_so() -> None:
    """An empty run is none: the model is asked, where the id of one would be followed."""
    assert (redaction.server_id(""), redaction.username("")) == ("", "")
    asked = [
        kinds_of(step(ReplyStarted(TOKEN, run_id, thread_id), chat(begun("Hello"))))
        for run_id, thread_id in (("", ""), ("resp_1", "conv_1"))
    ]
    assert asked == [[], []]
    resumed = [
        kinds_of(step(TurnResumed(LATER), chat(begun("Hello", run_id=run_id))))
        for run_id in (None, "", "resp_1")
    ]
    assert resumed == [
        ["telegram.sendChatAction", "openai.generateReply"],
        ["telegram.sendChatAction", "openai.resumeReply"],
        ["telegram.sendChatAction", "openai.resumeReply"],
    ]


@pytest.mark.parametrize(
    ("model", "kept"),
    [
        ("ft:gpt-4.1-mini:acme-gmbh:ann-smith-support:9xYz",
         "ft:gpt-4.1-mini:xxxx-xxxx:xxx-xxxxx-xxxxxxx:0xXx"),
        ("ft:gpt-3.5-turbo-0613:acme::8ab", "ft:gpt-3.5-turbo-0613:xxxx::0xx"),
        ("ft:ann", "ft:xxx"),
        ("davinci:ft-acme-2023-04-01-10-00-00", "davinci:ft-xxxx-0000-00-00-00-00-00"),
        ("/home/ann/models/gemma.gguf", "/xxxx/xxx/xxxxxx/gemma.gguf"),
        ("gpt-5.4-mini", "gpt-5.4-mini"),
        ("gemma3:4b", "gemma3:4b"),
        ("meta-llama/llama-4:free", "meta-llama/llama-4:free"),
    ],
)  # fmt: skip
def test_a_model_says_not_who_tuned_it(model: str, kept: str) -> None:
    reply = redaction.of(Reply("", (), model))
    assert reply.model == kept


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        (None, None),
        ("Ann Smith from Berlin", "en"),
        ("ru", "ru"),
        ("RU-ru", "ru"),
        ("de", "en"),
        ("", "en"),
    ],
)
def test_of_a_language_stays_which_of_ours_it_is(code: str | None, kept: str | None) -> None:
    assert redaction.of(User(42, language_code=code)).language_code == kept


def test_a_number_stays_what_it_is() -> None:
    numbers = [1, 42, 2**52, 2**63 - 1]
    made = [redaction.number(number) for number in numbers]
    assert all(0 < number < 2**52 for number in made)
    assert [redaction.number(-number) for number in numbers] == [-number for number in made]
    assert redaction.number(0) == 0
    kinds_of_42 = {redaction.number(42), redaction.message_id(42), redaction.update_id(42)}
    assert len(kinds_of_42) == 3


def test_a_group_that_migrates_goes_where_it_is_told() -> None:
    moved = redaction.of(ChatMigrated(-1009))
    assert moved == ChatMigrated(redaction.number(-1009))


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("3:42", ["3", "42"]),
        ("3:-42", ["3", "-42"]),
        ("bot:3", ["bot", "3"]),
    ],
)
def test_a_key_is_made_of_its_ids(key: str, parts: list[str]) -> None:
    made = [str(redaction.number(int(part))) if part != "bot" else part for part in parts]
    assert redaction.chat_key(key) == ":".join(made)


@pytest.mark.parametrize(
    "key",
    ["", "ann", "3", "3:ann", "bot:", "bot:ann", "bot:3:4", "3:42:7:1", "3:42:", "٣:42", "3:4_2",
     " 3:42", "3:42\n", f"3:{'9' * 5000}"],
)  # fmt: skip
def test_a_key_that_is_none_of_ours_is_refused(key: str) -> None:
    """Nor is it said: who knows what it is."""
    refused = r"^its key names neither a chat nor a bot$"
    with pytest.raises(NotARecording, match=refused):
        step(ChatPaused(), CHAT, key=key)
    with pytest.raises(NotARecording, match=refused):
        step(ChatPaused(), replace(CHAT, id=key))


def test_a_topic_is_the_message_that_began_it() -> None:
    bot_id, chat_id = redaction.number(3), redaction.number(-100)
    assert redaction.chat_key("3:-100:7") == f"{bot_id}:{chat_id}:{redaction.message_id(7)}"


@pytest.mark.parametrize(
    ("identity", "made"),
    [
        ("turn:100.7:turn.resumed", "turn:100.7:turn.resumed"),
        ("turn:100.7:telegram.messageSent:2", "turn:100.7:telegram.messageSent:2"),
        (
            "update:3:42:77",
            f"update:{redaction.chat_key('3:42')}:{redaction.update_id(77)}",
        ),
        (
            "operator_message:3:-100:7:5",
            f"operator_message:{redaction.chat_key('3:-100:7')}:5",
        ),
        (
            "bot:3:bot.failed:1795435200.000000",
            f"bot:{redaction.number(3)}:bot.failed:1795435200.000000",
        ),
    ],
)
def test_the_id_of_a_step_names_the_same(identity: str, made: str) -> None:
    assert step(ChatPaused(), CHAT, id=identity).id == made


@pytest.mark.parametrize(
    "identity",
    [
        "paused by ann",
        "turn:100.7:ann smith",
        "turn:100.7:turn.resumed by ann",
        "turn:100.7:turn.resumed:ann",
        "turn:100.7:bot.failed",
        "turn:100.7:telegram.messageSent:2:ann",
        "turn:100.7:",
        "bot:3:ann smith",
        "bot:3:bot.failed by ann",
        "bot:3:bot.failed:1795435200.000000 ann",
        "bot:3:turn.resumed:1795435200.000000",
        "bot:3:bot.failed",
        f"bot:{'9' * 5000}:bot.failed:1795435200.000000",
        "update:3:42:77:ann",
        "update:ann:77",
        f"update:3:42:{'9' * 5000}",
        "update:3:42:7:1:77",
        "deletion:3:42:77",
        "",
    ],
)
def test_any_other_id_of_a_step_says_nothing(identity: str) -> None:
    assert re.fullmatch(r"step:[0-9a-f]{16}", step(ChatPaused(), CHAT, id=identity).id)


def kinds_of(recorded: Recorded) -> list[str]:
    """The tags of a step's effects."""
    return [effect["type"] for effect in msgspec.json.decode(recorded.effects)]


def step(event: Event, origin: State | None, **changes: Any) -> Recorded:
    known: dict[str, Any] = {
        "key": "3:42",
        "seq": 1,
        "at": NOW,
        "id": "test",
        "origin": origin,
        "event": event,
        "effects": msgspec.Raw(b"[]"),
        "state": "",
    }
    return Redaction(KEY).step(Recorded(**(known | changes)))


def test_an_event_of_another_kind_of_state_is_refused() -> None:
    with pytest.raises(NotARecording, match=r"^bot\.failed is no event of a chat$"):
        step(BotFailed("x"), CHAT)
    with pytest.raises(NotARecording, match=r"^chat\.paused is no event of a bot$"):
        step(ChatPaused(), Bot(3, "Ann", TelegramMode.POLLING))


def test_a_step_after_the_end_of_its_turn_is_refused() -> None:
    """An older version's turn may have gone on where this one's ends."""
    with pytest.raises(NotARecording, match=r"^this version ended the turn before this step$"):
        step(MessageSent(TOKEN, 0, 5), None)


def test_a_bot_keeps_nothing_but_its_mode() -> None:
    bot = Bot(3, "Ann's bot", TelegramMode.POLLING, enabled=True, error="Telegram 401: Ann")
    assert redaction.of(bot) == Bot(
        redaction.number(3),
        redaction.name("Ann's bot"),
        TelegramMode.POLLING,
        enabled=True,
        error="Telegram 401: Xxx",
    )
    assert re.fullmatch(r"Name [0-9a-f]{6}", redaction.name("Ann's bot"))
    assert redaction.name("") == ""


def test_what_of_an_update_is_kept() -> None:
    raw = {
        "update_id": 77,
        "message": {
            "message_id": 9,
            "date": 1_790_000_000,
            "chat": {"id": -500, "type": "supergroup", "title": "Cats", "username": "cats"},
            "from": {"id": 42, "first_name": "Ann", "last_name": "Lee", "language_code": "en-GB"},
            "caption": "Our cat",
            "photo": [],
        },
    }
    found = msgspec.to_builtins(redaction.of(decode_update(msgspec.json.encode(raw))))
    assert found == {
        "update_id": redaction.update_id(77),
        "message": {
            "message_id": redaction.message_id(9),
            "date": 1_790_000_000,
            "chat": {
                "id": redaction.number(-500),
                "type": "supergroup",
                "title": redaction.name("Cats"),
                "username": redaction.username("cats"),
            },
            "from": {
                "id": redaction.number(42),
                "first_name": redaction.name("Ann"),
                "last_name": redaction.name("Lee"),
                "language_code": "en",
            },
            "caption": "Xxx xxx",
            "unsupported": "photo",
        },
    }


def test_a_turn_that_is_to_be_retried_is_redacted_as_well() -> None:
    """It stands in the state that a person's retry begins from."""
    turn = begun(
        "Ann's secret", sent=(5,), noticed=(6,), last_error="Telegram 400: Ann", verdict="Ann"
    )
    found = redaction.of(chat(turn, thread_id="conv_ann")).turn
    assert found == replace(
        turn,
        bot=redaction.of(BOT),
        text="Xxx'x xxxxxx",
        update_id=redaction.update_id(77),
        incoming=redaction.of(turn.incoming),
        sent=(redaction.message_id(5),),
        noticed=(redaction.message_id(6),),
        last_error="Telegram 400: Xxx",
        verdict="Xxx",
    )
    assert isinstance(found.incoming, Message) and found.incoming.text == "Xxx'x xxxxxx"
