"""Whose a line is: what takes an update up says so, and what works for many is nobody's.

A turn's lines, of a real worker: end_to_end/test_logtail.py.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from adapters.postgres_bot_access import PostgresBotAccess
from adapters.valkey_live import ValkeyLive
from application.backlog import Backlog
from application.batcher import Batcher
from application.intake import Incoming, Intake, Receipt
from application.listeners import Listeners
from application.live import Changed
from application.meter import Stage
from application.outages import Outages
from application.polling import Polling
from tests.application.memory_meter import MemoryMeter

Seen = Callable[..., Awaitable[Any]]


async def _batch(seen: Seen) -> None:
    await Batcher(seen).put("an item")


async def _count_backlog(seen: Seen) -> None:
    clock = SimpleNamespace(now=lambda: datetime(2026, 11, 27, tzinfo=UTC))
    Backlog(cast(Any, SimpleNamespace(waiting=seen)), cast(Any, clock)).admit(3, 1, 100)


async def _tell_outage(seen: Seen) -> None:
    clock = SimpleNamespace(now=lambda: None)
    alerts = SimpleNamespace(send=seen)
    Outages(cast(Any, alerts), MemoryMeter(), cast(Any, clock)).heard("https://x", "HTTP 500")


async def _tell_live(seen: Seen) -> None:
    ValkeyLive(cast(Any, SimpleNamespace(publish=seen))).tell([Changed("settings", None)])


async def _load_bot(seen: Seen) -> None:
    access = PostgresBotAccess(*cast(Any, [None] * 4))
    access._load = seen  # type: ignore[method-assign]
    await access.get(3)


async def _listen(seen: Seen) -> None:
    async def follow() -> AsyncIterator[None]:
        await seen()
        yield None  # it is subscribed; with anything else the task would fail when nobody looks

    feed = SimpleNamespace(follow=follow)
    joining = Listeners(cast(Any, feed), *cast(Any, [None] * 2)).join(cast(Any, _Listener()))
    task = asyncio.create_task(joining)
    await asyncio.sleep(0)
    task.cancel()


class _Listener:
    """Something that can be referred to weakly."""


@pytest.mark.parametrize(
    "work", [_batch, _count_backlog, _tell_outage, _tell_live, _load_bot, _listen]
)
async def test_its_context_is_empty(work: Callable[[Seen], Awaitable[None]]) -> None:
    contexts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def seen(*_: object) -> Any:
        contexts.put_nowait(get_contextvars())
        return [None]

    bind_contextvars(request_id="somebody's", chat="1:42")
    try:
        await work(seen)
        assert await asyncio.wait_for(contexts.get(), 5) == {}
    finally:
        clear_contextvars()


class _Listening(MemoryMeter):
    """Hears what lines would say while an update is being kept."""

    def timing(self, stage: Stage) -> AbstractContextManager[None]:
        self.said = get_contextvars()
        return super().timing(stage)


def _intake(meter: MemoryMeter) -> Intake:
    async def insert(updates: Sequence[Incoming]) -> list[Receipt]:
        return [Receipt.KEPT for _ in updates]

    backlog = SimpleNamespace(admit=lambda *_: None, kept=lambda _: None)
    return Intake(cast(Any, SimpleNamespace(insert=insert)), cast(Any, backlog), meter)


@pytest.fixture
def nothing_bound() -> Iterator[None]:
    yield
    clear_contextvars()


def _update(update_id: int) -> bytes:
    chat = '{"id": 42, "type": "private", "first_name": "Ada"}'
    return f"""{{"update_id": {update_id}, "message": {{"message_id": 1, "date": 1790000000,
        "chat": {chat}, "from": {{"id": 42, "is_bot": false, "first_name": "Ada"}},
        "text": "words"}}}}""".encode()


async def test_a_webhook_says_which_update_it_keeps(nothing_bound: None) -> None:
    meter = _Listening()
    await _intake(meter).receive(3, _update(77))
    assert meter.said == {"bot": 3, "chat": "3:42", "update": 77}


async def test_a_poller_says_which_updates_it_keeps(nothing_bound: None) -> None:
    meter = _Listening()
    polling = Polling(*cast(Any, [None, None, _intake(meter), None, None]))
    await polling._keep(3, [_update(77), _update(78)])
    assert meter.said == {"update": [77, 78]}
    assert "update" not in get_contextvars()  # the next poll's lines are not about these


async def test_a_polled_bots_lines_have_its_number(nothing_bound: None) -> None:
    said = asyncio.Event()

    @asynccontextmanager
    async def lease(bot_id: int) -> AsyncIterator[None]:
        assert get_contextvars() == {"bot": bot_id}
        said.set()
        yield None

    polling = Polling(*cast(Any, [SimpleNamespace(lease=lease), None, None, None, None]))
    poll = asyncio.create_task(polling._poll(3))
    await asyncio.wait_for(said.wait(), 5)
    poll.cancel()
