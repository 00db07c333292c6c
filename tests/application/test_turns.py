"""A turn's job: who is blamed for a bug, what is tried again, and how long one runs alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from application import turns as turns_module
from application.conversations import Entry, Loaded, Unreadable
from application.jobs import Pick, StatementFailed
from application.moves import Bug, NeedsAlone, Take, move
from application.react import React
from application.turns import Turns
from domain.effects import AdminAlert, GenerateReply, SendMessage, TurnEffect, TurnToken
from domain.events import BotProfile, TurnBroke, TurnEvent
from domain.turn import Conversation, Status
from tests.application.memory_conversations import (
    START,
    MemoryClock,
    MemoryConversations,
    _Transaction,
)
from tests.application.memory_meter import MemoryMeter
from tests.application.test_react import BOT, CHAT, DAY, World, asked, payload, success

PICK = Pick(1, "one", START)


class _Lease:
    again = False

    def __init__(self, pick: Pick) -> None:
        self.pick = pick

    def check(self) -> None:
        """It is never lost here."""


class _Runner:
    """Everything succeeds; `before` is awaited before each effect."""

    def __init__(self, before: Callable[[TurnEffect], Awaitable[None]] | None = None) -> None:
        self.seen: list[TurnEffect] = []
        self._before = before

    async def perform(self, effect: TurnEffect, lease: object, emit: object) -> TurnEvent:
        self.seen.append(effect)
        if self._before is not None:
            await self._before(effect)
        return success((effect,))

    async def show(self, effect: object, lease: object) -> None:
        """Nothing is shown."""


class _Refusing(MemoryConversations):
    """Its next commits are refused by PostgreSQL."""

    def __init__(self, *bots: BotProfile, refusals: int) -> None:
        super().__init__(*bots)
        self.refusals = refusals

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[_Transaction]:
        if self.refusals:
            self.refusals -= 1
            raise StatementFailed("DBAPIError 42P18")
        async with super().transaction() as transaction:
            yield transaction


def _turns(store: MemoryConversations, runner: _Runner) -> Turns:
    clock = MemoryClock(store)
    return Turns(React(store, clock, MemoryMeter()), runner, clock)


def _loaded(**changes: object) -> Loaded:
    chat = Conversation(CHAT, 42, epoch=6)
    loaded = Loaded(
        chat, BOT, 1, owner_lives=True, pick_held=True, update=None, request=None, new_id=9
    )
    return replace(loaded, **changes)


# --- who is blamed -------------------------------------------------------------------------------


async def test_a_bug_in_a_beginning_blames_the_entry_that_broke() -> None:
    """Update 9 arrives late, after 10 broke and before that is told: 9 heads the line by then."""
    world = World()
    job = world.store.update(CHAT, 10, "{this is no update")
    pick = world.store.pick(job)
    broken = Bug("NotAnUpdate: of 10", "", ("UPDATE", 10))
    world.says(9)
    asked(await world.react.put(Take(CHAT, pick, broken=broken)))
    assert (world.turn().update_id, world.turn().status) == (9, Status.PROCESSING)


async def test_a_beginning_that_breaks_ends_and_the_line_goes_on() -> None:
    store = MemoryConversations(BOT)
    store.update(CHAT, 1, "{this is no update")
    job = store.update(CHAT, 2, payload(2))
    runner = _Runner()
    await _turns(store, runner).run(CHAT, _Lease(store.pick(job)))
    states = [(turn.update_id, turn.status) for _, turn in store.turns.values()]
    assert states == [(1, Status.TERMINAL), (2, Status.COMPLETED)]


# --- what lines say of it ------------------------------------------------------------------------


async def test_a_bugs_line_says_whose_turn_broke_and_where_but_quotes_nothing() -> None:
    said = "words of a person"

    async def breaks(effect: TurnEffect) -> None:
        raise ValueError(said)

    store = MemoryConversations(BOT)
    job = store.update(CHAT, 1, payload(1))
    with capture_logs(processors=[merge_contextvars]) as lines:
        await _turns(store, _Runner(breaks)).run(CHAT, _Lease(store.pick(job)))
    (line,) = lines
    ((_, turn),) = store.turns.values()
    about = {"bot": BOT.id, "chat": CHAT, "processing": turn.token.id, "update": 1}
    assert line.items() >= {"event": "turn.broke", "error": "ValueError", **about}.items()
    assert "in breaks" in line["exception"] and said not in str(line)


async def test_the_line_of_a_beginning_has_nothing_of_the_message_before_it() -> None:
    store = MemoryConversations(BOT)
    job = store.update(CHAT, 1, payload(1))
    store.update(CHAT, 2, "{this is no update")
    with capture_logs(processors=[merge_contextvars]) as lines:
        await _turns(store, _Runner()).run(CHAT, _Lease(store.pick(job)))
    (line,) = lines
    assert (line["event"], line["error"], line["chat"]) == ("turn.broke", "NotAnUpdate", CHAT)
    assert "in decode_update" in line["exception"]
    assert not {"processing", "update"} & line.keys()


# --- what is tried again -------------------------------------------------------------------------


@pytest.mark.parametrize(("refusals", "status"), [(2, Status.COMPLETED), (3, Status.TERMINAL)])
async def test_a_statement_that_is_refused_as_a_message_begins_is_tried_again(
    refusals: int, status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "STATEMENT_WAITS", (0.0, 0.0))
    store = _Refusing(BOT, refusals=refusals)
    job = store.update(CHAT, 1, payload(1))
    await _turns(store, _Runner()).run(CHAT, _Lease(store.pick(job)))
    ((_, turn),) = store.turns.values()
    assert turn.status is status


# --- a stored turn that cannot be read -----------------------------------------------------------

UNREADABLE = Unreadable(77, "its turn cannot be read: Expected `object`")


def test_an_unfinished_turn_that_cannot_be_read_ends_and_is_told() -> None:
    _, change = move(Take(CHAT, PICK), _loaded(unreadable=UNREADABLE), START)
    assert change is not None
    (turn,) = change.touched
    assert turn.token == TurnToken(77, 7)
    assert turn.verdict == f"a bug: {UNREADABLE.reason}"
    (journalled,) = change.journal
    assert TurnBroke.__struct_config__.tag in journalled.event
    assert AdminAlert.__struct_config__.tag in journalled.effects
    assert SendMessage.__struct_config__.tag in journalled.effects


def test_a_retry_of_a_turn_that_cannot_be_read_ends_and_is_told() -> None:
    entry = Entry("RETRY", 51, "", START, UNREADABLE)
    _, change = move(Take(CHAT, PICK), _loaded(request=entry), START)
    assert change is not None
    (turn,) = change.touched
    assert (turn.token.id, turn.verdict) == (77, f"a bug: {UNREADABLE.reason}")
    assert change.taken == entry


# --- what waits for a disabled bot ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["OPERATOR_MESSAGE", "RETRY", "UPDATE"])
async def test_what_waits_for_a_disabled_bot_ends_after_a_day(kind: str) -> None:
    store = MemoryConversations(BOT)
    runner = _Runner()
    if kind == "RETRY":
        store.update(CHAT, 1, payload(1))
        store.bots[3] = replace(BOT, enabled=False)
        store.at += DAY
        await _turns(store, runner).run(CHAT, _Lease(store.pick(store.publish(CHAT))))
        ((message, _),) = store.turns.items()
        store.request(CHAT, "RETRY", of=message)
    elif kind == "UPDATE":
        store.bots[3] = replace(BOT, enabled=False)
        store.update(CHAT, 1, payload(1))
    else:
        store.bots[3] = replace(BOT, enabled=False)
        store.request(CHAT, "OPERATOR_MESSAGE")
    runner.seen.clear()
    await _turns(store, runner).run(CHAT, _Lease(store.pick(store.publish(CHAT))))
    assert [one.entry.kind for one in store.line if not one.taken] == [kind]
    store.at += DAY
    await _turns(store, runner).run(CHAT, _Lease(store.pick(store.publish(CHAT))))
    assert all(one.taken for one in store.line)
    ((_, turn),) = store.turns.values()
    assert (turn.status, turn.verdict) == (Status.TERMINAL, "bot disabled")
    assert runner.seen == []


# --- alone ---------------------------------------------------------------------------------------


async def test_only_the_message_whose_worker_died_runs_alone() -> None:
    """Its chat's next message thinks for long; another chat's is answered meanwhile."""
    world = World()
    store = world.store
    thinking, think_on = asyncio.Event(), asyncio.Event()
    first: list[int] = []

    async def before(effect: TurnEffect) -> None:
        if (
            isinstance(effect, GenerateReply)
            and effect.chat == CHAT
            and effect.turn.id not in first
        ):
            thinking.set()
            await think_on.wait()

    job = world.says(1)
    world.says(2)
    await world.take(job)
    first += store.turns
    for _ in range(2):
        again = await world.take(job)
    assert isinstance(again, NeedsAlone)
    turns = _turns(store, _Runner(before))
    suspect = asyncio.create_task(turns.run(CHAT, _Lease(store.pick(job))))
    await asyncio.wait_for(thinking.wait(), 2)
    assert world.states()[0] == ("Hello", Status.COMPLETED)
    other = store.update("3:77", 50, payload(50, chat=77))
    await asyncio.wait_for(turns.run("3:77", _Lease(store.pick(other, "two"))), 2)
    think_on.set()
    await asyncio.wait_for(suspect, 2)
    assert {status for _, status in world.states()} == {Status.COMPLETED}
