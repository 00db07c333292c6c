"""The x-ratelimit-* headers of the OpenAI stand-in: what is left of each model's limits a minute.

What a call takes comes back evenly over the minute. Nothing is refused when all is used: floods are
what the stand-in is for, and the fault `rate_limited` refuses.
Facts: OpenAI's guide "Rate limits": remaining-* are numbers, reset-* durations ("1s", "6m0s").
"""

import time
from collections.abc import Callable

from msgspec import Struct

A_MINUTE = {"requests": 10_000, "tokens": 2_000_000}
KEPT_MODELS = 1000


class _Used(Struct):
    """How much of a limit was in use then."""

    amount: float = 0.0
    at: float = 0.0


class RateLimits:
    """The limits of every model; of a thousand models what they used is remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: dict[tuple[str, str], _Used] = {}

    def take(self, model: str, tokens: int) -> dict[str, str]:
        """A request of so many tokens; the headers of its answer."""
        headers = {}
        now = self._clock()
        if len(self._used) > KEPT_MODELS * len(A_MINUTE):
            self._used.clear()
        for of, taken in (("requests", 1), ("tokens", tokens)):
            limit = A_MINUTE[of]
            used = self._used.setdefault((model, of), _Used(at=now))
            back = (now - used.at) * limit / 60
            used.amount = min(max(used.amount - back, 0.0) + taken, limit)
            used.at = now
            headers[f"x-ratelimit-limit-{of}"] = str(limit)
            headers[f"x-ratelimit-remaining-{of}"] = str(int(limit - used.amount))
            headers[f"x-ratelimit-reset-{of}"] = duration(used.amount / limit * 60)
        return headers


def duration(seconds: float) -> str:
    """As the API writes one: "120ms", "1.5s", "6m0s"."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds / 1000, 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"
