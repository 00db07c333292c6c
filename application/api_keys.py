"""API keys: how a script asks for a person, without their password.

Triggered by the HTTP API: making, listing, revoking, and every request that shows one. A key is
told once, when it is made; only a digest of it is kept. It acts for its maker, with a role that is
never above what the maker's is when it is used; it is over when it is revoked, and while they are
disabled.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Protocol

from msgspec import Meta, Struct
from msgspec.structs import asdict, replace

from application.audit import changed
from application.paging import Page, known_id, page, read_cursor
from application.refusals import (
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Unauthenticated,
    require,
)
from application.users import User
from domain.access import Action, Actor, Role, UserStatus, maker_filter, narrower

_KEY = re.compile(r"kd_[A-Za-z0-9_-]{43}")

KeyName = Annotated[str, Meta(min_length=1, max_length=100, examples=["nightly export"])]


class NewApiKey(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /api/api-keys. `role`: not above one's own."""

    name: KeyName
    role: Role


class ApiKeyView(Struct, frozen=True, rename="camel"):
    """A key as lists show it. `prefix`: how it begins; `createdBy`: its maker's e-mail."""

    id: int
    name: str
    prefix: str
    role: Role
    created_by: str
    created_at: datetime
    last_used_at: datetime | None


class CreatedApiKey(ApiKeyView, frozen=True, rename="camel"):
    """A new key, with the `key` itself: it is told now, and never again."""

    key: str


class KeyBearer(User, frozen=True, rename="camel"):
    """A key's maker, with the role that the key has today, and which of their keys it is."""

    key_id: int
    key_name: str

    @property
    def actor(self) -> Actor:
        """The maker as one who asks by a key."""
        return Actor(self.id, self.email, self.role, by_key=True)


class UsedKey(Struct, frozen=True):
    """A key that was shown and is not revoked: itself, its own role, and its maker."""

    id: int
    name: str
    role: Role
    maker: User


class ApiKeyStore(Protocol):
    """Where keys are kept. `maker` narrows to one user's keys. Every method raises Unavailable."""

    async def page(self, maker: str | None, before: int | None, limit: int) -> Sequence[ApiKeyView]:
        """Those that are not revoked, newest first, with ids below `before`."""
        ...

    async def create(self, name: str, role: Role, maker: str) -> tuple[ApiKeyView, str]:
        """A new key, and the key itself: kd_ and 256 random bits in base64url."""
        ...

    async def revoke(self, key_id: int, maker: str | None) -> tuple[ApiKeyView, str] | None:
        """The key as it was and its maker's id; None: there is none, or it is another's."""
        ...

    async def use(self, key: str) -> UsedKey | None:
        """Whose key it is; notes its use, once a minute at most. None: there is none."""
        ...


class ApiKeys:
    """The use case."""

    def __init__(self, store: ApiKeyStore) -> None:
        self._store = store

    async def browse(self, actor: Actor, limit: int, cursor: str | None) -> Page[ApiKeyView]:
        """One's own, newest first; everybody's for ADMIN. Raises Malformed."""
        before = read_cursor(cursor, int)
        rows = await self._store.page(maker_filter(actor), before, limit + 1)
        return page(rows, limit, key=lambda item: item.id)

    async def create(self, actor: Actor, form: NewApiKey) -> CreatedApiKey:
        """Raises Invalid; Forbidden for a role above one's own, or where a key asks."""
        require(actor, Action.MAKE_KEYS)
        if not form.name.strip():
            raise Invalid([FieldError("name", "must not be blank")])
        if narrower(form.role, actor.role) is not form.role:
            raise Forbidden(f"A key of yours may be {actor.role} at most, as you are.")
        view, key = await self._store.create(form.name.strip(), form.role, actor.id)
        changed(f"apiKey:{view.id}", None, view)
        return CreatedApiKey(**asdict(view), key=key)

    async def revoke(self, actor: Actor, key_id: int) -> None:
        """It is over at once. Raises NotFound."""
        known = known_id(key_id)
        revoked = await self._store.revoke(key_id, maker_filter(actor)) if known else None
        if revoked is None:
            raise NotFound("API key")
        view, maker = revoked
        changed(f"apiKey:{view.id}", view, None, user_id=maker)

    async def bearer(self, key: str) -> KeyBearer:
        """For whom a key acts, and as what. Raises Unauthenticated."""
        used = await self._store.use(key) if _KEY.fullmatch(key) is not None else None
        if used is None or used.maker.status is not UserStatus.ACTIVE:
            raise Unauthenticated("The API key is none, or is over.")
        role = narrower(used.role, used.maker.role)
        maker = replace(used.maker, role=role)
        return KeyBearer(**asdict(maker), key_id=used.id, key_name=used.name)
