"""Processing: what became of each message, step by step, and another try of one.

Triggered by the HTTP API. A retry joins the end of the chat's line (a TERMINAL one) or is brought
forward (a FAILED one that waits for its delay); the chat's own turn does the rest.
"""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from operator import attrgetter
from typing import Any, Protocol

from msgspec import Struct

from application.audit import changed
from application.chats import ProcessingRef
from application.jobs import Job
from application.paging import Page, Stretch, known_id, page, read_cursor
from application.refusals import Conflict, NotFound
from domain.access import Actor, owner_filter
from domain.effects import HANDLE_UPDATE
from domain.turn import Status


class ProcessingView(Struct, frozen=True, rename="camel"):
    """One message's processing as lists show it. `price` is in US dollars, null where unknown."""

    id: int
    bot_id: int
    chat_id: str
    telegram_update_id: int | None
    text: str
    status: Status
    attempts: int
    last_error: str | None
    last_error_at: datetime | None
    terminal_reason: str | None
    price: float | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    parts_sent: int
    response_generated_at: datetime | None
    response_sent_at: datetime | None
    created_at: datetime
    updated_at: datetime


class TimelineStep(Struct, frozen=True, rename="camel"):
    """One journalled step of a turn: what happened, and what was wished for (DESIGN §9)."""

    at: datetime
    event: dict[str, Any]
    effects: list[dict[str, Any]]


class ProcessingDetail(ProcessingView, frozen=True, rename="camel"):
    """One alone: also what was answered, and every step on the way."""

    response_text: str | None
    timeline: list[TimelineStep]


ProcessingKey = tuple[datetime, int]
"""What processing is ordered by: when it began, and its id."""


class ProcessingFilter(Struct, frozen=True):
    """`since` is included, `until` is not; `q`: words in the message, whatever their case."""

    status: Status | None = None
    bot_id: int | None = None
    q: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class LockedProcessing(Struct, frozen=True):
    """What a retry needs to know, read under the chat's lock. `kept`: its turn stands there."""

    status: Status
    chat_id: str
    owner_job_id: int | None
    kept: bool


class ProcessingTransaction(Protocol):
    """One transaction over one message; it is committed when its context is left."""

    async def lock(self, processing_id: int) -> LockedProcessing | None:
        """Lock its chat, then read it."""
        ...

    async def begin_again(self, processing_id: int, chat_id: str) -> None:
        """RECEIVED again, at the end of the chat's line."""
        ...

    async def bring_forward(self, job_id: int | None) -> bool:
        """Make a queued job due now; False where it is not queued."""
        ...

    async def publish(self, job: Job) -> None: ...


class ProcessingRepository(Protocol):
    """Where it is kept. `owner` narrows to one user's bots. Every method raises Unavailable."""

    async def page(
        self, owner: str | None, asked: ProcessingFilter, before: ProcessingKey | None, limit: int
    ) -> Stretch[ProcessingView, ProcessingKey]:
        """Newest first, after `before`."""
        ...

    async def get(self, processing_id: int, owner: str | None) -> ProcessingDetail | None: ...

    def transaction(self) -> AbstractAsyncContextManager[ProcessingTransaction]: ...


class Processing:
    """The use case."""

    def __init__(self, repository: ProcessingRepository) -> None:
        self._repository = repository

    async def browse(
        self, actor: Actor, asked: ProcessingFilter, limit: int, cursor: str | None
    ) -> Page[ProcessingView]:
        """Newest first. Raises Malformed."""
        before: ProcessingKey | None = read_cursor(cursor, tuple[datetime, int])
        known = before is None or (before[0].tzinfo is not None and known_id(before[1]))
        if not known or (asked.bot_id is not None and not known_id(asked.bot_id)):
            return Page([], None)
        found = await self._repository.page(owner_filter(actor), asked, before, limit + 1)
        key = attrgetter("created_at", "id")
        return page(found.rows, limit, key, found.beyond)

    async def get(self, actor: Actor, processing_id: int) -> ProcessingDetail:
        """Raises NotFound."""
        known = known_id(processing_id)
        owner = owner_filter(actor)
        found = await self._repository.get(processing_id, owner) if known else None
        if found is None:
            raise NotFound("message")
        return found

    async def retry(self, actor: Actor, processing_id: int) -> ProcessingDetail:
        """Ask for another try; the message as it is then. Raises NotFound, Conflict."""
        before = await self.get(actor, processing_id)
        async with self._repository.transaction() as transaction:
            locked = await transaction.lock(processing_id)
            if locked is None:
                raise NotFound("message")
            await _retry(transaction, processing_id, locked)
        after = await self.get(actor, processing_id)
        changed(f"processing:{processing_id}", _noted(before), _noted(after), after.bot_id)
        return after


def _noted(found: ProcessingDetail) -> ProcessingRef:
    """What the audit log keeps: it outlives what was said."""
    return ProcessingRef(found.id, found.status)


async def _retry(
    transaction: ProcessingTransaction, processing_id: int, locked: LockedProcessing
) -> None:
    again = Job(HANDLE_UPDATE, locked.chat_id.encode())
    if locked.status is Status.TERMINAL and locked.kept:
        await transaction.begin_again(processing_id, locked.chat_id)
        await transaction.publish(again)
    elif locked.status is Status.FAILED:
        # Where its job is being run or is gone, one more is harmless.
        if not await transaction.bring_forward(locked.owner_job_id):
            await transaction.publish(again)
    else:
        raise Conflict(
            f"The message is {locked.status}: only FAILED and TERMINAL ones are retried."
        )
