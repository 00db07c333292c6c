"""Every way to end has its word, and the words are few."""

import pytest

from application.turn_reasons import reason_class
from domain.turn import Status
from tests.domain.given import begun


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("gave up: OpenAI 500: no", "gave_up"),
        ("a bug: KeyError: 'x'", "bug"),
        ("its worker was killed 4 times while running it", "worker_killed"),
        ("its job was deleted", "job_deleted"),
        ("bot disabled", "bot_disabled"),
        ("Telegram 403: Forbidden: bot was blocked by the user", "telegram"),
        ("OpenAI 400: no", "model"),
        ("OpenAI: the content filter stopped the answer", "model_refused"),
        ("the model refused: I will not", "model_refused"),
        ("the model answered with nothing", "model"),
        ("no OpenAI key: set openai.apiKey in the settings, or OPENAI_API_KEY", "model_settings"),
        ("something new", "other"),
    ],
)
def test_a_terminal_reason(reason: str, word: str) -> None:
    assert reason_class(begun(status=Status.TERMINAL, verdict=reason)) == word


def test_a_failed_try() -> None:
    down = "the model server is down, and is asked again soon: HTTP 502"
    assert reason_class(begun(status=Status.FAILED, last_error=down)) == "model_down"
    assert reason_class(begun(status=Status.FAILED, last_error="KeyError: 1", breaks=1)) == "bug"


def test_an_answer_has_no_reason() -> None:
    assert reason_class(begun(status=Status.COMPLETED, last_error="OpenAI 500: no")) == "none"
