"""Stored secrets in PostgreSQL, brought under the newest key (fulfils secret_rotation.Vault).

A batch is read under locks, encrypted anew and written by one statement in one transaction: whoever
edits one of its bots meanwhile waits for it, or it for them, and neither's work is lost. Messages
wait for none of it: they only refer to a bot's row.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg
import msgspec
from msgspec.structs import asdict, replace
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_transactions import execute, fetch, telling_away, transaction
from adapters.secret_box import KEY_ID_LENGTH, SecretBox, SecretUnreadable
from application.jobs import PERFORM_EFFECT
from application.moves import effect_job
from application.secret_rotation import OldWebhook, Renewed
from application.settings import SECRETS
from domain.effects import DetachedEffect, EnsureWebhook

BATCH = 500
"""Bots that one transaction locks, for some hundredths of a second."""

_SESSION = "kotodom keys "
_SHOWN = (63 - len(_SESSION)) // (KEY_ID_LENGTH + 1)
"""How many keys an application_name of at most 63 bytes has room for."""

_ALONE = "SELECT pg_try_advisory_lock(hashtext('kotodom.rotate-secrets'))"
_STRANGERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database()
  AND starts_with(application_name, $1) AND strpos(application_name, $2) = 0
"""
_WORKERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, 'kotodom worker ')
"""
_LOCK_BOTS = """
SELECT id, name, token, api_key FROM bots WHERE id > $1 ORDER BY id LIMIT $2 FOR NO KEY UPDATE
"""
_WRITE_BOTS = """
UPDATE bots SET token = new.token, api_key = new.api_key
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS new (id, token, api_key)
WHERE bots.id = new.id
"""
_BOTS = "SELECT id, name, token, api_key FROM bots ORDER BY id"
_SETTINGS = "SELECT id, value FROM settings WHERE id = ANY($1) ORDER BY id"
_LOCK_SETTINGS = "SELECT id, value FROM settings WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"
_WRITE_SETTINGS = """
UPDATE settings SET value = new.value FROM unnest($1::text[], $2::text[]) AS new (id, value)
WHERE settings.id = new.id
"""
_LOCK_ERASURES = """
SELECT id, sealed_model FROM erasures WHERE sealed_model IS NOT NULL
ORDER BY id FOR NO KEY UPDATE
"""
_WRITE_ERASURE = "UPDATE erasures SET sealed_model = $2 WHERE id = $1"
_LOCK_JOBS = """
SELECT id, payload FROM pgqueuer
WHERE entrypoint = $1 AND strpos(convert_from(payload, 'UTF8'), '"sealed_') > 0
ORDER BY id FOR UPDATE
"""
_WRITE_JOB = "UPDATE pgqueuer SET payload = $2 WHERE id = $1"
# Where nobody noted the key, a webhook that is not set has no secret at Telegram.
_OLD_WEBHOOKS = """
SELECT id, name, error FROM bots
WHERE enabled AND telegram_mode = 'WEBHOOK'
  AND (webhook_key <> $1 OR webhook_key IS NULL AND is_active)
ORDER BY id
"""
_EFFECTS = "SELECT payload FROM pgqueuer WHERE entrypoint = $1 AND status IN ('queued', 'picked')"


def keys_session(box: SecretBox) -> str:
    """The application_name of a process's connections: it says which keys the process has."""
    return _SESSION + " ".join(box.key_ids[:_SHOWN])


@asynccontextmanager
async def alone(direct_dsn: str) -> AsyncIterator[bool]:
    """Whether no other rotation is under way, for as long as the context lasts.

    Raises Unavailable.
    """
    with telling_away():
        connection = await asyncpg.connect(direct_dsn, timeout=10)
    try:
        with telling_away():
            is_alone: bool = await connection.fetchval(_ALONE)
        yield is_alone
    finally:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=2)


class PostgresSecrets:
    """The vault."""

    def __init__(self, engine: AsyncEngine, box: SecretBox) -> None:
        self._engine = engine
        self._box = box

    async def is_known_everywhere(self) -> bool:
        """Whether every process that is connected can read what the newest key encrypts."""
        async with transaction(self._engine) as connection:
            ((count,),) = await fetch(connection, _STRANGERS, _SESSION, self._box.key_ids[0])
        return int(count) == 0

    async def has_workers(self) -> bool:
        """Whether somebody carries jobs out."""
        async with transaction(self._engine) as connection:
            ((count,),) = await fetch(connection, _WORKERS)
        return int(count) > 0

    async def renew_bots(self, after: int) -> Renewed:
        """A batch of bots with ids above `after`, locked, in a transaction."""
        batch = _Batch(self._box)
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _LOCK_BOTS, after, BATCH)
            written: list[tuple[int, str, str | None]] = []
            for bot_id, name, token, api_key in rows:
                row = _renew_bot(batch, bot_id, name, token, api_key)
                if row != (bot_id, token, api_key):
                    written.append(row)
            if written:
                await execute(connection, _WRITE_BOTS, *map(list, zip(*written, strict=True)))
        return batch.renewed(rows[-1][0] if len(rows) == BATCH else None)

    async def unreadable(self) -> Sequence[str]:
        """What no key opens, in words; nothing is changed. Raises Unavailable."""
        batch = _Batch(self._box)
        async with transaction(self._engine) as connection:
            for bot_id, name, token, api_key in await fetch(connection, _BOTS):
                _renew_bot(batch, bot_id, name, token, api_key)
            for name, value in await fetch(connection, _SETTINGS, sorted(SECRETS)):
                batch.renew(f"the setting {name}", value)
        return batch.renewed(None).unreadable

    async def renew_settings(self) -> Renewed:
        """All secret settings, locked, in a transaction."""
        batch = _Batch(self._box)
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _LOCK_SETTINGS, sorted(SECRETS))
            values = [batch.renew(f"the setting {name}", value) for name, value in rows]
            if batch.count:
                await execute(connection, _WRITE_SETTINGS, [name for name, _ in rows], values)
        return batch.renewed(None)

    async def renew_farewells(self) -> Renewed:
        """What deleted bots have left to be done, locked, in a transaction.

        What no key opens stays and is not told: nobody has it to set anew.
        """
        batch = _Batch(self._box)
        async with transaction(self._engine) as connection:
            for number, sealed in await fetch(connection, _LOCK_ERASURES):
                renewed = batch.renew("", sealed)
                if renewed != sealed:
                    await execute(connection, _WRITE_ERASURE, number, renewed)
            for number, payload in await fetch(connection, _LOCK_JOBS, PERFORM_EFFECT):
                effect: DetachedEffect = msgspec.json.decode(payload, type=DetachedEffect)
                sealed = {n: v for n, v in asdict(effect).items() if n.startswith("sealed_")}
                renewed_effect = replace(
                    effect, **{name: batch.renew("", value) for name, value in sealed.items()}
                )
                if renewed_effect != effect:
                    await execute(
                        connection, _WRITE_JOB, number, effect_job(renewed_effect).payload
                    )
        return Renewed(batch.count, batch.renewed(None).current)

    async def old_webhooks(self) -> Sequence[OldWebhook]:
        """By id; of bots whose webhook was set by a version that did not note its key, too."""
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _OLD_WEBHOOKS, self._box.key_ids[0])
            jobs = await fetch(connection, _EFFECTS, PERFORM_EFFECT) if rows else ()
        effects = [msgspec.json.decode(payload, type=DetachedEffect) for (payload,) in jobs]
        asked = {effect.bot_id for effect in effects if isinstance(effect, EnsureWebhook)}
        return [OldWebhook(bot_id, name, error, bot_id in asked) for bot_id, name, error in rows]


class _Batch:
    """Secrets of a transaction, and what became of them."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box
        self.count = 0
        self._current = 0
        self._unreadable: list[str] = []

    def renew(self, name: str, stored: str) -> str:
        """The secret as the newest key stores it; as it is where it cannot be read."""
        try:
            renewed = self._box.renewed(stored)
        except SecretUnreadable:
            self._unreadable.append(name)
            return stored
        if renewed is None:
            self._current += 1
            return stored
        self.count += 1
        return renewed

    def renewed(self, upto: int | None) -> Renewed:
        """The outcome."""
        return Renewed(self.count, self._current, tuple(self._unreadable), upto)


def _renew_bot(
    batch: _Batch, bot_id: int, name: str, token: str, api_key: str | None
) -> tuple[int, str, str | None]:
    """A bot's id and its secrets, as the newest key stores them."""
    of = f"bot {bot_id} ({name})"
    return (
        bot_id,
        batch.renew(f"the token of {of}", token),
        api_key and batch.renew(f"the API key of {of}", api_key),
    )
