"""Server-sent events, however a network cuts them."""

import pytest

from adapters.openai_events import EventParser


def _parse(*chunks: bytes) -> list[bytes]:
    parser = EventParser()
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return events + parser.finish()


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (b"data: 1\n\ndata: 2\n\n", [b"1", b"2"]),
        (b"data: 1\r\n\r\ndata: 2\r\n\r\n", [b"1", b"2"]),
        (b"data: 1\r\rdata: 2\r\r", [b"1", b"2"]),
        (b": a comment\n\ndata:1\n: another\n\n", [b"1"]),
        (b"event: x\nid: 7\nretry: 10\ndata: 1\n\n", [b"1"]),
        (b"data: {\ndata: }\n\n", [b"{\n}"]),
        (b"data:  two spaces\n\n", [b" two spaces"]),
        (b"\xef\xbb\xbfdata: 1\n\n", [b"1"]),
        (b"event: ping\n\ndata: 1\n\n", [b"1"]),
        ("data: Привет, 🙂\n\n".encode(), ["Привет, 🙂".encode()]),
        (b"data: 1\n\ndata: no empty line after it", [b"1", b"no empty line after it"]),
        (b"data: 1\n\ndata: 2\n", [b"1", b"2"]),
        (b"", []),
    ],
)
def test_the_same_events_for_every_cut(text: bytes, events: list[bytes]) -> None:
    assert _parse(text) == events
    assert _parse(*(text[i : i + 1] for i in range(len(text)))) == events
    for cut in range(len(text)):
        assert _parse(text[:cut], text[cut:]) == events


def test_an_event_of_a_megabyte_in_small_pieces() -> None:
    body = b"x" * 1_000_000
    text = b"data: " + body + b"\n\n"
    assert _parse(*(text[i : i + 1000] for i in range(0, len(text), 1000))) == [body]
