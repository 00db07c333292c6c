"""A list that would take too long is given up, and says so; a busy server is not one away."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import postgres_transactions
from application.jobs import Busy
from entrypoints.http.problems import problem_of
from tests.entrypoints.http.conftest import Person

LISTS = [
    "/api/processing",
    "/api/processing?q=many%20words",
    "/api/processing/failures",
    "/api/chats?q=...",
    "/api/stats",
]


@pytest.mark.parametrize("path", LISTS)
async def test_what_takes_too_long_is_given_up(
    user: Person, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(postgres_transactions, "LOOKING", 0.2)
    async with engine.begin() as connection:
        for table in ("message_processing", "chats"):  # a lock's wait counts as work does
            await connection.execute(text(f"LOCK TABLE {table}"))
        answer = await user.get(path)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert "took too long" in answer.json["detail"]
    assert (await user.get(path)).status == 200


def test_a_busy_pool_is_told_as_such() -> None:
    request: Any = None
    told = problem_of(Busy("every connection is in use"), request)
    assert (told.status, told.detail) == (503, "The server is busy. Try again in a moment.")
