"""`python -m tests.chaos --seconds 300 --seed 7`: the system under faults, judged from both sides.

Prints the seed first, then each fault as it strikes, then the verdict. Exit code 1 where a message
was lost, out of order, billed twice, left waiting or ended by a bug, a part doubled without mark or
excuse, a process ended by itself, or nothing was answered at all. What a long run found is kept
beside this file: in results/, which the Landing Web tells of, or, where it broke promises, in
failed/, which git ignores.
"""

import asyncio
import logging
import shutil
import tempfile
from pathlib import Path
from random import SystemRandom
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from tests.chaos.kept import keep, kept
from tests.chaos.plan import plan
from tests.chaos.run import Outcome, run

console = Console(highlight=False)

SHOWN = 20
"""Violations of a kind; the rest stands in --json."""
KEPT_FROM = 300.0
"""Seconds: the outcome of a run that lasts so long is kept without being asked for."""


def chaos(
    seconds: Annotated[float, typer.Option(help="How long the flood lasts.", min=5)] = 300,
    seed: Annotated[int | None, typer.Option(help="The same seed draws the same faults.")] = None,
    rate: Annotated[float, typer.Option(help="Messages a second.", min=1)] = 40,
    chats: Annotated[int, typer.Option(help="Chats of each of the three bots.", min=1)] = 60,
    json: Annotated[Path | None, typer.Option(help="Write the outcome here as well.")] = None,
) -> None:
    """Flood the running system while it is killed, and say what became of every message."""
    seed = SystemRandom().randrange(1_000_000) if seed is None else seed
    console.print(f"seed {seed}")
    # The stand-ins' connections are reset on purpose; their server would print each of them.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="kotodom-chaos-"))
    outcome = asyncio.run(
        run(
            folder / "data",
            plan(seed, seconds),
            seconds,
            seed,
            rate=rate,
            chats=chats,
            tell=console.print,
        )
    )
    if json is not None:
        told = {"seed": seed, "seconds": seconds, "rate": rate, "chats": chats}
        whole = msgspec.json.encode({**told, **msgspec.to_builtins(outcome)})
        json.write_bytes(msgspec.json.format(whole) + b"\n")
    _show_violations(outcome)
    console.print(_table(outcome))
    if seconds >= KEPT_FROM:
        path = keep(kept(outcome, seed=seed, seconds=seconds, rate=rate, chats=chats))
        console.print(f"kept in {path}", soft_wrap=True)
    if outcome.verdict.violations:
        console.print(f"The databases and logs of this run: {folder}/data", soft_wrap=True)
        raise typer.Exit(1)
    shutil.rmtree(folder)


def _show_violations(outcome: Outcome) -> None:
    """Their messages, and the journal of the first ones."""
    for message, timeline in list(outcome.timelines.items())[:SHOWN]:
        console.print(f"message {message}:", *timeline, sep="\n  ", markup=False, soft_wrap=True)
    for kind, names in outcome.verdict.violations.items():
        console.print(f"{kind}:", *names[:SHOWN], sep="\n  ", soft_wrap=True)


def _table(outcome: Outcome) -> Table:
    verdict = outcome.verdict
    table = Table("what", "count", title=f"{len(outcome.faults)} faults")
    table.columns[1].justify = "right"
    figures: list[tuple[str, object]] = [
        ("messages", verdict.messages),
        ("answered", verdict.answered),
        *((f"TERMINAL: {reason}", count) for reason, count in verdict.terminal.items()),
        ("lost", len(verdict.lost)),
        ("parts doubled", len(verdict.doubled)),
        ("  though saved as sent", len(verdict.sent_though_saved)),
        ("  without a fault that excuses them", len(verdict.beyond_bound)),
        ("doubled or asked again, and not marked", len(verdict.unmarked)),
        ("out of order", len(verdict.out_of_order)),
        ("billed twice", len(verdict.billed_twice)),
        ("asked again before a run's id was saved", verdict.asked_again),
        ("unfinished turns taken over", verdict.taken_over),
        ("steps of a former owner", len(verdict.stale_steps)),
        ("broken by a bug", len(verdict.bugs)),
        ("left waiting", sum(verdict.left_waiting.values())),
        ("processes that ended by themselves", len(verdict.ended_by_themselves)),
        ("first answer after the faults, s at most", f"{verdict.recovered_after_faults:.1f}"),
        ("all settled after the flood, s", f"{verdict.settled_after_the_flood:.1f}"),
        ("longest wait for an answer, s", f"{verdict.longest_wait:.1f}"),
    ]
    for name, value in figures:
        table.add_row(name, str(value))
    return table


if __name__ == "__main__":
    typer.run(chaos)
