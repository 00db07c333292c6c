"""Recorded refusals of the Bot API, and what each becomes."""

import json

import pytest

from adapters.telegram_failures import failure_of
from domain.failures import (
    Ambiguous,
    ChatMigrated,
    EntitiesRefused,
    Failure,
    Fatal,
    Retryable,
    Terminal,
)

TOKEN = "123456:AAbb-cc_dd"


def refusal(code: int, description: str, **parameters: int) -> Failure:
    answer: dict[str, object] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        answer["parameters"] = parameters
    return failure_of(code, json.dumps(answer).encode(), TOKEN)


def test_too_many_requests_waits_as_told() -> None:
    said = "Too Many Requests: retry after 3"
    expected = Retryable("Telegram 429: Too Many Requests: retry after 3", after=3.0)
    assert refusal(429, said, retry_after=3) == expected
    assert refusal(429, said) == expected
    assert refusal(429, "Too Many Requests") == Retryable("Telegram 429: Too Many Requests")


@pytest.mark.parametrize(
    ("code", "description"),
    [
        (500, "Internal Server Error: restart"),
        (502, "Bad Gateway"),
        (409, "Conflict: terminated by other getUpdates request; make sure that only one runs"),
        (409, "Conflict: can't use getUpdates method while webhook is active"),
        (408, "Request Timeout"),
    ],
)
def test_passing_troubles_are_retried(code: int, description: str) -> None:
    assert refusal(code, description) == Retryable(f"Telegram {code}: {description}")


@pytest.mark.parametrize(
    ("code", "description"), [(401, "Unauthorized"), (404, "Not Found"), (401, "Unauthorized: x")]
)
def test_a_dead_token(code: int, description: str) -> None:
    assert refusal(code, description) == Fatal(f"Telegram {code}: {description}", token_dead=True)


def test_a_method_that_the_server_lacks_is_not_a_dead_token() -> None:
    reason = "Telegram 404: Not Found: method not found"
    assert refusal(404, "Not Found: method not found") == Terminal(reason)


def test_a_bot_that_moved_to_another_server_keeps_its_token() -> None:
    assert refusal(400, "Logged out") == Fatal("Telegram 400: Logged out")


@pytest.mark.parametrize(
    ("code", "description"),
    [
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (403, "Forbidden: user is deactivated"),
        (403, "Forbidden: bot can't initiate conversation with a user"),
        (403, "Forbidden: bot is not a member of the channel chat"),
        (403, "Forbidden: the group chat was deleted"),
        (400, "Bad Request: chat not found"),
        (400, "Bad Request: PEER_ID_INVALID"),
        (400, "Bad Request: user is deactivated"),
        (400, "Bad Request: group chat was deactivated"),
        (400, "Bad Request: have no rights to send a message"),
        (400, "Bad Request: not enough rights to send text messages to the chat"),
        (400, "Bad Request: CHAT_WRITE_FORBIDDEN"),
        (400, "Bad Request: message thread not found"),
        (400, "Bad Request: TOPIC_DELETED"),
        (400, "Bad Request: TOPIC_CLOSED"),
    ],
)
def test_a_chat_that_hears_no_more(code: int, description: str) -> None:
    expected = Terminal(f"Telegram {code}: {description}", chat_gone=True)
    assert refusal(code, description) == expected


@pytest.mark.parametrize(
    "description",
    [
        'Bad Request: can\'t parse entities: Unsupported start tag "b1" at byte offset 0',
        "Bad Request: can't parse MessageEntity: Can't find field \"offset\"",
        "Bad Request: ENTITY_BOUNDS_INVALID",
        "Bad Request: ENTITIES_TOO_LONG",
        "Bad Request: Entity beginning at UTF-16 offset 1 ends after the end of the text",
    ],
)
def test_entities_refused(description: str) -> None:
    assert refusal(400, description) == EntitiesRefused(f"Telegram 400: {description}")


def test_a_group_that_became_a_supergroup() -> None:
    said = "Bad Request: group chat was upgraded to a supergroup chat"
    assert refusal(400, said, migrate_to_chat_id=-1001234567890) == ChatMigrated(-1001234567890)


@pytest.mark.parametrize(
    "description",
    [
        "Bad Request: message is too long",
        "Bad Request: message to be replied not found",
        "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
        "Bad Request: text must be non-empty",
    ],
)
def test_anything_else_ends_with_telegrams_own_words(description: str) -> None:
    assert refusal(400, description) == Terminal(f"Telegram 400: {description}")


@pytest.mark.parametrize("status", [502, 504, 404, 401, 302, 413])
def test_a_body_that_is_not_the_bot_apis_says_nothing_of_the_token(status: int) -> None:
    failure = failure_of(status, b"<html><h1>nginx</h1></html>", TOKEN)
    assert isinstance(failure, Ambiguous if status in (502, 504) else Retryable)
    assert failure.reason.startswith(f"Telegram {status}: ")
    assert "html" not in failure.reason


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"ok":true,"resu', b"[]", b'{"ok":true}', b"[" * 50_000]
)
def test_a_success_that_cannot_be_read_is_ambiguous(body: bytes) -> None:
    reason = "Telegram 200: OK, not an answer of the Bot API"
    assert failure_of(200, body, TOKEN) == Ambiguous(reason)


def test_a_refusal_inside_a_200_counts_by_its_own_code() -> None:
    body = b'{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7"}'
    reason = "Telegram 429: Too Many Requests: retry after 7"
    assert failure_of(200, body, TOKEN) == Retryable(reason, after=7.0)


def test_reasons_are_one_short_line_without_the_token() -> None:
    failure = refusal(400, f"Bad Request:\n /bot{TOKEN}/x " + "long " * 1000)
    assert isinstance(failure, Terminal)
    assert TOKEN not in failure.reason
    assert "\n" not in failure.reason
    assert len(failure.reason) <= 320


def test_a_token_is_kept_out_however_it_is_quoted() -> None:
    said = f"wrong: {TOKEN}, 123456%3AAAbb-cc_dd, AAbb-cc_dd"
    assert refusal(400, said) == Terminal("Telegram 400: wrong: <token>, 123456%3A<token>, <token>")
