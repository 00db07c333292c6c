"""Settings over HTTP."""

from typing import Any

import pytest

from application.settings import DEFAULT_MODEL
from tests.entrypoints.http.conftest import Person, Run

NOTHING_SET = {
    "openai.apiKey": None,
    "openai.baseUrl": None,
    "alerts.botToken": None,
    "alerts.chatId": None,
    "retention.updatesDays": 30,
    "retention.journalDays": 30,
    "retention.jobLogDays": 7,
    "defaults.model": DEFAULT_MODEL,
    "defaults.instructions": None,
    "defaults.helpText": None,
    "defaults.errorMessage": None,
}


async def test_set_some_and_clear_them(admin: Person, sql: Run) -> None:
    assert (await admin.get("/api/settings")).json == NOTHING_SET
    some = {
        "openai.apiKey": "sk-proj-0123456789",
        "openai.baseUrl": "https://model.example/v1/",
        "alerts.botToken": "42:AAAAbbbbCCCCdddd",
        "alerts.chatId": "-100123",
        "retention.updatesDays": 3650,
        "defaults.model": "m",
    }
    answer = await admin.put("/api/settings", some)
    assert answer.status == 200
    changed = (
        NOTHING_SET
        | some
        | {
            "openai.apiKey": "…6789",
            "openai.baseUrl": "https://model.example/v1",
            "alerts.botToken": "42:…dddd",
        }
    )
    assert answer.json == changed
    rows = dict([tuple(row) for row in await sql("SELECT id, value FROM settings")])
    assert rows["retention.updatesDays"] == "3650"
    assert "sk-proj-01" not in rows["openai.apiKey"] and "AAAAbbbb" not in rows["alerts.botToken"]
    # A form that sends everything back as it was answered changes nothing, secrets included.
    assert (await admin.put("/api/settings", changed)).json == changed
    again = dict([tuple(row) for row in await sql("SELECT id, value FROM settings")])
    assert again["openai.apiKey"] == rows["openai.apiKey"]
    cleared: dict[str, Any] = dict.fromkeys(some)
    cleared["openai.apiKey"] = ""
    assert (await admin.put("/api/settings", cleared)).json == NOTHING_SET
    assert (await admin.put("/api/settings", {})).json == NOTHING_SET


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("no.such", "x"),
        ("openai.apiKey", 5),
        ("openai.apiKey", "with space"),
        ("openai.baseUrl", "not a url"),
        ("alerts.chatId", 123),
        ("alerts.chatId", "somebody"),
        ("alerts.botToken", "no token"),
        ("retention.updatesDays", "30"),
        ("retention.updatesDays", 0),
        ("retention.updatesDays", 3651),
        ("retention.updatesDays", 1.5),
        ("retention.updatesDays", True),
        ("defaults.helpText", "🦊" * 2049),
        ("defaults.model", "a\x00b"),
    ],
)
async def test_wrong_ones_are_422_and_nothing_is_kept(
    admin: Person, name: str, value: object
) -> None:
    before = (await admin.get("/api/settings")).json
    answer = await admin.put("/api/settings", {"defaults.instructions": "kept?", name: value})
    assert (answer.status, answer.fields) == (422, [name])
    assert (await admin.get("/api/settings")).json == before


async def test_only_admin(manager: Person, user: Person, nobody: Person) -> None:
    for person, status in ((manager, 403), (user, 403), (nobody, 401)):
        assert (await person.get("/api/settings")).status == status
        assert (await person.put("/api/settings", {"defaults.model": "m"})).status == status
