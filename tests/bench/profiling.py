"""`--profile worker` or `--profile api`: where that process spends its CPU under the 200 x 5 flood.

Out come three tables from tests/bench/sampler.py: packages by their own time; our functions by the
time of all that they call, awaited or not; all functions by their own time. In milliseconds of CPU
a message: the samples say the shares, psutil says of how much.
"""

import signal
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from tests.bench.contestants import kotodom
from tests.bench.flood import Updates
from tests.bench.rounds import run_round
from tests.bench.sampler import Function, Samples, Share
from tests.bench.servers import ROOT, servers

CHATS, EACH, ROUNDS = 200, 5, 5
SHOWN = 40


async def profile(part: str, console: Console) -> None:
    """Warm up, flood, stop, read what the sampler wrote, print."""
    with tempfile.TemporaryDirectory(prefix="kotodom-profile-") as folder:
        spent = 0.0
        async with servers() as running, kotodom(running, Path(folder)) as system:
            made = Updates()
            await run_round(running.stand_ins, system, made.messages(made.chats(CHATS), EACH))
            system.processes[part].send_signal(signal.SIGUSR2)
            for _ in range(ROUNDS):
                updates = made.messages(made.chats(CHATS), EACH)
                figures = (await run_round(running.stand_ins, system, updates)).round
                spent += figures.cpu[part]
                console.print(
                    f"{figures.per_second:.0f} messages/s, {part} "
                    f"{figures.cpu[part] / figures.messages * 1000:.2f} ms of CPU a message"
                )
        samples = msgspec.json.decode((Path(folder) / part).read_bytes(), type=Samples)
    worth = spent / (CHATS * EACH * ROUNDS) * 1000 / samples.count
    console.print(f"{samples.count} samples, each worth {worth:.5f} ms of CPU a message")
    console.print(_packages(samples, worth), _ours(samples, worth), _functions(samples, worth))


def _packages(samples: Samples, worth: float) -> Table:
    own: defaultdict[str, int] = defaultdict(int)
    for share in samples.shares:
        own[_package(share.function)] += share.own
    table = _table("packages by their own time", "ms a message", "share", "package")
    for package, count in sorted(own.items(), key=lambda item: -item[1])[: SHOWN // 2]:
        table.add_row(f"{count * worth:.3f}", f"{count / samples.count:.1%}", package)
    return table


def _ours(samples: Samples, worth: float) -> Table:
    ours = [share for share in samples.shares if _package(share.function).endswith("/")]
    table = _table("our functions with all that they call", "ms a message", "share", "function")
    for share in sorted(ours, key=lambda share: -share.whole)[: SHOWN * 3 // 2]:
        whole = f"{share.whole * worth:.3f}"
        table.add_row(whole, f"{share.whole / samples.count:.1%}", _named(share))
    return table


def _functions(samples: Samples, worth: float) -> Table:
    table = _table("functions by their own time", "ms a message", "with callees", "function")
    for share in sorted(samples.shares, key=lambda share: -share.own)[:SHOWN]:
        table.add_row(f"{share.own * worth:.3f}", f"{share.whole * worth:.3f}", _named(share))
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    for heading in headings[:-1]:
        table.add_column(heading, justify="right")
    table.add_column(headings[-1], no_wrap=True)
    return table


def _package(function: Function) -> str:
    """The first name below site-packages; our room, with a slash; or the standard library."""
    path = Path(function.file)
    if "site-packages" in path.parts:
        return path.parts[path.parts.index("site-packages") + 1]
    if path.is_relative_to(ROOT):
        return path.relative_to(ROOT).parts[0] + "/"
    return "(standard library)" if path.is_relative_to(sys.base_prefix) else function.file


def _named(share: Share) -> str:
    """The path below site-packages or below the root, and the function."""
    path = Path(share.function.file)
    if "site-packages" in path.parts:
        path = Path(*path.parts[path.parts.index("site-packages") + 1 :])
    elif path.is_relative_to(ROOT):
        path = path.relative_to(ROOT)
    elif path.is_relative_to(sys.base_prefix):
        path = Path(path.name)
    return f"{path} {share.function.name}"
