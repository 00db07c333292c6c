"""application.meter.Meter in memory."""

from collections import Counter
from contextlib import AbstractContextManager, nullcontext

from application.meter import Answer, Counted, Loop, RateLimit, Stage


class MemoryMeter:
    """What was counted, timed and told, in order where it is a list; no time passes here."""

    def __init__(self) -> None:
        self.counted: Counter[Counted] = Counter()
        self.open_circuits: set[str] = set()
        self.times: list[tuple[Stage, float]] = []
        self.commits: list[tuple[Loop, int]] = []
        self.turns: list[tuple[str, str]] = []
        self.webhooks: list[int] = []
        self.telegram_calls: list[tuple[str, Answer, float | None]] = []
        self.model_requests: list[tuple[str, Answer]] = []
        self.model_limits: dict[tuple[str, str, str], RateLimit] = {}
        self.used: list[tuple[str, int | None, int | None, str | None]] = []

    def add(self, what: Counted, amount: int = 1) -> None:
        self.counted[what] += amount

    def took(self, stage: Stage, seconds: float) -> None:
        self.times.append((stage, seconds))

    def timing(self, stage: Stage) -> AbstractContextManager[None]:
        self.times.append((stage, 0.0))
        return nullcontext()

    def committing(self, loop: Loop, size: int) -> AbstractContextManager[None]:
        self.commits.append((loop, size))
        return nullcontext()

    def turn(self, status: str, reason: str) -> None:
        self.turns.append((status, reason))

    def webhook(self, status: int) -> None:
        self.webhooks.append(status)

    def telegram(self, method: str, answer: Answer, retry_after: float | None = None) -> None:
        self.telegram_calls.append((method, answer, retry_after))

    def model(self, server: str, answer: Answer) -> None:
        self.model_requests.append((server, answer))

    def model_limit(self, server: str, model: str, limit: RateLimit) -> None:
        self.model_limits[server, model, limit.of] = limit

    def model_used(
        self, model: str, input_tokens: int | None, output_tokens: int | None, price: str | None
    ) -> None:
        self.used.append((model, input_tokens, output_tokens, price))

    def model_circuit(self, server: str, *, is_open: bool) -> None:
        if is_open:
            self.open_circuits.add(server)
        else:
            self.open_circuits.discard(server)
