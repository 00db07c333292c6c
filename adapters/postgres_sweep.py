"""application.sweep.Waiting on PostgreSQL."""

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import pgqueuer_jobs
from adapters.postgres_transactions import fetch, transaction
from application.jobs import Job
from domain.effects import HANDLE_UPDATE
from domain.endings import DISABLED_AFTER

# A row of the inbox is looked at by itself: its chat may not exist yet.
_LINES = """
    SELECT line.chat_id, line.received_at, bot.id AS bot_id, bot.enabled
    FROM telegram_updates line JOIN bots bot ON bot.id = line.bot_id
    WHERE line.state = 'WAITING'
  UNION ALL
    SELECT line.chat_id, line.created_at, bot.id, bot.enabled
    FROM chat_requests line
    JOIN chats chat ON chat.id = line.chat_id JOIN bots bot ON bot.id = chat.bot_id
    WHERE line.taken_at IS NULL
"""

_STRANDED = f"""
SELECT waiting.chat_id
FROM (
    SELECT chat_id FROM ({_LINES}) line
    WHERE enabled OR received_at < now() - make_interval(secs => $1)
  UNION
    SELECT chat_id FROM message_processing JOIN bots ON bots.id = bot_id
    WHERE status IN ('PROCESSING', 'FAILED')
) waiting
LEFT JOIN chats chat ON chat.id = waiting.chat_id
LEFT JOIN pgqueuer owner ON owner.id = chat.owner_job_id AND owner.status IN ('queued', 'picked')
WHERE owner.id IS NULL
  AND NOT EXISTS (
    SELECT FROM pgqueuer job
    WHERE job.entrypoint = $2 AND job.status IN ('queued', 'picked')
      AND job.payload = convert_to(waiting.chat_id, 'UTF8')
  )
ORDER BY waiting.chat_id
LIMIT 1000
"""

_WAITING = f"SELECT DISTINCT chat_id FROM ({_LINES}) line WHERE bot_id = $1 ORDER BY chat_id"


class PostgresSweep:
    """Finds and publishes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def publish_stranded(self) -> int:
        return await self._publish(_STRANDED, DISABLED_AFTER.total_seconds(), HANDLE_UPDATE)

    async def publish_waiting(self, bot_id: int) -> int:
        return await self._publish(_WAITING, bot_id)

    async def _publish(self, statement: str, *arguments: object) -> int:
        async with transaction(self._engine) as connection:
            chats = await fetch(connection, statement, *arguments)
            jobs = [Job(HANDLE_UPDATE, chat.encode()) for (chat,) in chats]
            await pgqueuer_jobs.publish(connection, jobs)
        return len(jobs)
