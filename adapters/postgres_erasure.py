"""application.erasure.Remains on PostgreSQL: the table `erasures` says what, and how far it is.

A batch locks rows of the deleted bot alone, which the loop no longer asks for (it joins bots). Jobs
that a worker has in its hands are left to it: heartbeats lock all that a worker has at once. They
find no bot, and end; the erasure is over when none is left.

What is elsewhere goes by jobs that carry all they need, and that it does not wait for: the bot's
webhook, and its conversations at the model's server.
"""

import re
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters import pgqueuer_jobs
from adapters.postgres_transactions import execute, fetch, transaction
from application.jobs import PERFORM_EFFECT
from application.moves import effect_job
from domain.effects import HANDLE_UPDATE, ForgetThreads, RemoveFormerWebhook

BATCH = 2000
"""Rows of a table that one transaction deletes: some hundredths of a second."""
CHATS = 100
"""Chats that one transaction looks through."""
FORGETTING = 10.0
"""Seconds for a job that deletes CHATS conversations, until the next one begins: the model's server
is there for the messages of others.
"""

_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('kotodom.erasure'))"
# By index, whatever was planned while a table was empty.
_BY_INDEX = "SET LOCAL enable_seqscan = off"
_ASKED = """
SELECT id, bot_id, chat_id, reached, sealed_model FROM erasures WHERE id > $1 ORDER BY id LIMIT 100
"""
_REACHED = "UPDATE erasures SET reached = $2 WHERE id = $1"

_UPDATES = """
DELETE FROM telegram_updates WHERE bot_id = $1 AND update_id IN (
    SELECT update_id FROM telegram_updates WHERE bot_id = $1 LIMIT $2)
"""
# Lists show the newest first: it goes first.
_CHATS = """
SELECT id FROM chats WHERE bot_id = $1
ORDER BY last_message_at DESC, id DESC LIMIT $2
"""
_STEPS = "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE key = ANY($1) LIMIT $2)"
_MESSAGES = """
WITH batch AS (
    SELECT id FROM messages WHERE chat_id = ANY($1) ORDER BY chat_id, id LIMIT $2
), processed AS (
    DELETE FROM message_processing USING batch WHERE user_message_id = batch.id
)
DELETE FROM messages USING batch WHERE messages.id = batch.id
"""
# A step that began before the bot went may have ended since: it held the chat, so that it is over.
_LOCK_CHATS = "SELECT thread_id FROM chats WHERE id = ANY($1) ORDER BY id FOR UPDATE"
_LAST_STEPS = "DELETE FROM journal WHERE key = ANY($1)"
_EMPTY_CHATS = "DELETE FROM chats WHERE id = ANY($1)"
# How long it is until the last of such jobs begins, whichever bot's it is.
_LAST_FORGETTING = """
SELECT COALESCE(extract(epoch FROM max(execute_after) - now())::float8, $3) FROM pgqueuer
WHERE entrypoint = $1 AND status IN ('queued', 'picked')
  AND substring(payload FROM 1 FOR length($2::bytea)) = $2::bytea
"""
_FORGET = f'{{"type":"{ForgetThreads.__struct_config__.tag}",'.encode()

_OF_BOT = (
    "DELETE FROM bot_days WHERE bot_id = $1",
    "DELETE FROM uncounted_bot_days WHERE bot_id = $1",
)
# A chat's job has the chat's id, an effect's job the bot's, in JSON as msgspec writes it. From "4:"
# until "4;" (as bytes) are the chats of bot 4.
_IS_ITS_JOB = f"""(
    entrypoint = '{HANDLE_UPDATE}'
    AND payload >= convert_to($1 || ':', 'UTF8') AND payload < convert_to($1 || ';', 'UTF8')
    OR entrypoint = '{PERFORM_EFFECT}'
    AND (position(convert_to('"bot_id":' || $1 || ',', 'UTF8') IN payload) > 0
         OR position(convert_to('"bot_id":' || $1 || '}}', 'UTF8') IN payload) > 0)
)"""
# What is elsewhere is still to go. Their server may be away for long, and no row waits for them.
_IS_ERASED = _IS_ITS_JOB + "".join(
    f"""
    AND position('"{kind.__struct_config__.tag}"'::bytea IN payload) = 0"""
    for kind in (RemoveFormerWebhook, ForgetThreads)
)
_JOBS = f"""
DELETE FROM pgqueuer WHERE id IN (
    SELECT id FROM pgqueuer WHERE status <> 'picked' AND {_IS_ERASED}
    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
_JOBS_LEFT = f"SELECT EXISTS (SELECT FROM pgqueuer WHERE {_IS_ERASED})"
# What a job that was in a worker's hands may still have noted goes last.
_ALERTS = "DELETE FROM alerts WHERE bot_id = $1"
_OVER = "DELETE FROM erasures WHERE bot_id = $1"

# Of a chat that was deleted: what became no message (an edited one, a reaction) belongs to no chat
# of ours, but Telegram's stands in it, with its topic where it is in one; a reaction says none, and
# goes with the chat that is no topic. What has come since belongs to a chat that began anew.
_NAMING = """
WITH batch AS MATERIALIZED (
    SELECT update_id, received_at, chat_id, payload FROM telegram_updates
    WHERE bot_id = $1 AND update_id > $2 ORDER BY update_id LIMIT $3
), naming AS (
    DELETE FROM telegram_updates USING batch
    WHERE telegram_updates.bot_id = $1 AND telegram_updates.update_id = batch.update_id
      AND batch.received_at <= (SELECT asked_at FROM erasures WHERE id = $6)
      AND (batch.chat_id = $4
           OR batch.chat_id IS NULL AND batch.payload ~ $5 AND (batch.payload ~ $7) = $8)
    RETURNING 1
)
SELECT max(update_id), (SELECT count(*) FROM naming) FROM batch
"""
_BEFORE_ALL = -(2**63)


class _Gone(Struct, frozen=True):
    """A bot that was deleted, as its erasure knows it."""

    bot_id: int
    sealed_model: str | None


Step = Callable[[AsyncConnection, _Gone], Awaitable[int]]


class PostgresErasure:
    """What remains. One instance per process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def erase(self) -> int | None:
        """A batch of the first that has something which can go."""
        async with transaction(self._engine) as connection:
            ((alone,),) = await fetch(connection, _ALONE)
            if not alone:
                return None
            await execute(connection, _BY_INDEX)
            number = 0
            while asked := await fetch(connection, _ASKED, number):
                for number, bot_id, chat_id, reached, sealed_model in asked:
                    if chat_id is None:
                        gone = _Gone(bot_id, sealed_model)
                        erased = await _of_bot(connection, number, gone, reached or 0)
                    else:
                        since = _BEFORE_ALL if reached is None else reached
                        erased = await _naming(connection, number, chat_id, since)
                    if erased is not None:
                        return erased
        return None


async def _of_bot(
    connection: AsyncConnection, number: int, gone: _Gone, reached: int
) -> int | None:
    """A batch of the bot's; steps that have nothing left are not tried again."""
    for step in range(reached, len(_BOT_STEPS)):
        if erased := await _BOT_STEPS[step](connection, gone):
            if step > reached:
                await execute(connection, _REACHED, number, step)
            return erased
    ((left,),) = await fetch(connection, _JOBS_LEFT, str(gone.bot_id))
    if left:
        return None
    alerts = await execute(connection, _ALERTS, gone.bot_id)
    return alerts + await execute(connection, _OVER, gone.bot_id)


async def _updates(connection: AsyncConnection, gone: _Gone) -> int:
    return await execute(connection, _UPDATES, gone.bot_id, BATCH)


async def _chats(connection: AsyncConnection, gone: _Gone) -> int:
    chats = [row[0] for row in await fetch(connection, _CHATS, gone.bot_id, CHATS)]
    if not chats:
        return 0
    steps = await execute(connection, _STEPS, chats, BATCH)
    messages = await execute(connection, _MESSAGES, chats, BATCH)
    erased = steps + messages
    if steps < BATCH and messages < BATCH:
        locked = await fetch(connection, _LOCK_CHATS, chats)
        await _forget(connection, gone, tuple(thread for (thread,) in locked if thread is not None))
        erased += await execute(connection, _LAST_STEPS, chats)
        erased += await execute(connection, _EMPTY_CHATS, chats)
    return erased


async def _forget(connection: AsyncConnection, gone: _Gone, threads: tuple[str, ...]) -> None:
    """Their conversations go by a job, one such job after the other."""
    if not threads or gone.sealed_model is None:
        return
    asked = (PERFORM_EFFECT, _FORGET, -FORGETTING)
    ((last,),) = await fetch(connection, _LAST_FORGETTING, *asked)
    delay = max(last + FORGETTING, 0.0)
    effect = ForgetThreads(gone.bot_id, gone.sealed_model, threads, delay=delay)
    await pgqueuer_jobs.publish(connection, [effect_job(effect)])


async def _own(connection: AsyncConnection, gone: _Gone) -> int:
    erased = await execute(connection, _STEPS, [f"bot:{gone.bot_id}"], BATCH)
    for statement in _OF_BOT:
        erased += await execute(connection, statement, gone.bot_id)
    return erased


async def _jobs(connection: AsyncConnection, gone: _Gone) -> int:
    return await execute(connection, _JOBS, str(gone.bot_id), BATCH)


_BOT_STEPS: Sequence[Step] = (_updates, _chats, _own, _jobs)


async def _naming(connection: AsyncConnection, number: int, chat_id: str, since: int) -> int:
    """The next updates of the bot that are looked at: those go that name the chat."""
    bot_id, telegram_chat_id, *topic = chat_id.split(":")
    of_topic = (
        rf'"message_thread_id"\s*:\s*{re.escape(topic[0])}\s*[,}}]'
        if topic
        else r'"is_topic_message"\s*:\s*true'
    )
    of_chat = rf'"chat"\s*:\s*\{{[^{{}}]*"id"\s*:\s*{re.escape(telegram_chat_id)}\s*[,}}]'
    ((last, erased),) = await fetch(
        connection,
        _NAMING,
        int(bot_id),
        since,
        BATCH,
        chat_id,
        of_chat,
        number,
        of_topic,
        bool(topic),
    )
    if last is None:
        await execute(connection, "DELETE FROM erasures WHERE id = $1", number)
    else:
        await execute(connection, _REACHED, number, last)
    return int(erased)
