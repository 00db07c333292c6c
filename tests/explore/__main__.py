"""`python -m tests.explore`: every order of events there is.

Of so many messages, faults and wishes of people. Without any of these options: two messages, two
faults and one wish to exhaustion, a search for each kind of wish (where there is one wish, these
are all there is); any two wishes around one message; a bot that is disabled for a day; and a large
plan as far as its time goes. Two at a time, each in a process of its own.
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

from tests.explore.entries import WISHES, Plan, Wish
from tests.explore.recording import recording, told
from tests.explore.rules import Rules
from tests.explore.search import Found, Search

EXHAUSTED = (
    *(Plan(messages=2, faults=2, wishes=1, kinds=(kind,)) for kind in WISHES),
    Plan(messages=1, faults=1, wishes=2),
    Plan(messages=2, faults=1, wishes=2, kinds=("disable",)),
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
    kind: Annotated[
        Wish | None, typer.Option("--wish", help="The only kind of wish (all of them).")
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
    if (messages, faults, wishes, kind) != (None, None, None, None):
        plan = Plan(
            messages=_or(messages, 2),
            faults=_or(faults, 2),
            wishes=_or(wishes, 1 if kind else 0),
            parts=parts,
            poison=tuple(poison or ()),
            kinds=(kind,) if kind else WISHES,
        )
        broken = [try_one(plan)]
    else:
        with ProcessPoolExecutor(max_workers=2) as processes:
            bounded = partial(try_one, seconds=seconds or BOUND)
            tries = [processes.submit(bounded, BOUNDED)]
            tries += [processes.submit(try_one, plan) for plan in EXHAUSTED]
            broken = [one.result() for one in tries]
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(any(broken))


def explore(
    plan: Plan, *, seconds: float, states: int, file: Path, rules: Rules | None = None
) -> bool:
    """One search, told on the way; whether a promise is broken."""
    name = f"{_named(plan)}: "
    search = Search(plan, rules, situations=states or 2**32, seconds=seconds or float("inf"))
    # The bugs that are told to handlers are no news.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    found = asyncio.run(_search(search, name))
    print(name + search.told(found), flush=True)
    if found.violation is None:
        ends = f"{found.quiet:,} are an end, and one is reached from every other"
        whole = f"all were tried, {ends}" if found.exhausted else "tried as far as the bound"
        stale = f"{found.forgotten:,} commits of tasks that were forgotten change nothing"
        print(f"{name}no promise is broken; {whole}; {stale}", flush=True)
        return False
    lines = list(recording(search.known, search.saving, found.path))
    file.write_bytes(b"".join(lines))
    path = [told(number, step.label) for number, step in enumerate(found.path, 1)]
    kept = f"Its recording, for kotodom replay: {file}" if lines else "No step was journalled."
    words = [f"{name}VIOLATION: {found.violation}", *path, kept]
    print("\n".join(words), flush=True)
    return True


async def _search(search: Search, name: str) -> Found:
    """In a loop, for asyncio's own parts within Turns ask for one."""
    return search.run(lambda line: print(name + line, flush=True))


def _named(plan: Plan) -> str:
    """The plan in words."""
    wishes = f"{plan.wishes} wishes"
    if plan.wishes and plan.kinds != WISHES:
        wishes += f" ({', '.join(plan.kinds)})"
    return f"{plan.messages} messages, {plan.faults} faults, {wishes}"


def _or(given: int | None, default: int) -> int:
    return default if given is None else given


if __name__ == "__main__":
    typer.run(main)
