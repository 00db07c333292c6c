"""The OpenAI stand-in's memory: conversations, runs, keys, models, pace, and what was asked.

The HTTP handlers and the Python API of the tests work on one `OpenAiWorld`. Conversations are
`OpenAi`, one struct that server.py keeps on disk; runs live in memory, the newest ones only.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from entrypoints.sandbox.demo_model import Turn, directive_of
from entrypoints.sandbox.faults import OPENAI_KINDS, Fault, Faults
from entrypoints.sandbox.feed import Feed
from entrypoints.sandbox.openai_rate_limits import RateLimits
from entrypoints.sandbox.openai_shapes import (
    OpenAiError,
    count_tokens,
    message_item,
    new_id,
    now,
)

if TYPE_CHECKING:
    from entrypoints.sandbox.openai_runs import Run

KEPT_CONVERSATIONS = 20_000
KEPT_ITEMS = 2000
KEPT_RUNS = 20_000
KEPT_RECORDS = 100_000

Json = dict[str, Any]

# What GET /v1/models lists. Any other name is served too, unless it begins with "no-such-".
MODELS = (
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-5.6-luna",
    "gpt-5.5",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "gpt-5.2",
    "gpt-5.1",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5-nano",
    "gpt-4.1",
    "gpt-4o",
    "gpt-4o-mini",
    "sandbox",
)


class Pace(Struct):
    """How fast the model answers: seconds to the first token, tokens a second (0: at once)."""

    first_token: float = 0.0
    tokens_per_second: float = 0.0


class Conversation(Struct):
    id: str
    created_at: int
    metadata: Json = field(default_factory=dict)
    items: list[Json] = field(default_factory=list)
    locked_by: str | None = None

    def as_object(self) -> Json:
        return {
            "id": self.id,
            "object": "conversation",
            "created_at": self.created_at,
            "metadata": self.metadata,
        }


class OpenAi(Struct):
    """What survives a restart."""

    conversations: dict[str, Conversation] = field(default_factory=dict)


class RunRecord(Struct):
    """A generation that was begun, and so would be paid for."""

    id: str
    api: str
    model: str
    at: float
    metadata: Json
    conversation: str | None
    background: bool
    stream: bool
    status: str = "in_progress"
    input: str = ""
    output: str = ""


class OpenAiWorld:
    """Conversations and runs."""

    def __init__(self, feed: Feed, faults: Faults, pace: Pace) -> None:
        self.kept = OpenAi()
        self.feed = feed
        self.faults = faults
        self.pace = pace
        self.runs: OrderedDict[str, Run] = OrderedDict()
        self.records: deque[RunRecord] = deque(maxlen=KEPT_RECORDS)
        self.revoked_keys: set[str] = set()
        self._directive_uses: Counter[str] = Counter()
        self._rate_limits = RateLimits()

    def create_conversation(self, metadata: Json) -> Conversation:
        conversation = Conversation(new_id("conv"), now(), metadata)
        self.kept.conversations[conversation.id] = conversation
        while len(self.kept.conversations) > KEPT_CONVERSATIONS:
            del self.kept.conversations[next(iter(self.kept.conversations))]
        return conversation

    def conversation(self, conversation_id: str) -> Conversation:
        """Raises OpenAiError 404."""
        conversation = self.kept.conversations.get(conversation_id)
        if conversation is None:
            raise OpenAiError(404, f"Conversation with id '{conversation_id}' not found.")
        return conversation

    def remember(self, conversation: Conversation, turns: list[Turn]) -> list[Json]:
        """Adds messages to a conversation and returns their items."""
        items = [message_item(new_id("msg"), turn.role, turn.text) for turn in turns]
        conversation.items += items
        del conversation.items[:-KEPT_ITEMS]
        return items

    def run(self, run_id: str) -> "Run":
        """Raises OpenAiError 404."""
        run = self.runs.get(run_id)
        if run is None:
            raise OpenAiError(404, f"Response with id '{run_id}' not found.")
        return run

    def keep_run(self, run: "Run") -> None:
        self.runs[run.id] = run
        while len(self.runs) > KEPT_RUNS:
            self.runs.popitem(last=False)

    def runs_by_metadata(self, key: str) -> dict[str, int]:
        """How many generations were begun for each value of a metadata key."""
        return dict(
            Counter(str(record.metadata[key]) for record in self.records if key in record.metadata)
        )

    def check_model(self, model: str) -> None:
        """Raises OpenAiError 404 for a model that does not exist."""
        if model.startswith("no-such-"):
            raise OpenAiError(
                404,
                f"The model `{model}` does not exist or you do not have access to it.",
                code="model_not_found",
            )

    def limits_left(self, model: str, turns: Sequence[Turn]) -> dict[str, str]:
        """The headers that say what is left of the model's rate limits after these messages."""
        return self._rate_limits.take(model, sum(count_tokens(turn.text) for turn in turns))

    def fault_for(self, method: str, text: str = "") -> Fault | None:
        """The fault that a generation meets: one that is on, else one that its text asks for."""
        fault = self.faults.take("openai", method)
        if fault is not None:
            return fault
        directive = directive_of(text)
        if directive is None or directive.name not in OPENAI_KINDS or directive.name == "slow":
            return None
        times = directive.argument.split(maxsplit=1)[:1]
        if times and times[0].isdecimal():
            self._directive_uses[text] += 1
            if self._directive_uses[text] > int(times[0]):
                return None
        return Fault(side="openai", kind=directive.name)

    def pace_for(self, method: str, text: str) -> Pace:
        """How fast this answer comes."""
        slow = self.faults.take("openai", method, slow=True)
        if slow is not None:
            return Pace(slow.delay, slow.tokens_per_second)
        directive = directive_of(text)
        if directive is not None and directive.name == "slow":
            try:
                return Pace(min(max(float(directive.argument), 0.0), 600.0))
            except ValueError:
                return self.pace
        return self.pace

    def forget(self) -> None:
        """Forgets conversations, runs and records."""
        self.kept.conversations.clear()
        self.runs.clear()
        self.records.clear()
        self._directive_uses.clear()
