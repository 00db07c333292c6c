"""Bots in PostgreSQL, tokens and keys encrypted (fulfils application.bots.BotRepository).

A bot's own steps, which a person's change may be followed by: adapters/postgres_bot_life.py.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping, Select, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres_bot_life import PostgresBotTransaction
from adapters.postgres_schema import (
    bots,
    erasures,
    message_processing,
    messages,
    telegram_updates,
)
from adapters.postgres_transactions import transaction
from adapters.secret_box import SecretBox, SecretUnreadable, fingerprint
from application.bot_deletion import COUNTED_UPTO, Contents
from application.bot_forms import BotView
from application.bot_health import BotState, health_of
from application.bots import BotChange
from application.jobs import Job
from application.model import ModelAccess, ModelApi
from application.moves import effect_job
from application.ports import TelegramAccess
from application.settings import mask, token_mask
from domain.bot import TelegramMode
from domain.effects import RemoveFormerWebhook

_COUNTED = ("chats", "messages", "message_processing", "telegram_updates")
_COUNT = text(
    "SELECT "
    + ", ".join(
        f"(SELECT count(*) FROM (SELECT FROM {table} WHERE bot_id = :bot LIMIT :most) {table})"
        for table in _COUNTED
    )
)
_FAILING = (
    select(func.coalesce(message_processing.c.last_error, ""))
    .where(message_processing.c.bot_id == bots.c.id, message_processing.c.status == "FAILED")
    .order_by(message_processing.c.created_at.desc())
    .limit(1)
    .scalar_subquery()
    .label("failing")
)
"""Why the bot's newest message that waits for a retry failed."""


class PostgresBots:
    """The repository. `telegram_api_url` is the server of a bot that names none."""

    def __init__(self, engine: AsyncEngine, box: SecretBox, telegram_api_url: str) -> None:
        self._engine = engine
        self._box = box
        self._telegram_api_url = telegram_api_url

    async def page(self, owner: str | None, before: int | None, limit: int) -> list[BotView]:
        """At most `limit` bots, newest first, with ids below `before`."""
        statement = _owned(owner).order_by(bots.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(bots.c.id < before)
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [self.view(row) for row in rows]

    async def get(self, bot_id: int, owner: str | None) -> BotView | None:
        """None: there is none, or it is another user's."""
        async with transaction(self._engine) as connection:
            found = await connection.execute(_owned(owner).where(bots.c.id == bot_id))
            row = found.mappings().first()
        return self.view(row) if row is not None else None

    async def access(self, bot_id: int) -> TelegramAccess | None:
        """The token and its server; None where it is gone or cannot be decrypted."""
        async with transaction(self._engine) as connection:
            return await self.access_on(connection, bot_id)

    async def access_on(self, connection: AsyncConnection, bot_id: int) -> TelegramAccess | None:
        """The same, in a transaction that has begun."""
        statement = select(bots.c.token, bots.c.telegram_api_url).where(bots.c.id == bot_id)
        row = (await connection.execute(statement)).first()
        token = self._readable(row[0]) if row is not None else None
        if row is None or token is None:
            return None
        return TelegramAccess(bot_id, token, row[1] or self._telegram_api_url)

    async def token_holder(self, token: str) -> int | None:
        """The bot that has the token."""
        statement = select(bots.c.id).where(bots.c.token_fingerprint == fingerprint(token))
        async with transaction(self._engine) as connection:
            holder: int | None = await connection.scalar(statement)
        return holder

    async def insert(self, values: dict[str, Any], owner_user_id: str) -> BotView | None:
        """None: another bot has the token."""
        statement = (
            upsert(bots)
            .values(self.columns(values) | {"owner_user_id": UUID(owner_user_id)})
            .on_conflict_do_nothing(index_elements=[bots.c.token_fingerprint])
            .returning(bots)
        )
        async with transaction(self._engine) as connection:
            row = (await connection.execute(statement)).mappings().first()
        return self.view(row) if row is not None else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[BotChange]:
        """Committed at the end. Raises Unavailable."""
        async with transaction(self._engine) as connection:
            yield _BotChange(connection, self)

    def farewell(self, former: TelegramAccess) -> Job:
        """The job that removes the webhook of a token that is the bot's no more."""
        sealed = self._box.encrypt(former.token)
        return effect_job(RemoveFormerWebhook(former.bot_id, sealed, former.api_url))

    def sealed_model(self, row: RowMapping) -> str | None:
        """Where a bot's conversations are, with its own key; None where that cannot be read.

        Only the Responses API makes any, whatever the bot's model is asked by now.
        """
        api_key = self._readable(row["api_key"]) if row["api_key"] is not None else ""
        if api_key is None:
            return None
        access = ModelAccess(ModelApi.RESPONSES, row["model"] or "", row["base_url"], api_key)
        return self._box.encrypt(msgspec.json.encode(access).decode())

    def columns(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values as they are stored."""
        columns = dict(values)
        if token := columns.get("token"):
            columns["token"] = self._box.encrypt(token)
            columns["token_fingerprint"] = fingerprint(token)
        if api_key := columns.get("api_key"):
            columns["api_key"] = self._box.encrypt(api_key)
        return columns

    def _readable(self, stored: str) -> str | None:
        try:
            return self._box.decrypt(stored)
        except SecretUnreadable:
            return None

    def view(self, row: RowMapping) -> BotView:
        """A row, as answers show it."""
        owner, api_key = row["owner_user_id"], row["api_key"]
        return BotView(
            id=row["id"],
            name=row["name"],
            token_mask=token_mask(self._readable(row["token"]) or ""),
            username=row["username"],
            model=row["model"],
            model_api=ModelApi(row["model_api"]),
            instructions=row["instructions"],
            temperature=row["temperature"],
            max_output_tokens=row["max_output_tokens"],
            history_messages=row["history_messages"],
            assistant_id=row["assistant_id"],
            start_message=row["start_message"],
            help_text=row["help_text"],
            error_message=row["error_message"],
            enabled=row["enabled"],
            is_active=row["is_active"],
            error=row["error"],
            health=health_of(_state(row)),
            telegram_mode=TelegramMode(row["telegram_mode"]),
            telegram_api_url=row["telegram_api_url"],
            base_url=row["base_url"],
            api_key_mask=mask(self._readable(api_key) or "") if api_key is not None else None,
            owner_user_id=str(owner) if owner is not None else None,
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )


class _BotChange(PostgresBotTransaction):
    """A person's change of one bot, with the steps that it brings about."""

    def __init__(self, connection: AsyncConnection, bots_: PostgresBots) -> None:
        super().__init__(connection)
        self._bots = bots_

    async def lock(self, bot_id: int, owner: str | None) -> BotView | None:
        """Nobody else changes it until this ends; those that refer to its row need not wait."""
        statement = _owned(owner).where(bots.c.id == bot_id)
        locked = statement.with_for_update(key_share=True, of=bots)
        row = (await self._connection.execute(locked)).mappings().first()
        return self._bots.view(row) if row is not None else None

    async def view(self, bot_id: int) -> BotView:
        """The bot as this transaction leaves it."""
        found = await self._connection.execute(_owned(None).where(bots.c.id == bot_id))
        return self._bots.view(found.mappings().one())

    async def access(self, bot_id: int) -> TelegramAccess | None:
        """The token and its server; None where it cannot be decrypted."""
        return await self._bots.access_on(self._connection, bot_id)

    async def update(self, bot_id: int, values: dict[str, Any], *, other_bot: bool) -> bool:
        """Set columns; False: another bot has the token.

        `other_bot`: another Telegram bot numbers its updates anew, so those that were taken of the
        former one must not pass for the new one's.
        """
        columns = self._bots.columns(values) | {"updated_at": func.now()}
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(
                    update(bots).where(bots.c.id == bot_id).values(columns)
                )
        except IntegrityError:
            return False
        if other_bot:
            await _forget_update_ids(self._connection, bot_id)
        return True

    async def say_farewell(self, former: TelegramAccess) -> None:
        """Its webhook goes by a job of its own."""
        await self.publish(self._bots.farewell(former))

    async def contents(self, bot_id: int) -> Contents:
        """By index, and no further than COUNTED_UPTO."""
        asked = {"bot": bot_id, "most": COUNTED_UPTO}
        return Contents(*(await self._connection.execute(_COUNT, asked)).one())

    async def delete(self, bot_id: int) -> None:
        """The row alone, and a note of what is to be erased, for application/erasure.py."""
        gone = delete(bots).where(bots.c.id == bot_id)
        row = (await self._connection.execute(gone.returning(bots))).mappings().one()
        noted = {"bot_id": bot_id, "sealed_model": self._bots.sealed_model(row)}
        await self._connection.execute(insert(erasures).values(noted))


def _state(row: RowMapping) -> BotState:
    return BotState(
        enabled=row["enabled"],
        is_active=row["is_active"],
        error=row["error"],
        silent_reason=row["silent_reason"],
        trouble_since=row["trouble_since"],
        looked_at=row["looked_at"],
        failing=row.get("failing"),  # a bot that was just made has no messages
    )


def _owned(owner: str | None) -> Select[Any]:
    statement = select(bots, _FAILING)
    return statement if owner is None else statement.where(bots.c.owner_user_id == UUID(owner))


async def _forget_update_ids(connection: AsyncConnection, bot_id: int) -> None:
    await connection.execute(
        delete(telegram_updates).where(
            telegram_updates.c.bot_id == bot_id, telegram_updates.c.state != "WAITING"
        )
    )
    await connection.execute(
        update(messages)
        .where(messages.c.bot_id == bot_id, messages.c.telegram_update_id.is_not(None))
        .values(telegram_update_id=None)
    )
