"""Jobs as a person sees them: what waits, what runs, what is held, and how fast the queue moves.

Triggered by the HTTP API. A job may be made due now, or be deleted: if it owned its chat, the
message that it ran ends TERMINAL, and its worker changes nothing any more (DESIGN §2). Of what a
job carries no secret is shown, whosever job it is.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from application.audit import changed
from application.chats import ProcessingRef, is_chat_id
from application.conversations import Change, Loaded
from application.jobs import PERFORM_EFFECT, Pick, nobodys_pick
from application.meter import Counted, Meter
from application.moves import Delete, deletion
from application.paging import Page, known_id, page, read_cursor
from application.ports import Clock
from application.refusals import Conflict, NotFound, require
from application.secret_shapes import MASK, without_secrets
from application.statistics import KEPT_SECONDS, Kept
from application.turn_reasons import reason_class
from domain.access import Action, Actor
from domain.effects import HANDLE_UPDATE

LONGEST_PAYLOAD = 10_000
"""Characters of a payload that are shown."""

_SECRET_NAME = re.compile(r"password|secret|api_?key|token$", re.IGNORECASE)


class JobStatus(StrEnum):
    """pgqueuer's own words: queued (due or not), picked by a worker, failed (held)."""

    QUEUED = "queued"
    PICKED = "picked"
    FAILED = "failed"


class StoredJob(Struct, frozen=True):
    """A row of the queue. `attempts`: of the message that the job owns, else pgqueuer's count."""

    id: int
    entrypoint: str
    status: JobStatus
    payload: bytes
    attempts: int
    created_at: datetime
    next_at: datetime
    heartbeat_at: datetime
    worker: str | None
    error: str | None


class JobView(Struct, frozen=True, rename="camel"):
    """A job. `chatId` of a chat's turn, `effect` of any other one; `worker` and `heartbeatAt`
    while it is picked. `nextAt`: not before then. `payload`: what it carries, as text, its first
    10000 characters; `error`: why it is held. Secrets are masked in both.
    """

    id: int
    entrypoint: str
    status: JobStatus
    chat_id: str | None
    effect: dict[str, Any] | None
    payload: str
    attempts: int
    created_at: datetime
    next_at: datetime
    heartbeat_at: datetime | None
    worker: str | None
    error: str | None


class JobCount(Struct, frozen=True, rename="camel"):
    """So many jobs; `orMore` where they were too many to be counted on."""

    entrypoint: str
    status: JobStatus
    count: int
    or_more: bool


class MinuteCount(Struct, frozen=True, rename="camel"):
    """Jobs that ended in the minute that began then."""

    at: datetime
    ended: int


class JobStats(Struct, frozen=True, rename="camel"):
    """The queue at a glance. `oldestDueSeconds`: how long the oldest due job has been due."""

    counts: list[JobCount]
    oldest_due_seconds: float | None
    minutes: list[MinuteCount]


class JobTransaction(Protocol):
    """One transaction over one job; it is committed when its context is left."""

    async def lock_chat(self, chat_id: str, pick: Pick) -> Loaded | None:
        """Lock the chat and load it; None where its bot is gone."""
        ...

    async def lock(self, job_id: int) -> StoredJob | None:
        """The job, which nobody else changes until the end; None where it is gone already."""
        ...

    async def delete(self, job_id: int) -> None: ...

    async def save(self, change: Change) -> None: ...


class JobRepository(Protocol):
    """Where jobs are kept. Every method raises Unavailable."""

    async def page(
        self, status: JobStatus | None, before: int | None, limit: int
    ) -> Sequence[StoredJob]:
        """Newest first, with ids below `before`."""
        ...

    async def get(self, job_id: int) -> StoredJob | None: ...

    async def counts(self) -> tuple[list[JobCount], float | None]:
        """By kind and status, and for how many seconds the oldest due one has been due."""
        ...

    async def minutes(self) -> list[MinuteCount]:
        """The last hour's."""
        ...

    async def requeue(self, job_id: int) -> tuple[StoredJob, StoredJob] | None:
        """As it was, and as it is queued and due now; None where it is picked, or gone."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[JobTransaction]: ...


class JobDesk:
    """The use case. Every method raises Forbidden."""

    def __init__(self, repository: JobRepository, kept: Kept, clock: Clock, meter: Meter) -> None:
        self._repository = repository
        self._kept = kept
        self._clock = clock
        self._meter = meter

    async def browse(
        self, actor: Actor, status: JobStatus | None, limit: int, cursor: str | None
    ) -> Page[JobView]:
        """Newest first. Raises Malformed."""
        require(actor, Action.USE_JOBS)
        before = read_cursor(cursor, int)
        rows = await self._repository.page(status, before, limit + 1)
        return page([_view(row) for row in rows], limit, key=lambda job: job.id)

    async def stats(self, actor: Actor) -> JobStats:
        """How the queue stands; what ended is half a minute old at most: an hour's log is long."""
        require(actor, Action.USE_JOBS)
        counts, oldest = await self._repository.counts()
        found = await self._kept.get("job-minutes")
        if found is not None:
            return JobStats(counts, oldest, msgspec.json.decode(found, type=list[MinuteCount]))
        minutes = await self._repository.minutes()
        await self._kept.put("job-minutes", msgspec.json.encode(minutes), KEPT_SECONDS)
        return JobStats(counts, oldest, minutes)

    async def requeue(self, actor: Actor, job_id: int) -> JobView:
        """Due now: a held one, or one that waits. Raises NotFound, Conflict."""
        require(actor, Action.USE_JOBS)
        requeued = await self._repository.requeue(job_id) if known_id(job_id) else None
        if requeued is None:
            await self._existing(job_id)
            raise Conflict("A worker is running this job: it ends, or it is tried again.")
        before, after = map(_view, requeued)
        changed(f"job:{job_id}", before, after)
        return after

    async def delete(self, actor: Actor, job_id: int) -> None:
        """Delete it, and end the message that it owned. Raises NotFound."""
        require(actor, Action.USE_JOBS)
        chat_id = _chat_id(await self._existing(job_id))  # it stays the job's
        loaded: Loaded | None = None
        ended: Change | None = None
        async with self._repository.transaction() as transaction:
            pick = nobodys_pick(self._clock.now(), job_id)
            if chat_id is not None:  # the chat's lock first, as react has it
                loaded = await transaction.lock_chat(chat_id, pick)
            before = await transaction.lock(job_id)
            if before is None:
                raise NotFound("job")
            await transaction.delete(job_id)
            if loaded is not None and loaded.owner_job_id == job_id:
                at = self._clock.now()
                ended = deletion(Delete(loaded.conversation.id, pick), loaded, at)
                await transaction.save(ended)
        changed(f"job:{job_id}", _view(before), None)
        if loaded is not None and ended is not None:
            self._tell(loaded, ended)

    def _tell(self, loaded: Loaded, ended: Change) -> None:
        """What became of the message that the job owned, if it was in the middle of one."""
        turn = loaded.conversation.turn
        before = ProcessingRef(turn.token.id, turn.status) if turn is not None else None
        for each in ended.touched:
            self._meter.add(Counted.MESSAGES_TERMINAL)
            self._meter.turn(each.status, reason_class(each))
            after = ProcessingRef(each.token.id, each.status)
            changed(f"processing:{after.id}", before, after, loaded.profile.id)

    async def _existing(self, job_id: int) -> StoredJob:
        row = await self._repository.get(job_id) if known_id(job_id) else None
        if row is None:
            raise NotFound("job")
        return row


def _view(row: StoredJob) -> JobView:
    picked = row.status is JobStatus.PICKED
    carried, payload = _carried(row.payload)
    is_effect = row.entrypoint == PERFORM_EFFECT and isinstance(carried, dict)
    return JobView(
        id=row.id,
        entrypoint=row.entrypoint,
        status=row.status,
        chat_id=_chat_id(row),
        effect=carried if is_effect else None,
        payload=payload[:LONGEST_PAYLOAD],
        attempts=row.attempts,
        created_at=row.created_at,
        next_at=row.next_at,
        heartbeat_at=row.heartbeat_at if picked else None,
        worker=row.worker if picked else None,
        error=without_secrets(row.error) if row.error is not None else None,
    )


def _chat_id(row: StoredJob) -> str | None:
    if row.entrypoint != HANDLE_UPDATE:
        return None
    text = row.payload.decode(errors="replace")
    return text if is_chat_id(text) else None


def _carried(payload: bytes) -> tuple[Any, str]:
    """A payload's JSON, None where it is none, and its text; without what is secret."""
    try:
        shown = _shown(msgspec.json.decode(payload))
        return shown, msgspec.json.encode(shown).decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError):
        return None, without_secrets(payload.decode(errors="replace"))


def _shown(value: object) -> object:
    match value:
        case str():
            return without_secrets(value)
        case list():
            return [_shown(each) for each in value]
        case dict():
            return {
                without_secrets(name): MASK
                if isinstance(each, str) and _SECRET_NAME.search(name)
                else _shown(each)
                for name, each in value.items()
                if not name.startswith("sealed_")
            }
        case _:
            return value
