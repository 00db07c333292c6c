"""What a model server tells of its rate limits with every answer: the x-ratelimit-* headers.

Triggered by adapters/openai_clients.py for each answer, and by adapters/openai_failures.py for what
a refusal tells to wait.
Facts: OpenAI's guide "Rate limits", the headers: remaining-requests, remaining-tokens (numbers),
reset-requests, reset-tokens (durations: "1s", "6m0s", "120ms").
"""

import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from application.meter import RateLimit

LIMITS = ("requests", "tokens")

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?\.?")
_BEGINNING = b"x-ratelimit-re"
_NAMES = [
    (of, f"x-ratelimit-remaining-{of}".encode(), f"x-ratelimit-reset-{of}".encode())
    for of in LIMITS
]


def rate_limits(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[RateLimit]:
    """The limits of which an answer's raw headers tell something. One pass over them costs 2 µs,
    looking each of the four up costs twice that.
    """
    told = {
        lower: value.decode("latin-1")
        for name, value in headers
        if (lower := name.lower()).startswith(_BEGINNING)
    }
    if told:
        for of, remaining, reset in _NAMES:
            limit = RateLimit(of, number(told.get(remaining)), duration(told.get(reset)))
            if limit.remaining is not None or limit.reset is not None:
                yield limit


def number(value: str | None) -> float | None:
    """A finite number, 0 where it is negative; None where it is no number."""
    try:
        read = float(value or "")
    except ValueError:
        return None
    return max(read, 0.0) if math.isfinite(read) else None


@lru_cache(1024)
def duration(text: str | None) -> float | None:
    """Seconds of "6m0s", "20ms", "1h2m3.5s" or "3"; None where it is nothing of that kind."""
    if text is None:
        return None
    seconds = number(text)
    if seconds is not None:
        return seconds
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    hours, minutes, rest, milliseconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest + milliseconds / 1000
