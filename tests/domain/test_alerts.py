"""The cause of an alert: the same for all failures of one kind, and for no others."""

import pytest

from domain.alerts import fingerprint, unquoted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("OpenAI 429: try again in 1.2s", "OpenAI 429: try again in 20ms"),
        (
            "gave up: OpenAI 500: An error. See request req_bf2eadd66b9f.",
            "gave up: OpenAI 500: An error. See request req_9a7c01ffe2bd.",
        ),
        (
            "OpenAI 404: Response with id 'resp_07b2aa' not found.",
            "OpenAI 404: Response with id 'resp_99' not found.",
        ),
        (
            "the model refused: I'm sorry, but I can't help with that.",
            "the model refused: I can't assist with that request.",
        ),
        (
            "gave up: OpenAI: a malformed answer: <html>Bad gateway",
            'gave up: OpenAI: a malformed answer: {"id": "x',
        ),
    ],
)
def test_one_cause(one: str, other: str) -> None:
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Telegram 400: Bad Request: chat not found",
            "Telegram 400: Bad Request: text is too long",
        ),
        ("OpenAI 404: Response with id 'resp_1' not found.", "OpenAI 404: Conversation not found."),
        ("the model refused: No.", "OpenAI: a malformed answer: No."),
        ("a bug: ValueError: x", "a bug: KeyError: x"),
    ],
)
def test_two_causes(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_a_cause_is_short() -> None:
    assert len(fingerprint("x" * 1000)) == 200


def test_what_a_model_or_a_server_said_is_left_out() -> None:
    text = "Ada's bot: message 7 was not answered. the model refused: I will not say\n'those words'"
    assert unquoted(text) == "Ada's bot: message 7 was not answered. the model refused"
    assert unquoted("OpenAI: a malformed answer: <html>") == "OpenAI: a malformed answer"
    assert unquoted("Telegram 403: Forbidden: blocked") == "Telegram 403: Forbidden: blocked"
