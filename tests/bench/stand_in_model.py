"""The bench's model: Responses, streamed or not, at once or after some thought.

Called by tests/bench/stand_ins.py with requests below /v1/. What it has seen stands in its report.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tests.bench.model_answers import COMPLETED, CREATED, IN_PROGRESS, Answer
from tests.bench.stand_in_report import Asked, Behaviour, Report

STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"
GATE_SECONDS = 60.0


class _Line(Struct):
    content: str


class _Conversation(Struct):
    id: str


class _Request(Struct):
    input: str | list[_Line]
    stream: bool = False
    background: bool = False
    conversation: str | _Conversation | UnsetType = UNSET


_request = msgspec.json.Decoder(_Request)


class Connection(Protocol):
    """What a request came by, and its answer goes."""

    def write(self, data: bytes) -> None: ...

    def json(self, body: bytes, status: bytes = b"200 OK") -> None:
        """Answer with a body of JSON."""
        ...

    def busy(self, thinking: Coroutine[Any, Any, None]) -> None:
        """Let the model think; it stops where the client goes away."""
        ...


class Model:
    """All runs since the behaviour was set."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self.behave(Behaviour())

    def behave(self, behaviour: Behaviour) -> None:
        """Answer like this from now on, and begin to count anew."""
        self.behaviour, self.report = behaviour, Report()
        self._runs: dict[str, Answer] = {}
        self._finished: set[str] = set()
        self._gate = asyncio.Event()

    def conversation(self, connection: Connection) -> None:
        """POST /conversations."""
        connection.json(
            b'{"id":"conv_%032x","object":"conversation","created_at":1800000000,'
            b'"metadata":{}}' % next(self._ids)
        )

    def ask(self, connection: Connection, body: bytes) -> None:
        """POST /responses: answer at once, or think about it."""
        request = _request.decode(body)
        match request.conversation:
            case str(conversation) | _Conversation(id=conversation):
                pass
            case _:
                conversation = ""
        asked = request.input if isinstance(request.input, str) else request.input[-1].content
        run_id = f"resp_{next(self._ids):032x}"
        answer = Answer(run_id.encode(), conversation.encode(), asked)
        self._runs[run_id] = answer
        call = Asked(asked, time.monotonic(), 0.0)
        report = self.report
        report.asked.append(call)
        report.in_flight += 1
        report.most_in_flight = max(report.most_in_flight, report.in_flight)
        if report.in_flight >= self.behaviour.gate:
            self._gate.set()

        def finish() -> None:
            self._finished.add(run_id)
            call.answered_at = time.monotonic()
            report.in_flight -= 1

        if self.behaviour.think == 0:
            finish()
            if request.stream:
                connection.write(b"".join((STREAM, *_events(answer, self.behaviour.words), END)))
            else:
                connection.json(answer.response(b"completed"))
        elif request.stream:
            connection.busy(self._stream(connection, answer, finish))
        else:
            connection.busy(self._think(connection, answer, finish))

    async def _stream(
        self, connection: Connection, answer: Answer, finish: Callable[[], None]
    ) -> None:
        """Each event in a write of its own, at an even pace over the seconds of thought."""
        first, second, *words, last = _events(answer, self.behaviour.words)
        connection.write(STREAM + first + second)
        await self._opened()
        began, pause = time.monotonic(), self.behaviour.think / (len(words) + 1)
        for position, chunk in enumerate((*words, last), 1):
            await asyncio.sleep(began + position * pause - time.monotonic())
            if chunk is last:
                finish()
            connection.write(chunk)
        connection.write(END)

    async def _think(
        self, connection: Connection, answer: Answer, finish: Callable[[], None]
    ) -> None:
        await self._opened()
        await asyncio.sleep(self.behaviour.think)
        finish()
        connection.json(answer.response(b"completed"))

    async def _opened(self) -> None:
        if self.behaviour.gate:
            await asyncio.wait_for(self._gate.wait(), GATE_SECONDS)

    def tell(self, connection: Connection, run_id: str) -> None:
        """GET /responses/{id}."""
        self.report.count("retrieve")
        run = self._runs.get(run_id)
        if run is None:
            connection.json(b'{"error":{"message":"no such response"}}', b"404 Not Found")
        else:
            finished = run_id in self._finished
            connection.json(run.response(b"completed" if finished else b"in_progress"))


def _events(answer: Answer, words: int) -> list[bytes]:
    """The stream's events, each a chunk of HTTP's."""
    events = [
        answer.state(CREATED, 0),
        answer.state(IN_PROGRESS, 1),
        *(answer.delta(2 + number) for number in range(words)),
        answer.state(COMPLETED, 2 + words),
    ]
    return [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
