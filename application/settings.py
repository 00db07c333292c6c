"""Settings that change without a restart: what they are, who may change them, how they are read.

They win over the environment; a bot's own value wins over both. Triggered by the HTTP API
(`AdminSettings`) and by whatever needs one while it runs (`SettingsReader`, which asks the database
at most every two seconds).
"""

import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from application.audit import changed
from application.ports import Clock
from application.refusals import FieldError, Invalid, require
from domain.access import Action, Actor

DEFAULT_MODEL = "gpt-6.1-terra"
"""Asked where neither the bot nor a setting names one. OpenAI, October 2026; it replaces gpt-5-mini
(retired in December 2026) on OpenAI's deprecations page, and no end is announced for it."""

SECRETS = frozenset({"openai.apiKey", "alerts.botToken"})
RETENTION = {"retention.updatesDays": 30, "retention.journalDays": 30, "retention.jobLogDays": 7}
"""Days, with their defaults."""

LONGEST_RETENTION = 3650
LONGEST_TEXT = 4096
"""UTF-16 code units of one Telegram message (Bot API 10.3, sendMessage)."""
LONGEST_INSTRUCTIONS = 100_000

_STRINGS = (
    "openai.apiKey",
    "openai.baseUrl",
    "alerts.botToken",
    "alerts.chatId",
    "defaults.model",
    "defaults.instructions",
    "defaults.helpText",
    "defaults.errorMessage",
)
_SECRET_FORMS = {
    "openai.apiKey": (re.compile(r"[\x21-\x7e]{1,500}"), "must be a key, without spaces"),
    "alerts.botToken": (re.compile(r"[0-9]+:[A-Za-z0-9_-]+"), "must be a token of @BotFather's"),
}
_CHAT_ID = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{4,32}")

SettingValue = str | int | None


class SettingsTransaction(Protocol):
    """The only one that changes settings until its context is left, when it is committed."""

    async def read(self) -> dict[str, str]:
        """As SettingsSource.read."""
        ...

    async def write(self, changes: Mapping[str, str | None]) -> None:
        """None: it is set no more."""
        ...


class SettingsSource(Protocol):
    """Where settings are read. Raises Unavailable."""

    async def read(self) -> dict[str, str]:
        """Those that are set, secrets decrypted (one that cannot be is left out)."""
        ...


class SettingsStore(SettingsSource, Protocol):
    """Where settings are kept, secrets encrypted. Raises Unavailable."""

    def transaction(self) -> AbstractAsyncContextManager[SettingsTransaction]: ...


class AdminSettings:
    """The use case behind GET and PUT /api/settings."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store

    async def read(self, actor: Actor) -> dict[str, SettingValue]:
        """Every setting's value; of a secret, only a mask. Raises Forbidden."""
        require(actor, Action.MANAGE_SETTINGS)
        return _shown(await self._store.read())

    async def change(self, actor: Actor, asked: Mapping[str, Any]) -> dict[str, SettingValue]:
        """Set some of them; null or "" clears. All, as they are then. Raises Forbidden, Invalid."""
        require(actor, Action.MANAGE_SETTINGS)
        async with self._store.transaction() as transaction:
            stored = await transaction.read()
            before = _shown(stored)
            changes = _changes(before, asked)
            if changes:
                await transaction.write(changes)
                stored = await transaction.read()
        after = _shown(stored)
        if changes:
            changed("settings", before, after)
        return after


def _changes(shown: Mapping[str, SettingValue], asked: Mapping[str, Any]) -> dict[str, str | None]:
    """What is to be stored. Raises Invalid."""
    changes: dict[str, str | None] = {}
    errors: list[FieldError] = []
    for name, value in asked.items():
        if name in SECRETS and value is not None and value == shown[name]:
            continue  # the mask that we answered came back: the secret stays
        try:
            changes[name] = _storable(name, value)
        except ValueError as error:
            errors.append(FieldError(name, str(error)))
    if errors:
        raise Invalid(errors)
    return changes


class CurrentSettings(Struct, frozen=True):
    """What holds now: the database's value, else the environment's, else ours. Times in days."""

    openai_api_key: str | None
    openai_base_url: str | None
    alerts_bot_token: str | None
    alerts_chat_id: str | None
    retention_updates_days: int
    retention_journal_days: int
    retention_job_log_days: int
    default_model: str
    default_instructions: str | None
    default_help_text: str | None
    default_error_message: str | None


class EnvironmentDefaults(Struct, frozen=True):
    """What the environment says where the database says nothing."""

    openai_api_key: str | None = None
    openai_base_url: str | None = None


class SettingsReader:
    """One instance per process."""

    def __init__(
        self,
        store: SettingsSource,
        clock: Clock,
        environment: EnvironmentDefaults,
        fresh: timedelta = timedelta(seconds=2),
    ) -> None:
        self._store = store
        self._clock = clock
        self._environment = environment
        self._fresh = fresh
        self._kept: tuple[datetime, CurrentSettings] | None = None

    async def current(self) -> CurrentSettings:
        """As they were at most two seconds ago. Raises Unavailable."""
        if self._kept is not None and self._clock.now() - self._kept[0] < self._fresh:
            return self._kept[1]
        return await self.latest()

    async def latest(self) -> CurrentSettings:
        """As they are now. Raises Unavailable."""
        current = self._merged(await self._store.read())
        self._kept = (self._clock.now(), current)
        return current

    def _merged(self, stored: Mapping[str, str]) -> CurrentSettings:
        return CurrentSettings(
            openai_api_key=stored.get("openai.apiKey", self._environment.openai_api_key),
            openai_base_url=stored.get("openai.baseUrl", self._environment.openai_base_url),
            alerts_bot_token=stored.get("alerts.botToken"),
            alerts_chat_id=stored.get("alerts.chatId"),
            retention_updates_days=_days(stored, "retention.updatesDays"),
            retention_journal_days=_days(stored, "retention.journalDays"),
            retention_job_log_days=_days(stored, "retention.jobLogDays"),
            default_model=stored.get("defaults.model", DEFAULT_MODEL),
            default_instructions=stored.get("defaults.instructions"),
            default_help_text=stored.get("defaults.helpText"),
            default_error_message=stored.get("defaults.errorMessage"),
        )


def mask(secret: str) -> str:
    """What an answer shows of a secret: its last four characters, where enough others remain."""
    return f"…{secret[-4:]}" if len(secret) >= 12 else "…"


def token_mask(token: str) -> str:
    """What an answer shows of a bot's token: Telegram's id of the bot, and the last characters."""
    identity, _, secret = token.partition(":")
    return f"{identity}:{mask(secret)}"


def text_units(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def is_http_url(value: str) -> bool:
    """Whether a value names an http(s) server: no query, no fragment, no password in it."""
    try:
        parts = urlsplit(value)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    printable = value.isascii() and value.isprintable() and " " not in value
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and plain
        and printable
        and port_fits
    )


def _shown(stored: Mapping[str, str]) -> dict[str, SettingValue]:
    shown: dict[str, SettingValue] = {}
    for name in _STRINGS:
        value = stored.get(name)
        if value is not None and name in SECRETS:
            value = token_mask(value) if name == "alerts.botToken" else mask(value)
        shown[name] = value
    shown["defaults.model"] = shown["defaults.model"] or DEFAULT_MODEL
    return shown | {name: _days(stored, name) for name in RETENTION}


def _days(stored: Mapping[str, str], name: str) -> int:
    value = stored.get(name)
    return int(value) if value is not None else RETENTION[name]


def _storable(name: str, value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """The value as it is stored. Raises ValueError, saying what it must be."""
    if name in RETENTION:
        return _storable_days(value)
    if name not in _STRINGS:
        raise ValueError("is not a setting")
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("must be a string or null")
    value = value.strip()
    if not value:
        return None
    _check(name, value)
    text: str = value
    return text.rstrip("/") if name == "openai.baseUrl" else value


def _storable_days(value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    if value is None:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 1 <= value <= LONGEST_RETENTION:
        raise ValueError(f"must be a whole number of days from 1 to {LONGEST_RETENTION}")
    return str(value)


def _check(name: str, value: str) -> None:
    match name:
        case "openai.apiKey" | "alerts.botToken":
            form, needed = _SECRET_FORMS[name]
            if form.fullmatch(value) is None:
                raise ValueError(needed)
        case "openai.baseUrl":
            if not is_http_url(value):
                raise ValueError("must be an http:// or https:// address")
        case "alerts.chatId":
            if _CHAT_ID.fullmatch(value) is None:
                raise ValueError("must be a chat's number or a channel's @name")
        case "defaults.model":
            if len(value) > 200:
                raise ValueError("must have at most 200 characters")
        case "defaults.instructions":
            if len(value) > LONGEST_INSTRUCTIONS:
                raise ValueError(f"must have at most {LONGEST_INSTRUCTIONS} characters")
        case _:
            if text_units(value) > LONGEST_TEXT:
                raise ValueError(
                    f"must fit into one message: {LONGEST_TEXT} characters, an emoji is two"
                )
