"""Another try of messages, one or many: the one rule of which may be, and what is done for them.

A TERMINAL one whose turn is kept is RECEIVED again, at the end of its chat's line. Of a FAILED one
the job that waits is due now; where none lives there is a new one. What is being tried is left
alone. The chats are locked first, in order, and what is decided is read after that.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters import pgqueuer_jobs
from adapters.postgres_statistics import COUNT_AGAIN
from adapters.postgres_transactions import execute, fetch
from application.jobs import Job
from domain.effects import HANDLE_UPDATE
from domain.turn import Status

TO_BEGIN_AGAIN = text(
    "message_processing.status = 'TERMINAL' AND message_processing.turn IS NOT NULL"
)
TO_BRING_FORWARD = text("""
message_processing.status = 'FAILED' AND NOT EXISTS (
    SELECT FROM chats chat JOIN pgqueuer job ON job.id = chat.owner_job_id
    WHERE chat.id = message_processing.chat_id
      AND job.status IN ('queued', 'picked') AND job.execute_after <= now())
""")
"""One that is due, or is being taken, is being tried again already."""

_LOCK = """
SELECT id FROM chats
WHERE id IN (SELECT chat_id FROM message_processing WHERE id = ANY($1::bigint[]))
ORDER BY id FOR NO KEY UPDATE
"""
_BEGIN_AGAIN = f"""
WITH again AS (
    UPDATE message_processing SET status = 'RECEIVED', updated_at = now()
    WHERE id = ANY($1::bigint[]) AND {TO_BEGIN_AGAIN.text} RETURNING id, chat_id
)
INSERT INTO chat_requests (kind, processing_id, payload, chat_id)
SELECT 'RETRY', id, '', chat_id FROM again ORDER BY id
RETURNING processing_id, chat_id
"""
_COUNT_AGAIN = COUNT_AGAIN.format(which="id = ANY($1::bigint[])")
_BRING_FORWARD = f"""
WITH waiting AS (
    SELECT job.id, message_processing.id AS failed FROM message_processing
    JOIN chats ON chats.id = message_processing.chat_id
    JOIN pgqueuer job ON job.id = chats.owner_job_id
    WHERE message_processing.id = ANY($1::bigint[]) AND {TO_BRING_FORWARD.text}
      AND job.status = 'queued'
    ORDER BY job.id FOR UPDATE OF job
)
UPDATE pgqueuer SET execute_after = now() FROM waiting WHERE pgqueuer.id = waiting.id
RETURNING waiting.failed
"""
_OWNERLESS = """
SELECT failed.id, failed.chat_id FROM message_processing failed
JOIN chats chat ON chat.id = failed.chat_id
LEFT JOIN pgqueuer job ON job.id = chat.owner_job_id AND job.status IN ('queued', 'picked')
WHERE failed.id = ANY($1::bigint[]) AND failed.status = 'FAILED' AND job.id IS NULL
"""


async def try_again(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, Status]:
    """Try those of the messages again that may be, in this transaction; what these were before."""
    asked = list(ids)
    await fetch(connection, _LOCK, asked)
    begun = await fetch(connection, _BEGIN_AGAIN, asked)
    if begun:
        await execute(connection, _COUNT_AGAIN, [row[0] for row in begun])
    moved = await fetch(connection, _BRING_FORWARD, asked)
    ownerless = await fetch(connection, _OWNERLESS, asked)
    # A chat's job serves its whole line.
    chats = sorted({row[1] for row in (*begun, *ownerless)})
    await pgqueuer_jobs.publish(connection, [Job(HANDLE_UPDATE, chat.encode()) for chat in chats])
    failed = {row[0]: Status.FAILED for row in (*moved, *ownerless)}
    return failed | {row[0]: Status.TERMINAL for row in begun}
