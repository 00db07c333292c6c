"""A message's steps, as they are told: which attempt each belongs to."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import to_builtins

from application.processing import timeline
from domain.failures import (
    SHORTEST_TOLD,
    Ambiguous,
    EntitiesRefused,
    Failure,
    Retryable,
    RunLost,
    ThreadLost,
)

AT = datetime(2026, 11, 28, tzinfo=UTC)
RECEIVED = {"type": "telegram.updateReceived"}
RESUMED = {"type": "turn.resumed"}
RETRIED = {"type": "processing.retryAsked"}


def failed(failure: Failure) -> dict[str, Any]:
    return {"type": "openai.replyFailed", "failure": to_builtins(failure)}


def attempts(*events: dict[str, Any]) -> list[int]:
    return [step.attempt for step in timeline((AT, event, []) for event in events)]


@pytest.mark.parametrize(
    ("failure", "second"),
    [
        (Retryable("429", after=3.0), 1),
        (Retryable("429", after=SHORTEST_TOLD), 1),
        (Retryable("429", after=SHORTEST_TOLD / 2), 2),
        (Retryable("503"), 2),
        (Ambiguous("no answer"), 2),
        (EntitiesRefused("can't parse"), 1),
        (ThreadLost("404"), 1),
        (RunLost("404"), 1),
    ],
)
def test_what_costs_an_attempt(failure: Failure, second: int) -> None:
    assert attempts(RECEIVED, failed(failure), RESUMED) == [1, second, second]


def test_eight_told_waits_cost_none_and_a_persons_retry_begins_anew() -> None:
    told = [failed(Retryable("429", after=3.0)), RESUMED] * 8
    assert attempts(RECEIVED, *told, failed(Retryable("503")), RESUMED, RETRIED) == (
        [1] * 17 + [2, 2, 1]
    )


def test_a_bug_costs_none_nor_does_what_a_later_version_knows() -> None:
    later = {"type": "openai.replyFailed", "failure": {"type": "moonless", "reason": "dark"}}
    assert attempts(RECEIVED, {"type": "turn.broke", "error": "KeyError"}, later) == [1, 1, 1]
