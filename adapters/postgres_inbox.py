"""application.intake.Inbox on PostgreSQL: updates and their jobs, many in one commit."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import pgqueuer_jobs
from adapters.postgres_transactions import fetch, transaction
from application.intake import InboxState, Incoming, Receipt
from application.jobs import Job
from domain.effects import HANDLE_UPDATE

_INSERT = """
WITH given AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])
      WITH ORDINALITY AS row (bot_id, update_id, payload, chat_id, state, position)
), known AS (
    -- A bot is not deleted meanwhile, or it is unknown by now: nothing is left behind.
    SELECT id FROM bots WHERE id = ANY($1::bigint[]) ORDER BY id FOR KEY SHARE
), kept AS (
    INSERT INTO telegram_updates (bot_id, update_id, payload, chat_id, state)
    SELECT DISTINCT ON (bot_id, update_id) bot_id, update_id, payload, chat_id, state
    FROM given JOIN known ON known.id = given.bot_id
    ORDER BY bot_id, update_id, position
    -- Telegram keeps an update for a day (Bot API 10.3, "Getting updates"), and after a week of
    -- silence ids begin anew: what comes again later than that is another update.
    ON CONFLICT (bot_id, update_id) DO UPDATE SET
        received_at = now(), payload = excluded.payload, chat_id = excluded.chat_id,
        state = excluded.state
    WHERE telegram_updates.received_at < now() - interval '2 days'
    RETURNING bot_id, update_id
), forgotten AS (
    -- A message of long ago had the same number.
    UPDATE messages SET telegram_update_id = NULL FROM kept
    WHERE messages.bot_id = kept.bot_id AND messages.telegram_update_id = kept.update_id
)
SELECT given.position, known.id IS NOT NULL, kept.update_id IS NOT NULL
FROM given
LEFT JOIN known ON known.id = given.bot_id
LEFT JOIN kept ON kept.bot_id = given.bot_id AND kept.update_id = given.update_id
ORDER BY given.position
"""

_COUNT_WAITING = "SELECT bot_id, count(*) FROM telegram_updates WHERE state = 'WAITING' GROUP BY 1"


class PostgresInbox:
    """The inbox; also application.backlog.WaitingUpdates."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting(self) -> Mapping[int, int]:
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _COUNT_WAITING)
        return {int(bot_id): int(count) for bot_id, count in rows}

    async def insert(self, updates: Sequence[Incoming]) -> Sequence[Receipt]:
        receipts: list[Receipt] = []
        first: set[tuple[int, int]] = set()
        jobs: list[Job] = []
        async with transaction(self._engine) as connection:
            rows = await fetch(
                connection,
                _INSERT,
                [update.bot_id for update in updates],
                [update.update_id for update in updates],
                [update.payload for update in updates],
                [update.chat for update in updates],
                [update.state.value for update in updates],
            )
            for update, (_, known, kept) in zip(updates, rows, strict=True):
                identity = (update.bot_id, update.update_id)
                if not known:
                    receipts.append(Receipt.UNKNOWN_BOT)
                elif not kept or identity in first:
                    receipts.append(Receipt.DUPLICATE)
                else:
                    first.add(identity)
                    receipts.append(Receipt.KEPT)
                    if update.state is InboxState.WAITING and update.chat is not None:
                        jobs.append(Job(HANDLE_UPDATE, update.chat.encode()))
            await pgqueuer_jobs.publish(connection, jobs)
        return receipts
