"""application.retention.Archive on PostgreSQL: a batch of old rows of each kind at a time."""

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_transactions import execute, fetch, transaction
from application.retention import Keep

BATCH = 5000
"""Rows deleted by one statement, so that none holds its locks for long."""

# Two workers at once would only wait for each other's rows.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('kotodom.retention'))"

# What waits is never too old. A chat's inbox rows and requests that were taken are not read again.
_UPDATES = """
DELETE FROM telegram_updates WHERE (bot_id, update_id) IN (
    SELECT bot_id, update_id FROM telegram_updates
    WHERE received_at < now() - make_interval(days => $1) AND state <> 'WAITING' LIMIT $2)
"""
_REQUESTS = """
DELETE FROM chat_requests WHERE id IN (
    SELECT id FROM chat_requests
    WHERE taken_at < now() - make_interval(days => $1) ORDER BY id LIMIT $2)
"""
# The journal grows in the order of seq: its oldest rows are found without an index on the time.
_JOURNAL = """
DELETE FROM journal WHERE at < now() - make_interval(days => $1)
AND seq IN (SELECT seq FROM journal ORDER BY seq LIMIT $2)
"""
_JOB_LOG = """
DELETE FROM pgqueuer_log WHERE id IN (
    SELECT id FROM pgqueuer_log
    WHERE created < now() - make_interval(days => $1) ORDER BY created LIMIT $2)
"""
_AUDIT = """
DELETE FROM audit_log WHERE id IN (
    SELECT id FROM audit_log
    WHERE at < now() - make_interval(days => $1) ORDER BY at, id LIMIT $2)
"""
# Of a cause that is quiet for a day nothing is held back any more.
_ALERTS = """
DELETE FROM alerts WHERE (bot_id, cause) IN (
    SELECT bot_id, cause FROM alerts WHERE sent_at < now() - make_interval(days => $1) LIMIT $2)
"""


class PostgresRetention:
    """The archive."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def prune(self, keep: Keep) -> int:
        pruned = 0
        for statement, days in (
            (_UPDATES, keep.updates),
            (_REQUESTS, keep.updates),
            (_JOURNAL, keep.journal),
            (_JOB_LOG, keep.job_log),
            (_AUDIT, keep.audit),
            (_ALERTS, 1),
        ):
            async with transaction(self._engine) as connection:
                ((alone,),) = await fetch(connection, _ALONE)
                if alone:
                    pruned += await execute(connection, statement, days, BATCH)
        return pruned
