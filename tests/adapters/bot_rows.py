"""Rows of bots for tests that only look at them."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine


class Rows:
    """The table of bots, emptied for each test."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def run(self, statement: str, **values: Any) -> list[Any]:
        async with self._engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []

    async def bot(self, **columns: Any) -> int:
        """An active bot; its id."""
        values = {
            "name": "Bot",
            "token": "x",
            "telegram_mode": "WEBHOOK",
            "enabled": True,
            "is_active": True,
            **columns,
        }
        names = ", ".join(values)
        filled = ", ".join(f":{name}" for name in values)
        rows = await self.run(
            f"INSERT INTO bots (token_fingerprint, {names}) OVERRIDING SYSTEM VALUE"
            f" VALUES (gen_random_uuid()::text, {filled}) RETURNING id",
            **values,
        )
        return int(rows[0][0])
