"""Cells of a CSV file: quoted as RFC 4180 has it, and never a formula."""

import csv
import io

import pytest

from application.exports import cell


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
        ("\t=1", "'\t=1"),
        ("\r=1", '"\'\r=1"'),
        ("＝1", "'＝1"),
        ('=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'),
        ('a "b", c', '"a ""b"", c"'),
        ("two\nlines", '"two\nlines"'),
        ("a=b", "a=b"),
    ],
)
def test_a_cell(value: object, expected: str) -> None:
    assert cell(value) == expected


def test_a_reader_reads_what_was_written() -> None:
    texts = ["a,b", 'c"d', "e\r\nf", "Привет", "", "g"]
    line = ",".join(map(cell, texts)) + "\r\n"
    assert list(csv.reader(io.StringIO(line, newline=""))) == [texts]
