"""DESIGN's table "Failures", a line a fault: the recording that is played, and the message's end.

A function a kind of end. Where a line gives no words, last_error is to quote the server's own.
"""

from typing import Any

from tests.failures.recorded_answers import recorded
from tests.failures.story import ERROR, End, Fault

GROUP, SUPERGROUP = -500_100, -1_001_557_912_345
Line = tuple[Fault, End]

POLLS = (
    "telegram/409-other-get-updates",
    "telegram/409-set-webhook",
    "telegram/409-webhook-is-active",
)
"""Faults of a poll, which no message sees: test_poll_conflicts.py."""


def retried(recording: str, error: str | None = None, *, after: float | None = None) -> Line:
    """Tried again, after as long as was told, else counted as an attempt; then answered."""
    wait, attempts = (1.0, 1) if after is None else (after, 0)
    error = error or _quoted(recording)
    return Fault(recording), End("COMPLETED", ("done",), ("retryable",), (wait,), attempts, error)


def ambiguous(recording: str, error: str, *, doubled: bool) -> Line:
    """Sent again: nobody knows whether it had been sent, and the timeline says so."""
    said = ("done", "done") if doubled else ("done",)
    return Fault(recording), End("COMPLETED", said, ("ambiguous",), (1.0,), 1, error)


def given_up(recording: str) -> Line:
    """Six attempts, then the end."""
    waits = (1.0, 4.0, 16.0, 64.0, 256.0)
    reason = f"gave up: {_quoted(recording)}"
    alerts = (f"was not answered. {reason}",)
    end = End("TERMINAL", (ERROR,), ("retryable",) * 6, waits, 6, reason, reason, alerts)
    return Fault(recording, times=6), end


def bot_in_error(recording: str, reason: str | None = None) -> Line:
    """The bot is marked, and stays enabled; its next answer marks it well again."""
    reason = reason or _quoted(recording)
    alerts = (f"the bot cannot answer. {reason}",)
    end = End("TERMINAL", (ERROR,), ("fatal",), (), 0, reason, reason, alerts, bot_error=reason)
    return Fault(recording), end


def token_dead(recording: str) -> Line:
    """The bot is disabled; nothing can be said to the user."""
    reason = _quoted(recording)
    alerts = (f"the bot cannot answer. {reason}",)
    end = End("TERMINAL", (), ("fatal",), (), 0, reason, reason, alerts, reason, False, None)
    return Fault(recording), end


def refused(recording: str, reason: str | None = None) -> Line:
    """This message ends; the user hears the bot's error message."""
    reason = reason or _quoted(recording)
    alerts = (f"was not answered. {reason}",)
    return Fault(recording), End("TERMINAL", (ERROR,), ("terminal",), (), 0, reason, reason, alerts)


def unheard(recording: str, chat: int = 1002) -> Line:
    """This message ends, and its chat hears nothing of it."""
    reason = _quoted(recording)
    alerts = (f"was not answered. {reason}",)
    end = End("TERMINAL", (), ("terminal",), (), 0, reason, reason, alerts)
    return Fault(recording, chat=chat), end


def repaired(recording: str, failure: str, error: str | None = None) -> Line:
    """One more step of the same turn: no attempt, no wait, no alert."""
    error = error or _quoted(recording)
    return Fault(recording), End("COMPLETED", ("done",), (failure,), error=error)


def delivered(recording: str, said: str) -> Line:
    """No failure at all."""
    return Fault(recording), End("COMPLETED", (said,))


def _quoted(recording: str) -> str:
    """The server's words, behind whose they are and their status (a stream's: without)."""
    answer = recorded(recording)
    if answer.events is not None:
        return f"OpenAI: {_words(answer.events[-1])}"
    if recording.startswith("telegram/"):
        return f"Telegram {answer.status}: {answer.body['description']}"
    return f"OpenAI {answer.status}: {_words(answer.body)}"


def _words(told: dict[str, Any]) -> str:
    """The message of an error, wherever OpenAI has put it."""
    inner = told.get("response", told)
    return str(inner.get("error", inner)["message"])


NOT_API = "not an answer of the Bot API"
LOST = "Telegram: the connection was lost (ServerDisconnectedError)"
FILTERED = "OpenAI: the content filter stopped the answer"
REFUSED = "the model refused: I'm sorry, but I can't help with that."
MASKED = (
    "OpenAI 401: Incorrect API key provided: *** You can find your API key at "
    "https://platform.openai.com/account/api-keys."
)
RUN = "resp_07b225dc6e39fefb016a9bb3b6f5c087"

TABLE: list[Line] = [
    # --- Telegram: passing troubles --------------------------------------------------------------
    retried("telegram/429-retry-after", after=7),
    retried("telegram/429-in-words-only", after=3),
    retried("telegram/500-internal-server-error"),
    given_up("telegram/500-restart"),
    retried("telegram/502-bad-gateway"),
    retried("telegram/504-gateway-timeout"),
    ambiguous("telegram/502-nginx", f"Telegram 502: Bad Gateway, {NOT_API}", doubled=False),
    retried("telegram/503-nginx", f"Telegram 503: Service Unavailable, {NOT_API}"),
    retried("telegram/408-nginx", f"Telegram 408: Request Timeout, {NOT_API}"),
    ambiguous("telegram/200-truncated", f"Telegram 200: OK, {NOT_API}", doubled=True),
    ambiguous("telegram/200-html", f"Telegram 200: OK, {NOT_API}", doubled=False),
    ambiguous("telegram/reset", LOST, doubled=False),
    ambiguous("telegram/reset-after-sending", LOST, doubled=True),
    ambiguous("telegram/silence", "Telegram: no answer in 6 s", doubled=False),
    # --- Telegram: the bot -----------------------------------------------------------------------
    token_dead("telegram/401-unauthorized"),
    token_dead("telegram/404-not-found"),
    bot_in_error("telegram/400-logged-out"),
    # --- Telegram: the chat ----------------------------------------------------------------------
    unheard("telegram/403-bot-was-blocked"),
    unheard("telegram/403-user-is-deactivated"),
    unheard("telegram/403-bot-was-kicked", GROUP),
    unheard("telegram/403-group-was-deleted", GROUP),
    unheard("telegram/403-not-a-member", GROUP),
    unheard("telegram/403-cannot-initiate"),
    unheard("telegram/400-chat-not-found"),
    unheard("telegram/400-not-enough-rights", GROUP),
    unheard("telegram/400-no-rights-to-send", GROUP),
    unheard("telegram/400-chat-write-forbidden", GROUP),
    unheard("telegram/400-topic-closed", GROUP),
    unheard("telegram/400-thread-not-found", GROUP),
    refused("telegram/400-message-is-too-long"),
    # --- Telegram: repairs -----------------------------------------------------------------------
    repaired("telegram/400-cant-parse-entities", "entitiesRefused"),
    repaired("telegram/400-entity-bounds", "entitiesRefused"),
    (
        Fault("telegram/400-became-a-supergroup", chat=GROUP, moves_to=SUPERGROUP),
        End(
            status="COMPLETED",
            said=("done",),
            failures=("chatMigrated",),
            error=f"the group is a supergroup now: {SUPERGROUP}",
        ),
    ),
    # --- the model: passing troubles -------------------------------------------------------------
    retried("openai/429-retry-after", after=20),
    retried("openai/429-retry-after-ms", after=1.5),
    retried("openai/429-x-ratelimit", after=12.5),
    retried("openai/429-try-again-in", after=18.642),
    retried("openai/429-slow-down"),
    retried("openai/408-timeout"),
    retried("openai/409-conflict"),
    retried("openai/500-server-error"),
    retried("openai/502-cloudflare", "OpenAI 502: an HTML page"),
    given_up("openai/503-overloaded"),
    retried("openai/504-cloudflare", "OpenAI 504: an HTML page"),
    retried("openai/520-cloudflare", "OpenAI 520: an HTML page"),
    retried("openai/400-conversation-locked"),
    retried("openai/200-html", "OpenAI: a malformed answer: <html>Sign in to the network</html>"),
    retried("openai/200-truncated", f'OpenAI: a malformed answer: {{"id":"{RUN}","status":"comp'),
    retried("openai/reset", "OpenAI: no answer: Server disconnected"),
    retried("openai/silence", "OpenAI: no answer in 8 s"),
    retried("openai/200-failed-server-error"),
    retried("openai/200-failed-rate-limit"),
    retried("openai/200-failed-overloaded"),
    retried("openai/200-error-event-overloaded"),
    retried("openai/200-error-event-flat"),
    retried("openai/200-cancelled", "OpenAI: the run was cancelled"),
    retried("openai/chat-ends-early", "OpenAI: the stream ended before the answer"),
    retried("openai/chat-overloaded-in-stream", "OpenAI 503: Provider returned error"),
    retried("openai/chat-503-nginx", "OpenAI 503: an HTML page"),
    # --- the model: the bot ----------------------------------------------------------------------
    bot_in_error("openai/401-incorrect-api-key", MASKED),
    bot_in_error("openai/401-no-organization"),
    bot_in_error("openai/403-country"),
    bot_in_error("openai/403-no-access-to-model"),
    bot_in_error("openai/404-model-not-found"),
    bot_in_error("openai/400-model-not-found"),
    bot_in_error("openai/429-insufficient-quota"),
    bot_in_error("openai/429-credit-balance-exhausted"),
    bot_in_error("openai/429-organization-spend-limit-exceeded"),
    bot_in_error("openai/429-project-spend-limit-exceeded"),
    bot_in_error("openai/429-organization-usage-limit-exceeded"),
    bot_in_error("openai/chat-402-insufficient-balance"),
    bot_in_error("openai/chat-quota-in-stream"),
    # --- the model: the message ------------------------------------------------------------------
    refused("openai/400-invalid-prompt"),
    refused("openai/400-unsupported-parameter"),
    refused("openai/200-failed-invalid-prompt"),
    refused("openai/200-failed-image-policy"),
    refused("openai/200-incomplete-content-filter", FILTERED),
    refused("openai/200-refusal", REFUSED),
    refused("openai/200-empty", "the model answered with an empty text"),
    refused("openai/chat-content-filter", FILTERED),
    refused("openai/chat-refusal", REFUSED),
    # --- the model: repairs, and what is no failure ----------------------------------------------
    repaired("openai/404-conversation-not-found", "threadLost"),
    repaired("openai/400-context-length", "contextTooLong"),
    repaired("openai/200-error-event-context-length", "contextTooLong"),
    repaired(
        "openai/200-ends-early-run-gone",
        "runLost",
        f"OpenAI 404: Response with id '{RUN}' not found.",
    ),
    delivered("openai/200-ends-early", "done"),
    delivered("openai/200-incomplete-max-output-tokens", "Half of"),
    delivered("openai/chat-length", "Half of"),
]
