"""The audit log: who asked for which change, what it changed, and how it ended.

Triggered by every unsafe request of the HTTP API (entrypoints/http/audit_trail.py), which begins a
trail; use cases note in it what they change, as answers show it: secrets are masks. Before the
answer leaves, the trail becomes rows: one for each thing that changed, one where nothing did.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta, Struct

from application.paging import Page, page, read_cursor
from application.refusals import require
from application.secret_shapes import without_secrets
from domain.access import Action, Actor

AuditKey = tuple[datetime, int]
"""What rows are ordered by: when, and their id."""

NOBODYS_EMAIL = "(no user's e-mail address)"
"""Instead of what was tried: a password that was typed into the wrong field stands in no log."""

_LONGEST = 300
"""Characters of a path and of an address: who asks may send any."""


class Noted(Struct, frozen=True):
    """One thing that changed; `before` and `after` are JSON, None where there was or is none.

    Where there are both they hold the fields that differ. `bot_id`: whose bot's thing it is;
    `user_id`: whose sessions or keys may be over by it (application/listeners.py).
    """

    target: str
    before: str | None
    after: str | None
    bot_id: int | None = None
    user_id: str | None = None


class Asker(Struct):
    """Who asks, as far as a request has found out; by which API key, if by one."""

    user_id: str | None = None
    email: str | None = None
    key_id: int | None = None
    key_name: str | None = None


_TRAIL: ContextVar[list[Noted] | None] = ContextVar("trail", default=None)
_ASKER: ContextVar[Asker | None] = ContextVar("asker", default=None)


def begin_trail() -> list[Noted]:
    """What is noted from now on in this task, and in those that it starts."""
    trail: list[Noted] = []
    _TRAIL.set(trail)
    return trail


def begin_asker() -> Asker:
    """Who asks from now on in this task, and in those that it starts."""
    asker = Asker()
    _ASKER.set(asker)
    return asker


def changed(
    target: str,
    before: Struct | Mapping[str, Any] | None,
    after: Struct | Mapping[str, Any] | None,
    bot_id: int | None = None,
    user_id: str | None = None,
) -> None:
    """Note a change; outside of a request it is nobody's. `bot_id`: where neither view says it."""
    trail = _TRAIL.get()
    if trail is not None:
        trail.append(change(target, before, after, bot_id, user_id))


def change(
    target: str,
    before: Struct | Mapping[str, Any] | None,
    after: Struct | Mapping[str, Any] | None,
    bot_id: int | None = None,
    user_id: str | None = None,
) -> Noted:
    """A change, told by the fields that differ. `bot_id`: where neither view says it."""
    if bot_id is None:
        bot_id = getattr(after if after is not None else before, "bot_id", None)
    was, now = _fields(before), _fields(after)
    if was is not None and now is not None:
        names = [name for name in (was | now) if was.get(name) != now.get(name)]
        was = {name: was[name] for name in names if name in was}
        now = {name: now[name] for name in names if name in now}
    return Noted(target, _json(was), _json(now), bot_id, user_id)


def asked_by(user_id: str | None, email: str | None) -> None:
    """Note who asks, where the request itself cannot say: signing in and out."""
    asker = _ASKER.get()
    if asker is not None:
        asker.user_id, asker.email = user_id, email


class AuditEntry(Struct, frozen=True, rename="camel"):
    """A row. `actor` is an e-mail, as it was then; `action` the route's own name; `apiKeyId` and
    `apiKeyName` where an API key of the actor's asked.

    What no request changed has an action of its own and no status (application/alert_link.py).
    """

    id: int
    at: datetime
    user_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})] | None
    actor: str
    api_key_id: int | None
    api_key_name: str | None
    action: str
    target: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    status: int | None
    address: str | None


class AuditFilter(Struct, frozen=True):
    """`since` is included, `until` is not; e-mails are the same whatever their case."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Ended(Struct, frozen=True):
    """An unsafe request and how it ended. `path` is the target where nothing was noted.

    `status`: None where it was no request; `address` then says where it came from instead.
    """

    asker: Asker
    action: str
    path: str
    status: int | None
    address: str


class AuditLog(Protocol):
    """Where the rows are. Every method raises Unavailable."""

    async def append(self, ended: Ended, noted: Sequence[Noted]) -> None:
        """One statement; the e-mail of an asker of whom only the id is known is looked up."""
        ...

    async def page(
        self, asked: AuditFilter, before: AuditKey | None, limit: int
    ) -> Sequence[AuditEntry]:
        """Newest first."""
        ...


class Audit:
    """The use case."""

    def __init__(self, audit_log: AuditLog) -> None:
        self._log = audit_log

    async def record(self, ended: Ended, noted: Sequence[Noted]) -> None:
        """Write what became of a request, without what looks like a secret. Raises Unavailable."""
        path, address = without_secrets(ended.path)[:_LONGEST], ended.address[:_LONGEST]
        ended = msgspec.structs.replace(ended, path=path, address=address)
        await self._log.append(ended, list(map(_masked, noted)) or [Noted(path, None, None)])

    async def browse(
        self, actor: Actor, asked: AuditFilter, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """Newest first. Raises Forbidden, Malformed."""
        require(actor, Action.READ_AUDIT)
        before: AuditKey | None = read_cursor(cursor, tuple[datetime, int])
        rows = await self._log.page(asked, before, limit + 1)
        return page(rows, limit, key=lambda entry: (entry.at, entry.id))


def _fields(view: Struct | Mapping[str, Any] | None) -> dict[str, Any] | None:
    fields: dict[str, Any] | None = msgspec.to_builtins(view, str_keys=True)
    return fields


def _masked(noted: Noted) -> Noted:
    """Somebody may have given a bot its token for a name."""
    before, after = (
        without_secrets(fields) if fields is not None else None
        for fields in (noted.before, noted.after)
    )
    return Noted(without_secrets(noted.target), before, after)


def _json(fields: dict[str, Any] | None) -> str | None:
    return msgspec.json.encode(fields).decode() if fields is not None else None
