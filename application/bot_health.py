"""How a bot is, in one word, and why: the light beside its name in lists, and what is counted.

`silent` is found by application/silent_bots.py, `error` by turns, webhooks and the poller.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class BotStatus(StrEnum):
    """CONNECTING: Telegram has not agreed yet. RETRYING: a message's try failed, another comes."""

    DISABLED = "disabled"
    ERROR = "error"
    SILENT = "silent"
    CONNECTING = "connecting"
    RETRYING = "retrying"
    ANSWERING = "answering"


class BotHealth(Struct, frozen=True, rename="camel"):
    """`reason`: in words, where there is something to say. `since`: of silence.

    `lookedAt`: when Telegram was last found to deliver the bot's updates, or not to.
    """

    status: BotStatus
    reason: str | None
    since: datetime | None
    looked_at: datetime | None


class BotState(Struct, frozen=True):
    """What is kept of a bot. `failing`: why its newest message that waits for a retry failed."""

    enabled: bool
    is_active: bool
    error: str | None
    silent_reason: str | None
    trouble_since: datetime | None
    looked_at: datetime | None
    failing: str | None = None


def health_of(bot: BotState) -> BotHealth:
    """The worst that can be said of the bot."""
    since = None
    if bot.error is not None:
        status, reason = BotStatus.ERROR, bot.error
    elif not bot.enabled:
        status, reason = BotStatus.DISABLED, None
    elif not bot.is_active:
        status, reason = BotStatus.CONNECTING, None
    elif bot.silent_reason is not None:
        status, reason, since = BotStatus.SILENT, bot.silent_reason, bot.trouble_since
    elif bot.failing is not None:
        status, reason = BotStatus.RETRYING, bot.failing or None
    else:
        status, reason = BotStatus.ANSWERING, None
    return BotHealth(status, reason, since, bot.looked_at)
