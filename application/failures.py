"""Failures: of what kinds they are, and another try of many at once.

Triggered by the HTTP API. A kind is what an alert has as its cause: the reason without what differs
from one message to the next (domain/alerts.py), kept with each message that failed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Protocol

from msgspec import Meta, Struct, field

from application.audit import changed
from application.jobs import TookTooLong, Unavailable
from application.paging import Page, known_id, page, read_cursor
from application.processing import ProcessingFilter
from domain.access import Actor, owner_filter
from domain.turn import Status

MOST_AT_ONCE = 1000
"""Messages tried again by one call: their chats are locked meanwhile."""

LONGEST_FINGERPRINT = 200
"""Characters (domain/alerts.py cuts them there)."""

COUNTED = 100_000
"""How many of those that are left are counted."""

LOOKED_AT = 2_000
"""Of how many it is known before a person decides: two hundredths of a second."""

FailureKey = tuple[datetime, int]
"""What kinds are ordered by: when the last one was, and its message's id."""


class FailureView(Struct, frozen=True, rename="camel"):
    """Failures of one kind in one status: `exampleId` is the latest one's message.

    `bots` that have such, the one with the latest first (100 at most). `lastAt`: when it failed.
    """

    fingerprint: str
    status: Status
    count: int
    bots: list[int]
    last_at: datetime
    example_id: int


class FailureFilter(Struct, frozen=True):
    """As ProcessingFilter: of messages that began at `since` or later, and before `until`."""

    bot_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class RetryFilter(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Which messages; the list's own filters, and {} means all that may be tried again."""

    status: Status | None = None
    bot_id: int | None = None
    q: Annotated[str, Meta(max_length=200)] | None = None
    since: datetime | None = field(default=None, name="from")
    until: datetime | None = field(default=None, name="to")
    fingerprint: Annotated[str, Meta(max_length=LONGEST_FINGERPRINT)] | None = None


class ManyToRetry(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """POST /api/processing/retry."""

    filter: RetryFilter


class RetryCount(Struct, frozen=True, rename="camel"):
    """So many may be tried again; `orMore`: of the 2000 that were looked at, and there are more.

    null: it took too long to count them.
    """

    count: int | None
    or_more: bool


class Retried(Struct, frozen=True, rename="camel"):
    """So many are tried again; `left`: so many more may be, by another call (100000 at most).

    null: it took too long to count them.
    """

    retried: int
    left: int | None


class FailureRepository(Protocol):
    """Where they are kept. `owner` narrows to one user's bots. Every method raises Unavailable."""

    async def page(
        self, owner: str | None, asked: FailureFilter, before: FailureKey | None, limit: int
    ) -> Sequence[FailureView]:
        """The kind with the latest failure first."""
        ...

    async def retry(self, owner: str | None, asked: ProcessingFilter, limit: int) -> int:
        """Try the oldest of those again that match and may be; how many.

        That is a TERMINAL one whose turn is kept, and a FAILED one that is not due yet.
        """
        ...

    async def count(
        self, owner: str | None, asked: ProcessingFilter, limit: int
    ) -> tuple[int, bool]:
        """How many match of `limit` that may be tried again, and whether more of these are."""
        ...


class Failures:
    """The use case."""

    def __init__(self, repository: FailureRepository) -> None:
        self._repository = repository

    async def browse(
        self, actor: Actor, asked: FailureFilter, limit: int, cursor: str | None
    ) -> Page[FailureView]:
        """Newest first. Raises Malformed."""
        before: FailureKey | None = read_cursor(cursor, tuple[datetime, int])
        if asked.bot_id is not None and not known_id(asked.bot_id):
            return Page([], None)
        rows = await self._repository.page(owner_filter(actor), asked, before, limit + 1)
        return page(rows, limit, key=lambda kind: (kind.last_at, kind.example_id))

    async def retryable(self, actor: Actor, asked: ProcessingFilter) -> RetryCount:
        """How many `retry` would try again by now, if it were called often enough."""
        if asked.bot_id is not None and not known_id(asked.bot_id):
            return RetryCount(0, or_more=False)
        try:
            count, more = await self._repository.count(owner_filter(actor), asked, LOOKED_AT)
        except TookTooLong:
            return RetryCount(None, or_more=False)
        return RetryCount(count, more)

    async def retry(self, actor: Actor, asked: ProcessingFilter) -> Retried:
        """Try all again that match and may be, the oldest first, at most 1000 at once."""
        if asked.bot_id is not None and not known_id(asked.bot_id):
            return Retried(0, 0)
        owner = owner_filter(actor)
        retried = await self._repository.retry(owner, asked, MOST_AT_ONCE)
        if retried:
            changed("processing", None, {"retried": retried})
        try:
            left, _ = await self._repository.count(owner, asked, COUNTED)
        except Unavailable:  # what was done is done: it is told
            return Retried(retried, None)
        return Retried(retried, left)
