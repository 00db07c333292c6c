"""What ends a process that something holds up. With real parts: end_to_end/test_stopping.py."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from typing import NewType

from dishka import Provider, Scope, make_async_container, provide

from entrypoints.stopping import CLOSES_WITHIN, LAST_RESORT, close

Stuck = NewType("Stuck", int)
HELD_UP = """
import asyncio, time
from entrypoints import stopping

async def main():
    stopping.LAST_RESORT = 0.3
    stopping.on_signal(lambda _: time.sleep(60))
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


class _Stuck(Provider):
    scope = Scope.APP

    @provide
    async def stuck(self) -> AsyncIterator[Stuck]:
        yield Stuck(1)
        await asyncio.sleep(60)


async def test_a_process_that_is_held_up_ends_and_says_where() -> None:
    assert LAST_RESORT < 10
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HELD_UP, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    _, told = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 1
    assert b"in <lambda>" in told


async def test_what_does_not_close_is_left() -> None:
    container = make_async_container(_Stuck())
    await container.get(Stuck)
    began = time.monotonic()
    await close(container)
    assert time.monotonic() - began < CLOSES_WITHIN + 1
