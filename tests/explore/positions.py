"""Where a task stands in the code of application.turns.Turns, and how an answer takes it further.

Turns.run is a coroutine; here it is advanced by hand. Its React and its runner hand what they were
asked for out of the coroutine (`Put`, `Check`, `Call`, `Follow`) and wait for the answer. A
position is the whole continuation: the request, and the stack with its places and locals. It is
reached again by feeding the answers that first led there; each (position, answer) is tried once.
"""

from collections.abc import Coroutine, Generator, Hashable
from typing import Any, TypeAlias

from msgspec import Struct

from application.jobs import LeaseLost, Pick, Unavailable
from application.moves import BeginningBroke, Item, Result
from application.react import React
from application.turns import Emit, Turns
from domain.effects import GenerateReply, ResumeReply, SendChatAction, SendMessage
from domain.events import ReplyStarted, TurnEvent
from tests.application.memory_conversations import START
from tests.explore.commits import CannotBegin

CHAT = "3:42"
PICK = Pick(1, "worker", START)

Performed: TypeAlias = GenerateReply | ResumeReply | SendMessage


class Put(Struct, frozen=True):
    """It waits for the commit of an item."""

    item: Item


class Check(Struct, frozen=True):
    """It is about to look at its lease, and then to call. Answer: whether the lease is held."""

    effect: Performed


class Call(Struct, frozen=True):
    """Its call is on the way. Answer: the outcome, or ReplyStarted."""

    effect: Performed


class Follow(Struct, frozen=True):
    """The id of the run that it started is saved; it follows the run. Answer: the outcome."""

    effect: Performed


Request: TypeAlias = Put | Check | Call | Follow


class Over(Struct, frozen=True):
    """The task has ended: it returned, was told to let go, or a bug escaped it."""

    how: str


RETURNED, LET_GO, BROKE = Over("returned"), Over("let go"), Over("broke")


class Bug(Exception):  # noqa: N818 - what it is
    """A bug in a handler, or in an effect's runner."""


Answer: TypeAlias = Result | TurnEvent | bool | type[Exception] | CannotBegin


class Position(Struct, frozen=True):
    """`answers` are the shortest way here that was found; `again` is the lease's."""

    request: Request
    again: bool
    answers: tuple[Answer, ...]


class _Ask:
    def __init__(self, request: Request) -> None:
        self._request = request

    def __await__(self) -> Generator[Request, Any, Any]:
        return (yield self._request)


class _React(React):
    def __init__(self) -> None:
        """It has no store: what is put is answered from outside."""

    async def put(self, item: Item) -> Result:
        result: Result = await _Ask(Put(item))
        return result


class _Lease:
    pick = PICK

    def __init__(self, again: bool) -> None:
        self.again = again
        self.held = True

    def check(self) -> None:
        if not self.held:
            raise LeaseLost(CHAT)


class _Runner:
    """Keeps to the order of adapters/effect_runner.py: the lease, then the call."""

    def __init__(self, lease: _Lease) -> None:
        self._lease = lease

    async def perform(self, effect: Performed, lease: object, emit: Emit) -> TurnEvent:
        self._lease.held = await _Ask(Check(effect))
        self._lease.check()
        outcome: TurnEvent = await _Ask(Call(effect))
        if isinstance(outcome, ReplyStarted):
            await emit(outcome)
            outcome = await _Ask(Follow(effect))
        return outcome

    async def show(self, effect: SendChatAction, lease: object) -> None:
        raise AssertionError("chat actions are taken out of what Turns is answered")


class _Clock:
    def now(self) -> Any:
        raise AssertionError("Turns asks for jitter only")

    def jitter(self) -> float:
        return 0.5


class Positions:
    """All positions that were met, numbered."""

    def __init__(self) -> None:
        self.known: list[Position] = []
        self._numbers: dict[Hashable, int] = {}
        self._after: dict[tuple[int, Answer], int | Over] = {}
        self._starts = {again: self._follow(again, ()) for again in (False, True)}

    def start(self, again: bool) -> int:
        """The position of a job that was just dequeued."""
        start = self._starts[again]
        assert isinstance(start, int)
        return start

    def request(self, position: int) -> Request:
        return self.known[position].request

    def after(self, position: int, answer: Answer) -> int | Over:
        """The position that the answer leads to."""
        found = self._after.get((position, answer))
        if found is None:
            here = self.known[position]
            found = self._follow(here.again, (*here.answers, answer))
            self._after[position, answer] = found
        return found

    def _follow(self, again: bool, answers: tuple[Answer, ...]) -> int | Over:
        lease = _Lease(again)
        turn = Turns(_React(), _Runner(lease), _Clock()).run(CHAT, lease)
        try:
            request: Request = turn.send(None)
            for answer in answers:
                if isinstance(answer, CannotBegin):
                    bug = BeginningBroke(answer.kind, answer.entry)
                    bug.__cause__ = Bug("told by the explorer")
                    request = turn.throw(bug)
                elif isinstance(answer, type):
                    request = turn.throw(answer("told by the explorer"))
                else:
                    request = turn.send(answer)
            return self._number(turn, Position(request, again, answers))
        except StopIteration:
            return RETURNED
        except (LeaseLost, Unavailable):
            return LET_GO
        except Bug:
            return BROKE
        finally:
            turn.close()

    def _number(self, turn: Coroutine[Any, Any, None], position: Position) -> int:
        key = (position.request, position.again, *_stack(turn))
        if key not in self._numbers:
            self._numbers[key] = len(self.known)
            self.known.append(position)
        return self._numbers[key]


def _stack(waiting: Any) -> Generator[Hashable, None, None]:
    """Each frame's place, and its locals as far as they are data."""
    while (frame := getattr(waiting, "cr_frame", getattr(waiting, "gi_frame", None))) is not None:
        data = {
            name: value
            for name, value in frame.f_locals.items()
            if isinstance(value, Struct | tuple | str | bool | None)
        }
        yield frame.f_code.co_qualname, frame.f_lasti, tuple(sorted(data.items(), key=_name))
        waiting = getattr(waiting, "cr_await", getattr(waiting, "gi_yieldfrom", None))


def _name(item: tuple[str, object]) -> str:
    return item[0]
