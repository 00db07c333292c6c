"""Users in PostgreSQL (fulfils application.users.UserStore)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, exists, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres_schema import users
from adapters.postgres_transactions import transaction
from application.refusals import Conflict
from application.users import Account, User, UserKey, UserTransaction
from domain.access import Role, UserStatus

_FIRST_ADMIN_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('kotodom first admin'))")


_CHANGE_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('kotodom users'))")


class PostgresUsers:
    """The store."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def by_email(self, email: str) -> Account | None:
        """E-mails are the same whatever their case (citext)."""
        return await self._one(users.c.email == email)

    async def by_id(self, user_id: str) -> Account | None:
        """The user with this uuid."""
        return await self._one(users.c.id == UUID(user_id))

    async def create(self, email: str, password_hash: str, role: Role) -> User | None:
        """None: somebody has the e-mail already."""
        async with transaction(self._engine) as connection:
            return await _insert(connection, email, password_hash, role)

    async def has_admin(self) -> bool:
        """Whether there is any ADMIN, disabled ones included."""
        async with transaction(self._engine) as connection:
            return await _has_admin(connection)

    async def create_first_admin(self, email: str, password_hash: str) -> User | None:
        """None: there is an ADMIN by now. Raises Conflict: the e-mail is taken."""
        async with transaction(self._engine) as connection:
            await connection.execute(_FIRST_ADMIN_LOCK)
            if await _has_admin(connection):
                return None
            user = await _insert(connection, email, password_hash, Role.ADMIN)
            if user is None:
                raise Conflict(f"{email} is a user who is no ADMIN; name another ADMIN_EMAIL.")
            return user

    async def page(self, before: UserKey | None, limit: int) -> list[User]:
        """Newest first, those that come after `before` in that order."""
        key = tuple_(users.c.created_at, users.c.id)
        statement = select(users).order_by(users.c.created_at.desc(), users.c.id.desc())
        if before is not None:
            statement = statement.where(key < tuple_(*before))
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(statement.limit(limit))).mappings().all()
        return [user_of(row) for row in rows]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UserTransaction]:
        """Committed at the end. Raises Unavailable."""
        async with transaction(self._engine) as connection:
            yield _UserTransaction(connection)

    async def _one(self, condition: Any) -> Account | None:  # noqa: ANN401 - SQLAlchemy's own
        async with transaction(self._engine) as connection:
            row = (await connection.execute(select(users).where(condition))).mappings().first()
        return Account(user_of(row), row["password_hash"]) if row is not None else None


class _UserTransaction:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, user_id: str) -> User | None:
        """One change of a user at a time, for the last ADMIN is a fact about all of them.

        The user is read in a statement of its own: newer than the lock.
        """
        await self._connection.execute(_CHANGE_LOCK)
        statement = select(users).where(users.c.id == UUID(user_id))
        row = (await self._connection.execute(statement)).mappings().first()
        return user_of(row) if row is not None else None

    async def has_other_admin(self, user_id: str) -> bool:
        """Whether anybody else is an ACTIVE ADMIN."""
        other = exists().where(
            users.c.role == Role.ADMIN,
            users.c.status == UserStatus.ACTIVE,
            users.c.id != UUID(user_id),
        )
        return bool(await self._connection.scalar(select(other)))

    async def update(self, user_id: str, columns: dict[str, Any]) -> User | None:
        """None: somebody else has the e-mail."""
        statement = update(users).where(users.c.id == UUID(user_id)).returning(users)
        values = columns | {"updated_at": func.now()}
        try:
            async with self._connection.begin_nested():
                changed = await self._connection.execute(statement.values(values))
        except IntegrityError:
            return None
        return user_of(changed.mappings().one())

    async def replace_password(
        self, user_id: str, verified: str, password_hash: str
    ) -> User | None:
        """None: the hash that was verified is there no more."""
        statement = (
            update(users)
            .where(users.c.id == UUID(user_id), users.c.password_hash == verified)
            .values(password_hash=password_hash, updated_at=func.now())
            .returning(users)
        )
        row = (await self._connection.execute(statement)).mappings().first()
        return user_of(row) if row is not None else None


async def _has_admin(connection: AsyncConnection) -> bool:
    found = await connection.scalar(select(exists().where(users.c.role == Role.ADMIN)))
    return bool(found)


async def _insert(
    connection: AsyncConnection, email: str, password_hash: str, role: Role
) -> User | None:
    statement = (
        upsert(users)
        .values(email=email, password_hash=password_hash, role=role)
        .on_conflict_do_nothing(index_elements=[users.c.email])
        .returning(users)
    )
    row = (await connection.execute(statement)).mappings().first()
    return user_of(row) if row is not None else None


def user_of(row: RowMapping) -> User:
    """A row of users, as answers show it."""
    return User(
        id=str(row["id"]),
        email=row["email"],
        role=Role(row["role"]),
        status=UserStatus(row["status"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
