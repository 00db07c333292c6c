"""When a bot is silent: what is seen of it, what the last look said, and the verdict."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from domain.bot import TelegramMode
from domain.silence import Cause, Seen, Webhook, heard_lately, judge

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
OURS = "https://bots.example.com/webhook/1"


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def webhook(url: str = OURS, pending: int = 0, error_at: datetime | None = None) -> Webhook:
    error = "Wrong response from the webhook: 503 Service Unavailable" if error_at else None
    return Webhook(url, pending, error_at, error)


@dataclass
class Case:
    """`silent`: with this cause; `since`: what the last look said, and what this one says."""

    name: str
    told: Webhook | None = field(default_factory=webhook)
    since: datetime | None = None
    silent: Cause | None = None
    trouble: datetime | None = None
    heard_at: datetime | None = None
    mode: TelegramMode = TelegramMode.WEBHOOK
    polled: bool = False
    our_url: str | None = OURS


POLLING = TelegramMode.POLLING
TABLE = [
    Case("all is well"),
    Case("all is well again", since=ago(hours=1)),
    Case("Telegram was not asked", None),
    Case("an update has just come to Telegram", webhook(pending=1), trouble=NOW),
    Case(
        "updates wait for a while",
        webhook(pending=2),
        since=ago(seconds=179),
        trouble=ago(seconds=179),
    ),
    Case(
        "updates wait for long",
        webhook(pending=2),
        since=ago(minutes=3),
        silent=Cause.UPDATES_WAIT,
        trouble=ago(minutes=3),
        heard_at=ago(days=1),
    ),
    Case(
        "updates wait, and others come",
        webhook(pending=2),
        since=ago(minutes=9),
        trouble=NOW,
        heard_at=ago(minutes=8),
    ),
    Case("a delivery has failed", webhook(pending=1, error_at=ago(seconds=2)), trouble=NOW),
    Case(
        "deliveries fail",
        webhook(pending=1, error_at=ago(seconds=9)),
        since=ago(minutes=1),
        silent=Cause.DELIVERY_FAILS,
        trouble=ago(minutes=1),
    ),
    Case(
        "deliveries failed, and updates come",
        webhook(pending=1, error_at=ago(minutes=2)),
        since=ago(minutes=3),
        trouble=NOW,
        heard_at=ago(minutes=1),
    ),
    Case("a delivery failed, and was made again", webhook(error_at=ago(seconds=9))),
    Case(
        "the last error is old",
        webhook(pending=1, error_at=ago(minutes=10)),
        since=ago(minutes=2),
        trouble=ago(minutes=2),
    ),
    Case("no webhook any more", webhook(""), silent=Cause.NO_WEBHOOK, trouble=NOW),
    Case(
        "somebody's webhook",
        webhook("https://u:p@elsewhere.example/secret-path", pending=3, error_at=ago(seconds=1)),
        silent=Cause.FOREIGN_WEBHOOK,
        trouble=NOW,
    ),
    Case(
        "somebody's webhook since long",
        webhook("https://elsewhere.example/x"),
        since=ago(days=2),
        silent=Cause.FOREIGN_WEBHOOK,
        trouble=ago(days=2),
        heard_at=ago(hours=1),
    ),
    Case("PUBLIC_URL is gone", our_url=None, silent=Cause.FOREIGN_WEBHOOK, trouble=NOW),
    Case("polled", webhook(""), mode=POLLING, polled=True),
    Case("a poller starts anew", webhook(""), mode=POLLING, trouble=NOW),
    Case(
        "no poller",
        None,
        mode=POLLING,
        since=ago(minutes=1),
        silent=Cause.NOT_POLLED,
        trouble=ago(minutes=1),
        heard_at=ago(seconds=30),
    ),
    Case(
        "a poller that hangs",
        webhook("", pending=4),
        mode=POLLING,
        polled=True,
        since=ago(minutes=5),
        silent=Cause.UPDATES_WAIT,
        trouble=ago(minutes=5),
    ),
    Case(
        "a polled bot's old error of a webhook says nothing",
        webhook("", pending=1, error_at=ago(seconds=30)),
        mode=POLLING,
        polled=True,
        since=ago(minutes=2),
        trouble=ago(minutes=2),
    ),
    Case("a polled bot's webhook is removed elsewhere", webhook(), mode=POLLING, polled=True),
]


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    seen = Seen(case.mode, case.our_url, case.heard_at, case.polled, case.told)
    verdict = judge(case.since, seen, NOW)
    assert (verdict.since, verdict.cause) == (case.trouble, case.silent)
    assert (verdict.reason is None) == (case.silent is None)


@pytest.mark.parametrize(
    ("told", "mode", "reason"),
    [
        (
            webhook(pending=1),
            TelegramMode.WEBHOOK,
            "1 update waits at Telegram, and none comes",
        ),
        (
            webhook(pending=3),
            POLLING,
            "3 updates wait at Telegram, and the poller does not fetch them",
        ),
        (
            webhook(pending=2, error_at=ago(seconds=5)),
            TelegramMode.WEBHOOK,
            "Telegram cannot deliver its updates (2 wait): Wrong response from the webhook: 503 "
            "Service Unavailable",
        ),
        (
            webhook("https://u:p@elsewhere.example:8443/secret-path"),
            TelegramMode.WEBHOOK,
            "its webhook leads to elsewhere.example:8443: if PUBLIC_URL has changed, set the "
            "webhook again; if another program uses the bot's token, have @BotFather revoke it",
        ),
        (
            webhook("https://[broken"),
            TelegramMode.WEBHOOK,
            "its webhook leads to another address: if PUBLIC_URL has changed, set the webhook "
            "again; if another program uses the bot's token, have @BotFather revoke it",
        ),
        (
            webhook(""),
            TelegramMode.WEBHOOK,
            "Telegram has no webhook for it any more: set the webhook again",
        ),
    ],
)
def test_words(told: Webhook, mode: TelegramMode, reason: str) -> None:
    seen = Seen(mode, OURS, None, polled=True, webhook=told)
    assert judge(ago(hours=1), seen, NOW).reason == reason


def test_heard_lately() -> None:
    assert heard_lately(ago(seconds=299), NOW)
    assert not heard_lately(ago(minutes=5), NOW)
    assert not heard_lately(None, NOW)
