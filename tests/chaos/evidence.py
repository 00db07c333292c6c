"""Both sides of what happened: what the stand-ins were asked, and what stands in PostgreSQL.

Gathered by the driver once everything is settled; verdict.py judges it.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from adapters.journal_compression import unpacked
from domain.alerts import fingerprint
from tests.chaos.flood import ECHO, Said
from tests.chaos.witness import Arrival, number_in
from tests.end_to_end.system import Bot, System

_MESSAGES = """
SELECT inbox.bot_id, inbox.update_id, inbox.state, processing.id, processing.status,
       processing.terminal_reason
FROM telegram_updates inbox
LEFT JOIN message_processing processing
  ON processing.bot_id = inbox.bot_id AND processing.telegram_update_id = inbox.update_id
"""
_STEPS = """
SELECT key, turn_id, at, event, effects FROM journal WHERE turn_id IS NOT NULL ORDER BY seq
"""
_WAITING = """
SELECT (SELECT count(*) FROM telegram_updates WHERE state = 'WAITING') AS updates,
       (SELECT count(*) FROM message_processing
        WHERE status NOT IN ('COMPLETED', 'TERMINAL')) AS messages,
       (SELECT count(*) FROM pgqueuer) AS jobs
"""


class Row(Struct, frozen=True):
    """An update as PostgreSQL has it; `id` is its message's, None where none was begun."""

    state: str
    id: int | None
    status: str | None
    reason: str | None
    alerted: bool


class Step(Struct, frozen=True):
    """A journalled step of a turn; `at` is Unix time, `kind` the failure's where it has one.

    `died`: its worker did, as a job took the turn over; `waits`: the turn's retry is due later.
    """

    chat: str
    at: float
    tag: str
    epoch: int
    run_id: str | None
    part: int | None
    kind: str | None
    run_ended: bool
    event: str
    died: bool = False
    waits: bool = False


class Run(Struct, frozen=True):
    """A generation that the model's stand-in began; `at` is Unix time."""

    id: str
    at: float


class Happened(Struct, frozen=True):
    """A fault as it came about, in Unix time: when it struck, and when all was there again."""

    name: str
    began: float
    ended: float

    @property
    def target(self) -> str:
        """What it struck: api, poller, worker (one or both), postgres, valkey, telegram, openai."""
        return self.name.split()[0].partition("-")[0]

    @property
    def how(self) -> str:
        return self.name.split()[-1]


class Evidence(Struct):
    """See the module. `steps` are by message id, `runs` by number; `waiting` counts what waits.

    `ended_by_themselves` are the processes that died without being killed.
    """

    said: Sequence[Said]
    arrivals: Sequence[Arrival]
    faults: Sequence[Happened]
    rows: dict[tuple[int, int], Row]
    steps: dict[int, list[Step]]
    runs: dict[int | None, list[Run]]
    waiting: dict[str, int]
    flood_ended: float
    settled: float
    ended_by_themselves: Sequence[str] = ()


class _Token(Struct):
    id: int
    epoch: int


class _Failure(Struct):
    type: str
    run_ended: bool = False


class _Event(Struct):
    type: str
    turn: _Token
    run_id: str | None = None
    part: int | None = None
    failure: _Failure | None = None
    died: bool = False


class _Effect(Struct):
    type: str


async def still_waiting(system: System, bots: Sequence[Bot]) -> dict[str, int]:
    """What is not over, by kind, without the kinds of which there is nothing."""
    pending = sum(len(system.sandbox.telegram.bot(bot.telegram_id).pending) for bot in bots)
    (row,) = await system.rows(_WAITING)
    counts = {"undelivered updates": pending, **dict(row)}
    return {name: count for name, count in counts.items() if count}


async def rows_of(system: System) -> dict[tuple[int, int], Row]:
    """Every update of the inbox, by bot and update id."""
    alerts = {tuple(row) for row in await system.rows("SELECT bot_id, cause FROM alerts")}
    return {
        (row["bot_id"], row["update_id"]): Row(
            row["state"],
            row["id"],
            row["status"],
            row["terminal_reason"],
            (row["bot_id"], fingerprint(row["terminal_reason"] or "")) in alerts,
        )
        for row in await system.rows(_MESSAGES)
    }


async def steps_of(system: System) -> dict[int, list[Step]]:
    """The journal, by message."""
    steps: defaultdict[int, list[Step]] = defaultdict(list)
    for row in await system.rows(_STEPS):
        steps[row["turn_id"]].append(_step(row))
    return dict(steps)


def runs_of(system: System) -> dict[int | None, list[Run]]:
    """The generations begun, by number. Raises AssertionError where some were forgotten."""
    records = system.sandbox.openai.records
    assert len(records) != records.maxlen, "more generations than the stand-in remembers"
    runs: defaultdict[int | None, list[Run]] = defaultdict(list)
    for record in records:
        runs[number_in(record.input.removeprefix(ECHO))].append(Run(record.id, record.at))
    return dict(runs)


def _step(row: Any) -> Step:
    said = unpacked(row["event"])
    event = msgspec.json.decode(said, type=_Event)
    effects = msgspec.json.decode(unpacked(row["effects"]), type=list[_Effect])
    failure = event.failure
    return Step(
        chat=row["key"],
        at=row["at"].timestamp(),
        tag=event.type,
        epoch=event.turn.epoch,
        run_id=event.run_id,
        part=event.part,
        kind=failure.type if failure is not None else None,
        run_ended=failure is not None
        and event.type == "openai.replyFailed"
        and (failure.run_ended or failure.type != "retryable"),
        event=said.decode()[:300],
        died=event.died,
        waits=any(effect.type == "jobs.publish" for effect in effects),
    )
