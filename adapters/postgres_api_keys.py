"""API keys in PostgreSQL, as digests (fulfils application.api_keys.ApiKeyStore).

A key holds 256 random bits, so a plain SHA-256 of it can be looked up by index and cannot be
guessed back.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_schema import api_keys, users
from adapters.postgres_transactions import transaction
from adapters.postgres_users import user_of
from application.api_keys import ApiKeyView, UsedKey
from domain.access import Role, UserStatus

PREFIX_LENGTH = 9
"""How much of a key is shown: kd_ and 36 of its 256 bits."""

_NOTED_EVERY = timedelta(minutes=1)
_keys = api_keys.c
_BY_MAKER = select(api_keys, users.c.email).join(users, users.c.id == _keys.created_by)


class PostgresApiKeys:
    """The store."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, maker: str | None, before: int | None, limit: int) -> Sequence[ApiKeyView]:
        """Those that are not revoked, newest first, with ids below `before`."""
        statement = _BY_MAKER.where(_keys.revoked_at.is_(None), *_made_by(maker))
        if before is not None:
            statement = statement.where(_keys.id < before)
        statement = statement.order_by(_keys.id.desc()).limit(limit)
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_view(row) for row in rows]

    async def create(self, name: str, role: Role, maker: str) -> tuple[ApiKeyView, str]:
        """A new key, and the key itself."""
        key = f"kd_{secrets.token_urlsafe(32)}"
        statement = insert(api_keys).values(
            name=name,
            prefix=key[:PREFIX_LENGTH],
            key_hash=_digest(key),
            role=role,
            created_by=UUID(maker),
        )
        async with transaction(self._engine) as connection:
            key_id = await connection.scalar(statement.returning(_keys.id))
            found = await connection.execute(_BY_MAKER.where(_keys.id == key_id))
            return _view(found.mappings().one()), key

    async def revoke(self, key_id: int, maker: str | None) -> tuple[ApiKeyView, str] | None:
        """The key as it was and its maker's id; None: there is none, or it is another's."""
        statement = (
            update(api_keys)
            .where(_keys.id == key_id, _keys.revoked_at.is_(None), *_made_by(maker))
            .values(revoked_at=func.now())
            .returning(_keys.id)
        )
        async with transaction(self._engine) as connection:
            if await connection.scalar(statement) is None:
                return None
            found = await connection.execute(_BY_MAKER.where(_keys.id == key_id))
            row = found.mappings().one()
        return _view(row), str(row["created_by"])

    async def use(self, key: str) -> UsedKey | None:
        """Whose key it is; notes its use, once a minute at most."""
        due = or_(_keys.last_used_at.is_(None), _keys.last_used_at < func.now() - _NOTED_EVERY)
        statement = (
            select(
                users,
                _keys.id.label("key_id"),
                _keys.name.label("key_name"),
                _keys.role.label("key_role"),
                due.label("due"),
            )
            .join(api_keys, users.c.id == _keys.created_by)
            .where(_keys.key_hash == _digest(key), _keys.revoked_at.is_(None))
        )
        async with transaction(self._engine) as connection:
            row = (await connection.execute(statement)).mappings().first()
            if row is None:
                return None
            if row["due"] and row["status"] == UserStatus.ACTIVE:
                noted = update(api_keys).where(_keys.id == row["key_id"], due)
                await connection.execute(noted.values(last_used_at=func.now()))
        return UsedKey(row["key_id"], row["key_name"], Role(row["key_role"]), user_of(row))


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _made_by(maker: str | None) -> list[ColumnElement[bool]]:
    return [_keys.created_by == UUID(maker)] if maker is not None else []


def _view(row: RowMapping) -> ApiKeyView:
    return ApiKeyView(
        id=row["id"],
        name=row["name"],
        prefix=row["prefix"],
        role=Role(row["role"]),
        created_by=row["email"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
    )
