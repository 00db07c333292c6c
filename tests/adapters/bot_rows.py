"""Rows of bots for tests that only look at them, and whatever else is a bot's own."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_schema import metadata


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


def rows_of_bot(bot: int) -> dict[str, str]:
    """For each table that can have something of a bot, whichever column says so, a statement that
    counts it; no table is left out.
    """
    told = {
        "bot_id": f"bot_id = {bot}",
        "chat_id": f"chat_id LIKE '{bot}:%'",
        "key": f"key LIKE '{bot}:%' OR key = 'bot:{bot}'",
    }
    counts = {"bots": f"SELECT count(*) FROM bots WHERE id = {bot}"}
    for name, table in metadata.tables.items():
        if ways := [told[column.name] for column in table.columns if column.name in told]:
            counts[name] = f"SELECT count(*) FROM {name} WHERE {' OR '.join(ways)}"
    effect = f"'%\"bot_id\"' || chr(58) || '{bot}"
    counts["pgqueuer"] = (
        "SELECT count(*) FROM (SELECT convert_from(payload, 'UTF8') AS told FROM pgqueuer) job"
        f" WHERE told LIKE '{bot}:%' OR told LIKE {effect},%' OR told LIKE {effect}}}%'"
    )
    return counts
