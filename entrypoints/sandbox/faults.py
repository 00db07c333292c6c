"""Faults of both stand-ins: what can go wrong, switched on by a test, by the page or by a text.

A fault is switched on with `Faults.add` (or POST /control/faults) and is taken by the first calls
that it matches, `times` of them or for `seconds` or until it is removed. `slow` lets the call
through; every other kind decides the call's answer.

Telegram kinds
    rate_limited     429 "Too Many Requests: retry after N", parameters.retry_after
    server_error     500 as Bot API JSON          bad_gateway      502 as nginx's HTML
    internal_html    500 as HTML                  malformed        200 with half of a JSON body
    unauthorized     401                          not_found        404
    blocked          403 "bot was blocked by the user"
    deactivated      403 "user is deactivated"    kicked           403 "bot was kicked …"
    chat_not_found   400                          cant_parse       400 "can't parse entities: …"
    migrated         400 with parameters.migrate_to_chat_id (`migrate_to`)
    not_modified     400 "message is not modified"
    conflict         409 "terminated by other getUpdates request …"
    reset_before     connection reset, the call was not accepted
    reset_after      connection reset, the call WAS accepted (an ambiguous send)
    hang             no answer for `delay` seconds, then a reset
    slow             `delay` seconds, then the answer
    error            `status` and `description` as given

OpenAI kinds (`method` is responses, responses.get, conversations, chat.completions or models)
    rate_limited     429 rate_limit_exceeded with retry-after and retry-after-ms
    insufficient_quota 429                        unauthorized     401 invalid_api_key
    forbidden        403                          model_not_found  404
    conversation_not_found 404                    conversation_locked 400
    context_length   400 context_length_exceeded  bad_request      400
    server_error     500                          overloaded       503
    bad_gateway      502 as HTML                  html             200 with an HTML body
    malformed        200 with half of a JSON body, or a stream with a broken event
    reset_before     connection reset, nothing was started
    hang             no answer for `delay` seconds, then a reset
    slow             first token after `delay` seconds, then `tokens_per_second` (0: no limit)
    failed           200 whose status is failed (server_error)
    failed_rate_limit 200 whose status is failed (rate_limit_exceeded)
    incomplete       half of the text, then incomplete (max_output_tokens)
    content_filter   incomplete (content_filter)  refusal          a refusal and no text
    empty            completed with empty text    spaces           completed with spaces only
    stream_error     an `error` event in the stream (a plain call: 500)
    reset_stream     connection reset after `after_events` events (a plain call: before its answer)
    ends_early       the stream ends after `after_events` events with no terminal event

Directives: a message to the model that begins with `/sandbox:` (or `sandbox:`) speaks to it.
    /sandbox:KIND [TIMES [TAG]]  any OpenAI kind above, for each new try of that very text; with
                                 TIMES only for the first TIMES tries, so that a retry succeeds
    /sandbox:slow SECONDS        that first-token delay
    /sandbox:echo TEXT           the answer is TEXT
    /sandbox:text N              an answer of exactly N characters, in words
    /sandbox:emoji N             an answer of N emoji (two UTF-16 units each)
    /sandbox:markdown            every kind of markup
    /sandbox:history             what the model was given, one line an item
"""

import time
from collections.abc import Callable
from typing import Literal, TypedDict, Unpack

import msgspec
from msgspec import Struct

Side = Literal["telegram", "openai"]

TELEGRAM_KINDS = frozenset(
    {
        "rate_limited",
        "server_error",
        "bad_gateway",
        "internal_html",
        "malformed",
        "unauthorized",
        "not_found",
        "blocked",
        "deactivated",
        "kicked",
        "chat_not_found",
        "cant_parse",
        "migrated",
        "not_modified",
        "conflict",
        "reset_before",
        "reset_after",
        "hang",
        "slow",
        "error",
    }
)
OPENAI_KINDS = frozenset(
    {
        "rate_limited",
        "insufficient_quota",
        "unauthorized",
        "forbidden",
        "model_not_found",
        "conversation_not_found",
        "conversation_locked",
        "context_length",
        "bad_request",
        "server_error",
        "overloaded",
        "bad_gateway",
        "html",
        "malformed",
        "reset_before",
        "hang",
        "slow",
        "failed",
        "failed_rate_limit",
        "incomplete",
        "content_filter",
        "refusal",
        "empty",
        "spaces",
        "stream_error",
        "reset_stream",
        "ends_early",
    }
)


class Fault(Struct, kw_only=True, forbid_unknown_fields=True):
    """One fault: which side, what happens, to whom, and how often.

    `method`, `bot` and `chat` narrow it (None: any); `times` and `seconds` end it (None: never).
    `delay` and `retry_after` are seconds.
    """

    side: Side
    kind: str
    id: int = 0
    method: str | None = None
    bot: int | None = None
    chat: int | None = None
    times: int | None = None
    seconds: float | None = None
    retry_after: float = 1
    delay: float = 2
    tokens_per_second: float = 0
    migrate_to: int = -1001999999999
    after_events: int = 5
    status: int = 400
    description: str = "Bad Request"
    hits: int = 0
    ends_at: float | None = None

    def matches(self, side: Side, method: str, bot: int | None, chat: int | None) -> bool:
        return (
            self.side == side
            and (self.method is None or self.method == method)
            and (self.bot is None or self.bot == bot)
            and (self.chat is None or self.chat == chat)
        )


class FaultHow(TypedDict, total=False):
    """The fields of `Fault` that may be given."""

    method: str | None
    bot: int | None
    chat: int | None
    times: int | None
    seconds: float | None
    retry_after: float
    delay: float
    tokens_per_second: float
    migrate_to: int
    after_events: int
    status: int
    description: str


class Faults:
    """The faults that are on, oldest first. `changed` is called whenever that list changes."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._on: list[Fault] = []
        self._last_id = 0
        self._changed = changed

    def add(self, side: Side, kind: str, **how: Unpack[FaultHow]) -> Fault:
        """Switches a fault on. Raises ValueError where the side does not know the kind."""
        return self.switch_on(Fault(side=side, kind=kind, **how))

    def switch_on(self, fault: Fault) -> Fault:
        """Switches on a decoded fault. Raises ValueError where its side does not know its kind."""
        known = TELEGRAM_KINDS if fault.side == "telegram" else OPENAI_KINDS
        if fault.kind not in known:
            raise ValueError(f"{fault.side} has no fault {fault.kind!r}")
        self._last_id += 1
        fault.id = self._last_id
        fault.hits = 0
        fault.ends_at = None if fault.seconds is None else time.monotonic() + fault.seconds
        self._on.append(fault)
        self._changed()
        return fault

    def remove(self, fault_id: int) -> bool:
        kept = [fault for fault in self._on if fault.id != fault_id]
        found = len(kept) < len(self._on)
        self._on = kept
        if found:
            self._changed()
        return found

    def clear(self, side: Side | None = None) -> None:
        self._on = [fault for fault in self._on if side is not None and fault.side != side]
        self._changed()

    def list(self) -> list[Fault]:
        self._drop_ended()
        return list(self._on)

    def take(
        self,
        side: Side,
        method: str,
        bot: int | None = None,
        chat: int | None = None,
        *,
        slow: bool = False,
    ) -> Fault | None:
        """The fault that this call gets (with `slow`: the delay that it gets), and counts it."""
        if not self._on:
            return None
        self._drop_ended()
        for fault in self._on:
            if (fault.kind == "slow") is slow and fault.matches(side, method, bot, chat):
                fault.hits += 1
                if fault.times is not None and fault.hits >= fault.times:
                    self._on.remove(fault)
                    self._changed()
                return fault
        return None

    def _drop_ended(self) -> None:
        now = time.monotonic()
        ended = [f.id for f in self._on if f.ends_at is not None and f.ends_at <= now]
        for fault_id in ended:
            self.remove(fault_id)


def decode_fault(body: bytes) -> Fault:
    """A fault from the control API's JSON. Raises msgspec.ValidationError or DecodeError."""
    return msgspec.json.decode(body, type=Fault)
