"""`python -m tests.explore`: every order of events there is.

Of so many messages, faults and wishes of people. Without any of these options: several plans to
exhaustion, and a large one as far as its time goes; two at a time, each in a process of its own.
Exit 1: a promise is broken; the shortest path to it is printed, and written as a recording.
"""

import asyncio
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import typer

from tests.explore.entries import Plan
from tests.explore.recording import recording, told
from tests.explore.rules import Rules
from tests.explore.search import Found, Search

EXHAUSTED = (
    Plan(messages=1, faults=2, wishes=1),
    Plan(messages=2, faults=2, wishes=0),
    Plan(messages=2, faults=1, wishes=1),
)
BOUNDED = Plan(messages=3, faults=3, wishes=1)
BOUND = 120.0
"""Seconds for the plan that is too large to be exhausted."""


def main(
    messages: Annotated[int | None, typer.Option(help="Updates of the chat (2).")] = None,
    faults: Annotated[
        int | None, typer.Option(help="Crashes, stalls, lost commits, bugs, failures … (2).")
    ] = None,
    wishes: Annotated[
        int | None, typer.Option(help="Refreshes, retries, an operator, disabling … (0).")
    ] = None,
    parts: Annotated[int, typer.Option(help="Telegram messages of the first reply.")] = 2,
    poison: Annotated[
        list[int] | None, typer.Option(help="An update (2, 4, …) that no code can begin.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Give up after so long; 0: never.")] = 0,
    states: Annotated[int, typer.Option(help="Give up after so many; 0: never.")] = 0,
    file: Annotated[Path, typer.Option("--recording", help="Where a violation goes.")] = Path(
        "violation.jsonl"
    ),
) -> None:
    """Try every order of events there is."""
    began = time.monotonic()
    try_one = partial(explore, seconds=seconds, states=states, file=file)
    if (messages, faults, wishes) != (None, None, None):
        plan = Plan(_or(messages, 2), _or(faults, 2), _or(wishes, 0), parts, tuple(poison or ()))
        broken = [try_one(plan)]
    else:
        with ProcessPoolExecutor(max_workers=2) as processes:
            tries = [processes.submit(try_one, plan) for plan in EXHAUSTED]
            bounded = partial(try_one, seconds=seconds or BOUND)
            tries.append(processes.submit(bounded, BOUNDED))
            broken = [one.result() for one in tries]
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(any(broken))


def explore(
    plan: Plan, *, seconds: float, states: int, file: Path, rules: Rules | None = None
) -> bool:
    """One search, told on the way; whether a promise is broken."""
    name = f"{plan.messages} messages, {plan.faults} faults, {plan.wishes} wishes: "
    search = Search(plan, rules, situations=states or 2**32, seconds=seconds or float("inf"))
    # The bugs that are told to handlers are no news.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    found = asyncio.run(_search(search, name))
    print(name + search.told(found), flush=True)
    if found.violation is None:
        ends = f"{found.quiet:,} are an end, and one is reached from every other"
        whole = f"all were tried, {ends}" if found.exhausted else "tried as far as the bound"
        print(f"{name}no promise is broken; {whole}", flush=True)
        return False
    lines = recording(search.known, search.saving, found.path)
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    path = [told(number, step.label) for number, step in enumerate(found.path, 1)]
    words = [f"{name}VIOLATION: {found.violation}", *path, f"Its recording: {file}"]
    print("\n".join(words), flush=True)
    return True


async def _search(search: Search, name: str) -> Found:
    """In a loop, for asyncio's own parts within Turns ask for one."""
    return search.run(lambda line: print(name + line, flush=True))


def _or(given: int | None, default: int) -> int:
    return default if given is None else given


if __name__ == "__main__":
    typer.run(main)
