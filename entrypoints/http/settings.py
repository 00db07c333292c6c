"""GET and PUT /api/settings: one flat object {id: value}."""

from typing import Annotated, Any

import msgspec
from dishka import FromDishka
from litestar import get, post, put
from litestar.params import JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType, field

from application.alert_setup import AlertSetup, LinkView, TestSent
from application.settings import LONGEST_RETENTION, AdminSettings, SettingValue
from entrypoints.http.bodies import StrictJson
from entrypoints.http.problems import problems
from entrypoints.http.security import Asked


class SettingsView(Struct, frozen=True):
    """Every setting; of a secret, only a mask; null: not set."""

    openai_api_key: str | None = field(name="openai.apiKey")
    openai_base_url: str | None = field(name="openai.baseUrl")
    alerts_bot_token: str | None = field(name="alerts.botToken")
    alerts_chat_id: str | None = field(name="alerts.chatId")
    retention_updates_days: int = field(name="retention.updatesDays")
    retention_journal_days: int = field(name="retention.journalDays")
    retention_job_log_days: int = field(name="retention.jobLogDays")
    defaults_model: str = field(name="defaults.model")
    defaults_instructions: str | None = field(name="defaults.instructions")
    defaults_help_text: str | None = field(name="defaults.helpText")
    defaults_error_message: str | None = field(name="defaults.errorMessage")


Text = str | UnsetType | None
# The use case says in its own words where a number is out of bounds.
_BOUNDS = {"minimum": 1, "maximum": LONGEST_RETENTION}
Days = Annotated[int, Meta(extra_json_schema=_BOUNDS)] | UnsetType | None


class SettingsPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """Some of them; null or "" clears, and a mask that was answered leaves the secret alone."""

    openai_api_key: Text = field(default=UNSET, name="openai.apiKey")
    openai_base_url: Text = field(default=UNSET, name="openai.baseUrl")
    alerts_bot_token: Text = field(default=UNSET, name="alerts.botToken")
    alerts_chat_id: Text = field(default=UNSET, name="alerts.chatId")
    retention_updates_days: Days = field(default=UNSET, name="retention.updatesDays")
    retention_journal_days: Days = field(default=UNSET, name="retention.journalDays")
    retention_job_log_days: Days = field(default=UNSET, name="retention.jobLogDays")
    defaults_model: Text = field(default=UNSET, name="defaults.model")
    defaults_instructions: Text = field(default=UNSET, name="defaults.instructions")
    defaults_help_text: Text = field(default=UNSET, name="defaults.helpText")
    defaults_error_message: Text = field(default=UNSET, name="defaults.errorMessage")


@get("/settings", tags=["settings"], responses=problems(401, 403))
async def get_settings(request: Asked, settings: FromDishka[AdminSettings]) -> SettingsView:
    """Every setting."""
    return _view(await settings.read(request.user.actor))


@put(
    "/settings",
    tags=["settings"],
    dto=StrictJson[SettingsPatch],
    return_dto=None,
    responses=problems(400, 401, 403, 413, 415, 422),
)
async def put_settings(
    data: JSONBody[SettingsPatch], request: Asked, settings: FromDishka[AdminSettings]
) -> SettingsView:
    """Set some of them; all, as they are then."""
    asked: dict[str, Any] = msgspec.to_builtins(data)
    return _view(await settings.change(request.user.actor, asked))


@post(
    "/settings/alerts/test",
    status_code=200,
    tags=["settings"],
    responses=problems(401, 403, 409, 502),
)
async def test_alerts(request: Asked, setup: FromDishka[AlertSetup]) -> TestSent:
    """Send a test alert to the alerts' chat now; 409 with Telegram's reason where it refuses."""
    return await setup.test(request.user.actor)


@post("/settings/alerts/link", tags=["settings"], responses=problems(401, 403, 409, 502))
async def link_alerts(request: Asked, setup: FromDishka[AlertSetup]) -> LinkView:
    """Make a code for 15 minutes: the chat where it is written to the bot gets the alerts."""
    return await setup.link(request.user.actor)


def _view(values: dict[str, SettingValue]) -> SettingsView:
    return msgspec.convert(values, SettingsView)
