"""The book of alerts: who may send, how many were held back, and a job that crashed in between."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_alerts import PostgresAlerts
from domain.effects import AdminAlert

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = 3600.0


@pytest.fixture
def book(engine: AsyncEngine) -> PostgresAlerts:
    return PostgresAlerts(engine)


async def test_a_job_whose_worker_died_before_it_sent_may_send_again(book: PostgresAlerts) -> None:
    alert = AdminAlert(1, "crash", "It broke.")
    assert await book.note(alert, NOON, HOUR, 7) == 0
    assert await book.note(alert, NOON, HOUR, 8) is None
    assert await book.note(alert, NOON + timedelta(seconds=10), HOUR, 7) == 1
    assert await book.note(alert, NOON + timedelta(hours=1), HOUR, 9) == 1
    assert await book.note(alert, NOON + timedelta(hours=1), HOUR, 7) is None


async def test_alerts_of_no_job_are_held_back_by_each_other(book: PostgresAlerts) -> None:
    alert = AdminAlert(0, "model server down", "It is down.")
    assert await book.note(alert, NOON, HOUR, None) == 0
    assert await book.note(alert, NOON, HOUR, None) is None


async def test_one_that_did_not_arrive_is_told_with_the_next(book: PostgresAlerts) -> None:
    alert = AdminAlert(2, "refused", "Refused.")
    assert await book.note(alert, NOON, HOUR, 1) == 0
    await book.not_sent(alert, HOUR - 60)
    assert await book.note(alert, NOON + timedelta(seconds=59), HOUR, 2) is None
    assert await book.note(alert, NOON + timedelta(seconds=60), HOUR, 3) == 2
