"""`kotodom worker`: takes jobs and runs turns and effects, until SIGTERM. Sweeps each minute."""

import asyncio
import signal
from contextlib import suppress

import structlog
from dishka import make_async_container

from adapters.pgqueuer_worker import PgqueuerWorker
from application.sweep import EVERY, Sweep
from entrypoints.settings import Settings
from entrypoints.wiring import SharedProvider
from entrypoints.worker_wiring import WorkerProvider

log = structlog.get_logger("worker")


async def run_worker(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; then at most a few seconds more."""
    container = make_async_container(
        SharedProvider(), WorkerProvider(), context={Settings: settings}
    )
    try:
        worker = await container.get(PgqueuerWorker)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, worker.stop)
        sweeping = asyncio.create_task(_sweep(await container.get(Sweep)))
        log.info("worker.started")
        await worker.run()
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
    finally:
        await container.close()
    log.info("worker.stopped")


async def _sweep(sweep: Sweep) -> None:
    """The sweep's supervised loop (STYLE, rule 7): a minute later there is another."""
    while True:
        try:
            await sweep.run()
        except Exception as error:  # noqa: BLE001 - a supervised loop
            log.warning("sweep.failed", error=str(error) or repr(error))
        await asyncio.sleep(EVERY)
