"""Many that failed are tried again: what was done is told and noted, whatever comes after it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from application.audit import begin_trail
from application.failures import Failures, Retried, RetryCount
from application.jobs import TookTooLong, Unavailable
from application.processing import ProcessingFilter
from domain.access import Actor, Role

ADMIN = Actor("1", "a@example.com", Role.ADMIN)


@pytest.mark.parametrize("away", [TookTooLong("given up"), Unavailable("away")])
async def test_those_left_cannot_be_counted(away: Exception) -> None:
    async def retry(*_: object) -> int:
        return 1000

    async def count(*_: object) -> tuple[int, bool]:
        raise away

    trail = begin_trail()
    failures = Failures(cast(Any, SimpleNamespace(retry=retry, count=count)))
    assert await failures.retry(ADMIN, ProcessingFilter()) == Retried(1000, None)
    (noted,) = trail
    assert noted.target == "processing"
    assert noted.after == '{"retried":1000}'


async def test_they_are_too_many_to_be_counted_before() -> None:
    async def count(*_: object) -> tuple[int, bool]:
        raise TookTooLong("given up")

    failures = Failures(cast(Any, SimpleNamespace(count=count)))
    assert await failures.retryable(ADMIN, ProcessingFilter()) == RetryCount(None, or_more=False)
