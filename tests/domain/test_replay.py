"""A recording replays the same, and nothing in it can be changed without being found."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from application.conversations import Entry, Loaded, Unreadable
from application.jobs import Pick
from application.moves import Item, Outcome, Take, move
from domain import conversation as chat_turn
from domain.bot import Bot, TelegramMode
from domain.effects import TurnToken
from domain.events import (
    Event,
    MessageFailed,
    MessageSent,
    OperatorWrote,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    TurnBroke,
    TurnEvent,
    TurnResumed,
    UpdateReceived,
)
from domain.failures import (
    Ambiguous,
    ChatMigrated,
    EntitiesRefused,
    Fatal,
    Retryable,
    Terminal,
)
from domain.recording import CutOff, NotARecording, decode, encode
from domain.replay import Difference, Replay, play, same, too_deep
from domain.step import Envelope, digest
from domain.turn import Conversation
from tests.domain.given import BOT as PROFILE
from tests.domain.given import CHAT, NOW, REPLY, TOKEN, after, begun, chat, update
from tests.domain.random_recordings import RandomRecording, recordings

Line: TypeAlias = dict[str, Any]

BOT = Bot(3, "Kotodom", TelegramMode.WEBHOOK)
MODERATE = settings(max_examples=60)
EFFECT = {"type": "telegram.sendTelepathy", "to": 42}


def differences(lines: list[Line]) -> list[Difference]:
    """What the replay of these lines finds. Raises NotARecording."""
    replayed = Replay()
    found = []
    for number, line in enumerate(lines, 1):
        difference = replayed.step(number, decode(msgspec.json.encode(line)))
        if difference is not None:
            found.append(difference)
    assert (replayed.steps, replayed.differing) == (len(lines), len(found))
    return found


def states(lines: list[Line]) -> Iterator[tuple[Any, Any]]:
    """The state before and after each step."""
    known: dict[str, Any] = {}
    for line in lines:
        recorded = decode(msgspec.json.encode(line))
        before = recorded.origin if recorded.origin is not None else known[recorded.key]
        step = play(before, Envelope(recorded.id, recorded.at, recorded.event))
        known[recorded.key] = step.state
        yield before, step.state


def busy(state: object) -> bool:
    return isinstance(state, Conversation) and state.busy


def whole_turn(line: Line, after: object) -> bool:
    """Whether the step is a turn of its own, or happens between two turns."""
    return "from" in line and not busy(after)


def renumbered(lines: list[Line], like: list[Line]) -> list[Line]:
    """The lines with the seqs that stand in these places."""
    return [line | {"seq": place["seq"]} for line, place in zip(lines, like, strict=False)]


# --- what replays the same -----------------------------------------------------------------------


@settings(max_examples=150)
@given(recordings())
def test_any_recording_replays_the_same(recording: RandomRecording) -> None:
    assert differences(recording.lines) == []


@MODERATE
@given(recordings(), st.data())
def test_a_recording_may_begin_and_end_anywhere_between_turns(
    recording: RandomRecording, data: st.DataObject
) -> None:
    """It may also end in the middle of turns: those that are recorded as they run do."""
    lines = recording.lines
    first = data.draw(st.integers(0, len(lines)))
    last = data.draw(st.integers(first, len(lines)))
    begun_keys: set[str] = set()
    kept = []
    for line in lines[first:last]:
        begun_keys |= {line["key"]} if "from" in line else set()
        kept += [line] if line["key"] in begun_keys else []
    assert differences(kept) == []


@MODERATE
@given(recordings())
def test_one_chat_of_a_recording_is_a_recording(recording: RandomRecording) -> None:
    for key in {line["key"] for line in recording.lines}:
        assert differences([line for line in recording.lines if line["key"] == key]) == []


@MODERATE
@given(recordings())
def test_a_line_survives_its_own_encoding(recording: RandomRecording) -> None:
    for line in recording.lines:
        recorded = decode(msgspec.json.encode(line))
        again = decode(encode(recorded))
        assert replace(again, effects=msgspec.Raw()) == replace(recorded, effects=msgspec.Raw())
        assert msgspec.json.decode(encode(recorded)) == line


@MODERATE
@given(recordings())
def test_what_is_counted(recording: RandomRecording) -> None:
    replayed = Replay()
    for number, line in enumerate(recording.lines, 1):
        replayed.step(number, decode(msgspec.json.encode(line)))
    assert replayed.steps == len(recording.lines)
    assert replayed.effects == sum(len(line["effects"]) for line in recording.lines)
    assert replayed.differing == 0


@MODERATE
@given(recordings())
def test_how_the_json_is_written_is_no_matter(recording: RandomRecording) -> None:
    replayed = Replay()
    for number, line in enumerate(recording.lines, 1):
        spaced = msgspec.json.format(msgspec.json.encode(line, order="sorted"), indent=3)
        assert replayed.step(number, decode(spaced)) is None


# --- what is found: effects ----------------------------------------------------------------------


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a JSON value its texts, numbers and truths stand."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path


def changed(value: Any) -> list[Any]:
    """Other values than this one."""
    match value:
        case bool():
            return [not value, int(value), str(value)]
        case str():
            return [value + "x", value[:-1] + "\x00", None] if value else ["x"]
        case int() | float():
            return [value + 1, -value - 1, str(value), *([bool(value)] if value in (0, 1) else [])]
        case _:
            return [0]


def put(value: Any, path: tuple[Any, ...], leaf: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = leaf


@settings(max_examples=150)
@given(recordings(), st.data())
def test_a_changed_effect_is_found(recording: RandomRecording, data: st.DataObject) -> None:
    lines = recording.lines
    places = [number for number, line in enumerate(lines) if line["effects"]]
    assume(places)
    number = data.draw(st.sampled_from(places))
    effects = lines[number]["effects"]
    path = data.draw(st.sampled_from(list(leaves(effects))))
    was = deepcopy(effects)
    leaf = effects
    for key in path:
        leaf = leaf[key]
    put(effects, path, data.draw(st.sampled_from(changed(leaf))))
    (difference,) = differences(lines)
    assert difference.line == number + 1
    assert difference.effects == (effects, was)
    assert (difference.trouble, difference.state) == (None, None)


@MODERATE
@given(recordings(), st.data())
def test_an_effect_that_is_dropped_added_or_moved_is_found(
    recording: RandomRecording, data: st.DataObject
) -> None:
    lines = recording.lines
    number = data.draw(st.integers(0, len(lines) - 1))
    was = lines[number]["effects"]
    others = [*was, EFFECT]
    mutants = [
        [*was[:place], other, *was[place:]] for place in range(len(others)) for other in others
    ]
    mutants += [was[:place] + was[place + 1 :] for place in range(len(was))]
    mutants += [was[::-1]] if len(was) > 1 else []
    lines[number]["effects"] = data.draw(st.sampled_from(mutants))
    (difference,) = differences(lines)
    assert (difference.line, difference.effects) == (number + 1, (lines[number]["effects"], was))


@MODERATE
@given(recordings(), st.data())
def test_an_effect_of_an_unknown_kind_is_a_difference(
    recording: RandomRecording, data: st.DataObject
) -> None:
    lines = recording.lines
    number = data.draw(st.integers(0, len(lines) - 1))
    was = lines[number]["effects"]
    unknown: list[Any] = [[*was, EFFECT], [{"type": 5}], [None], {}, None, "", [[]], 7]
    lines[number]["effects"] = data.draw(st.sampled_from(unknown))
    (difference,) = differences(lines)
    assert (difference.line, difference.effects) == (number + 1, (lines[number]["effects"], was))


# --- what is found: states and outcomes ----------------------------------------------------------


@MODERATE
@given(recordings(), st.data())
def test_a_changed_digest_is_found(recording: RandomRecording, data: st.DataObject) -> None:
    lines = recording.lines
    number = data.draw(st.integers(0, len(lines) - 1))
    true = lines[number]["state"]
    place = data.draw(st.integers(0, len(true) - 1))
    other = "1" if true[place] == "0" else "0"
    mutants = [true[:place] + other + true[place + 1 :], true.upper() + " ", true[:-1], ""]
    lines[number]["state"] = data.draw(st.sampled_from(mutants))
    (difference,) = differences(lines)
    assert (difference.line, difference.state) == (number + 1, (lines[number]["state"], true))
    assert difference.effects is None


def other_outcomes(event: Event) -> list[Event]:
    """The same thing happening in another way."""
    match event:
        case UpdateReceived(update=told):
            assert told.message is not None
            other = replace(told.message, text=f"{told.message.words} indeed", caption=None)
            named = replace(told.message, message_id=told.message.message_id + 1)
            return [replace(event, update=replace(told, message=each)) for each in (other, named)]
        case OperatorWrote(text=text, parts=parts):
            return [replace(event, text=text + "!"), replace(event, parts=parts * 2)]
        case ReplyGenerated(turn=token, reply=reply):
            return [
                replace(event, reply=replace(reply, text=reply.text + "!")),
                replace(event, reply=replace(reply, price="17")),
                replace(event, reply=replace(reply, parts=reply.parts * 2)),
                ReplyFailed(token, Retryable("another")),
            ]
        case ReplyStarted():
            return [replace(event, run_id="resp_2"), replace(event, thread_id="conv_2")]
        case ReplyFailed(turn=token, failure=failure):
            failures = [Retryable("another"), Fatal("another"), Terminal("another", chat_gone=True)]
            failures += [EntitiesRefused("another"), ChatMigrated(-77)]
            return [
                *(replace(event, failure=other) for other in failures if other != failure),
                ReplyGenerated(token, REPLY),
            ]
        case MessageSent(turn=token, part=part, message_id=message_id):
            return [
                replace(event, message_id=message_id + 1),
                replace(event, part=part + 1),
                MessageFailed(token, part, Retryable("another")),
                MessageFailed(token, part, Terminal("another")),
            ]
        case MessageFailed(turn=token, part=part):
            failures = [Retryable("another"), Ambiguous("another"), Fatal("another")]
            failures += [EntitiesRefused("another"), ChatMigrated(-77)]
            failures += [Terminal("another", chat_gone=True)]
            return [
                *(replace(event, failure=other) for other in failures),
                MessageSent(token, part, 5),
            ]
        case TurnResumed(died=died):
            return [replace(event, died=not died)]
        case TurnBroke(error=error):
            return [replace(event, error=f"{error}!")]
        case _:
            return []


def unseen(before: Conversation, envelope: Envelope[Event], other: Event) -> bool:
    """The outcomes that a turn does not keep: they lead to the same step, whatever they are.

    - How the error message failed to be sent, where the message ends with that.
    - A bug after which nothing is tried again, where an error message is on its way already.
    - All but the thread of a reply that has no parts: it is no reply.
    """
    turn = before.turn
    known = turn is not None and not turn.over and turn.verdict is not None
    match envelope.event, other:
        case (MessageFailed(), MessageFailed()) | (TurnBroke(), TurnBroke()):
            forgotten = known
        case ReplyGenerated(reply=reply), ReplyGenerated():
            forgotten = not reply.parts
        case _:
            forgotten = False
    return forgotten and play(before, envelope) == play(before, replace(envelope, event=other))


@settings(max_examples=200)
@given(recordings(), st.data())
def test_a_changed_outcome_is_found(recording: RandomRecording, data: st.DataObject) -> None:
    lines = recording.lines
    recorded = [decode(msgspec.json.encode(line)) for line in lines]
    places = [number for number, step in enumerate(recorded) if other_outcomes(step.event)]
    assume(places)
    number = data.draw(st.sampled_from(places))
    was = recorded[number]
    other = data.draw(st.sampled_from(other_outcomes(was.event)))
    before, _ = list(states(lines))[number]
    lines[number]["event"] = msgspec.to_builtins(other)
    found = differences(lines)
    assert bool(found) != unseen(before, Envelope(was.id, was.at, was.event), other)
    if found:
        assert found[0].line == number + 1


# --- what is found: the order of steps -----------------------------------------------------------


@MODERATE
@given(recordings(), st.data())
def test_two_steps_that_are_swapped_are_found(
    recording: RandomRecording, data: st.DataObject
) -> None:
    """By their seqs, whatever they are."""
    lines = recording.lines
    assume(len(lines) > 1)
    one, other = sorted(data.draw(st.permutations(range(len(lines))))[:2])
    lines[one], lines[other] = lines[other], lines[one]
    found = differences(lines)
    assert "out of order" in str([difference.trouble for difference in found])


def deleted_between(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether a later turn begins from an earlier epoch. Clocks differ: `at` is no proof."""
    if "from" not in one or "from" not in other:
        return False
    return bool(other["from"].get("epoch", 0) < one["from"].get("epoch", 0))


@settings(max_examples=200)
@given(recordings(), st.data())
def test_two_steps_of_a_chat_that_are_swapped_are_found_without_their_seqs(
    recording: RandomRecording, data: st.DataObject
) -> None:
    """Unless the chat was deleted between them: the one that counts from less may come first."""
    lines = recording.lines
    pairs = [
        (one, other)
        for one, line in enumerate(lines)
        for other in range(one + 1, len(lines))
        if lines[other]["key"] == line["key"] and not line["key"].startswith("bot:")
        if not deleted_between(line, lines[other])
    ]
    assume(pairs)
    one, other = data.draw(st.sampled_from(pairs))
    swapped = list(lines)
    swapped[one], swapped[other] = lines[other], lines[one]
    assert differences(renumbered(swapped, lines))


@settings(max_examples=150)
@given(recordings(), st.data())
def test_a_step_that_is_dropped_is_found(recording: RandomRecording, data: st.DataObject) -> None:
    """Unless it is a turn of its own, or its chat's last: a recording may end anywhere.

    Nor is a step seen that the next one undoes (a run that started and failed), unless that one has
    nothing to do then (a pause that ends), nor the end of a turn where its chat was deleted
    afterwards.
    """
    lines = recording.lines
    known = list(states(lines))
    last = {line["key"]: number for number, line in enumerate(lines)}
    places = [
        number
        for number, line in enumerate(lines)
        if not whole_turn(line, known[number][1]) and number != last[line["key"]]
    ]
    assume(places)
    number = data.draw(st.sampled_from(places))
    before, _ = known[number]
    key, begins = lines[number]["key"], "from" in lines[number]
    following = next(at for at in range(number + 1, len(lines)) if lines[at]["key"] == key)
    if "from" in lines[following]:
        seen = not begins and lines[following]["from"].get("epoch", 0) >= before.epoch
    else:
        recorded = decode(msgspec.json.encode(lines[following]))
        undone = play(before, Envelope(recorded.id, recorded.at, recorded.event))
        effects = msgspec.json.decode(msgspec.json.encode(undone.effects))
        same = (undone.state, effects) == (known[following][1], lines[following]["effects"])
        idle = undone.state == before and not effects
        seen = begins or idle or not same
    found = differences(lines[:number] + lines[number + 1 :])
    assert bool(found) == seen


@MODERATE
@given(recordings(), st.data())
def test_a_step_that_is_doubled_is_found(recording: RandomRecording, data: st.DataObject) -> None:
    lines = recording.lines
    number = data.draw(st.integers(0, len(lines) - 1))
    doubled = [*lines[: number + 1], *lines[number:]]
    found = differences(doubled)
    assert found[0].line == number + 2
    assert "out of order" in str(found[0].trouble)


@settings(max_examples=150)
@given(recordings(), st.data())
def test_a_step_that_is_doubled_is_found_without_its_seq(
    recording: RandomRecording, data: st.DataObject
) -> None:
    lines = recording.lines
    number = data.draw(st.integers(0, len(lines) - 1))
    doubled = [*lines[: number + 1], *lines[number:]]
    (difference, *_) = differences([line | {"seq": seq} for seq, line in enumerate(doubled)])
    assert difference.line == number + 2


# --- what is found by itself: examples -----------------------------------------------------------


def step(**changes: Any) -> Line:
    """The first step of a message that asks the model."""
    origin, event = msgspec.to_builtins(CHAT), UpdateReceived(TOKEN, update("Hello"), PROFILE)
    made = chat_turn.handle(CHAT, Envelope("test", NOW, event))
    known: Line = {
        "key": "3:42",
        "seq": 1,
        "at": NOW,
        "id": "test",
        "from": origin,
        "event": msgspec.to_builtins(event),
        "effects": msgspec.to_builtins(made.effects),
        "state": digest(made.state),
    }
    return known | changes


def test_a_difference_names_the_message_and_the_step() -> None:
    sent = MessageSent(TOKEN, 0, 5)
    later = {"seq": 2, "event": msgspec.to_builtins(sent), "effects": [EFFECT], "state": "00"}
    lines = [step(), {name: value for name, value in step(**later).items() if name != "from"}]
    state = digest(chat(begun("Hello")))
    assert differences(lines) == [
        Difference(
            line=2,
            seq=2,
            key="3:42",
            id="test",
            event="telegram.messageSent",
            number=2,
            message=100,
            text="Hello",
            trouble="the step changes nothing",
            effects=([EFFECT], []),
            state=("00", state),
        )
    ]


# --- a stored turn that cannot be read -----------------------------------------------------------


class _Journal:
    """One chat's journal, as application/moves.py writes it."""

    def __init__(self) -> None:
        self.chat = CHAT
        self.seconds = 0
        self.lines: list[Line] = []

    def put(self, item: Item, **loaded: Any) -> None:
        """What becomes of the item, where its chat is loaded as it is, but for these."""
        known: dict[str, Any] = {"conversation": self.chat, "profile": PROFILE, "new_id": 100}
        known |= {"owner_job_id": 1, "owner_lives": True, "pick_held": True}
        known |= {"update": None, "request": None}
        self.seconds += 1
        _, change = move(item, Loaded(**(known | loaded)), after(seconds=self.seconds))
        assert change is not None
        self.chat = change.conversation
        for row in change.journal:
            line: Line = {"key": row.key, "seq": len(self.lines) + 1, "at": row.at, "id": row.id}
            line |= {"from": msgspec.json.decode(row.from_state)} if row.from_state else {}
            line |= {"event": msgspec.json.decode(row.event), "state": row.state}
            self.lines.append(line | {"effects": msgspec.json.decode(row.effects)})


PICK = Pick(1, "one", NOW)
HELLO = Entry("UPDATE", 77, msgspec.json.encode(update("Hello")).decode(), NOW)
UNREADABLE = {"unreadable": Unreadable(100, "its turn cannot be read: Expected `object`")}


def unreadable(*outcomes: TurnEvent, **changes: Any) -> list[Line]:
    """A message that began, its outcomes, and how it ends where its turn cannot be read by then."""
    journal = _Journal()
    journal.put(Take("3:42", PICK), update=HELLO)
    for outcome in outcomes:
        journal.put(Outcome("3:42", PICK, outcome))
    journal.put(
        Take("3:42", PICK), conversation=replace(journal.chat, turn=None, **changes), **UNREADABLE
    )
    journal.put(Outcome("3:42", PICK, MessageSent(TurnToken(100, 8), 0, 9)))
    return journal.lines


@pytest.mark.parametrize("outcomes", [(), (ReplyStarted(TOKEN, "resp_1", "conv_1"),)])
def test_a_turn_that_cannot_be_read_ends_the_one_that_was_recorded(
    outcomes: tuple[TurnEvent, ...],
) -> None:
    """Its end begins from its chat alone: as far as that is known, no step of it is missing."""
    lines = unreadable(*outcomes)
    assert ["from" in line for line in lines] == [True, *(False for _ in outcomes), True, False]
    assert differences(lines) == []


@pytest.mark.parametrize(
    "lines",
    [
        unreadable(thread_id="conv_2"),
        [line for line in unreadable() if line["event"]["type"] != "turn.broke"],
    ],
)
def test_what_is_missing_before_its_end_is_found(lines: list[Line]) -> None:
    assert differences(lines)


def test_the_end_of_another_turn_is_not_that_of_this_one() -> None:
    lines = unreadable()
    lines[1]["event"]["turn"]["id"] = 101
    assert "has not ended" in str(differences(lines)[0].trouble)


# --- whose step it is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "trouble"),
    [
        ({"key": "3:43"}, "the key is not that of the state it began from: 3:42"),
        ({"key": "bot:3"}, "the key is not that of the state it began from: 3:42"),
        (
            {"from": msgspec.to_builtins(BOT), "event": {"type": "bot.webhookAsked"}},
            "the key is not that of the state it began from: bot:3",
        ),
    ],
)
def test_a_step_of_another_key_is_found(changes: dict[str, Any], trouble: str) -> None:
    (difference,) = differences([step(**changes)])
    assert (difference.key, difference.trouble) == (changes.get("key", "3:42"), trouble)


@MODERATE
@given(recordings(), st.data())
def test_a_changed_key_is_found(recording: RandomRecording, data: st.DataObject) -> None:
    lines = recording.lines
    number = data.draw(st.integers(0, len(lines) - 1))
    keys = {line["key"] for line in lines} | {"3:42", "bot:7"}
    others = sorted(keys - {lines[number]["key"]})
    lines[number]["key"] = data.draw(st.sampled_from(others))
    assert differences(lines)[0].line >= number + 1


def test_a_turn_without_its_first_step_is_a_difference() -> None:
    (difference,) = differences([{name: step()[name] for name in step() if name != "from"}])
    assert (difference.number, difference.message, difference.effects) == (1, None, None)
    assert difference.trouble == (
        "the turn's first step is missing, and with it the state it began from"
    )


def test_a_bug_of_a_handler_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("x")

    line = step()
    monkeypatch.setattr(chat_turn, "handle", broken)
    (difference,) = differences([line])
    assert difference.trouble == "the handler raised KeyError: 'x'"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (1, True, False),
        (0, False, False),
        (1, 1.0, True),
        (True, True, True),
        ({"a": [1]}, {"a": [True]}, False),
        ({"a": [1], "b": 2}, {"b": 2.0, "a": [1]}, True),
        ({"a": 1}, {"a": 1, "b": 1}, False),
        ([1], [1, 2], False),
        ([], {}, False),
        (None, False, False),
    ],
)
def test_one_is_not_true(one: Any, other: Any, alike: bool) -> None:
    assert same(one, other) == same(other, one) == alike


@pytest.mark.parametrize("delay", [1.0, 1])
def test_a_whole_number_is_a_number(delay: float) -> None:
    before, event = chat(begun()), TurnBroke(TOKEN, "KeyError", 0.5)
    made = chat_turn.handle(before, Envelope("test", NOW, event))
    line = step(
        **{"from": msgspec.to_builtins(before)},
        event=msgspec.to_builtins(event),
        effects=[
            {"type": "jobs.publish", "job": "bot.handle_update", "key": "3:42", "delay": delay}
        ],
        state=digest(made.state),
    )
    assert differences([line]) == []


# --- what is no recording ------------------------------------------------------------------------

DEEP = "[" * 100_000 + "]" * 100_000
UNKNOWN_FAILURE = {
    "type": "openai.replyFailed",
    "turn": {"id": 1, "epoch": 1},
    "failure": {"type": "sad"},
}
TEXT = msgspec.json.encode(step()).decode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (step(event={"type": "chat.applauded"}), "unknown event 'chat.applauded'"),
        (step(event={"type": "chat\n.x"}), "unknown event 'chat\n.x'"),
        (step(event={}), "Object missing required field `type` - at `$.event`"),
        (step(event={"type": 5}), "Expected `str` - at `$.event.type`"),
        (step(**{"from": {"type": "tribe"}}), "unknown state 'tribe'"),
        (step(event=UNKNOWN_FAILURE), "unknown tag in event.failure: 'sad'"),
        (
            {name: step()[name] for name in step() if name != "state"},
            "Object missing required field `state`",
        ),
        (step(seq="1"), "Expected `int`, got `str` - at `$.seq`"),
        (step(key=None), "Expected `str`, got `null` - at `$.key`"),
        (
            step(at="2026-01-01T00:00:00"),
            "Expected `datetime` with a timezone component - at `$.at`",
        ),
        ([], "Expected `object`, got `array`"),
        (5, "Expected `object`, got `int`"),
        (None, "Expected `object`, got `null`"),
    ],
)
def test_a_line_that_is_no_step_says_why(line: Any, reason: str) -> None:
    with pytest.raises(NotARecording) as refused:
        decode(msgspec.json.encode(line))
    assert str(refused.value) == reason
    assert not isinstance(refused.value, CutOff)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("hello", "not JSON: JSON is malformed: invalid character (byte 0)"),
        ("{'key': 1}", "not JSON: JSON is malformed: object keys must be strings (byte 1)"),
        (TEXT + "}", f"not JSON: JSON is malformed: trailing characters (byte {len(TEXT) + 1})"),
        (TEXT.replace('"seq":1', f'"seq":1,"x":{DEEP}'), "nested too deeply"),
        (TEXT.replace('"effects":[', f'"effects":[{DEEP},'), "nested too deeply"),
    ],
)
def test_a_line_that_is_no_json_says_so(line: str, reason: str) -> None:
    with pytest.raises(NotARecording) as refused:
        decode(line.encode())
    assert str(refused.value) == reason
    assert not isinstance(refused.value, CutOff)


def test_a_line_that_is_not_utf8_names_the_byte() -> None:
    content = TEXT.encode().replace(b"Hello", b"Hell\xff", 1)
    with pytest.raises(NotARecording, match=rf"^byte {content.index(0xFF) + 1} is not UTF-8$"):
        decode(content)


def test_a_line_that_is_cut_anywhere_is_known_as_such() -> None:
    whole = TEXT.replace("Hello", "Привет 👛").encode()
    for length in range(len(whole)):
        with pytest.raises(CutOff):
            decode(whole[:length])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1e999]", "not JSON: Number out of range - at `$[0]` - in `$.effects`"),
        ("[" * 40 + "]" * 40, "nested too deeply"),
        ("[" * 900 + "]" * 900, "nested too deeply"),
    ],
)
def test_effects_that_are_no_json_are_refused_where_they_are_compared(
    text: str, reason: str
) -> None:
    line = TEXT.replace(
        TEXT[TEXT.index('"effects":') : TEXT.index(',"state"')], f'"effects":{text}'
    )
    with pytest.raises(NotARecording) as refused:
        Replay().step(1, decode(line.encode()))
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("origin", "event", "reason"),
    [
        (CHAT, {"type": "bot.failed", "reason": "x"}, "bot.failed is no event of a chat"),
        (BOT, {"type": "chat.paused"}, "chat.paused is no event of a bot"),
    ],
)
def test_an_event_of_another_kind_of_state_is_refused(origin: Any, event: Any, reason: str) -> None:
    with pytest.raises(NotARecording, match=f"^{reason}$"):
        differences([step(**{"from": msgspec.to_builtins(origin)}, event=event)])


def test_fields_that_are_unknown_here_are_left_alone() -> None:
    assert differences([step(version=2, event=step()["event"] | {"mood": "good"})]) == []


@pytest.mark.parametrize(
    ("value", "deep"),
    [({}, False), ("x", False), ([[1]], False), ([[[]]], True), ({"a": {"b": {}}}, True)],
)
def test_how_deep_a_value_is(value: Any, deep: bool) -> None:
    assert too_deep(value, 2) == deep
