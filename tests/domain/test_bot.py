"""A bot's life as a table: every event, for a bot that is off or on, by webhook or by polling."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from domain.bot import Bot, TelegramMode, handle
from domain.effects import AdminAlert, Effect, EnsureWebhook, PublishWaiting, RemoveWebhook
from domain.events import (
    BotEdited,
    BotEvent,
    BotFailed,
    BotRecovered,
    DisableAsked,
    EnableAsked,
    WebhookAsked,
    WebhookEnsured,
    WebhookFailed,
    WebhookRemovalAsked,
    WebhookRemoved,
)
from domain.failures import Ambiguous, Failure, Fatal, Retryable, Terminal
from domain.step import Envelope, Step
from tests.domain.given import NOW, given_bot

WEBHOOK, POLLING = TelegramMode.WEBHOOK, TelegramMode.POLLING
HOOKED_OFF = Bot(3, "Kotodom", WEBHOOK)
HOOKED_ON = Bot(3, "Kotodom", WEBHOOK, enabled=True, is_active=True)
POLLED_OFF = Bot(3, "Kotodom", POLLING)
POLLED_ON = Bot(3, "Kotodom", POLLING, enabled=True, is_active=True)
BOTS = {
    "webhook, off": HOOKED_OFF,
    "webhook, on": HOOKED_ON,
    "polling, off": POLLED_OFF,
    "polling, on": POLLED_ON,
}

ENSURE, REMOVE, POLL = EnsureWebhook(3), RemoveWebhook(3), RemoveWebhook(3, polling=True)
WAITING = PublishWaiting(3)
DEAD, QUOTA = "Telegram 401", "OpenAI 429: no credit"
UNDELIVERED = "Kotodom: Telegram does not deliver to it."

Row = tuple[BotEvent, str, dict[str, Any], tuple[Effect, ...]]
"""An event, the bot it happens to, what changes, and what is wished for."""

TABLE: list[Row] = [
    (EnableAsked(), "webhook, off", {"enabled": True}, (ENSURE, WAITING)),
    (EnableAsked(), "webhook, on", {"is_active": False}, (ENSURE, WAITING)),
    (EnableAsked(), "polling, off", {"enabled": True}, (POLL, WAITING)),
    (EnableAsked(), "polling, on", {"is_active": False}, (POLL, WAITING)),
    (DisableAsked(), "webhook, off", {}, (REMOVE,)),
    (DisableAsked(), "webhook, on", {"enabled": False, "is_active": False}, (REMOVE,)),
    (DisableAsked(), "polling, off", {}, (REMOVE,)),
    (DisableAsked(), "polling, on", {"enabled": False, "is_active": False}, (REMOVE,)),
    (BotEdited("POLLING"), "webhook, off", {"mode": POLLING}, ()),
    (BotEdited("POLLING", True), "webhook, off", {"mode": POLLING}, ()),
    (BotEdited("WEBHOOK"), "webhook, on", {}, ()),
    (BotEdited("WEBHOOK", True), "webhook, on", {"is_active": False}, (ENSURE,)),
    (BotEdited("POLLING", True), "webhook, on", {"mode": POLLING, "is_active": False}, (POLL,)),
    (BotEdited("WEBHOOK", True), "polling, off", {"mode": WEBHOOK}, ()),
    (BotEdited("POLLING"), "polling, on", {}, ()),
    (BotEdited("WEBHOOK", True), "polling, on", {"mode": WEBHOOK, "is_active": False}, (ENSURE,)),
    *((WebhookAsked(), name, {}, (ENSURE,)) for name in BOTS),
    (WebhookRemovalAsked(), "webhook, off", {}, (replace(REMOVE, asked=True),)),
    (WebhookRemovalAsked(), "webhook, on", {}, (replace(REMOVE, asked=True),)),
    (WebhookRemovalAsked(), "polling, off", {}, (replace(REMOVE, asked=True),)),
    (WebhookRemovalAsked(), "polling, on", {}, (replace(POLL, asked=True),)),
    (WebhookEnsured(), "webhook, off", {}, (REMOVE,)),
    (WebhookEnsured(), "webhook, on", {"is_active": True}, ()),
    (WebhookEnsured(), "polling, off", {}, (REMOVE,)),
    (WebhookEnsured(), "polling, on", {}, (POLL,)),
    (WebhookRemoved(), "webhook, off", {}, ()),
    (WebhookRemoved(), "webhook, on", {"is_active": False}, (ENSURE,)),
    (WebhookRemoved(asked=True), "webhook, on", {"is_active": False}, ()),
    (WebhookRemoved(), "polling, off", {}, ()),
    (WebhookRemoved(), "polling, on", {}, ()),
    (WebhookRemoved(polling=True), "polling, off", {}, ()),
    (WebhookRemoved(polling=True), "polling, on", {"is_active": True}, ()),
    *(
        (
            BotFailed(DEAD, token_dead=True),
            name,
            {"enabled": False, "is_active": False, "error": DEAD},
            (AdminAlert(3, "Telegram #", f"Kotodom: the bot cannot answer. {DEAD}"),),
        )
        for name in BOTS
    ),
    *(
        (
            BotFailed(QUOTA),
            name,
            {"error": QUOTA},
            (AdminAlert(3, "OpenAI #: no credit", f"Kotodom: the bot cannot answer. {QUOTA}"),),
        )
        for name in BOTS
    ),
    *((BotRecovered(), name, {}, ()) for name in BOTS),
]


@pytest.mark.parametrize(("event", "name", "changes", "effects"), TABLE)
def test_an_event_of_a_bot(
    event: BotEvent, name: str, changes: dict[str, Any], effects: tuple[Effect, ...]
) -> None:
    given_bot(BOTS[name]).when(event).then(Step(replace(BOTS[name], **changes), effects))


def test_the_table_knows_every_event() -> None:
    named = {(type(event), name) for event, name, _, _ in TABLE}
    missing = {(kind, name) for kind in BotEvent.__args__ for name in BOTS} - named
    assert {kind for kind, _ in missing} == {WebhookFailed}


@pytest.mark.parametrize("event", [EnableAsked(), WebhookEnsured(), BotRecovered()])
def test_an_error_is_forgotten(event: BotEvent) -> None:
    broken = replace(HOOKED_ON, error=QUOTA)
    assert given_bot(broken).when(event).step.state.error is None


def test_a_bot_whose_polling_has_begun_has_no_error() -> None:
    broken = replace(POLLED_ON, error=QUOTA, is_active=False)
    given_bot(broken).when(WebhookRemoved(polling=True)).then(Step(POLLED_ON))


def test_a_bot_that_is_off_keeps_its_error() -> None:
    given_bot(replace(HOOKED_OFF, error=DEAD)).when(BotRecovered()).then_nothing()


# --- Telegram does not take setWebhook or deleteWebhook ------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "failure", "delay"),
    [
        (0, Retryable("away"), 1.0),
        (1, Retryable("away"), 4.0),
        (4, Retryable("away"), 256.0),
        (0, Retryable("too many requests", after=17.0), 17.0),
    ],
)
def test_what_may_succeed_later_is_asked_again(
    attempt: int, failure: Failure, delay: float
) -> None:
    given_bot(HOOKED_ON).when(WebhookFailed(failure, attempt)).then(
        Step(HOOKED_ON, (EnsureWebhook(3, attempt + 1, delay),))
    )
    given_bot(HOOKED_OFF).when(WebhookFailed(failure, attempt, removing=True)).then(
        Step(HOOKED_OFF, (RemoveWebhook(3, False, attempt + 1, delay),))
    )
    given_bot(POLLED_ON).when(WebhookFailed(failure, attempt, removing=True, polling=True)).then(
        Step(POLLED_ON, (RemoveWebhook(3, True, attempt + 1, delay),))
    )


@pytest.mark.parametrize(
    ("bot", "event"),
    [
        (HOOKED_OFF, WebhookFailed(Retryable("away"))),
        (POLLED_ON, WebhookFailed(Retryable("away"))),
        (HOOKED_ON, WebhookFailed(Retryable("away"), removing=True, polling=True)),
    ],
    ids=["ensure, but off", "ensure, but polling", "poll, but by webhook"],
)
def test_what_is_wished_for_no_more_is_not_asked_again(bot: Bot, event: BotEvent) -> None:
    given_bot(bot).when(event).then_nothing()


@pytest.mark.parametrize(
    ("failure", "attempt", "reason"),
    [
        (Retryable("away"), 5, "away"),
        (Terminal("bad webhook: https only"), 0, "bad webhook: https only"),
        (Ambiguous("no answer"), 0, "no answer"),
        (Fatal("no rights"), 0, "no rights"),
    ],
)
def test_what_cannot_be_delivered_is_told(failure: Failure, attempt: int, reason: str) -> None:
    told = AdminAlert(3, reason, f"{UNDELIVERED} {reason}")
    given_bot(HOOKED_ON).when(WebhookFailed(failure, attempt)).then(
        Step(replace(HOOKED_ON, is_active=False, error=reason), (told,))
    )
    given_bot(POLLED_ON).when(WebhookFailed(failure, attempt, removing=True, polling=True)).then(
        Step(replace(POLLED_ON, is_active=False, error=reason), (told,))
    )
    given_bot(HOOKED_OFF).when(WebhookFailed(failure, attempt, removing=True)).then(
        Step(replace(HOOKED_OFF, error=reason))
    )


def test_a_token_that_is_dead_switches_the_bot_off() -> None:
    told = AdminAlert(3, "Telegram #", f"{UNDELIVERED} {DEAD}")
    given_bot(HOOKED_ON).when(WebhookFailed(Fatal(DEAD, token_dead=True))).then(
        Step(replace(HOOKED_OFF, error=DEAD), (told,))
    )


# --- any order of clicks and answers -------------------------------------------------------------


class Clicks(RuleBasedStateMachine):
    """An administrator clicks while Telegram answers late, in any order, and now and then fails."""

    def __init__(self) -> None:
        super().__init__()
        self.bot = HOOKED_OFF
        self.hooked = False
        self.jobs: list[Effect] = []

    def put(self, event: BotEvent) -> None:
        step = handle(self.bot, Envelope("test", NOW, event))
        self.bot = step.state
        self.jobs += [
            effect for effect in step.effects if isinstance(effect, EnsureWebhook | RemoveWebhook)
        ]

    @rule()
    def enable(self) -> None:
        self.put(EnableAsked())

    @rule()
    def disable(self) -> None:
        self.put(DisableAsked())

    @rule(mode=st.sampled_from(TelegramMode))
    def edit(self, mode: TelegramMode) -> None:
        self.put(BotEdited(mode.value, reconnect=mode is not self.bot.mode))

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), fails=st.booleans())
    def answer(self, data: st.DataObject, fails: bool) -> None:
        job = self.jobs.pop(data.draw(st.integers(0, len(self.jobs) - 1)))
        self.perform(job, fails)

    def perform(self, job: Effect, fails: bool) -> None:
        match job:
            case EnsureWebhook(attempt=attempt):
                if fails:
                    self.put(WebhookFailed(Retryable("away"), attempt))
                    return
                self.hooked = True
                self.put(WebhookEnsured())
            case RemoveWebhook(polling=polling, attempt=attempt):
                if fails:
                    failure = Retryable("away")
                    self.put(WebhookFailed(failure, attempt, removing=True, polling=polling))
                    return
                self.hooked = False
                self.put(WebhookRemoved(polling))

    @invariant()
    def a_bot_that_is_off_is_not_active(self) -> None:
        assert self.bot.enabled or not self.bot.is_active

    def teardown(self) -> None:
        for _ in range(100):
            if not self.jobs:
                break
            self.perform(self.jobs.pop(0), fails=False)
        assert not self.jobs, "Telegram is asked again and again"
        if self.bot.error is None:
            assert self.hooked is (self.bot.enabled and self.bot.mode is WEBHOOK)
            assert self.bot.is_active is self.bot.enabled


Clicks.TestCase.settings = settings(max_examples=300, stateful_step_count=12)
TestClicks = Clicks.TestCase
