"""What is said of bots over HTTP: the forms that make and change one, and the bot as it is shown.

The structs are the wire's (camelCase); `checked` turns a form into the columns it sets, or says
what is wrong with each field. A blank text is no text.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from application.bot_health import BotHealth
from application.model import ModelApi
from application.refusals import FieldError
from application.settings import LONGEST_INSTRUCTIONS, LONGEST_TEXT, is_http_url, text_units
from application.users import UserId
from domain.bot import TelegramMode

TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{1,100}")
"""A token as @BotFather gives it; what stands before the colon is Telegram's id of the bot."""

_KEY = re.compile(r"[\x21-\x7e]{1,500}")

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Token = Annotated[
    str,
    Meta(
        description="As @BotFather gives it",
        examples=["123456:ABC-DEF1234"],
        extra_json_schema={"pattern": f"^{TOKEN.pattern}$"},
    ),
]
ModelName = Annotated[str, Meta(max_length=200)]
Words = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Instructions = Annotated[str, Meta(max_length=LONGEST_INSTRUCTIONS)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
MaxOutputTokens = Annotated[int, Meta(ge=16, le=1_000_000)]
HistoryMessages = Annotated[int, Meta(ge=0, le=200)]
Address = Annotated[str, Meta(max_length=500, description="Of a server: http:// or https://")]
Key = Annotated[str, Meta(max_length=500)]


class NewBot(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """POST /api/bots. A new bot is not enabled. `telegramApiUrl` and `baseUrl`: ADMIN only."""

    name: Name
    token: Token
    telegram_mode: TelegramMode | None = None
    model: ModelName | None = None
    model_api: ModelApi = ModelApi.RESPONSES
    instructions: Instructions | None = None
    temperature: Temperature | None = None
    max_output_tokens: MaxOutputTokens | None = None
    history_messages: HistoryMessages = 20
    assistant_id: ModelName | None = None
    start_message: Words | None = None
    help_text: Words | None = None
    error_message: Words | None = None
    telegram_api_url: Address | None = None
    base_url: Address | None = None
    api_key: Key | None = None


class BotPatch(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """PATCH /api/bots/{id}: what is left out stays; null clears."""

    name: Name | UnsetType = UNSET
    token: Token | UnsetType = UNSET
    telegram_mode: TelegramMode | UnsetType = UNSET
    model: ModelName | UnsetType | None = UNSET
    model_api: ModelApi | UnsetType = UNSET
    instructions: Instructions | UnsetType | None = UNSET
    temperature: Temperature | UnsetType | None = UNSET
    max_output_tokens: MaxOutputTokens | UnsetType | None = UNSET
    history_messages: HistoryMessages | UnsetType = UNSET
    assistant_id: ModelName | UnsetType | None = UNSET
    start_message: Words | UnsetType | None = UNSET
    help_text: Words | UnsetType | None = UNSET
    error_message: Words | UnsetType | None = UNSET
    telegram_api_url: Address | UnsetType | None = UNSET
    base_url: Address | UnsetType | None = UNSET
    api_key: Key | UnsetType | None = UNSET


class TokenToCheck(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """POST /api/bots/check-token. `telegramApiUrl`: ADMIN only."""

    token: Token
    telegram_api_url: Address | None = None


class CheckedToken(Struct, frozen=True, rename="camel"):
    """Whose token it is (`id` is Telegram's), and whether a bot here has it already."""

    id: int
    name: str
    username: str
    can_read_all_group_messages: bool
    taken: bool


class BotView(Struct, frozen=True, rename="camel"):
    """A bot as answers show it: of its token and key, only masks.

    `enabled` is the administrator's wish, `isActive` what is so, `error` why it is not; `health`
    says it all in one word. `model` null: the setting defaults.model.
    """

    id: int
    name: str
    token_mask: str
    username: str | None
    model: str | None
    model_api: ModelApi
    instructions: str | None
    temperature: float | None
    max_output_tokens: int | None
    history_messages: int
    assistant_id: str | None
    start_message: str | None
    help_text: str | None
    error_message: str | None
    enabled: bool
    is_active: bool
    error: str | None
    health: BotHealth
    telegram_mode: TelegramMode
    telegram_api_url: str | None
    base_url: str | None
    api_key_mask: str | None
    owner_user_id: UserId | None
    created_at: datetime
    updated_at: datetime


class WebhookView(Struct, frozen=True, rename="camel"):
    """Bot API 10.3, WebhookInfo, as Telegram has it now; an empty url: there is none."""

    url: str
    pending_update_count: int
    last_error_at: datetime | None
    last_error_message: str | None


class TelegramView(Struct, frozen=True, rename="camel"):
    """What Telegram says of a bot now; `error`: why it says nothing."""

    username: str | None = None
    name: str | None = None
    webhook: WebhookView | None = None
    error: str | None = None


def checked(form: NewBot | BotPatch) -> tuple[dict[str, Any], list[FieldError]]:
    """The columns that a form sets, and what is wrong with its fields."""
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, value in asdict(form).items():
        if value is UNSET:
            continue
        try:
            values[name] = _CHECKS[name](value) if name in _CHECKS else value
        except ValueError as error:
            errors.append(FieldError(field_name(name), str(error)))
    return values, errors


def field_name(column: str) -> str:
    """A column's name as the wire has it."""
    first, *rest = column.split("_")
    return first + "".join(word.title() for word in rest)


def _name(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value.strip()


def _token(value: str) -> str:
    if TOKEN.fullmatch(value.strip()) is None:
        raise ValueError("must be a token of @BotFather's, like 123456:ABC-DEF1234")
    return value.strip()


def _line(value: str | None) -> str | None:
    return value.strip() or None if value is not None else None


def _words(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    if text_units(value) > LONGEST_TEXT:
        raise ValueError(f"must fit into one message: {LONGEST_TEXT} characters, an emoji is two")
    return value


def _address(value: str | None) -> str | None:
    value = _line(value)
    if value is not None and not is_http_url(value):
        raise ValueError("must be an http:// or https:// address")
    return value.rstrip("/") if value is not None else None


def _key(value: str | None) -> str | None:
    value = _line(value)
    if value is not None and _KEY.fullmatch(value) is None:
        raise ValueError("must be a key, without spaces")
    return value


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "token": _token,
    "model": _line,
    "instructions": lambda value: value if value and value.strip() else None,
    "assistant_id": _line,
    "start_message": _words,
    "help_text": _words,
    "error_message": _words,
    "telegram_api_url": _address,
    "base_url": _address,
    "api_key": _key,
}
