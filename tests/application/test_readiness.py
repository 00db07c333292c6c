"""How the system is, from what its parts were seen to be."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from application.bot_health import BotState, BotStatus, health_of
from application.readiness import (
    MOST_TROUBLED,
    Asked,
    BotLook,
    DatabaseState,
    PartStatus,
    Pool,
    Readiness,
    readiness_of,
)

AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
POOL = Pool(5, 1, 0)
OK, DOWN, UNKNOWN = PartStatus.OK, PartStatus.DOWN, PartStatus.UNKNOWN
WELL = DatabaseState(schema_current=True, workers=2, pollers=1, to_poll=3, polled=3)


def readiness(
    state: DatabaseState | None = WELL, valkey: PartStatus = OK, model: PartStatus = OK
) -> Readiness:
    return readiness_of(state, valkey, Asked(model, AT), POOL)


def bots(*statuses: BotStatus) -> list[BotLook]:
    return [BotLook(number, status, AT) for number, status in enumerate(statuses, 1)]


ANSWERING, SILENT, ERROR = BotStatus.ANSWERING, BotStatus.SILENT, BotStatus.ERROR


@pytest.mark.parametrize(
    ("seen", "status", "part"),
    [
        (readiness(), "ok", ("postgres", OK)),
        (readiness(None), "down", ("postgres", DOWN)),
        (readiness(DatabaseState(schema_current=False)), "down", ("migrations", PartStatus.BEHIND)),
        (readiness(valkey=DOWN), "degraded", ("valkey", DOWN)),
        (readiness(replace(WELL, workers=0)), "degraded", ("workers", DOWN)),
        (readiness(replace(WELL, workers=0, queue_age=59)), "degraded", ("queue", OK)),
        (readiness(replace(WELL, workers=0, queue_age=61)), "down", ("queue", PartStatus.LATE)),
        (readiness(replace(WELL, queue_age=61)), "degraded", ("queue", PartStatus.LATE)),
        (readiness(replace(WELL, pollers=0)), "degraded", ("pollers", DOWN)),
        (readiness(replace(WELL, pollers=0, to_poll=0)), "ok", ("pollers", OK)),
        (readiness(model=DOWN), "degraded", ("openai", DOWN)),
        (readiness(model=PartStatus.REFUSED), "degraded", ("openai", PartStatus.REFUSED)),
        (readiness(model=PartStatus.UNSET), "ok", ("openai", PartStatus.UNSET)),
        (readiness(model=UNKNOWN), "ok", ("openai", UNKNOWN)),
        (readiness(replace(WELL, bots=bots(SILENT, ANSWERING))), "ok", ("telegram", OK)),
        (readiness(replace(WELL, bots=bots(SILENT, ERROR))), "degraded", ("telegram", DOWN)),
    ],
)
def test_status_and_part(seen: Readiness, status: str, part: tuple[str, PartStatus]) -> None:
    name, expected = part
    assert (seen.status, getattr(seen.parts, name)) == (status, expected)
    assert seen.ready == (status != "down")


@pytest.mark.parametrize("state", [None, DatabaseState(schema_current=False)])
def test_what_only_postgresql_can_say(state: DatabaseState | None) -> None:
    parts = readiness(state).parts
    told = (parts.queue, parts.workers, parts.pollers, parts.telegram)
    assert told == (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
    assert (parts.valkey, parts.openai) == (OK, OK)


def test_nothing_is_said_of_what_is_not_known() -> None:
    seen = readiness(None)
    assert (seen.queue_age_seconds, seen.workers_alive, seen.polling, seen.bots) == (None,) * 4


def test_bots_are_counted_and_those_in_trouble_named_by_id() -> None:
    seen = readiness(replace(WELL, bots=bots(ANSWERING, SILENT, ANSWERING, ERROR))).bots
    assert seen is not None
    assert seen.statuses == {ANSWERING: 2, SILENT: 1, ERROR: 1}
    assert [(bot.id, bot.status) for bot in seen.troubled] == [(2, SILENT), (4, ERROR)]
    many = readiness(replace(WELL, bots=bots(*[SILENT] * (MOST_TROUBLED + 1)))).bots
    assert many is not None
    assert (many.statuses[SILENT], len(many.troubled)) == (MOST_TROUBLED + 1, MOST_TROUBLED)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({}, BotStatus.ANSWERING, None),
        ({"failing": "Telegram 500"}, BotStatus.RETRYING, "Telegram 500"),
        ({"failing": ""}, BotStatus.RETRYING, None),
        ({"failing": "x", "silent_reason": "no webhook"}, BotStatus.SILENT, "no webhook"),
        ({"is_active": False, "silent_reason": "x"}, BotStatus.CONNECTING, None),
        ({"enabled": False, "failing": "x"}, BotStatus.DISABLED, None),
        ({"error": "dead", "enabled": False}, BotStatus.ERROR, "dead"),
        ({"error": "key", "silent_reason": "x"}, BotStatus.ERROR, "key"),
    ],
)
def test_the_light_of_a_bot(
    changes: dict[str, object], status: BotStatus, reason: str | None
) -> None:
    bot = BotState(
        enabled=True,
        is_active=True,
        error=None,
        silent_reason=None,
        trouble_since=AT,
        looked_at=AT,
    )
    health = health_of(replace(bot, **changes))
    assert (health.status, health.reason, health.looked_at) == (status, reason, AT)
    assert health.since == (AT if status is BotStatus.SILENT else None)
