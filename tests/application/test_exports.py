"""Cells of a CSV file: quoted as RFC 4180 has it, and never a formula."""

import csv
import io

import pytest

from application.exports import row


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (True, "true"),
        (-100123, "-100123"),
        (0.5, "0.5"),
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\r=1", '"\'\r=1"'),
        ("＝1", "'＝1"),
        ('=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'),
        ('a "b", c', '"a ""b"", c"'),
        ("two\nlines", '"two\nlines"'),
        ("a=b", "a=b"),
        (" =1", "' =1"),
        *((f"{unseen}=1", f"'{unseen}=1") for unseen in "\u200b\ufeff\u202e\u00ad\u3164\xa0"),
        ("\u200ba=1", "\u200ba=1"),
        ("\u200b", "\u200b"),
    ],
)
def test_a_cell(value: object, expected: str) -> None:
    assert row([value, 0]) == f"{expected},0\r\n"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_what_other_spreadsheets_part_a_line_at_is_quoted(delimiter: str) -> None:
    assert row([f"x{delimiter}=cmd()", 1]) == f'"x{delimiter}=cmd()","1"\r\n'
    assert row(["\t=1"]) == '"\'\t=1"\r\n'


def test_a_reader_reads_what_was_written() -> None:
    texts = ["a,b", 'c"d', "e\r\nf", "Привет", "", "g"]
    assert list(csv.reader(io.StringIO(row(texts), newline=""))) == [texts]
