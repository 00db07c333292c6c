"""Users: who may sign in, as what; the first administrator.

Triggered by the command line (`kotodom run`, `kotodom create-user`) and by the HTTP API. What a
password must be is decided here; how it is hashed, in adapters/argon2_passwords.py.
"""

import re
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from application.refusals import Conflict, FieldError, Invalid
from domain.access import Actor, Role, UserStatus

FIRST_ADMIN_EMAIL = "admin@localhost"
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024

_EMAIL = re.compile(r"[^@\s\x00]{1,64}@[^@\s\x00]{1,255}")


class User(Struct, frozen=True, rename="camel"):
    """A user as answers show it."""

    id: str
    email: str
    role: Role
    status: UserStatus
    created_at: datetime
    updated_at: datetime

    @property
    def actor(self) -> Actor:
        """The user as one who asks."""
        return Actor(self.id, self.email, self.role)


class Account(Struct, frozen=True):
    """A user with the hash of its password; it never leaves the use cases."""

    user: User
    password_hash: str


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

    async def set_password(self, user_id: str, password_hash: str) -> None: ...


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


def email_errors(email: str, field: str = "email") -> list[FieldError]:
    """What is wrong with an e-mail address; nothing where it can be one."""
    if _EMAIL.fullmatch(email.strip()) is None:
        return [FieldError(field, "must be an e-mail address")]
    return []


def password_errors(password: str, field: str = "password") -> list[FieldError]:
    """What is wrong with a new password."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        needed = f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        return [FieldError(field, needed)]
    return []
