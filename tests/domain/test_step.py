"""fold and digest: the same history gives the same steps, the same state the same digest."""

from datetime import datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.conversation import handle
from domain.events import ChatEvent, MessageSent, ReplyGenerated, ReplyStarted, UpdateReceived
from domain.step import Envelope, Step, digest, fold
from domain.turn import Conversation, Status
from tests.domain.given import BOT, CHAT, NOW, REPLY, TOKEN, chat, replied, send, update
from tests.domain.strategies import CONVERSATIONS, EVENTS, MOMENTS, kinds

HISTORY: list[Envelope[ChatEvent]] = [
    Envelope("1", NOW, UpdateReceived(TOKEN, update("Hello"), BOT)),
    Envelope("2", NOW, ReplyStarted(TOKEN, "resp_1", "conv_1")),
    Envelope("3", NOW, ReplyGenerated(TOKEN, REPLY)),
    Envelope("4", NOW, MessageSent(TOKEN, 0, 900)),
    Envelope("5", NOW + timedelta(seconds=1), MessageSent(TOKEN, 1, 901)),
]
CHAT_EVENTS = st.one_of(*(EVENTS[kind] for kind in kinds(ChatEvent)))


def test_a_fold_gives_every_step() -> None:
    steps = fold(handle, CHAT, HISTORY)
    known = {"thread_id": "conv_1", "thread_upto": 100}
    ended = replied(sent=(900, 901), status=Status.COMPLETED, ended_at=NOW + timedelta(seconds=1))
    assert len(steps) == len(HISTORY)
    assert steps[2] == Step(chat(replied(), **known), (send("one"),))
    assert steps[4] == Step(chat(ended, **known))


def test_a_fold_of_nothing_is_nothing() -> None:
    assert fold(handle, CHAT, []) == []


def test_a_digest_is_known() -> None:
    """A recording of today is replayed by the code of tomorrow: its digests must not change."""
    assert digest(CHAT) == "bca12624dce4f8a9"
    assert digest(fold(handle, CHAT, HISTORY)[-1].state) == "2d50b549590f14c7"


@settings(max_examples=60)
@given(CONVERSATIONS, CONVERSATIONS)
def test_equal_states_have_equal_digests(one: Conversation, other: Conversation) -> None:
    copied = msgspec.json.decode(msgspec.json.encode(one), type=Conversation)
    assert digest(one) == digest(copied)
    assert (digest(one) == digest(other)) == (one == other)


@settings(max_examples=150)
@given(CONVERSATIONS, st.lists(st.tuples(MOMENTS, CHAT_EVENTS), max_size=4))
def test_any_history_is_folded_the_same_twice(
    state: Conversation, happened: list[tuple[datetime, ChatEvent]]
) -> None:
    envelopes = [Envelope(str(number), at, event) for number, (at, event) in enumerate(happened)]
    state = replace(state, turn=None)
    kept = digest(state)
    steps = fold(handle, state, envelopes)
    assert fold(handle, state, envelopes) == steps
    assert digest(state) == kept
