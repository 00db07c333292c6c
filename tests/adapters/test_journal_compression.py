"""The journal's JSON comes back as it was, whoever packed it, and takes little room meanwhile."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import journal_compression
from adapters.journal_compression import DICTIONARIES, packed, unpacked
from application.jobs import Unavailable
from tests.journal_steps import recorded

RECORDINGS = sorted((Path(__file__).parents[1] / "recordings").glob("*.jsonl"))
RELEASED = {b"\x01": "1c71ee37b362444bbf58c94763e5c359"}
"""The dictionaries that are out, by their digests (blake2b, 128 bits); no line is ever changed."""
OF_THE_FIRST = bytes.fromhex("0123a52431255c9258d60200")
"""Packed in 0.1.0, with the first dictionary."""

json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=10,
)
columns = st.lists(json, max_size=5) | st.dictionaries(st.text(), json, max_size=5)


def steps_of(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_recorded_steps_come_back_and_are_short(path: Path) -> None:
    whole = kept = 0
    for step in steps_of(path):
        row = recorded(step)
        assert (row["from_state"] is None) == ("from" not in step)
        for name, column in zip(("from", "event", "effects"), row.values(), strict=True):
            if column is not None:
                back = unpacked(column)
                assert back == msgspec.json.encode(step[name])
                whole += len(back)
                kept += len(column)
    assert kept < whole / 3


@settings(max_examples=200)
@given(columns.map(msgspec.json.encode))
def test_any_json_comes_back(column: bytes) -> None:
    assert unpacked(packed(column)) == column


def test_json_comes_back_letter_by_letter() -> None:
    column = '{ "text" : [ 1.0, "ж👛\\u0000" ], "words" : "so, and so, and so, and so" } '.encode()
    assert len(packed(column)) < len(column)
    assert unpacked(packed(column)) == column


def test_json_from_before_there_was_a_dictionary_is_read() -> None:
    """As migrations/versions/0008_compact_journal.py leaves it."""
    for column in ('{"id":"ж"}'.encode(), b'[{"type":"x"}]', b"{}", b"[]"):
        assert unpacked(column) == column


def test_what_does_not_shrink_stays_as_it_is() -> None:
    for column in (b"[]", b"{}", '["龘靐齉爩鱻麤灪厵滟爨癵籱饢驫"]'.encode()):
        assert packed(column) == column


# --- for ever ------------------------------------------------------------------------------------


def test_the_dictionaries_that_are_out_stay() -> None:
    """Where this fails: rows were packed with them. Better words are one more dictionary."""
    digests = {
        number: hashlib.blake2b(words, digest_size=16).hexdigest()
        for number, words in DICTIONARIES.items()
    }
    assert digests == RELEASED


def test_a_row_of_the_first_dictionary_is_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DICTIONARIES, b"\x02", b"better words")
    assert unpacked(OF_THE_FIRST) == (
        b'{"type":"telegram.messageSent","turn":{"id":5,"epoch":1},"part":0,"message_id":9}'
    )


def test_a_dictionary_is_reached_from_its_first_word_on() -> None:
    """A window that is too narrow for it would waste, and for what is packed already, break."""
    for words in DICTIONARIES.values():
        assert len(words) <= 2**-journal_compression._WINDOW - 262  # zlib's MIN_LOOKAHEAD


def test_rows_of_a_later_dictionary_ask_for_a_later_version() -> None:
    for row in (b"\x02\x03\x00", b"\x00", b""):
        with pytest.raises(Unavailable, match="later version"):
            unpacked(row)


def test_a_dictionary_s_number_is_no_beginning_of_json() -> None:
    assert all(len(number) == 1 and number not in b"{[" for number in DICTIONARIES)
    assert max(DICTIONARIES) == journal_compression._NEWEST
