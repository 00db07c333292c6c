"""Users in PostgreSQL (fulfils application.users.UserStore)."""

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres_schema import users
from adapters.postgres_transactions import transaction
from application.refusals import Conflict
from application.users import Account, User
from domain.access import Role, UserStatus

_FIRST_ADMIN_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('kotodom first admin'))")


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

    async def set_password(self, user_id: str, password_hash: str) -> None:
        """Nothing happens where the user is gone."""
        statement = update(users).where(users.c.id == UUID(user_id))
        async with transaction(self._engine) as connection:
            await connection.execute(
                statement.values(password_hash=password_hash, updated_at=func.now())
            )

    async def _one(self, condition: Any) -> Account | None:  # noqa: ANN401 - SQLAlchemy's own
        async with transaction(self._engine) as connection:
            row = (await connection.execute(select(users).where(condition))).mappings().first()
        return Account(_user(row), row["password_hash"]) if row is not None else None


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
    return _user(row) if row is not None else None


def _user(row: RowMapping) -> User:
    return User(
        id=str(row["id"]),
        email=row["email"],
        role=Role(row["role"]),
        status=UserStatus(row["status"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
