"""How the Bot API refuses: its error answers, and the faults of the Telegram side as answers."""

import math
from typing import Any

from entrypoints.sandbox.faults import Fault


class ApiError(Exception):
    """A Bot API error: its code, its description and, for some, its parameters.

    `violation` says that the call itself broke a documented rule, whatever the chat's state.
    """

    violation = False

    def __init__(
        self, code: int, description: str, parameters: dict[str, Any] | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        return {**body, "parameters": self.parameters} if self.parameters else body


def bad_request(why: str) -> ApiError:
    return ApiError(400, f"Bad Request: {why}")


def broken_rule(why: str) -> ApiError:
    """A bad request that its author could have known to be one."""
    error = bad_request(why)
    error.violation = True
    return error


_BY_KIND = {
    "server_error": (500, "Internal Server Error"),
    "unauthorized": (401, "Unauthorized"),
    "not_found": (404, "Not Found"),
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "deactivated": (403, "Forbidden: user is deactivated"),
    "kicked": (403, "Forbidden: bot was kicked from the supergroup chat"),
    "chat_not_found": (400, "Bad Request: chat not found"),
    "cant_parse": (
        400,
        "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 0",
    ),
    "not_modified": (
        400,
        "Bad Request: message is not modified: specified new message content and reply markup "
        "are exactly the same as a current content and reply markup of the message",
    ),
    "conflict": (
        409,
        "Conflict: terminated by other getUpdates request; "
        "make sure that only one bot instance is running",
    ),
}


def fault_error(fault: Fault) -> ApiError | None:
    """The Bot API error of a fault, or None for those that are no Bot API answer."""
    match fault.kind:
        case "rate_limited":
            seconds = max(1, math.ceil(fault.retry_after))
            return ApiError(
                429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds}
            )
        case "migrated":
            return ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {"migrate_to_chat_id": fault.migrate_to},
            )
        case "error":
            return ApiError(fault.status, fault.description)
        case kind if kind in _BY_KIND:
            return ApiError(*_BY_KIND[kind])
        case _:
            return None
