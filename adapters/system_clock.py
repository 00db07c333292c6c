"""Time and chance from the operating system (fulfils application.ports.Clock)."""

import random
from datetime import UTC, datetime


class SystemClock:
    """The one clock of a process."""

    def now(self) -> datetime:
        """UTC, with a time zone."""
        return datetime.now(UTC)

    def jitter(self) -> float:
        """A random number in [0, 1); it only spreads retries."""
        return random.random()  # noqa: S311
