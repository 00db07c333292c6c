"""`kotodom worker`: runs turns and effects until SIGTERM.

Now and then it sweeps, prunes, erases, counts days, and looks for silent bots.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from dishka import make_async_container

from adapters.pgqueuer_worker import PgqueuerWorker
from application import erasure, retention, silent_bots, statistics, sweep
from application.erasure import Erasure
from application.retention import Retention
from application.silent_bots import SilentBots
from application.statistics import DayCounting
from application.sweep import Sweep
from entrypoints.settings import Settings
from entrypoints.stopping import close, on_signal
from entrypoints.tracing import tracing
from entrypoints.wiring import SharedProvider, process_gauges
from entrypoints.worker_wiring import WorkerProvider

log = structlog.get_logger("worker")


async def run_worker(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; then at most a few seconds more."""
    container = make_async_container(
        SharedProvider(),
        WorkerProvider(),
        *tracing(settings, "worker"),
        context={Settings: settings},
    )
    try:
        worker = await container.get(PgqueuerWorker)
        on_signal(lambda _: worker.stop())
        rounds = [
            asyncio.create_task(_again(sweep.EVERY, (await container.get(Sweep)).run)),
            asyncio.create_task((await process_gauges(container, "worker")).run()),
            asyncio.create_task(_again(silent_bots.EVERY, (await container.get(SilentBots)).run)),
            asyncio.create_task(_again(erasure.EVERY, (await container.get(Erasure)).run)),
            asyncio.create_task(_again(statistics.EVERY, (await container.get(DayCounting)).run)),
            asyncio.create_task(_again(retention.EVERY, (await container.get(Retention)).run)),
        ]
        log.info("worker.started")
        await worker.run()
        for task in rounds:
            task.cancel()
        await asyncio.wait(rounds, timeout=0.5)
    finally:
        await close(container)
    log.info("worker.stopped")


async def _again(every: float, run: Callable[[], Awaitable[None]]) -> None:
    """A supervised loop of the worker's (STYLE, rule 7): whatever failed, there is a next time."""
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - a supervised loop
            log.warning(
                "worker.round_failed", round=run.__qualname__, error=str(error) or repr(error)
            )
        await asyncio.sleep(every)
