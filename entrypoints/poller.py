"""`kotodom poller`: polls Telegram for the bots in POLLING mode, until SIGTERM."""

import asyncio
import signal

import structlog
from dishka import make_async_container

from application.polling import Polling
from entrypoints.poller_wiring import PollerProvider
from entrypoints.settings import Settings
from entrypoints.wiring import SharedProvider

log = structlog.get_logger("poller")


async def run_poller(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    container = make_async_container(
        SharedProvider(), PollerProvider(), context={Settings: settings}
    )
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    try:
        polling = await container.get(Polling)
        log.info("poller.started")
        await polling.run(stopping)
    finally:
        await container.close()
    log.info("poller.stopped")
