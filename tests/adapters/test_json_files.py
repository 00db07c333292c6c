"""Files of JSON lines or of one array, read a piece at a time."""

import gzip
import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import json_files
from adapters.json_files import (
    STANDARD,
    ForeignFile,
    UnreadableFile,
    beginning,
    lines,
    opened,
    values,
)
from adapters.whole_files import UnwritableFile, whole

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CHUNKS = (1, 2, 3, 5, 64)


def read(content: bytes, chunk: int = 3) -> list[tuple[str, Any]]:
    """Every value and where it stands; the text between two chunks is cut anywhere."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_files, "_CHUNK", chunk)
        patched.setattr(json_files, "_LOOKED_AT", max(chunk, 4))  # a byte order mark is of 3
        return [(where, json.loads(text)) for where, text in values(BytesIO(content))]


def refused(content: bytes, chunk: int = 3) -> str:
    with pytest.raises(UnreadableFile) as error:
        read(content, chunk)
    return str(error.value)


# --- lines ---------------------------------------------------------------------------------------


def test_lines_keep_their_ends() -> None:
    content = b"one\ntwo\r\n\nthree"
    assert list(lines(BytesIO(content))) == [b"one\n", b"two\r\n", b"\n", b"three"]
    assert list(lines(BytesIO(b""))) == []


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    bom = b"\xef\xbb\xbf"
    assert list(lines(BytesIO(bom + b"one\n" + bom + b"two"))) == [b"one\n", bom + b"two"]


def test_a_line_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "LONGEST", 8)
    assert list(lines(BytesIO(b"1234567\n12345678"))) == [b"1234567\n", b"12345678"]
    with pytest.raises(UnreadableFile, match=r"^line 2 is longer than 0 MiB$"):
        list(lines(BytesIO(b"1234567\n12345678\n")))
    with pytest.raises(UnreadableFile, match=r"^line 2 is longer than 0 MiB$"):
        list(values(BytesIO(b"1\n123456789\n")))


# --- values --------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.lists(JSON, max_size=4), st.sampled_from(CHUNKS), st.data())
def test_any_values_are_read_back(wanted: list[Any], chunk: int, data: st.DataObject) -> None:
    ascii_only = data.draw(st.booleans())
    indent = data.draw(st.sampled_from([None, 0, 2]))
    separators = data.draw(st.sampled_from([None, (",", ":"), ("\r\n,\t", "  :\r\n")]))
    text = json.dumps(wanted, ensure_ascii=ascii_only, indent=indent, separators=separators)
    content = text.encode("utf-8", "surrogatepass")
    mark = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf", b" \r\n", b"\n\n"]))
    numbered = [(f"element {number}", value) for number, value in enumerate(wanted, 1)]
    assert read(mark + content + data.draw(st.sampled_from([b"", b"\n \n"])), chunk) == numbered


@settings(max_examples=60)
@given(st.lists(JSON.filter(lambda value: not isinstance(value, list)), max_size=4), st.data())
def test_any_lines_are_read_back(wanted: list[Any], data: st.DataObject) -> None:
    end = data.draw(st.sampled_from(["\n", "\r\n", "\n\n", " \n"]))
    text = "".join(json.dumps(value, ensure_ascii=False) + end for value in wanted)
    if data.draw(st.booleans()):
        text = text.rstrip()
    step = end.count("\n")
    numbered = [(f"line {number * step + 1}", value) for number, value in enumerate(wanted)]
    assert read(text.encode()) == numbered


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("number", ["12", "-0.5", "1e5", "3.25E+10", "-1", "1" * 5000])
def test_a_number_is_not_cut_by_a_chunk(number: str, chunk: int) -> None:
    content = f"[{number},{number} , {number}]".encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_files, "_CHUNK", chunk)
        patched.setattr(json_files, "_LOOKED_AT", chunk)
        assert [text for _, text in values(BytesIO(content))] == [number] * 3


@pytest.mark.parametrize("chunk", CHUNKS)
def test_an_array_that_is_cut_anywhere_is_refused(chunk: int) -> None:
    content = '[{"a": "ж👛\\u00e9\\n"}, -1.5e3, true, [null, "x"]]'.encode()
    assert len(read(content, chunk)) == 4
    for length in range(1, len(content)):
        assert refused(content[:length], chunk).startswith("line 1: ")


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[1 2]", "line 1: after element 1 comes '2'"),
        (b"[1,\n2}", "line 2: after element 2 comes '}'"),
        (b'[{"a": 1}x]', "line 1: after element 1 comes 'x'"),
        (b"[1e5x]", "line 1: after element 1 comes 'x'"),
        (b"[1,\n\n2", "line 3: after element 2 comes the end of the file: it is cut off"),
        (b"[1,]", "line 1: element 2 is cut off, or no JSON: Expecting value"),
        (b"[", "line 1: element 1 is cut off, or no JSON: Expecting value"),
        (b"\n[1,\n nothing that is any JSON]", "line 3: element 2: Expecting value"),
        (b'[\n"a\tb", "a longer text"]', "line 2: element 1: Invalid control character at"),
        (b"[]\n\n[]", "line 3: something comes after the array's end"),
        (b"[1] x", "line 1: something comes after the array's end"),
        (b'[1,\n\n"\xff"]', "line 3: not UTF-8"),
        (b'[1,\n"ab\nc\xd0', "line 3: not UTF-8"),
        (b"[1]\n\xff", "line 2: not UTF-8"),
        (b"[" + b"[" * 100_000, "line 1: element 1 is nested too deeply"),
    ],
)
def test_an_array_that_is_none_says_where(content: bytes, reason: str, chunk: int) -> None:
    if len(content) > 1000:
        chunk = 200_000
    assert refused(content, chunk) == reason


def test_an_array_may_be_one_line_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "LONGEST", 8)
    assert [value for _, value in read(b"[" + b"1, " * 50 + b"1]\n")] == [1] * 51


@pytest.mark.parametrize("element", ['"0123456789012345678901234567890"', "1" * 40])
def test_an_element_that_is_too_long_is_refused(
    element: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "LONGEST", 8)
    said = refused(f"[1, {element * 3}]".encode(), chunk=4)
    assert said.startswith(("line 1: element 2 is longer than 0 MiB", "line 1: after element 2"))


def test_a_line_that_is_no_value_is_the_readers_to_refuse() -> None:
    """It is handed on as it is; an array that is not the file's first thing is a line's value."""
    content = b'{"a": 1}\n[2]\nnonsense\xff\n'
    found = [tuple(value) for value in values(BytesIO(content))]
    assert found == [("line 1", b'{"a": 1}'), ("line 2", b"[2]"), ("line 3", b"nonsense\xff")]


# --- objects over several lines, and getUpdates' answer ------------------------------------------


@pytest.mark.parametrize("chunk", CHUNKS)
def test_an_object_may_go_over_several_lines(chunk: int) -> None:
    one, two, three = {"a": [1, {"b": "ж}\n{"}]}, {}, {"c": -1.5e3}
    texts = (json.dumps(one, indent=2), "\r\n \n", json.dumps(two), json.dumps(three, indent=0))
    found = read("".join(texts).encode(), chunk)
    lines_of_one = texts[0].count("\n")
    assert found == [("line 1", one), (f"line {lines_of_one + 3}", two), (found[2][0], three)]
    after_a_line = read(b'{"x": 1}\n\n' + texts[0].encode() + b"\n{}\n", chunk)
    assert [value for _, value in after_a_line] == [{"x": 1}, one, {}]
    assert after_a_line[1][0] == "line 3"


RESPONSES = [
    '{"ok":true,"result":[{"update_id":1},{"update_id":2}]}',
    '{"result": [{"update_id": 1}, {"update_id": 2}], "ok": true, "description": "x"}',
    '{\n  "ok": true,\n  "result": [\n    {"update_id": 1}\n,\n{"update_id": 2}\n  ]\n}\n',
]


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("response", RESPONSES)
def test_an_answer_of_getupdates_stands_for_its_updates(response: str, chunk: int) -> None:
    updates = [{"update_id": 1}, {"update_id": 2}]
    found = read(response.encode(), chunk)
    assert found == [(f"line 1, element {n}", each) for n, each in enumerate(updates, 1)]
    among = "{}\n" + response + "\n" + response + '{"ok":true,"result":[]}\n{"x": 5}'
    assert [value for _, value in read(among.encode(), chunk)] == [
        {},
        *updates,
        *updates,
        {"x": 5},
    ]


@pytest.mark.parametrize("chunk", CHUNKS)
def test_an_answer_that_is_cut_anywhere_is_refused(chunk: int) -> None:
    content = '{"ok": true, "result": [{"a": "ж👛"}, 5], "x": -1.5e3}'.encode()
    assert len(read(content, chunk)) == 2
    for length in range(1, len(content)):
        assert refused(content[:length], chunk).startswith("line 1: ")


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            b'{"ok": false, "error_code": 401, "description": "Unauthorized"}',
            'line 1: Telegram answered with an error, not with updates: "Unauthorized"',
        ),
        (
            b'{}\n{"error_code":401,"ok":false}\n',
            "line 2: Telegram answered with an error, not with updates: it says no reason",
        ),
        (
            b'{"ok": true, "result": {"id": 5, "is_bot": true}}',
            "line 1: this answer of Telegram's holds no list of updates",
        ),
        (b'\n{"ok": true}', "line 2: this answer of Telegram's holds no list of updates"),
        (b'{"ok": true "result": []}', "line 1: in Telegram's answer comes '\"'"),
        (b'{"ok": true, "result": [1 2]}', "line 1: after element 1 comes '2'"),
        (b'{"ok": true, "result" []}', "line 1: in Telegram's answer comes '['"),
        (b'{"a": 1\n{"b": 2, "c": "long enough"}', "line 1: this value: Expecting ',' delimiter"),
        (b'{\n"a": 1\n', "line 1: this value is cut off, or no JSON: Expecting ',' delimiter"),
        (b'{"a":' + b"[" * 100_000, "line 1: this value is nested too deeply"),
        (b'{"a":\n"\xff"}', "line 2: not UTF-8"),
    ],
)
def test_an_object_that_is_none_says_where(content: bytes, reason: str, chunk: int) -> None:
    if len(content) > 1000:
        chunk = 200_000
    assert refused(content, chunk) == reason


def test_an_answer_of_any_length_is_read_a_piece_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "LONGEST", 64)
    response = b'{"ok":true,"result":[' + b'{"a":1},' * 500 + b"{}]}"
    assert len(read(response)) == 501
    assert refused(b'{"a": "' + b"x" * 300 + b'"}') == "line 1: this value is longer than 0 MiB"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(b"{}", mtime=0), "it is compressed by gzip: unpack it first"),
        ("{}\n".encode("utf-16"), "it is UTF-16: save it as UTF-8"),
        ("{}\n".encode("utf-16-le"), "it is UTF-16: save it as UTF-8"),
        ("[]\n".encode("utf-16-be"), "it is UTF-16: save it as UTF-8"),
    ],
)
def test_what_is_no_text_is_named(content: bytes, reason: str) -> None:
    for read_by in (lines, values):
        with pytest.raises(ForeignFile) as error:
            list(read_by(BytesIO(content)))
        assert str(error.value) == reason


# --- files ---------------------------------------------------------------------------------------


def test_what_a_file_begins_with_stays_unread(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"1\n2\n")
    with opened(path) as file:
        assert beginning(file) == file.read() == b"1\n2\n"
    assert beginning(BytesIO(b"1")) == b""


def test_a_file_is_opened_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"1\n2\n")
    with opened(path) as file:
        assert [value.where for value in values(file)] == ["line 1", "line 2"]
    assert file.closed
    with pytest.raises(FileNotFoundError), opened(tmp_path / "none"):
        pass


class Standard:
    """sys.stdin or sys.stdout."""

    def __init__(self, content: bytes = b"") -> None:
        self.buffer = BytesIO(content)


def test_a_dash_is_standard_input_and_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", Standard(b"1\n"))
    with opened(STANDARD) as file:
        assert file.read() == b"1\n"
    out = Standard()
    monkeypatch.setattr(sys, "stdout", out)
    with whole(STANDARD) as file:
        file.write(b"2\n")
    assert not out.buffer.closed
    assert out.buffer.getvalue() == b"2\n"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OSError, match="it is closed"), opened(STANDARD):
        pass
    with pytest.raises(UnwritableFile, match=r"^standard output: it is closed$"), whole(STANDARD):
        pass
