"""Processing: what became of each message, step by step, and another try of one.

Triggered by the HTTP API. A retry joins the end of the chat's line (a TERMINAL one) or is brought
forward (a FAILED one that waits for its delay); the chat's own turn does the rest.
"""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from msgspec import Struct, ValidationError, convert

from application.audit import changed
from application.chats import ProcessingRef
from application.paging import Page, Stretch, known_id, page, read_cursor
from application.refusals import Conflict, NotFound
from domain.access import Actor, owner_filter
from domain.events import RetryAsked
from domain.failures import Failure, costs_attempt
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
    """One journalled step of a turn: what happened, and what was wished for (DESIGN §9).

    `attempt`: which try what was wished for belongs to; the first is 1.
    """

    at: datetime
    event: dict[str, Any]
    effects: list[dict[str, Any]]
    attempt: int


def timeline(
    steps: Iterable[tuple[datetime, dict[str, Any], list[dict[str, Any]]]],
) -> list[TimelineStep]:
    """A message's steps, the earliest first, with the attempts counted as its turn counts them."""
    told: list[TimelineStep] = []
    attempt = 1
    for at, event, effects in steps:
        if event["type"] == RetryAsked.__struct_config__.tag:
            attempt = 1
        elif _costs_attempt(event):
            attempt += 1
        told.append(TimelineStep(at, event, effects, attempt))
    return told


def _costs_attempt(event: dict[str, Any]) -> bool:
    try:
        return costs_attempt(convert(event.get("failure"), Failure))
    except ValidationError:  # it has none, or one that only a later version knows
        return False


class ProcessingDetail(ProcessingView, frozen=True, rename="camel"):
    """One alone: also what was answered, and every step on the way.

    `responseMarkdown`: that is the Markdown of a model's answer, and no text of the bot's own.
    """

    response_text: str | None
    response_markdown: bool
    timeline: list[TimelineStep]


ProcessingKey = tuple[datetime, int]
"""What processing is ordered by: when it began, and its id."""


class ProcessingFilter(Struct, frozen=True):
    """`since` is included, `until` is not; `q`: words in the message, whatever their case.

    `fingerprint`: of FAILED and TERMINAL ones, those of just this kind (application/failures.py).
    """

    status: Status | None = None
    bot_id: int | None = None
    q: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    fingerprint: str | None = None


class Attempt(NamedTuple):
    """A message's status before another try, read under its chat's lock, and with it.

    `after` is None where it may not be tried again.
    """

    before: Status
    after: Status | None


class ProcessingRepository(Protocol):
    """Where it is kept. `owner` narrows to one user's bots. Every method raises Unavailable."""

    async def page(
        self, owner: str | None, asked: ProcessingFilter, before: ProcessingKey | None, limit: int
    ) -> Stretch[ProcessingView, ProcessingKey]:
        """Newest first, after `before`."""
        ...

    async def get(self, processing_id: int, owner: str | None) -> ProcessingDetail | None: ...

    async def try_again(self, processing_id: int) -> Attempt | None:
        """A TERMINAL one whose turn is kept, or a FAILED one. None: it is gone."""
        ...


class Processing:
    """The use case."""

    def __init__(self, repository: ProcessingRepository) -> None:
        self._repository = repository

    async def browse(
        self, actor: Actor, asked: ProcessingFilter, limit: int, cursor: str | None
    ) -> Page[ProcessingView]:
        """Newest first. Raises Malformed."""
        before: ProcessingKey | None = read_cursor(cursor, tuple[datetime, int])
        if asked.bot_id is not None and not known_id(asked.bot_id):
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
        bot_id = (await self.get(actor, processing_id)).bot_id
        attempt = await self._repository.try_again(processing_id)
        if attempt is None:
            raise NotFound("message")
        if attempt.after is None:
            raise Conflict(
                f"The message is {attempt.before}: only FAILED and TERMINAL ones are retried."
            )
        before = ProcessingRef(processing_id, attempt.before)
        after = ProcessingRef(processing_id, attempt.after)
        changed(f"processing:{processing_id}", before, after, bot_id)
        return await self.get(actor, processing_id)
