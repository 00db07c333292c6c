"""Whose bots are whose, in PostgreSQL (fulfils application.live.Owners)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_transactions import fetch, transaction

_BOTS = "SELECT id, owner_user_id::text FROM bots WHERE owner_user_id = ANY($1::text[]::uuid[])"


class PostgresBotOwners:
    """The owners."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def bots_of(self, user_ids: Sequence[str]) -> dict[int, str]:
        """The bots that these users own, and which of them."""
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _BOTS, list(user_ids))
        return {row[0]: row[1] for row in rows}
