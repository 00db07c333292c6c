"""Whether a bot that should hear of updates is silent, and why: judged at each look at it.

Triggered by application/silent_bots.py with what Telegram and PostgreSQL say of the bot. One look
may fall between an update's coming and its delivery, or into a restart, so what is wrong has to
last before it is told; the first look at which it is right again clears it.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from msgspec import Struct

from domain.bot import TelegramMode

HEARD_LATELY = timedelta(minutes=5)
"""A bot that had an update so lately is not silent, and Telegram is not asked about it."""
ERROR_LASTS = timedelta(minutes=10)
"""An error of deliveries that Telegram had no longer ago than this is why the updates wait."""


class Cause(StrEnum):
    """Why no update comes."""

    NO_WEBHOOK = "no webhook"
    FOREIGN_WEBHOOK = "foreign webhook"
    DELIVERY_FAILS = "delivery fails"
    UPDATES_WAIT = "updates wait"
    NOT_POLLED = "not polled"


LASTS: dict[Cause, timedelta] = {
    Cause.NO_WEBHOOK: timedelta(0),
    Cause.FOREIGN_WEBHOOK: timedelta(0),
    Cause.DELIVERY_FAILS: timedelta(minutes=1),
    Cause.UPDATES_WAIT: timedelta(minutes=3),
    Cause.NOT_POLLED: timedelta(minutes=1),
}
"""How long it must be so before the bot is said to be silent."""


class Webhook(Struct, frozen=True):
    """getWebhookInfo (Bot API 10.3), whatever the bot's mode; an empty `url`: there is none."""

    url: str
    pending: int
    error_at: datetime | None = None
    error: str | None = None


class Seen(Struct, frozen=True):
    """An active bot at a look.

    `our_url`: where its updates should go; None: PUBLIC_URL is not set. `heard_at`: when its newest
    update was kept. `polled`: a poller holds its lease. `webhook` None: Telegram was not asked.
    """

    mode: TelegramMode
    our_url: str | None
    heard_at: datetime | None
    polled: bool
    webhook: Webhook | None


class Verdict(Struct, frozen=True):
    """`since`: the first look at which something was wrong; None: nothing is.

    `reason`, in words, and `cause` only where the bot is silent.
    """

    since: datetime | None = None
    cause: Cause | None = None
    reason: str | None = None


def heard_lately(heard_at: datetime | None, now: datetime) -> bool:
    """Whether the bot's updates come, so that Telegram need not be asked."""
    return heard_at is not None and now - heard_at < HEARD_LATELY


def judge(since: datetime | None, seen: Seen, now: datetime) -> Verdict:
    """What a look says of the bot; `since` is what the last one's verdict said."""
    wrong = _wrong(seen, now)
    if wrong is None:
        return Verdict()
    cause, reason = wrong
    waiting = cause in (Cause.DELIVERY_FAILS, Cause.UPDATES_WAIT)
    if since is None or (waiting and seen.heard_at is not None and seen.heard_at > since):
        since = now  # what waits now is not what waited then
    if now - since < LASTS[cause]:
        return Verdict(since)
    return Verdict(since, cause, reason)


def _wrong(seen: Seen, now: datetime) -> tuple[Cause, str] | None:
    polling = seen.mode is TelegramMode.POLLING
    if polling and not seen.polled:
        return (
            Cause.NOT_POLLED,
            "nobody polls Telegram for it: see that `kotodom poller` runs",
        )
    webhook = seen.webhook
    if webhook is None:
        return None
    # A webhook that a polled bot has refuses the poller's calls, which removes it and tells of it.
    if not polling and webhook.url != seen.our_url:
        return _webhook_elsewhere(webhook.url)
    if webhook.pending == 0:
        return None
    recent = webhook.error_at is not None and now - webhook.error_at < ERROR_LASTS
    if recent and not polling:
        return (
            Cause.DELIVERY_FAILS,
            f"Telegram cannot deliver its updates ({webhook.pending} wait): {webhook.error}",
        )
    what = "update waits" if webhook.pending == 1 else "updates wait"
    why = "the poller does not fetch them" if polling else "none comes"
    return Cause.UPDATES_WAIT, f"{webhook.pending} {what} at Telegram, and {why}"


def _webhook_elsewhere(url: str) -> tuple[Cause, str]:
    if not url:
        return (
            Cause.NO_WEBHOOK,
            "Telegram has no webhook for it any more: set the webhook again",
        )
    return (
        Cause.FOREIGN_WEBHOOK,
        f"its webhook leads to {_host(url)}: if PUBLIC_URL has changed, set the webhook again; if "
        "another program uses the bot's token, have @BotFather revoke it",
    )


def _host(url: str) -> str:
    """What may be told of a foreign address: its path and its user may be secrets."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "another address"
    except ValueError:
        return "another address"
