"""Logtail and an OpenTelemetry collector that hang are not noticed, and hold up no SIGTERM."""

import asyncio
import time

from tests.end_to_end.collectors import Logtail, Traces
from tests.end_to_end.system import System

MESSAGES = range(20)


async def test_whoever_is_told_may_hang(database_url: str, valkey_url: str) -> None:
    async with Logtail() as logtail, Traces() as traces:

        async def asked() -> bool:
            return bool(logtail.requests and traces.requests)

        logtail.hang()
        traces.hang()
        environment = {
            "LOG_LEVEL": "INFO",
            "LOGTAIL_SOURCE_TOKEN": "a-source-token-of-the-tests",
            "LOGTAIL_HOST": logtail.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces.url,
            # A queue that is full at once, behind a batch that is on its way for ever.
            "OTEL_BSP_MAX_QUEUE_SIZE": "4",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4",
        }
        async with System(database_url, valkey_url, **environment) as system:
            await system.start("api", "worker", "poller")
            await system.sign_in()
            bot = await system.bot()
            for number in MESSAGES:
                bot.say(f"/sandbox:echo {number}", user=2000 + number)
            for number in MESSAGES:
                assert await bot.answers(1, chat=2000 + number) == [str(number)]
            await system.until(asked)
            ends = await asyncio.gather(*(_ends(system, name) for name in list(system.processes)))
            assert [code for code, _ in ends] == [0, 0, 0]
            assert max(seconds for _, seconds in ends) < 10
        logtail.hang(False)
        traces.hang(False)


async def _ends(system: System, name: str) -> tuple[int, float]:
    process, began = system.processes.pop(name), time.monotonic()
    process.terminate()
    return await asyncio.wait_for(process.wait(), 15), time.monotonic() - began
