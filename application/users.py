"""Users: who may sign in, as what; and the first administrator.

Triggered by the command line (`kotodom run`, `kotodom create-user`); what an ADMIN does with users
over HTTP is application/admin_users.py. What a password must be is decided here; how it is hashed,
in adapters/argon2_passwords.py.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from application.audit import changed
from application.refusals import Conflict, FieldError, Invalid
from domain.access import Actor, Role, UserStatus

FIRST_ADMIN_EMAIL = "admin@localhost"
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024

_EMAIL = re.compile(r"[^@\s\x00]{1,64}@[^@\s\x00]{1,255}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

# What `extra_json_schema` says stands in the API's document, and is checked here, in words of ours.
Email = Annotated[
    str,
    Meta(max_length=320, examples=["anna@example.com"], extra_json_schema={"format": "email"}),
]
NewPassword = Annotated[
    str, Meta(max_length=LONGEST_PASSWORD, extra_json_schema={"minLength": SHORTEST_PASSWORD})
]
UserId = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
UserKey = tuple[datetime, UUID]
"""What users are ordered by: when they were made, and the id."""


class User(Struct, frozen=True, rename="camel"):
    """A user as answers show it."""

    id: UserId
    email: str
    role: Role
    status: UserStatus
    created_at: datetime
    updated_at: datetime

    @property
    def actor(self) -> Actor:
        """The user as one who asks."""
        return Actor(self.id, self.email, self.role)

    @property
    def is_active_admin(self) -> bool:
        """One of those of whom there must be one."""
        return self.role is Role.ADMIN and self.status is UserStatus.ACTIVE


class Account(Struct, frozen=True):
    """A user with the hash of its password; it never leaves the use cases."""

    user: User
    password_hash: str


class UserTransaction(Protocol):
    """One transaction over one user; it is committed when its context is left."""

    async def lock(self, user_id: str) -> User | None:
        """Until the transaction ends no other one changes a user; the user, read after that."""
        ...

    async def has_other_admin(self, user_id: str) -> bool:
        """Whether anybody else is an ACTIVE ADMIN."""
        ...

    async def update(self, user_id: str, columns: dict[str, Any]) -> User | None:
        """None: somebody else has the e-mail."""
        ...

    async def replace_password(
        self, user_id: str, verified: str, password_hash: str
    ) -> User | None:
        """In the place of the hash that was verified; None: it is another one by now."""
        ...


class UserStore(Protocol):
    """Where users are kept. Every method raises Unavailable where the database is away."""

    async def by_email(self, email: str) -> Account | None:
        """E-mails are the same whatever their case."""
        ...

    async def by_id(self, user_id: str) -> Account | None: ...

    async def create(self, email: str, password_hash: str, role: Role) -> User | None:
        """None: somebody has the e-mail already."""
        ...

    async def has_admin(self) -> bool: ...

    async def create_first_admin(self, email: str, password_hash: str) -> User | None:
        """None: there is an ADMIN by now, whoever made it. Raises Conflict: the e-mail is taken."""
        ...

    async def page(self, before: UserKey | None, limit: int) -> Sequence[User]:
        """Newest first, those that come after `before` in that order."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[UserTransaction]: ...


class Passwords(Protocol):
    """Hashing, away from the loop."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """False for None, after as long as a real comparison takes."""
        ...

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than today's."""
        ...

    def generate(self) -> str:
        """A password that nobody can guess."""
        ...


class Users:
    """The use case."""

    def __init__(self, store: UserStore, passwords: Passwords) -> None:
        self._store = store
        self._passwords = passwords

    async def create_user(self, email: str, password: str, role: Role) -> User:
        """A new, ACTIVE user. Raises Invalid; Conflict where the e-mail is taken."""
        errors = [*email_errors(email), *password_errors(password)]
        if errors:
            raise Invalid(errors)
        user = await self._store.create(email.strip(), await self._passwords.hash(password), role)
        if user is None:
            raise Conflict(f"There is a user with the e-mail {email.strip()} already.")
        return user

    async def ensure_first_admin(
        self, email: str | None, password: str | None
    ) -> tuple[str, str | None] | None:
        """Make an ADMIN where there is none: its e-mail, and its password where we generated it.

        None where there was one. Raises Invalid; Conflict where a user of another role has the
        e-mail.
        """
        if await self._store.has_admin():
            return None
        email = email or FIRST_ADMIN_EMAIL
        generated = None if password else self._passwords.generate()
        chosen = password or generated or ""
        if errors := [*email_errors(email), *password_errors(chosen)]:
            raise Invalid(errors)
        user = await self._store.create_first_admin(email, await self._passwords.hash(chosen))
        return (user.email, generated) if user is not None else None


def note_change(before: User, after: User, *, password: bool) -> None:
    """For the audit; of a password, only that it is another one."""
    shown: dict[str, Any] = msgspec.to_builtins(after)
    after_it = shown | ({"password": "(new)"} if password else {})
    changed(f"user:{after.id}", before, after_it, user_id=after.id)


def known_user_id(user_id: str) -> bool:
    """Whether a text can be a user's id: a uuid as answers show it."""
    return _UUID.fullmatch(user_id) is not None


def email_errors(email: str, field: str = "email") -> list[FieldError]:
    """What is wrong with an e-mail address; nothing where it can be one."""
    # Of what cannot be printed some turn the line around: one address would look like another.
    if _EMAIL.fullmatch(email.strip()) is None or not email.strip().isprintable():
        return [FieldError(field, "must be an e-mail address")]
    return []


def password_errors(password: str, field: str = "password") -> list[FieldError]:
    """What is wrong with a new password."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        needed = f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        return [FieldError(field, needed)]
    return []
