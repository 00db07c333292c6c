"""One item through application.react.React, against one chat: what is answered, and what is saved.

Pure, so each (item, situation of the chat) is run once. The store is a fake that is told what it
has to load, and keeps what it is told to save.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from application.conversations import Change, Entry, Loaded, Owner
from application.jobs import Pick
from application.moves import BeginningBroke, Ended, Item, Outcome, Proceed, Result, Running
from application.react import React
from domain.effects import SendChatAction, TurnToken
from domain.turn import Conversation, Turn
from tests.application.memory_meter import MemoryMeter
from tests.explore.world import NOW, Violation


class Saved(Struct, frozen=True):
    """A Change, told without names. `taken`: the entry; `passed`: the epoch went on by one."""

    conversation: Conversation
    touched: tuple[Turn, ...]
    begun: Turn | None
    taken: Entry | None
    owner: Owner
    retry: bool
    acknowledge: bool
    passed: bool


class CannotBegin(Struct, frozen=True):
    """application.moves.BeginningBroke, as a value."""

    kind: str
    entry: int


class Commit(Struct, frozen=True):
    """What the item's task is answered, and what is in the database then."""

    answer: Result | type[Exception] | CannotBegin
    saved: Saved | None


class OneChat:
    """application.conversations.ConversationStore and Clock, for one item."""

    def __init__(self, loaded: Loaded, at: datetime) -> None:
        self._loaded = loaded
        self._at = at
        self.change: Change | None = None

    def now(self) -> datetime:
        return self._at

    def jitter(self) -> float:
        return 0.5

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["OneChat"]:
        yield self

    async def load(self, asked: Sequence[tuple[str, Pick]]) -> dict[str, Loaded]:
        return {chat: self._loaded for chat, _ in asked}

    async def save(self, changes: Sequence[Change]) -> None:
        (self.change,) = changes


def commit(item: Item, loaded: Loaded, at: datetime) -> tuple[Result | Exception, Change | None]:
    """What React makes of the item."""
    store = OneChat(loaded, at)
    (result,) = _run(React(store, store, MemoryMeter())._flush([item]))
    return result, store.change


def nameless(item: Item, result: Result | Exception, change: Change | None) -> Commit:
    """The commit with the epochs as the world tells them."""
    if isinstance(result, BeginningBroke):
        return Commit(CannotBegin(*result.entry), None)
    if isinstance(result, Exception):
        return Commit(type(result), None)
    if change is None:
        return Commit(_result(result, 0), None)
    after = change.conversation
    passed = after.epoch - NOW
    if passed not in (0, 1):
        raise Violation(f"{item} takes the chat's epoch from {NOW} to {after.epoch}")
    turn = after.turn if after.turn is not None and not after.turn.over else None
    if turn is not None and turn.token.epoch != after.epoch:
        raise Violation(f"an unfinished turn of epoch {turn.token.epoch} in one of {after.epoch}")
    return Commit(
        _result(result, passed),
        Saved(
            replace(after, epoch=NOW, turn=_turn(turn, passed) if turn is not None else None),
            tuple(_turn(turn, passed) for turn in change.touched),
            change.begun,
            change.taken,
            change.owner,
            change.retry is not None,
            change.acknowledge,
            bool(passed),
        ),
    )


def stale(item: Item) -> Item:
    """The item, put by a task whose token is not the chat's any more."""
    match item:
        case Outcome(event=event):
            token = TurnToken(event.turn.id, NOW - 1)
            return replace(item, event=replace(event, turn=token))
        case Proceed():
            return replace(item, epoch=NOW - 1)
        case _:
            return item


def _result(result: Result, passed: int) -> Result:
    match result:
        case Running(token=token, effects=effects):
            now = _token(token, passed)
            # Chat actions have no outcome: without them Turns needs no tasks of its own.
            kept = [effect for effect in effects if not isinstance(effect, SendChatAction)]
            return Running(now, tuple(replace(effect, turn=now) for effect in kept))
        case Ended(epoch=epoch):
            return Ended(epoch - passed)
        case _:
            return result


def _turn(turn: Turn, passed: int) -> Turn:
    return replace(turn, token=_token(turn.token, passed))


def _token(token: TurnToken, passed: int) -> TurnToken:
    return TurnToken(token.id, max(token.epoch - passed, NOW - 1))


def _run(coroutine: object) -> Sequence[Result | Exception]:
    """Run what never waits: the store answers at once."""
    try:
        coroutine.send(None)  # type: ignore[attr-defined]
    except StopIteration as returned:
        found: Sequence[Result | Exception] = returned.value
        return found
    raise AssertionError("React waited for something")
