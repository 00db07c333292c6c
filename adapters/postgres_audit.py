"""The audit log in PostgreSQL (fulfils application.audit.AuditLog)."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, RowMapping, select, tuple_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_schema import audit_log
from adapters.postgres_transactions import execute, transaction
from application.audit import AuditEntry, AuditFilter, AuditKey, Ended, Noted
from application.jobs import StatementFailed

_APPEND = """
INSERT INTO audit_log (
    user_id, actor, action, target, before, after, status, address, api_key_id, api_key_name
)
SELECT $1::uuid,
       coalesce($2::text, (SELECT email::text FROM users WHERE id = $1::uuid), ''),
       $3, noted.target, noted.before, noted.after, $4, $5, $9, $10
FROM unnest($6::text[], $7::text[], $8::text[]) WITH ORDINALITY
     AS noted (target, before, after, number)
ORDER BY noted.number
"""


class PostgresAudit:
    """The log."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def append(self, ended: Ended, noted: Sequence[Noted]) -> None:
        """One statement."""
        try:
            async with transaction(self._engine) as connection:
                await execute(
                    connection,
                    _APPEND,
                    ended.asker.user_id,
                    _clean(ended.asker.email) if ended.asker.email is not None else None,
                    ended.action,
                    ended.status,
                    _clean(ended.address),
                    [_clean(item.target) for item in noted],
                    [item.before for item in noted],
                    [item.after for item in noted],
                    ended.asker.key_id,
                    ended.asker.key_name,
                )
        except DBAPIError as error:
            raise StatementFailed(type(error.orig).__name__) from None

    async def page(
        self, asked: AuditFilter, before: AuditKey | None, limit: int
    ) -> Sequence[AuditEntry]:
        """Newest first."""
        statement = (
            select(audit_log)
            .where(*_conditions(asked, before))
            .order_by(audit_log.c.at.desc(), audit_log.c.id.desc())
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_entry(row) for row in rows]


def _conditions(asked: AuditFilter, before: AuditKey | None) -> list[ColumnElement[bool]]:
    columns = audit_log.c
    conditions: list[ColumnElement[bool]] = []
    if before is not None:
        conditions.append(tuple_(columns.at, columns.id) < before)
    for name in ("actor", "action", "target"):
        value: str | None = getattr(asked, name)
        if value is not None:
            conditions.append(columns[name] == value)
    if asked.since is not None:
        conditions.append(columns.at >= asked.since)
    if asked.until is not None:
        conditions.append(columns.at < asked.until)
    return conditions


def _entry(row: RowMapping) -> AuditEntry:
    user_id: UUID | None = row["user_id"]
    return AuditEntry(
        id=row["id"],
        at=row["at"],
        user_id=str(user_id) if user_id is not None else None,
        actor=row["actor"],
        api_key_id=row["api_key_id"],
        api_key_name=row["api_key_name"],
        action=row["action"],
        target=row["target"],
        before=_fields(row["before"]),
        after=_fields(row["after"]),
        status=row["status"],
        address=row["address"],
    )


def _fields(stored: str | None) -> dict[str, object] | None:
    return msgspec.json.decode(stored, type=dict[str, object]) if stored is not None else None


def _clean(text: str) -> str:
    """What PostgreSQL's text takes: a path may hold anything."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
