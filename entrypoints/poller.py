"""`kotodom poller`: polls Telegram for the bots in POLLING mode, until SIGTERM."""

import asyncio

import structlog
from dishka import make_async_container

from application.alert_link_polling import AlertLinkPolling
from application.polling import Polling
from entrypoints.poller_wiring import PollerProvider
from entrypoints.settings import Settings
from entrypoints.stopping import close, on_signal
from entrypoints.tracing import tracing
from entrypoints.wiring import SharedProvider, process_gauges

log = structlog.get_logger("poller")


async def run_poller(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    container = make_async_container(
        SharedProvider(),
        PollerProvider(),
        *tracing(settings, "poller"),
        context={Settings: settings},
    )
    stopping = asyncio.Event()
    on_signal(lambda _: stopping.set())
    try:
        polling = await container.get(Polling)
        log.info("poller.started")
        links = await container.get(AlertLinkPolling)
        telling = asyncio.create_task((await process_gauges(container, "poller")).run())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(polling.run(stopping))
            tasks.create_task(links.run(stopping))
        telling.cancel()
    finally:
        await close(container)
    log.info("poller.stopped")
