"""A run of the Responses API, from its first event to its end, through whatever breaks between.

Triggered by adapters/openai_responses.py with the answer to POST /responses, or with the id of a
run that was started earlier; the Response comes out whose status is final.
Facts: OpenAI API reference, "Streaming events", "Get a model response"; guide "Background mode".
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from urllib.parse import quote

import httpx2
import msgspec
from msgspec import Struct
from openai import APIStatusError

from adapters.openai_clients import OpenAIClients
from adapters.openai_events import EventStream, StreamBroken, is_event_stream
from adapters.openai_failures import Complaint, complaint, complaint_in, refused
from adapters.openai_response_outcome import Response, decode_response
from application.model import ModelAccess
from application.ports import Failed
from domain.failures import RunLost

FIRST_PAUSE = 0.5
LAST_PAUSE = 4.0

_RUNNING = frozenset({"queued", "in_progress"})
_LAST_EVENTS = frozenset(
    {"response.completed", "response.failed", "response.incomplete", "response.cancelled"}
)
_NOT_STREAMED = frozenset({400, 404, 405, 422, 501})


class _Event(Struct):
    type: str = ""
    sequence_number: int | None = None
    response: msgspec.Raw = msgspec.Raw()


class _Named(Struct):
    id: str


_EVENT = msgspec.json.Decoder(_Event)
_NAMED = msgspec.json.Decoder(_Named)


class Run(Struct):
    """What is known of a run: the last event's number, its final state, an error told instead."""

    id: str | None = None
    after: int = 0
    end: Response | None = None
    error: Complaint | None = None


OnId = Callable[[str], Awaitable[None]]


async def read(answer: httpx2.Response, run: Run, on_id: OnId | None = None) -> None:
    """Read an answer, streamed or not, into `run`; `on_id` is awaited before reading on.
    A stream that breaks is no error: `run` then has no `end`. Closes the answer.
    """
    try:
        if is_event_stream(answer):
            await _read_events(answer, run, on_id)
        else:
            await _read_whole(answer, run, on_id)
    except StreamBroken:
        return
    finally:
        await answer.aclose()


async def follow(clients: OpenAIClients, access: ModelAccess, run: Run, stream: bool) -> Response:
    """Wait for the end of a run that has an id; with `stream`, by its events where possible.

    Raises Failed: RunLost where the server does not know the run, or runs it no more.
    """
    path = f"/responses/{quote(run.id or '', safe='')}"
    pause = FIRST_PAUSE
    while True:
        response = await _retrieve(clients, access, path)
        if response.status not in _RUNNING:
            return response
        if response.background is False:
            raise Failed(RunLost("OpenAI: the run ended with the connection that started it"))
        if stream:
            events = f"{path}?stream=true&starting_after={run.after}"
            try:
                await read(await clients.send(access, "GET", events, stream=True), run)
            except APIStatusError as error:
                if error.status_code not in _NOT_STREAMED:
                    raise Failed(refused(error)) from error
                stream = False
            if run.end is not None:
                return run.end
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LAST_PAUSE)


async def _retrieve(clients: OpenAIClients, access: ModelAccess, path: str) -> Response:
    try:
        answer = await clients.send(access, "GET", path)
    except APIStatusError as error:
        # 400: an id that this server could not have given, so another server did.
        if error.status_code in (400, 404):
            raise Failed(RunLost(complaint(error).reason)) from error
        raise Failed(refused(error)) from error
    return decode_response(answer.content)


async def _read_events(answer: httpx2.Response, run: Run, on_id: OnId | None) -> None:
    stream = EventStream(answer)
    async with aclosing(stream.batches()) as batches:
        async for batch in batches:
            try:
                for data in batch:
                    stream.over = _take(_decode(data), data, run) or stream.over
            finally:
                # Also where the answer came with it: what breaks after this is not paid again.
                if on_id is not None and run.id is not None:
                    await on_id(run.id)
                    on_id = None


def _take(event: _Event, data: bytes, run: Run) -> bool:
    """Take what an event tells; whether it is the last."""
    if event.sequence_number is not None:
        run.after = event.sequence_number
    if event.response and run.id is None:
        run.id = _name(event.response)
    if event.type in _LAST_EVENTS:
        run.end = decode_response(event.response)
        return True
    if event.type == "error":
        run.error = complaint_in(msgspec.json.decode(data))
        return True
    return False


async def _read_whole(answer: httpx2.Response, run: Run, on_id: OnId | None) -> None:
    response = decode_response(await answer.aread())
    if response.status not in _RUNNING:
        run.end = response
    elif run.id is None and response.id is not None:
        run.id = response.id
        if on_id is not None:
            await on_id(run.id)


def _decode(data: bytes) -> _Event:
    if data == b"[DONE]":
        return _Event()
    try:
        return _EVENT.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StreamBroken(f"an event is not what it should be: {error}") from error


def _name(response: bytes) -> str:
    try:
        return _NAMED.decode(response).id
    except msgspec.DecodeError as error:
        raise StreamBroken(f"a response has no id: {error}") from error
