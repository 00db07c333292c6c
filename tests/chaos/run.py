"""One chaos run: set the system up, flood it while the plan's faults strike, settle, judge.

Triggered by `python -m tests.chaos` and by test_chaos.py; a Verdict comes out, and what happened.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from random import Random

import asyncpg
from msgspec import Struct

from adapters.data_directory import DataDirectory
from adapters.postgres_migrations import migrate
from adapters.postgres_transactions import engine
from entrypoints.sandbox.openai_world import Pace
from tests.bench.machine import Machine, machine
from tests.chaos.evidence import Evidence, Happened, rows_of, runs_of, steps_of, still_waiting
from tests.chaos.excuses import CALL_SECONDS
from tests.chaos.flood import Flood
from tests.chaos.parts import Parts
from tests.chaos.plan import Fault
from tests.chaos.road import Road
from tests.chaos.verdict import Verdict, judge
from tests.chaos.witness import Witness
from tests.end_to_end.system import Bot, System

SETTLE_SECONDS = 420.0
"""How long after the flood the last answer may come: outages may have used up the short retries,
the longest takes 320 s (256 and a quarter), and its chat's line goes on after it."""
QUIET_SECONDS = 3.0
"""Who still acts on what he has lost would do so by then."""
_SIGNALS = {"KILL": signal.SIGKILL, "TERM": signal.SIGTERM, "QUIT": signal.SIGQUIT}

Tell = Callable[[str], None]


class Outcome(Struct):
    """What a run found, and on what; `timelines` are of the messages that a violation names."""

    verdict: Verdict
    faults: list[Happened]
    machine: Machine
    timelines: dict[str, list[str]]


async def run(
    folder: Path,
    faults: Sequence[Fault],
    seconds: float,
    seed: int,
    *,
    rate: float,
    chats: int,
    tell: Tell,
    model: Pace | None = None,
) -> Outcome:
    """Flood for so many seconds. `folder` gets the databases and every process's log.

    `model`: how fast it answers what the flood does not slow down; None: at once.
    """
    data = DataDirectory.open(folder)
    parts = Parts(data)
    with data.lock("tests.chaos"):
        try:
            database_url, valkey_url = await parts.start_servers()
            database = engine(database_url, pool_size=1)
            await migrate(database)
            await database.dispose()
            told = {"TELEGRAM_TIMEOUT": f"{CALL_SECONDS:g}"}
            async with System(database_url, valkey_url, **told) as system, _roads(system) as roads:
                await parts.start_ours(system.environment)
                await system.until(system.ready, 30)
                await system.sign_in()
                system.sandbox.openai.pace = model or Pace()
                stage = _Stage(system, parts, roads, tell)
                return await stage.play(faults, seconds, seed, rate=rate, chats=chats)
        finally:
            await parts.stop()


@contextlib.asynccontextmanager
async def _roads(system: System) -> AsyncIterator[dict[str, Road]]:
    sandbox = system.sandbox
    async with Road(sandbox.telegram_url) as telegram, Road(sandbox.openai_url) as openai:
        yield {"telegram": telegram, "openai": openai}


class _Stage:
    def __init__(self, system: System, parts: Parts, roads: dict[str, Road], tell: Tell) -> None:
        self._system = system
        self._parts = parts
        self._roads = roads
        self._tell = tell
        self._happened: list[Happened] = []

    async def play(
        self, faults: Sequence[Fault], seconds: float, seed: int, *, rate: float, chats: int
    ) -> Outcome:
        system = self._system
        bots = [
            await self._bot("WEBHOOK"),
            await self._bot("POLLING"),
            await self._bot("WEBHOOK", modelApi="CHAT_COMPLETIONS"),
        ]
        async with Witness(system.sandbox) as witness:
            flood = Flood(system.sandbox, witness, bots, Random(seed), rate=rate, chats=chats)
            async with asyncio.TaskGroup() as group:
                group.create_task(flood.run(seconds))
                for fault in faults:
                    group.create_task(self._strike(fault))
            system.sandbox.faults.clear()
            flood_ended = max([time.time(), *(fault.ended for fault in self._happened)])
            self._tell(f"the flood is over after {len(flood.said)} messages")
            system.database = await asyncpg.connect(system.database_url)
            settled, waiting = await self._settle(bots)
            await asyncio.sleep(QUIET_SECONDS)
            evidence = Evidence(
                said=flood.said,
                arrivals=witness.arrivals,
                faults=self._happened,
                rows=await rows_of(system),
                steps=await steps_of(system),
                runs=runs_of(system),
                waiting=waiting,
                flood_ended=flood_ended,
                settled=settled,
                ended_by_themselves=self._parts.ended_by_themselves,
            )
        verdict = judge(evidence)
        return Outcome(
            verdict,
            self._happened,
            await machine(system.database),
            _timelines(verdict, evidence),
        )

    async def _bot(self, mode: str, **fields: str) -> Bot:
        return await self._system.bot(
            mode,
            telegramApiUrl=self._roads["telegram"].url,
            baseUrl=self._roads["openai"].url,
            **fields,
        )

    async def _strike(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        self._tell(f"{fault.at:6.1f} s  {fault.name}, {fault.lasting:.1f} s")
        async with asyncio.TaskGroup() as group:
            hits = [group.create_task(self._hit(fault, target)) for target in fault.targets]
        began = min(hit.result() for hit in hits)
        self._happened.append(Happened(fault.name, began, time.time()))

    async def _hit(self, fault: Fault, target: str) -> float:
        """Until it is over; when it struck (a part is there before it can be killed)."""
        began = time.time()
        match fault.how:
            case "KILL" | "TERM" | "QUIT":
                began = await self._parts.kill(target, _SIGNALS[fault.how], fault.lasting)
            case "STOP":
                await self._parts.pause(target, fault.lasting)
            case "refuse":
                await self._roads[target].refuse(fault.lasting)
            case "blackhole":
                await self._roads[target].blackhole(fault.lasting)
            case "cut":
                self._roads[target].cut()
        return began

    async def _settle(self, bots: Sequence[Bot]) -> tuple[float, dict[str, int]]:
        """When nothing waited any more, or the patience was over; and what waits still."""
        ends = time.monotonic() + SETTLE_SECONDS
        while waiting := await still_waiting(self._system, bots):
            if time.monotonic() > ends:
                break
            await asyncio.sleep(0.2)
        return time.time(), waiting


def _timelines(verdict: Verdict, evidence: Evidence) -> dict[str, list[str]]:
    """The journal of each message that a violation names."""
    named = "\n".join(name for names in verdict.violations.values() for name in names)
    return {
        str(message): [f"{step.at:.3f} {step.event}" for step in steps]
        for message, steps in evidence.steps.items()
        if f"message {message} " in named
    }
