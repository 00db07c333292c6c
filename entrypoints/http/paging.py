"""The parameters of lists, the same for all of them: limit, cursor, moments, words."""

from datetime import UTC, datetime
from typing import Annotated

from litestar.params import QueryParameter

from application.refusals import FieldError, Malformed

Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many items at most")]
Cursor = Annotated[
    str | None, QueryParameter(description="The nextCursor of the page before", max_length=500)
]
BotId = Annotated[int | None, QueryParameter(name="botId", description="Only of this bot")]
Words = Annotated[
    str | None, QueryParameter(max_length=200, description="Words to look for, whatever their case")
]


def moment(value: datetime | None, name: str) -> datetime | None:
    """A moment as UTC; one without a zone is UTC already. Raises Malformed."""
    if value is None:
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        errors = [FieldError(name, "is beyond the calendar")]
        raise Malformed("A moment cannot be read.", errors) from None


def words(value: str | None) -> str | None:
    """What to search for; None where nothing is asked. No text holds U+0000."""
    value = (value or "").replace("\x00", "").strip()
    return value.encode("utf-8", "replace").decode() or None


def text(value: str | None, name: str) -> str | None:
    """A text that something is compared with as it is. Raises Malformed: no text is like it."""
    if value is not None and "\x00" in value:
        errors = [FieldError(name, "must not hold the character U+0000")]
        raise Malformed("A text cannot be taken.", errors)
    return value.encode("utf-8", "replace").decode() if value is not None else None
