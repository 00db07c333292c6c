"""A tag, once released, decodes forever: the golden list, and the way through JSON and back."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from domain.effects import DetachedEffect, Effect, TurnEffect
from domain.events import BotEvent, ChatEvent, Event
from domain.failures import Failure
from domain.step import Envelope, Step
from domain.turn import Conversation, Turn
from tests.domain import reachable
from tests.domain.reachable import (
    RECORDED,
    REQUIRED,
    broken,
    defaults,
    kept_defaults,
    list_new_defaults,
    unlisted,
)
from tests.domain.strategies import (
    CONVERSATIONS,
    EFFECTS,
    EVENTS,
    FAILURES,
    MOMENTS,
    TEXTS,
    TURNS,
    kinds,
)

RELEASED_EFFECTS = {
    "GenerateReply": "openai.generateReply",
    "ResumeReply": "openai.resumeReply",
    "ResetThread": "openai.resetThread",
    "ForgetThreads": "openai.forgetThreads",
    "SendMessage": "telegram.sendMessage",
    "SendChatAction": "telegram.sendChatAction",
    "EnsureWebhook": "telegram.ensureWebhook",
    "RemoveWebhook": "telegram.removeWebhook",
    "RemoveFormerWebhook": "telegram.removeFormerWebhook",
    "PublishJob": "jobs.publish",
    "PublishWaiting": "jobs.publishWaiting",
    "ReportBotFailure": "bot.reportFailure",
    "ReportBotRecovery": "bot.reportRecovery",
    "AdminAlert": "notification.adminAlert",
}
RELEASED_EVENTS = {
    "UpdateReceived": "telegram.updateReceived",
    "OperatorWrote": "chat.operatorWrote",
    "RefreshAsked": "chat.refreshAsked",
    "RetryAsked": "processing.retryAsked",
    "TurnResumed": "turn.resumed",
    "TurnBroke": "turn.broke",
    "JobDeleted": "job.deleted",
    "ReplyStarted": "openai.replyStarted",
    "ReplyGenerated": "openai.replyGenerated",
    "ReplyFailed": "openai.replyFailed",
    "MessageSent": "telegram.messageSent",
    "MessageFailed": "telegram.messageFailed",
    "ChatPaused": "chat.paused",
    "ChatUnpaused": "chat.resumed",
    "EnableAsked": "bot.enableAsked",
    "DisableAsked": "bot.disableAsked",
    "BotEdited": "bot.edited",
    "WebhookAsked": "bot.webhookAsked",
    "WebhookRemovalAsked": "bot.webhookRemovalAsked",
    "WebhookEnsured": "telegram.webhookEnsured",
    "WebhookRemoved": "telegram.webhookRemoved",
    "WebhookFailed": "telegram.webhookFailed",
    "BotFailed": "bot.failed",
    "BotRecovered": "bot.recovered",
}
RELEASED_FAILURES = {
    "Retryable": "retryable",
    "Fatal": "fatal",
    "Terminal": "terminal",
    "Ambiguous": "ambiguous",
    "EntitiesRefused": "entitiesRefused",
    "ChatMigrated": "chatMigrated",
    "ThreadLost": "threadLost",
    "RunLost": "runLost",
    "ContextTooLong": "contextTooLong",
}


def tag_of(kind: type[Struct]) -> str:
    return str(kind.__struct_config__.tag)


@pytest.mark.parametrize(
    ("union", "released"),
    [
        (Effect, RELEASED_EFFECTS),
        (Event, RELEASED_EVENTS),
        (Failure, RELEASED_FAILURES),
    ],
)
def test_a_released_tag_stays(union: Any, released: dict[str, str]) -> None:
    """A new struct is added here; a line that is here is never changed or taken away."""
    assert {kind.__name__: tag_of(kind) for kind in kinds(union)} == released


def test_a_tag_means_one_thing() -> None:
    tags = [*RELEASED_EFFECTS.values(), *RELEASED_EVENTS.values(), *RELEASED_FAILURES.values()]
    assert len(tags) == len(set(tags))


def test_every_effect_and_event_has_its_place() -> None:
    assert set(kinds(Effect)) - set(kinds(TurnEffect)) - set(kinds(DetachedEffect)) == {
        kind for kind in EFFECTS if tag_of(kind) == "jobs.publish"
    }
    assert set(kinds(Event)) == set(kinds(ChatEvent)) | set(kinds(BotEvent)) == set(EVENTS)
    assert not set(kinds(ChatEvent)) & set(kinds(BotEvent))
    assert set(kinds(Effect)) == set(EFFECTS)


@pytest.mark.parametrize("kind", [*EFFECTS, *EVENTS], ids=lambda kind: kind.__name__)
def test_every_struct_is_frozen(kind: type[Struct]) -> None:
    assert kind.__struct_config__.frozen


# --- what JSON leaves out ------------------------------------------------------------------------

HOW = """
Recordings leave out what has its default, so it stays for ever: what is to be otherwise is a new
field, which has a default. Until the first release has it, a line of
tests/domain/released_defaults.json may be taken out; `python -m tests.recordings.release` lists
what is not listed."""


def test_a_default_stays() -> None:
    assert broken(kept_defaults(), defaults()) == [], HOW


def test_every_default_is_listed() -> None:
    assert unlisted(kept_defaults(), defaults()) == [], HOW


def test_a_default_that_changes_is_found() -> None:
    """As is a field that goes, is another's name, or is new and has to be there."""
    now = defaults()
    fields = now["Reply"]
    others = [
        fields | {"latency": 1.0},
        fields | {"latency": 0},
        fields | {"latency": REQUIRED},
        fields | {"text": ""},
        {name: default for name, default in fields.items() if name != "latency"},
        fields | {"mood": REQUIRED},
    ]
    assert [broken(now, now | {"Reply": other}) for other in others] == [
        ["Reply.latency was 0.0, is 1.0"],
        ["Reply.latency was 0.0, is 0"],
        ["Reply.latency was 0.0, is 'REQUIRED'"],
        ["Reply.text was 'REQUIRED', is ''"],
        ["Reply.latency was 0.0, is 'no more'"],
        ["Reply.mood is new"],
    ]
    assert broken(now, now | {"Reply": fields | {"mood": None}, "Mood": {"of": REQUIRED}}) == []
    assert now["Message"]["from"] is None
    assert len(now) == len(RECORDED), "two structs have one name"


def test_what_is_new_is_listed_and_what_is_listed_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = defaults()
    kept = {name: fields for name, fields in now.items() if name != "Reply"}
    other = {"Part": {"text": REQUIRED, "entities": [1]}}
    monkeypatch.setattr(reachable, "KEPT", tmp_path / "defaults.json")
    reachable.KEPT.write_bytes(msgspec.json.encode(kept | other))
    assert list_new_defaults() == [f"Reply.{field}" for field in sorted(now["Reply"])]
    assert kept_defaults() == now | other
    assert list_new_defaults() == []


def survives(value: object, kind: Any) -> None:
    encoded = msgspec.json.encode(value)
    decoded = msgspec.json.decode(encoded, type=kind)
    assert (decoded, type(decoded)) == (value, type(value))
    assert msgspec.json.encode(decoded) == encoded


@pytest.mark.parametrize("kind", EFFECTS, ids=lambda kind: kind.__name__)
@settings(max_examples=10)
@given(data=st.data())
def test_an_effect_survives_json(kind: type[Struct], data: st.DataObject) -> None:
    survives(data.draw(EFFECTS[kind]), Effect)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@settings(max_examples=10)
@given(data=st.data())
def test_an_event_survives_json(kind: type[Struct], data: st.DataObject) -> None:
    survives(data.draw(EVENTS[kind]), Event)


@settings(max_examples=60)
@given(FAILURES)
def test_a_failure_survives_json(failure: Failure) -> None:
    survives(failure, Failure)


@settings(max_examples=60)
@given(TEXTS, MOMENTS, st.one_of(*EVENTS.values()))
def test_an_envelope_survives_json(identity: str, at: Any, event: Event) -> None:
    survives(Envelope(identity, at, event), Envelope[Event])


@settings(max_examples=60)
@given(CONVERSATIONS, st.lists(st.one_of(*EFFECTS.values()), max_size=2).map(tuple))
def test_a_step_survives_json(conversation: Conversation, effects: tuple[Effect, ...]) -> None:
    survives(Step(conversation, effects), Step[Conversation])


@settings(max_examples=60)
@given(TURNS)
def test_a_turn_survives_the_json_that_it_is_kept_as(turn: Turn) -> None:
    survives(turn, Turn)


@pytest.mark.parametrize("tag", ["telegram.sendTelepathy", "", "SendMessage"])
def test_an_unknown_tag_is_refused(tag: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({"type": tag}), type=Event)
