"""What Logtail does not take is counted and told; whoever logs waits for nothing.

With real processes and over HTTP: end_to_end/test_logtail.py, end_to_end/test_hanging.py.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import pytest
from logtail import flusher
from logtail.uploader import Fake500, Uploader
from requests import ConnectionError as NoConnection

from adapters.logtail_handler import CAPACITY, LAST_FLUSH, LONGEST, BoundedLogtailHandler

Answer = Callable[[list[Any]], Any]


class Server:
    """Takes the library's place on the wire: what it was sent, and what it says."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.batches: list[list[dict[str, Any]]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, frame: list[Any]) -> Any:
        self.batches.append(msgpack.unpackb(msgpack.packb(frame)))
        self.may_answer.wait(60)
        answer = Fake500(NoConnection("nobody listens"))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status:
            answer.status_code = status
            del answer.exception
        return answer

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [line for batch in self.batches for line in batch]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's three further tries wait for nothing."""
    monkeypatch.setattr(flusher, "RETRY_SCHEDULE", (0, 0, 0))


class Log:
    """A handler, and what it told of its losses."""

    def __init__(self, server: Answer) -> None:
        self.losses: list[tuple[int, str]] = []
        self.told = threading.Event()
        self.handler = BoundedLogtailHandler("token", "https://logs.example", self._lost)
        self.handler.uploader = server  # type: ignore[assignment]

    def _lost(self, lines: int, why: str) -> None:
        self.losses.append((lines, why))
        self.told.set()

    def write(self, event: str, **fields: object) -> None:
        line = {"event": event, "timestamp": "2026-11-27T12:00:00Z", **fields}
        text = json.dumps(line, ensure_ascii=False)
        self.handler.emit(logging.LogRecord("test", logging.INFO, "", 0, text, (), None))


@pytest.fixture
def log() -> Iterator[Callable[[Answer], Log]]:
    made: list[Log] = []

    def make(server: Answer) -> Log:
        made.append(Log(server))
        return made[-1]

    yield make
    for each in made:
        each.handler.close()


def test_a_line_is_sent_with_its_fields(log: Callable[[Answer], Log]) -> None:
    server = Server(202)
    writer = log(server)
    writer.write("it.happened", bot=3, said="\ud83d", exception="x" * LONGEST + "the end")
    writer.handler.flush()
    (line,) = server.lines
    assert (line["message"], line["dt"], line["bot"]) == ("it.happened", "2026-11-27T12:00:00Z", 3)
    assert line["said"] == "?"
    assert len(line["exception"]) == LONGEST and line["exception"].endswith("the end")
    assert writer.losses == []


def test_a_full_queue_drops_and_tells(log: Callable[[Answer], Log]) -> None:
    server = Server(202)
    server.may_answer.clear()
    writer = log(server)
    written = 3 * CAPACITY
    for number in range(written):  # nothing answers: this would wait for ever
        writer.write("line", number=number)
    assert writer.handler.pipe.qsize() <= CAPACITY
    server.may_answer.set()
    assert writer.told.wait(20)
    writer.handler.flush()
    ((lost, why),) = writer.losses
    assert lost >= written - 2 * CAPACITY and why == "more lines came than could be sent"
    assert len(server.lines) + lost == written


@pytest.mark.parametrize(
    ("status", "tries", "why"),
    [(413, 1, "HTTP 413"), (500, 4, "HTTP 500"), (429, 4, "HTTP 429"), (0, 4, "ConnectionError")],
)
def test_a_batch_that_is_not_taken_is_told(
    log: Callable[[Answer], Log],
    capsys: pytest.CaptureFixture[str],
    status: int,
    tries: int,
    why: str,
) -> None:
    server = Server(status)
    writer = log(server)
    writer.write("line")
    assert writer.told.wait(20)
    assert (len(server.batches), writer.losses) == (tries, [(1, why)])
    assert capsys.readouterr().out == ""  # the library prints


def test_a_server_that_is_back_gets_what_waited(log: Callable[[Answer], Log]) -> None:
    server = Server(0, 503, 202)
    writer = log(server)
    writer.write("line")
    writer.handler.flush()
    assert len(server.batches) == 3 and writer.losses == []


def test_what_cannot_be_packed_is_told_and_ends_nothing(log: Callable[[Answer], Log]) -> None:
    server = Server(202)
    writer = log(server)
    writer.handler.uploader = Uploader("token", "https://logs.example", 1.0)
    writer.write("line", number=2**70)
    assert writer.told.wait(20)
    assert writer.losses == [(1, "OverflowError")]
    writer.handler.uploader = server  # type: ignore[assignment]
    writer.write("the next one")
    writer.handler.flush()
    assert [line["message"] for line in server.lines] == ["the next one"]


def test_its_thread_holds_up_no_exit(log: Callable[[Answer], Log]) -> None:
    server = Server(202)
    server.may_answer.clear()
    writer = log(server)
    writer.write("line")
    assert writer.handler.flush_thread is not None and writer.handler.flush_thread.daemon
    flushed = threading.Thread(target=writer.handler.flush)
    flushed.start()
    flushed.join(20 * LAST_FLUSH)  # the server never answers
    assert not flushed.is_alive()
    server.may_answer.set()
