"""How a process ends on SIGTERM or Ctrl-C: within ten seconds, whatever it waits for.

Called by the api, the worker and the poller. Each gives what it runs a few seconds, and bounds what
could hang with a database that hangs. Should something outlast all that, the process ends all the
same and says where it stood: its jobs are picked up again, as after a kill.
"""

import asyncio
import faulthandler
import signal
from collections.abc import Callable

import structlog
from dishka import AsyncContainer

CLOSES_WITHIN = 1.0
LAST_RESORT = 9.0
"""Seconds after the first signal. Docker kills after ten."""

log = structlog.get_logger("process")


def on_signal(stop: Callable[[signal.Signals], None]) -> None:
    """Have the running loop call `stop` on SIGTERM and SIGINT, each time."""
    first = True

    def asked(number: signal.Signals) -> None:
        nonlocal first
        if first:
            faulthandler.dump_traceback_later(LAST_RESORT, exit=True)
        first = False
        stop(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked, number)


async def close(container: AsyncContainer) -> None:
    """Close what the container has opened; a connection that does not answer is left to its end."""
    try:
        await asyncio.wait_for(container.close(), CLOSES_WITHIN)
    except TimeoutError:
        log.warning("process.closed_hard", seconds=CLOSES_WITHIN)
