"""Pages and cursors."""

from datetime import UTC, datetime

import pytest

from application.paging import page, read_cursor
from application.refusals import Malformed


def test_a_row_too_many_makes_a_cursor() -> None:
    first = page([9, 8, 7], 2, key=lambda item: item)
    assert first.items == [9, 8]
    assert read_cursor(first.next_cursor, int) == 8


def test_the_last_page_has_none() -> None:
    assert page([9, 8], 2, key=lambda item: item).next_cursor is None
    assert page([], 2, key=lambda item: item).next_cursor is None


def test_a_key_of_several_parts() -> None:
    at = datetime(2026, 11, 24, 12, 0, 0, 123456, UTC)
    cursor = page([1, 2], 1, key=lambda _: (at, "1:2")).next_cursor
    assert read_cursor(cursor, tuple[datetime, str]) == (at, "1:2")


@pytest.mark.parametrize("cursor", ["", "!", "abc", "ImFiYyI", "e30", "🦊", "OS41"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed):
        read_cursor(cursor, int)
