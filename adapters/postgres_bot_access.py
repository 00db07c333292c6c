"""A bot as its turns' effects need it: its token and server, its model and key (decrypted).

Triggered by the effect runner for every effect, so it is remembered for a moment: an edited bot is
asked with its new values at most MAX_AGE seconds later.
"""

import asyncio
import time
from contextvars import Context
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_transactions import execute, fetch, transaction
from adapters.secret_box import SecretBox, SecretUnreadable, fingerprint
from application.jobs import PERFORM_EFFECT
from application.model import ModelAccess, ModelApi
from application.ports import Failed, TelegramAccess
from application.settings import CurrentSettings, SettingsReader
from domain.bot import TelegramMode
from domain.effects import EnsureWebhook
from domain.failures import Fatal, Terminal

MAX_AGE = 1.0

_LOAD = """
SELECT id, name, token, telegram_api_url, model_api, model, base_url, api_key, instructions,
       temperature, max_output_tokens, assistant_id, history_messages, telegram_mode
FROM bots WHERE id = $1
"""
_HOLDER = """
SELECT id, telegram_api_url, enabled, telegram_mode FROM bots WHERE token_fingerprint = $1
"""
_NOTE_WEBHOOK = """
UPDATE bots SET webhook_key = $2
WHERE id = $1 AND token_fingerprint = $3 AND COALESCE(NULLIF(telegram_api_url, ''), $4) = $5
"""
# An effect's job as msgspec writes it: with its defaults it ends there, else more follows.
_CONNECTING = """
SELECT EXISTS (
    SELECT FROM pgqueuer
    WHERE entrypoint = $1
      AND (status = 'picked' OR status = 'queued' AND execute_after <= now())
      AND (payload = $2::bytea || '}'::bytea OR position($2::bytea || ','::bytea IN payload) = 1))
"""


class BotAccess(Struct, frozen=True):
    """Everything that an effect of the bot needs. `history_messages`: how many it is told."""

    bot_id: int
    name: str
    telegram: TelegramAccess
    model: ModelAccess | Fatal
    history_messages: int
    polling: bool


class Holder(Struct, frozen=True):
    """The bot that has a token. `hooked`: its updates are to come by a webhook."""

    bot_id: int
    hooked: bool


class PostgresBotAccess:
    """Loads bots' access, and remembers it for MAX_AGE seconds."""

    def __init__(
        self,
        engine: AsyncEngine,
        box: SecretBox,
        settings: SettingsReader,
        telegram_api_url: str,
        stand_in_url: str | None = None,
    ) -> None:
        """`telegram_api_url`: where a bot lives that does not say it.

        `stand_in_url`: the sandbox's model server, which answers while no real key is known.
        """
        self._engine = engine
        self._box = box
        self._settings = settings
        self._telegram_api_url = telegram_api_url
        self._stand_in_url = stand_in_url
        self._known: dict[int, tuple[float, BotAccess]] = {}
        self._loading: dict[int, asyncio.Task[BotAccess]] = {}

    async def get(self, bot_id: int) -> BotAccess:
        """The bot's access. Raises Failed: the bot is gone, or its secrets cannot be read."""
        known = self._known.get(bot_id)
        if known is not None and time.monotonic() - known[0] < MAX_AGE:
            return known[1]
        loading = self._loading.get(bot_id)
        if loading is None:  # those who come meanwhile wait for the same row
            task = asyncio.create_task(self._load(bot_id), context=Context())  # nobody's
            loading = self._loading[bot_id] = task
            loading.add_done_callback(lambda _: self._loading.pop(bot_id))
        return await asyncio.shield(loading)

    async def fresh(self, bot_id: int) -> BotAccess:
        """The same as it is now: for what is wished for because the bot was edited."""
        return await self._load(bot_id)

    async def holder(self, access: TelegramAccess) -> Holder | None:
        """Which bot has this token, on this server, by now."""
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _HOLDER, fingerprint(access.token))
        for bot_id, api_url, enabled, mode in rows:
            if (api_url or self._telegram_api_url) == access.api_url:
                return Holder(bot_id, enabled and mode == TelegramMode.WEBHOOK)
        return None

    async def is_connecting(self, bot_id: int) -> bool:
        """Whether a worker sets the bot's webhook now, or was killed over it, or is about to."""
        begins = msgspec.json.encode(EnsureWebhook(bot_id)).removesuffix(b"}")
        async with transaction(self._engine) as connection:
            ((connecting,),) = await fetch(connection, _CONNECTING, PERFORM_EFFECT, begins)
        return bool(connecting)

    async def note_webhook(self, access: TelegramAccess, key_id: str) -> bool:
        """Remember with which key's secret Telegram now calls the bot's webhook.

        False: the bot is gone, or has another token or server.
        """
        told = (access.bot_id, key_id, fingerprint(access.token))
        async with transaction(self._engine) as connection:
            noted = await execute(
                connection, _NOTE_WEBHOOK, *told, self._telegram_api_url, access.api_url
            )
        return noted > 0

    async def former_model(self, sealed: str) -> ModelAccess | Fatal:
        """Where the conversations are of a bot that is gone. Raises SecretUnreadable."""
        own = msgspec.json.decode(self._box.decrypt(sealed), type=ModelAccess)
        return self._model(own, await self._settings.current())

    async def _load(self, bot_id: int) -> BotAccess:
        now = time.monotonic()
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _LOAD, bot_id)
        if not rows:
            self._known.pop(bot_id, None)
            raise Failed(Terminal("the bot was deleted", chat_gone=True))
        try:
            access = self._access(rows[0], await self._settings.current())
        except SecretUnreadable as error:
            raise Failed(Fatal(str(error))) from None
        self._known[bot_id] = (now, access)
        return access

    def _access(self, row: Any, settings: CurrentSettings) -> BotAccess:  # noqa: ANN401 - a row
        (
            bot_id, name, token, api_url, model_api, model, base_url, api_key, instructions,
            temperature, max_output_tokens, assistant_id, history_messages, mode,
        ) = row  # fmt: skip
        return BotAccess(
            bot_id=bot_id,
            name=name,
            telegram=TelegramAccess(
                bot_id, self._box.decrypt(token), api_url or self._telegram_api_url
            ),
            model=self._model(
                ModelAccess(
                    api=ModelApi(model_api),
                    model=model or settings.default_model,
                    base_url=base_url,
                    api_key=self._box.decrypt(api_key) if api_key else "",
                    instructions=instructions or settings.default_instructions,
                    temperature=temperature,
                    max_output_tokens=max_output_tokens,
                    assistant_id=assistant_id,
                ),
                settings,
            ),
            history_messages=history_messages,
            polling=mode == "POLLING",
        )

    def _model(self, access: ModelAccess, settings: CurrentSettings) -> ModelAccess | Fatal:
        """The bot's own server with its own key, or the global server with a key of either.

        The global key never goes to a bot's own base_url. The sandbox's server is nobody's own: a
        bot that points there is answered by the real model as soon as there is a real key.
        """
        stand_in = self._stand_in_url
        if access.base_url is not None and (access.base_url != stand_in or access.api_key):
            return access if access.api_key else Fatal("the bot's own model server needs a key")
        key = access.api_key or settings.openai_api_key
        if not key and stand_in is not None:
            return replace(access, base_url=stand_in, api_key="sandbox")
        if not key:
            return Fatal("no OpenAI key: set openai.apiKey in the settings, or OPENAI_API_KEY")
        return replace(access, base_url=settings.openai_base_url, api_key=key)
