"""Statistics from PostgreSQL: days that are over from the table bot_days, the others from messages.

Fulfils application.statistics.StatsRepository, and application.statistics.Calendar, which fills
that table. A day is in counted_days once that is done. Of a counted day a bot stands in
uncounted_bot_days while one of its messages is not over, or is tried again, or was erased: then its
messages of the day are counted themselves, and its rows of bot_days do not stand.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres_transactions import execute, fetch, reading, transaction
from application.statistics import BUCKETS, StatsFilter, Tally
from domain.turn import Status

AT_ONCE = 100
"""Bots' days that are counted anew by one look."""

_MESSAGE = f"""
    message.bot_id, message.status, message.input_tokens, message.output_tokens, message.price,
    CASE WHEN message.status = 'COMPLETED' AND response_sent_at IS NOT NULL
         THEN floor({BUCKETS} * ln(GREATEST(
        extract(epoch FROM response_sent_at - created_at)::float8, 0.001)))::int
    END AS bucket
"""
_OF_DAY = """
    message.created_at >= {day} AT TIME ZONE 'UTC'
    AND message.created_at < ({day} + 1) AT TIME ZONE 'UTC'
"""

# Days and bots are summed side by side by hashing; buckets are what keeps percentiles out of it.
_TALLIES = f"""
WITH bot AS (
    SELECT id FROM bots
    WHERE ($3::bigint IS NULL OR id = $3) AND ($4::uuid IS NULL OR owner_user_id = $4)
), counted AS MATERIALIZED (
    SELECT bot_days.* FROM bot_days
    JOIN counted_days USING (day) JOIN bot ON bot.id = bot_id
    WHERE day BETWEEN $1::date AND $2::date
      AND NOT EXISTS (SELECT FROM uncounted_bot_days other
                      WHERE other.bot_id = bot_days.bot_id AND other.day = bot_days.day)
)
SELECT day, bot_id, status, sum(messages), sum(input_tokens), sum(output_tokens), sum(price),
       array_agg(bucket) FILTER (WHERE bucket IS NOT NULL),
       array_agg(answers) FILTER (WHERE bucket IS NOT NULL)
FROM (
SELECT day, bot_id, status, bucket, sum(messages) AS messages, sum(answers) AS answers,
       sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sum(price) AS price
FROM (
    SELECT day, bot_id, status, NULL::int AS bucket, messages, 0 AS answers,
           input_tokens, output_tokens, price
    FROM counted
  UNION ALL
    SELECT day, bot_id, status, answered.bucket, 0, answered.messages, 0, 0, NULL
    FROM counted CROSS JOIN unnest(buckets, answers) AS answered (bucket, messages)
  UNION ALL
    SELECT open.day, live.bot_id, live.status, live.bucket, 1, 1,
           COALESCE(live.input_tokens, 0), COALESCE(live.output_tokens, 0), live.price
    FROM (
        SELECT day::date FROM generate_series($1::date, $2::date, interval '1 day') day
        EXCEPT SELECT day FROM counted_days
    ) open
    CROSS JOIN LATERAL (
        SELECT {_MESSAGE} FROM message_processing message
        WHERE {_OF_DAY.format(day="open.day")} AND ($3::bigint IS NULL OR message.bot_id = $3)
          AND message.bot_id IN (SELECT id FROM bot)
    ) live
  UNION ALL
    SELECT other.day, live.bot_id, live.status, live.bucket, 1, 1,
           COALESCE(live.input_tokens, 0), COALESCE(live.output_tokens, 0), live.price
    FROM uncounted_bot_days other
    JOIN counted_days USING (day) JOIN bot ON bot.id = other.bot_id
    CROSS JOIN LATERAL (
        SELECT {_MESSAGE} FROM message_processing message
        WHERE {_OF_DAY.format(day="other.day")} AND message.bot_id = other.bot_id
    ) live
    WHERE other.day BETWEEN $1::date AND $2::date
) each
GROUP BY GROUPING SETS ((day, status, bucket), (bot_id, status, bucket))
) of_bucket
GROUP BY day, bot_id, status
"""

_NAMES = "SELECT id, name FROM bots WHERE $1::uuid IS NULL OR owner_user_id = $1"

_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('kotodom.statistics'))"
_OPEN_DAYS = """
SELECT day::date FROM generate_series($1::date, $2::date, interval '1 day') day
EXCEPT SELECT day FROM counted_days ORDER BY 1 DESC
"""
_IS_UNFINISHED = "message.status IN ('RECEIVED', 'PROCESSING', 'FAILED')"
_IS_SETTLED = f"""
NOT EXISTS (
    SELECT FROM message_processing message
    WHERE message.bot_id = other.bot_id AND {_IS_UNFINISHED} AND {_OF_DAY.format(day="other.day")})
"""
_LEAVE_OUT = f"""
INSERT INTO uncounted_bot_days (bot_id, day)
SELECT DISTINCT message.bot_id, $1::date FROM message_processing message
WHERE {_OF_DAY.format(day="$1::date")} AND {_IS_UNFINISHED} ORDER BY 1
ON CONFLICT DO NOTHING
"""
_COUNT = f"""
INSERT INTO bot_days (bot_id, day, status, messages, input_tokens, output_tokens, price,
                      buckets, answers)
SELECT bot_id, $1::date, status, sum(messages), sum(input_tokens), sum(output_tokens), sum(price),
       COALESCE(array_agg(bucket ORDER BY bucket) FILTER (WHERE bucket IS NOT NULL), '{{}}'),
       COALESCE(array_agg(messages ORDER BY bucket) FILTER (WHERE bucket IS NOT NULL), '{{}}')
FROM (
    SELECT bot_id, status, bucket, count(*)::int AS messages,
           COALESCE(sum(input_tokens), 0) AS input_tokens,
           COALESCE(sum(output_tokens), 0) AS output_tokens, sum(price) AS price
    FROM (
        SELECT {_MESSAGE} FROM message_processing message
        WHERE {_OF_DAY.format(day="$1::date")} AND ($2::bigint IS NULL OR message.bot_id = $2)
    ) message
    GROUP BY bot_id, status, bucket
) each
GROUP BY bot_id, status
"""
_FORGET = "DELETE FROM bot_days WHERE day = $1::date AND ($2::bigint IS NULL OR bot_id = $2)"
_COUNTED = "INSERT INTO counted_days (day) VALUES ($1)"

# Whoever makes one of its messages unfinished from now on waits for this lock, and enters it anew.
# Who did so while this was looking is seen by the next statement.
_SETTLED = f"""
SELECT other.bot_id, other.day FROM uncounted_bot_days other JOIN counted_days USING (day)
WHERE {_IS_SETTLED}
ORDER BY 1, 2 LIMIT $1 FOR UPDATE OF other SKIP LOCKED
"""
_SETTLE = f"""
DELETE FROM uncounted_bot_days other WHERE bot_id = $1 AND day = $2 AND {_IS_SETTLED}
RETURNING bot_id, day
"""

COUNT_AGAIN = """
INSERT INTO uncounted_bot_days (bot_id, day)
SELECT DISTINCT bot_id, (created_at AT TIME ZONE 'UTC')::date FROM message_processing
WHERE {which} ORDER BY 1, 2
ON CONFLICT (bot_id, day) DO UPDATE SET since = now()
"""
"""In the transaction that begins messages again, or erases them."""


class PostgresStatistics:
    """The repository, and the calendar."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def tallies(self, owner: str | None, asked: StatsFilter) -> Sequence[Tally]:
        """By day, and by bot."""
        async with reading(self._engine) as connection:
            # The hash tables of a thousand bots and 90 days: a few tens of megabytes.
            await execute(connection, "SET LOCAL work_mem = '64MB'")
            rows = await fetch(connection, _TALLIES, asked.since, asked.until, asked.bot_id, owner)
        return [
            Tally(
                day=day,
                bot_id=bot_id,
                status=Status(status),
                messages=int(messages),
                input_tokens=int(taken),
                output_tokens=int(given),
                price=price,
                answers=dict(zip(buckets or (), answers or (), strict=True)),
            )
            for day, bot_id, status, messages, taken, given, price, buckets, answers in rows
        ]

    async def bot_names(self, owner: str | None) -> Mapping[int, str]:
        """By id."""
        async with transaction(self._engine) as connection:
            return {row[0]: row[1] for row in await fetch(connection, _NAMES, owner)}

    async def count(self, first: date, last: date) -> int:
        """One day, the latest that is not counted; then bots' days that are settled by now."""
        async with transaction(self._engine) as connection:
            ((alone,),) = await fetch(connection, _ALONE)
            if not alone:
                return 0
            if days := await fetch(connection, _OPEN_DAYS, first, last):
                await _count_day(connection, days[0][0])
                return 1
            settled = 0
            for bot_id, day in await fetch(connection, _SETTLED, AT_ONCE):
                if await fetch(connection, _SETTLE, bot_id, day):
                    await execute(connection, _FORGET, day, bot_id)
                    await execute(connection, _COUNT, day, bot_id)
                    settled += 1
            return settled


async def _count_day(connection: AsyncConnection, day: date) -> None:
    await execute(connection, _LEAVE_OUT, day)
    await execute(connection, _FORGET, day, None)
    await execute(connection, _COUNT, day, None)
    await execute(connection, _COUNTED, day)
