"""What an ADMIN does with users: see, make, change, disable; the last one of them stays.

Triggered by the HTTP API (/api/users).
"""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from application.audit import changed
from application.paging import Page, page, read_cursor
from application.refusals import Conflict, FieldError, Invalid, NotFound, require
from application.users import (
    Email,
    NewPassword,
    Passwords,
    User,
    UserKey,
    Users,
    UserStore,
    UserTransaction,
    email_errors,
    known_user_id,
    note_change,
    password_errors,
)
from domain.access import Action, Actor, Role, UserStatus


class NewUser(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /api/users. A new user is ACTIVE."""

    email: Email
    role: Role
    password: NewPassword


class UserPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """PATCH /api/users/{id}: what is left out stays."""

    email: Email | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    status: UserStatus | UnsetType = UNSET
    password: NewPassword | UnsetType = UNSET


class SessionEnd(Protocol):
    """How sessions are ended. Raises SessionsAway."""

    async def end_all(self, user_id: str) -> None: ...


class AdminUsers:
    """The use case behind /api/users, for ADMIN."""

    def __init__(self, store: UserStore, passwords: Passwords, sessions: SessionEnd) -> None:
        self._store = store
        self._passwords = passwords
        self._sessions = sessions

    async def browse(self, actor: Actor, limit: int, cursor: str | None) -> Page[User]:
        """Newest first. Raises Forbidden, Malformed."""
        require(actor, Action.SEE_USERS)
        before: UserKey | None = read_cursor(cursor, tuple[datetime, UUID])
        rows = await self._store.page(before, limit + 1)
        return page(rows, limit, key=lambda user: (user.created_at, user.id))

    async def create(self, actor: Actor, form: NewUser) -> User:
        """Raises Forbidden, Invalid; Conflict where the e-mail is taken."""
        require(actor, Action.MANAGE_USERS)
        makes = Users(self._store, self._passwords)
        user = await makes.create_user(form.email, form.password, form.role)
        changed(f"user:{user.id}", None, user)
        return user

    async def change(self, actor: Actor, user_id: str, form: UserPatch) -> User:
        """Whoever is disabled, or has another role or password by it, is signed out everywhere.

        Raises Forbidden, NotFound, Invalid, SessionsAway (then nothing has changed); Conflict
        where the e-mail is taken, or nobody would be an ACTIVE ADMIN any more.
        """
        require(actor, Action.MANAGE_USERS)
        if not known_user_id(user_id):
            raise NotFound("user")
        columns = await self._columns(form)
        async with self._store.transaction() as transaction:
            before = await transaction.lock(user_id)
            if before is None:
                raise NotFound("user")
            columns = {name: v for name, v in columns.items() if getattr(before, name, None) != v}
            if not columns:
                return before
            after = await _change(transaction, before, columns)
            if _ends_sessions(columns):
                await self._sessions.end_all(before.id)
        note_change(before, after, password="password_hash" in columns)
        return after

    async def _columns(self, form: UserPatch) -> dict[str, Any]:
        """What the form sets. Raises Invalid."""
        columns: dict[str, Any] = {}
        errors: list[FieldError] = []
        if form.email is not UNSET:
            errors += email_errors(form.email)
            columns["email"] = form.email.strip()
        if form.password is not UNSET:
            errors += password_errors(form.password)
        if errors:
            raise Invalid(errors)
        if form.role is not UNSET:
            columns["role"] = form.role
        if form.status is not UNSET:
            columns["status"] = form.status
        if form.password is not UNSET:
            columns["password_hash"] = await self._passwords.hash(form.password)
        return columns


async def _change(transaction: UserTransaction, before: User, columns: dict[str, Any]) -> User:
    after = await transaction.update(before.id, columns)
    if after is None:
        raise Conflict(f"There is a user with the e-mail {columns['email']} already.")
    leaves = before.is_active_admin and not after.is_active_admin
    if leaves and not await transaction.has_other_admin(before.id):
        raise Conflict(
            f"{before.email} is the last active ADMIN, and nobody could manage users any more: "
            "make another user ADMIN first."
        )
    return after


def _ends_sessions(columns: dict[str, Any]) -> bool:
    disabled = columns.get("status") is UserStatus.DISABLED
    return disabled or "role" in columns or "password_hash" in columns
