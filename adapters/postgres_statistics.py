"""Statistics from PostgreSQL (fulfils application.statistics.StatsRepository), in one pass."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_transactions import fetch, transaction
from application.statistics import BUCKETS, StatsFilter, Tally
from domain.turn import Status

# Days and bots are summed side by side by hashing; buckets are what keeps percentiles out of it.
_TALLIES = f"""
SELECT day, bot_id, status, bucket, count(*), COALESCE(sum(input_tokens), 0),
       COALESCE(sum(output_tokens), 0), sum(price)
FROM (
    SELECT (created_at AT TIME ZONE 'UTC')::date AS day, bot_id, status, input_tokens,
           output_tokens, price,
           CASE WHEN status = 'COMPLETED' THEN floor({BUCKETS} * ln(GREATEST(
               extract(epoch FROM response_sent_at - created_at)::float8, 0.001)))::int
           END AS bucket
    FROM message_processing
    WHERE created_at >= $1 AND ($2::bigint IS NULL OR bot_id = $2)
      AND ($3::uuid IS NULL OR bot_id IN (SELECT id FROM bots WHERE owner_user_id = $3))
) message
GROUP BY GROUPING SETS ((day, status, bucket), (bot_id, status, bucket))
"""

_NAMES = "SELECT id, name FROM bots WHERE $1::uuid IS NULL OR owner_user_id = $1"


class PostgresStatistics:
    """The repository."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def tallies(self, owner: str | None, asked: StatsFilter) -> Sequence[Tally]:
        """By day, and by bot."""
        async with transaction(self._engine) as connection:
            # The hash tables of a thousand bots and 90 days: a few tens of megabytes.
            await connection.execute(text("SET LOCAL work_mem = '64MB'"))
            rows = await fetch(connection, _TALLIES, asked.since, asked.bot_id, owner)
        return [
            Tally(day, bot_id, Status(status), bucket, count, taken, given, price)
            for day, bot_id, status, bucket, count, taken, given, price in rows
        ]

    async def bot_names(self, owner: str | None) -> Mapping[int, str]:
        """By id."""
        async with transaction(self._engine) as connection:
            return {row[0]: row[1] for row in await fetch(connection, _NAMES, owner)}
