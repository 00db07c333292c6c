"""A pause as a step of its chat: what is saved of it, and that its recording replays the same."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from application.conversations import Change, JournalRow, Loaded
from application.jobs import Pick
from application.moves import Pause, pause
from domain.effects import TurnToken
from domain.events import BotProfile, ChatPaused, ChatUnpaused, MessageSent, UpdateReceived
from domain.recording import decode
from domain.replay import Replay, play
from domain.step import Envelope, digest
from domain.telegram import Update, decode_update
from domain.turn import Conversation

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
BOT = BotProfile(3, "Ann")
CHAT = Conversation("3:42", 42)
TOKEN = TurnToken(100, 1)
PICK = Pick(0, "nobody", AT)


def _said(text: str) -> Update:
    message = {
        "message_id": 7,
        "date": 0,
        "chat": {"id": 42, "type": "private"},
        "from": {"id": 42, "is_bot": False, "first_name": "Bob"},
        "text": text,
    }
    return decode_update(msgspec.json.encode({"update_id": 1, "message": message}))


def _loaded(conversation: Conversation) -> Loaded:
    return Loaded(conversation, BOT, None, False, False, None, None, 101)


def _pause(conversation: Conversation, event: ChatPaused | ChatUnpaused) -> Change | None:
    return pause(Pause("3:42", PICK, event), _loaded(conversation), AT)


def _begun() -> Conversation:
    begun = Envelope("update:3:42:1", AT, UpdateReceived(TOKEN, _said("Hello"), BOT))
    conversation: Conversation = play(CHAT, begun).state
    assert conversation.busy
    return conversation


@pytest.mark.parametrize("conversation", [CHAT, _begun()])
def test_what_is_so_already_changes_nothing(conversation: Conversation) -> None:
    assert _pause(conversation, ChatUnpaused()) is None
    assert _pause(replace(conversation, paused=True), ChatPaused()) is None


def test_between_two_turns_it_brings_along_what_it_began_from() -> None:
    change = _pause(CHAT, ChatPaused())
    assert change is not None
    assert change.conversation == replace(CHAT, paused=True)
    assert (change.touched, change.jobs, change.owner, change.acknowledge) == (
        [],
        [],
        "keep",
        False,
    )
    assert change.journal == [
        JournalRow(
            key="3:42",
            at=AT,
            id=f"chat:3:42:chat.paused:{AT.timestamp():.6f}",
            turn_id=None,
            from_state='{"type":"chat","id":"3:42","chat_id":42}',
            event='{"type":"chat.paused"}',
            effects="[]",
            state=digest(replace(CHAT, paused=True)),
        )
    ]


def test_in_the_middle_of_a_turn_it_is_a_step_of_that_turn() -> None:
    begun = _begun()
    change = _pause(begun, ChatPaused())
    assert change is not None
    assert change.conversation == replace(begun, paused=True)
    assert (change.begun, change.replied, change.jobs, change.owner) == (None, None, [], "keep")
    (row,) = change.journal
    assert (row.turn_id, row.from_state) == (100, None)


def test_the_recording_replays_the_same() -> None:
    replayed, state = Replay(), CHAT
    events = [
        ChatPaused(),
        ChatUnpaused(),
        UpdateReceived(TOKEN, _said("/help"), BOT),
        ChatPaused(),
        ChatUnpaused(),
        ChatPaused(),
        MessageSent(TOKEN, 0, 900),
        ChatUnpaused(),
    ]
    for number, event in enumerate(events):
        at = AT + timedelta(seconds=number)
        before = replace(state, turn=state.turn if state.busy else None)
        step = play(before, Envelope(str(number), at, event))
        line = {
            "key": "3:42",
            "seq": number + 1,
            "at": at,
            "id": str(number),
            "event": event,
            "effects": step.effects,
            "state": digest(step.state),
        }
        if isinstance(event, ChatPaused | ChatUnpaused):
            change = _pause(before, event)
            assert change is not None
            assert change.conversation == step.state
            assert (change.journal[0].from_state is None) == before.busy
        if not before.busy:
            line["from"] = before
        assert replayed.step(number + 1, decode(msgspec.json.encode(line))) is None
        state = step.state
    assert (replayed.steps, replayed.differing) == (8, 0)
    assert not state.paused
