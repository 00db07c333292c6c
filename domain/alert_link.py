"""/link CODE: how a person shows the alerts' bot which chat the alerts are for.

A code is made in the admin (application/alert_setup.py) and holds for some minutes; `/start CODE`
is what Telegram's own link t.me/BOT?start=CODE makes of it. It is no command of a chat's: intake
sets such an update aside before any turn, and only while its code is open.
"""

import re

ALPHABET = "ACDEFGHJKMNPQRTVWXY34679"
"""Capitals and digits of which no two look alike (no 0 and O, 1 and I and L, 2 and Z, 5 and S, 8
and B, U and V)."""
LENGTH = 8

_SPOKEN = re.compile(
    rf"/(?:link|start)(?:@[A-Za-z0-9_]{{1,64}})?\s+([{ALPHABET}]{{{LENGTH}}})\s*", re.IGNORECASE
)


def spoken_code(text: str | None) -> str | None:
    """The code of a text that is /link CODE or /start CODE and nothing more."""
    if text is None or not text.startswith(("/link", "/start")):
        return None
    match = _SPOKEN.fullmatch(text)
    return match[1].upper() if match is not None else None
