"""A tag, once released, decodes forever: the golden list, and the way through JSON and back."""

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
    "SendMessage": "telegram.sendMessage",
    "SendChatAction": "telegram.sendChatAction",
    "EnsureWebhook": "telegram.ensureWebhook",
    "RemoveWebhook": "telegram.removeWebhook",
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


def survives(value: object, kind: Any) -> None:
    encoded = msgspec.json.encode(value)
    decoded = msgspec.json.decode(encoded, type=kind)
    assert (decoded, type(decoded)) == (value, type(value))
    assert msgspec.json.encode(decoded) == encoded


@pytest.mark.parametrize("kind", EFFECTS, ids=lambda kind: kind.__name__)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_an_effect_survives_json(kind: type[Struct], data: st.DataObject) -> None:
    survives(data.draw(EFFECTS[kind]), Effect)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_an_event_survives_json(kind: type[Struct], data: st.DataObject) -> None:
    survives(data.draw(EVENTS[kind]), Event)


@settings(max_examples=60, deadline=None)
@given(FAILURES)
def test_a_failure_survives_json(failure: Failure) -> None:
    survives(failure, Failure)


@settings(max_examples=60, deadline=None)
@given(TEXTS, MOMENTS, st.one_of(*EVENTS.values()))
def test_an_envelope_survives_json(identity: str, at: Any, event: Event) -> None:
    survives(Envelope(identity, at, event), Envelope[Event])


@settings(max_examples=60, deadline=None)
@given(CONVERSATIONS, st.lists(st.one_of(*EFFECTS.values()), max_size=2).map(tuple))
def test_a_step_survives_json(conversation: Conversation, effects: tuple[Effect, ...]) -> None:
    survives(Step(conversation, effects), Step[Conversation])


@settings(max_examples=60, deadline=None)
@given(TURNS)
def test_a_turn_survives_the_json_that_it_is_kept_as(turn: Turn) -> None:
    survives(turn, Turn)


@pytest.mark.parametrize("tag", ["telegram.sendTelepathy", "", "SendMessage"])
def test_an_unknown_tag_is_refused(tag: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({"type": tag}), type=Event)
