"""What a person must hear of: the alert's cause and its words.

Alerts are deduplicated per bot and cause (application/alerts.py counts them), so a cause must not
hold what differs from one message to the next: numbers are taken out of it.
"""

import re
from datetime import timedelta

from domain.effects import AdminAlert
from domain.turn import Turn

QUIET = timedelta(hours=1)
"""How long an alert of one bot and cause is counted rather than sent again."""

QUIET_UNDELIVERED = timedelta(minutes=1)
"""The same for one that could not be sent."""


_SAID = re.compile(r"(the model refused|a malformed answer): .*", re.DOTALL)
"""Reasons that go on with what a model or a server happened to say."""
_VARYING = re.compile(r"[\w-]*\d(?:[\w.-]*\w)?")
"""Numbers, times and ids: what has a digit in it."""


def fingerprint(reason: str) -> str:
    """The cause of a failure, the same for all failures of one kind."""
    return _VARYING.sub("#", unquoted(reason))[:200]


def unquoted(text: str) -> str:
    """Without what a model or a server happened to say, which belongs in no log."""
    return _SAID.sub(r"\1", text)


def message_alert(turn: Turn, reason: str) -> AdminAlert:
    """A message ended TERMINAL."""
    text = f"{turn.bot.name}: message {turn.token.id} was not answered. {reason}"
    return AdminAlert(turn.bot.id, fingerprint(reason), text)


def bot_alert(bot_id: int, name: str, trouble: str, reason: str) -> AdminAlert:
    """The bot itself is in trouble, whatever it is asked."""
    return AdminAlert(bot_id, fingerprint(reason), f"{name}: {trouble}. {reason}")


def worded(text: str, suppressed: int) -> str:
    """The alert as it is sent, with the count of those that were held back since the last one."""
    return f"{text}\n(and {suppressed} more like it in the last hour)" if suppressed else text
