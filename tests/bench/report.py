"""The measurements as a table for people, and as a file for later."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from tests.bench.machine import Machine
from tests.bench.measurement import Line, Measurement, Sizes

RESULTS = Path(__file__).with_name("results")


class Results(Struct):
    """One run of the bench."""

    at: datetime
    seconds: float
    machine: Machine
    sizes: Sizes
    notes: list[str]
    measurements: list[Measurement]


def show(console: Console, measurement: Measurement) -> None:
    """Print a measurement's table."""
    table = Table(title=measurement.name, title_justify="left", min_width=90)
    table.add_column("", ratio=1)
    for heading in ("best", "median"):
        table.add_column(heading, justify="right", min_width=9)
    for heading in ("unit", "goal", ""):
        table.add_column(heading)
    for line in measurement.lines:
        best = "" if line.best is None else _number(line.best)
        table.add_row(line.what, best, _number(line.median), line.unit, line.goal, _verdict(line))
    console.print(table)


def write(results: Results) -> Path:
    """Keep the results; where."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{results.at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    return path


def _number(value: float) -> str:
    """Three digits that count, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _verdict(line: Line) -> str:
    match line.met:
        case True:
            return "[green]pass[/]"
        case False:
            return "[bold red]miss[/]"
        case None:
            return ""
