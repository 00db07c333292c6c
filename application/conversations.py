"""The port through which react loads and saves chats: what stands in PostgreSQL for one of them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from application.jobs import Job, Pick
from domain.events import BotProfile
from domain.turn import Conversation, Turn

EntryKind = Literal["UPDATE", "OPERATOR_MESSAGE", "REFRESH", "RETRY"]


class Unreadable(Struct, frozen=True):
    """A stored turn that cannot be decoded; `id` is its message's."""

    id: int
    reason: str


class Entry(Struct, frozen=True):
    """The head of a chat's line. `id` is the update's, or the request's.

    `payload` is the raw update, or the operator's words; `turn` is the one to be tried again.
    """

    kind: EntryKind
    id: int
    payload: str
    received_at: datetime
    turn: Turn | Unreadable | None = None


class Loaded(Struct, frozen=True):
    """A chat under its lock; the heads of its line: of its inbox rows, and of what was asked.

    `new_id` is a fresh id for a message that may begin; `unreadable` is the unfinished turn where
    it cannot be decoded, and the conversation has none then.
    """

    conversation: Conversation
    profile: BotProfile
    owner_job_id: int | None
    owner_lives: bool
    pick_held: bool
    update: Entry | None
    request: Entry | None
    new_id: int
    unreadable: Unreadable | None = None


class JournalRow(Struct, frozen=True):
    """One step, in the form that is exported (DESIGN §9); JSON in text."""

    key: str
    at: datetime
    id: str
    turn_id: int | None
    from_state: str | None
    event: str
    effects: str
    state: str


Owner = Literal["keep", "take", "release", "retry"]


class Change(Struct):
    """What one item of a batch changes. `touched` are the turns whose rows are written.

    `owner`: keep it as it is; take it for `pick`'s job; release it; or insert `retry` as a delayed
    job and make that the owner. `acknowledge`: delete the job, fenced by `pick`.
    """

    chat: str
    pick: Pick
    conversation: Conversation
    touched: list[Turn]
    begun: Turn | None = None
    replied: Turn | None = None
    taken: Entry | None = None
    journal: list[JournalRow] = []
    jobs: list[Job] = []
    owner: Owner = "keep"
    retry: Job | None = None
    acknowledge: bool = False


class ConversationTransaction(Protocol):
    """One transaction; it is committed when its context is left without an exception."""

    async def load(self, asked: Sequence[tuple[str, Pick]]) -> dict[str, Loaded]:
        """Create the chats that are new, lock all (ordered by id), then load them.

        A chat that is missing from the answer is gone, or its bot is.
        """
        ...

    async def save(self, changes: Sequence[Change]) -> None:
        """Save, journal, publish and acknowledge, with one statement each."""
        ...


class ConversationStore(Protocol):
    """Where chats are kept."""

    def transaction(self) -> AbstractAsyncContextManager[ConversationTransaction]:
        """Raises Unavailable where the database is away or the commit's outcome is unknown."""
        ...
