"""An example of each body of the OpenAPI document, as the very structs that the routes use."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from application.admin_users import NewUser, UserPatch
from application.alert_setup import LinkView, TestSent
from application.api_keys import ApiKeyView, CreatedApiKey, NewApiKey
from application.audit import AuditEntry
from application.bot_deletion import ErasedBot
from application.bot_forms import (
    BotPatch,
    BotView,
    CheckedToken,
    NewBot,
    TelegramView,
    TokenToCheck,
    WebhookView,
)
from application.bot_health import BotHealth, BotStatus
from application.chat_actions import Erased, NewMessage, Waiting
from application.chats import ChatView, LastMessage, MessageView, ProcessingRef
from application.exports import header, line
from application.failures import FailureView, ManyToRetry, Retried, RetryCount, RetryFilter
from application.job_desk import JobCount, JobStats, JobStatus, JobView, MinuteCount
from application.model import ModelApi
from application.processing import ProcessingDetail, ProcessingView, TimelineStep
from application.readiness import Asked, BotLook, DatabaseState, PartStatus, Pool, readiness_of
from application.replays import Pair, ReplayedDifference, ReplayReport
from application.statistics import BotFigures, DayFigures, Figures, Stats
from application.users import User
from domain.access import Role, UserStatus
from domain.bot import TelegramMode
from domain.turn import Status
from entrypoints.http.auth import Credentials, PasswordChange
from entrypoints.http.health import Alive
from entrypoints.http.settings import SettingsPatch, SettingsView

_AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
_ANNA = "5f0c1c1e-3c56-4b1c-9f0e-2b7f3c3a9d11"
_TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"  # noqa: S105 - the one of Telegram's documentation
_CURSOR = "WyIyMDI2LTExLTI3VDEyOjAwOjAwWiIsIDNd"

_FIGURES: dict[str, Any] = {
    "messages": 120,
    "statuses": {
        Status.RECEIVED: 0,
        Status.PROCESSING: 2,
        Status.COMPLETED: 115,
        Status.FAILED: 1,
        Status.TERMINAL: 2,
    },
    "answer_seconds_p50": 1.9,
    "answer_seconds_p95": 6.4,
    "input_tokens": 48_200,
    "output_tokens": 9_100,
    "price": 0.1843,
}
_PROCESSING: dict[str, Any] = {
    "id": 101,
    "bot_id": 3,
    "chat_id": "3:42",
    "telegram_update_id": 801,
    "text": "Do you deliver on Sundays?",
    "status": Status.FAILED,
    "attempts": 2,
    "last_error": "The model server answered 503.",
    "last_error_at": _AT,
    "terminal_reason": None,
    "price": None,
    "model": None,
    "input_tokens": None,
    "output_tokens": None,
    "parts_sent": 0,
    "response_generated_at": None,
    "response_sent_at": None,
    "created_at": _AT,
    "updated_at": _AT,
}
_KEY: dict[str, Any] = {
    "id": 7,
    "name": "nightly export",
    "prefix": "kd_Qm3v",
    "role": Role.USER,
    "created_by": "anna@example.com",
    "created_at": _AT,
    "last_used_at": None,
}
_EVENT = {"type": "openai.replyFailed", "turn": {"id": 101, "epoch": 1}}
_EFFECT = {"type": "openai.generateReply", "turn": {"id": 101, "epoch": 1}, "chat": "3:42"}

_EXAMPLES: tuple[Struct, ...] = (
    User(_ANNA, "anna@example.com", Role.MANAGER, UserStatus.ACTIVE, _AT, _AT),
    NewUser("anna@example.com", Role.MANAGER, "correct horse battery"),
    UserPatch(role=Role.USER),
    Credentials("anna@example.com", "correct horse battery"),
    PasswordChange("correct horse battery", "another horse altogether"),
    ApiKeyView(**_KEY),
    CreatedApiKey(**_KEY, key="kd_Qm3v… (43 characters, told now and never again)"),
    NewApiKey("nightly export", Role.USER),
    NewBot("Shop", _TOKEN, instructions="You help the customers of a small shop."),
    BotPatch(model="gpt-6.1-terra", temperature=0.3),
    TokenToCheck(_TOKEN),
    CheckedToken(123456, "Shop", "shop_bot", can_read_all_group_messages=False, taken=False),
    BotView(
        id=3,
        name="Shop",
        token_mask="123456:…",  # noqa: S106 - a mask
        username="shop_bot",
        model=None,
        model_api=ModelApi.RESPONSES,
        instructions="You help the customers of a small shop.",
        temperature=None,
        max_output_tokens=None,
        history_messages=20,
        assistant_id=None,
        start_message="Welcome!",
        help_text=None,
        error_message=None,
        enabled=True,
        is_active=True,
        error=None,
        health=BotHealth(BotStatus.ANSWERING, None, None, _AT),
        telegram_mode=TelegramMode.POLLING,
        telegram_api_url=None,
        base_url=None,
        api_key_mask=None,
        owner_user_id=_ANNA,
        created_at=_AT,
        updated_at=_AT,
    ),
    TelegramView(
        username="shop_bot",
        name="Shop",
        webhook=WebhookView("https://bots.example.com/webhook/3", 0, None, None),
    ),
    ChatView(
        id="3:42",
        bot_id=3,
        telegram_chat_id=42,
        topic_id=None,
        name="Ann Lee",
        username="ann_lee",
        thread_id="conv_68f2",
        tg_user_id=42,
        paused_at=None,
        created_at=_AT,
        last_message_at=_AT,
        last_message=LastMessage("USER", "Do you deliver on Sundays?", _AT),
    ),
    MessageView(
        id=101,
        sender="USER",
        text="Do you deliver on Sundays?",
        markdown=False,
        created_at=_AT,
        tg_user_id=42,
        telegram_update_id=801,
        processing=ProcessingRef(101, Status.FAILED),
    ),
    NewMessage("Yes, we do, **until 14:00**."),
    Waiting(12, "3:42", "OPERATOR_MESSAGE", _AT),
    ErasedBot(3, chats=1200, messages=10_000, processing=6100, updates=6400, or_more=True),
    Erased("3:42", messages=24, processing=12, updates=12, requests=1, steps=48, jobs=1),
    ProcessingView(**_PROCESSING),
    ProcessingDetail(
        **_PROCESSING,
        response_text=None,
        response_markdown=False,
        timeline=[TimelineStep(_AT, _EVENT, [_EFFECT], 1)],
    ),
    ManyToRetry(RetryFilter(status=Status.TERMINAL, bot_id=3)),
    RetryCount(count=12, or_more=False),
    Retried(retried=12, left=0),
    FailureView("openai:503", Status.FAILED, 4, [3], _AT, 101),
    ReplayReport(
        steps=4,
        events=4,
        effects=5,
        differing=1,
        differences=[
            ReplayedDifference(
                line=2,
                seq=2,
                key="3:42",
                id="story:2:openai.replyStarted",
                event="openai.replyStarted",
                step=2,
                message_id=101,
                text="Do you deliver on Sundays?",
                trouble=None,
                effects=Pair([], [_EFFECT]),
                state=None,
                told="line 2: one effect more than was recorded",
            )
        ],
    ),
    JobView(
        id=55,
        entrypoint="bot.handle_update",
        status=JobStatus.QUEUED,
        chat_id="3:42",
        effect=None,
        payload="3:42",
        attempts=2,
        created_at=_AT,
        next_at=_AT,
        heartbeat_at=None,
        worker=None,
        error=None,
    ),
    JobStats(
        counts=[JobCount("bot.handle_update", JobStatus.QUEUED, 3, or_more=False)],
        oldest_due_seconds=0.4,
        minutes=[MinuteCount(_AT, 118)],
    ),
    Stats(
        since=date(2026, 11, 27),
        until=date(2026, 11, 27),
        total=Figures(**_FIGURES),
        days=[DayFigures(**_FIGURES, day=date(2026, 11, 27))],
        bots=[BotFigures(**_FIGURES, bot_id=3, name="Shop")],
    ),
    SettingsPatch(retention_updates_days=60, defaults_model="gpt-6.1-terra"),
    SettingsView(
        openai_api_key="…4f2a",
        openai_base_url=None,
        alerts_bot_token=None,
        alerts_chat_id=None,
        retention_updates_days=60,
        retention_journal_days=30,
        retention_job_log_days=7,
        defaults_model="gpt-6.1-terra",
        defaults_instructions=None,
        defaults_help_text=None,
        defaults_error_message=None,
    ),
    TestSent(delivered=True),
    Alive(),
    readiness_of(
        DatabaseState(
            schema_current=True,
            queue_age=0.2,
            workers=2,
            pollers=1,
            to_poll=1,
            polled=1,
            bots=[BotLook(3, BotStatus.ANSWERING, _AT), BotLook(4, BotStatus.SILENT, _AT)],
        ),
        PartStatus.OK,
        Asked(PartStatus.OK, _AT),
        Pool(size=5, in_use=1, waiting=0),
    ),
    LinkView(
        "K7QM-2XTA",
        _AT,
        "shop_alerts_bot",
        "https://t.me/shop_alerts_bot?start=K7QM-2XTA",
        problem=None,
    ),
    AuditEntry(
        id=900,
        at=_AT,
        user_id=_ANNA,
        actor="anna@example.com",
        api_key_id=None,
        api_key_name=None,
        action="change_bot",
        target="bot:3",
        before={"temperature": None},
        after={"temperature": 0.3},
        status=200,
        address="192.0.2.7",
    ),
)
_BY_NAME = {type(example).__name__: example for example in _EXAMPLES}


def csv_of(view: type[ChatView | ProcessingView]) -> str:
    """A file of them, with one row."""
    (row,) = (each for each in _EXAMPLES if type(each) is view)
    return header(view) + line(row)


def example_of(name: str) -> Any:  # noqa: ANN401 - any JSON
    """Of the body that has this name in the document: a struct, or a page of one kind of them."""
    item = name.removesuffix("Page")
    if item != name:
        return {"items": [example_of(item)], "nextCursor": _CURSOR}
    example = _BY_NAME.get(name)
    if example is None:
        raise LookupError(f"entrypoints/http/examples.py has no example of {name}: add one")
    shown = msgspec.to_builtins(example, str_keys=True, builtin_types=())
    return _without_defaults(example, shown)


def _without_defaults(example: Struct, shown: dict[str, Any]) -> dict[str, Any]:
    """A form's fields that may be left out are; an answer has all of its fields."""
    if not example.__struct_config__.forbid_unknown_fields:
        return shown
    for field in fields(example):
        value = getattr(example, field.name)
        if value == field.default:
            shown.pop(field.encode_name, None)
        elif isinstance(value, Struct):
            shown[field.encode_name] = _without_defaults(value, shown[field.encode_name])
    return shown
