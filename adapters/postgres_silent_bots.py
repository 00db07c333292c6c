"""application.silent_bots.WatchedBots on PostgreSQL: a claim is the time of a bot's next look.

A worker that dies over a look loses nothing: its bots are due again a minute later.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_bot_access import PostgresBotAccess
from adapters.postgres_polled_bots import LEASED
from adapters.postgres_transactions import execute, fetch, transaction
from application.ports import TelegramAccess
from application.silent_bots import WatchedBot
from domain.bot import TelegramMode
from domain.silence import Verdict

# A bot's newest update has the highest id, unless Telegram began anew after a silent week (Bot API
# 10.3, Update): then the newest message tells. Both are the first entry of an index.
_CLAIM = f"""
WITH due AS (
    SELECT id FROM bots
    WHERE enabled AND is_active AND error IS NULL
      AND (look_again_at IS NULL OR look_again_at <= $1)
    ORDER BY look_again_at NULLS FIRST, id LIMIT $3
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE bots SET look_again_at = $2 FROM due WHERE bots.id = due.id
RETURNING bots.id, name, telegram_mode, trouble_since, silent_reason IS NOT NULL,
    greatest(
        (SELECT received_at FROM telegram_updates
         WHERE bot_id = bots.id ORDER BY update_id DESC LIMIT 1),
        (SELECT created_at FROM message_processing
         WHERE bot_id = bots.id ORDER BY created_at DESC LIMIT 1)
    ),
    telegram_mode = 'POLLING' AND bots.id & 4294967295 IN ({LEASED}),
    updated_at
"""

_KEEP = """
UPDATE bots SET trouble_since = $3, silent_reason = $4, looked_at = $5, look_again_at = $6
WHERE id = $1 AND updated_at = $2
"""


class PostgresSilentBots:
    """The looks."""

    def __init__(self, engine: AsyncEngine, bots: PostgresBotAccess) -> None:
        self._engine = engine
        self._bots = bots

    async def claim(self, now: datetime, again: datetime, limit: int) -> Sequence[WatchedBot]:
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _CLAIM, now, again, limit)
        return [
            WatchedBot(
                id=bot_id,
                name=name,
                mode=TelegramMode(mode),
                since=since,
                silent=silent,
                heard_at=heard_at,
                polled=polled,
                version=version,
            )
            for bot_id, name, mode, since, silent, heard_at, polled, version in rows
        ]

    async def access(self, bot_id: int) -> TelegramAccess:
        return (await self._bots.get(bot_id)).telegram

    async def keep(
        self, bot: WatchedBot, verdict: Verdict, looked_at: datetime, again: datetime
    ) -> bool:
        async with transaction(self._engine) as connection:
            kept = await execute(
                connection,
                _KEEP,
                bot.id,
                bot.version,
                verdict.since,
                verdict.reason,
                looked_at,
                again,
            )
        return kept > 0
