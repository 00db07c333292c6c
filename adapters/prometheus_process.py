"""What a process holds, once a second: that it runs, and how its PostgreSQL pools stand.

Triggered by each process for as long as it runs. A process that died is forgotten by
adapters/prometheus_meter.forget_process; one whose loop hangs shows an old heartbeat.
"""

import asyncio
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters import prometheus_metrics as metrics
from adapters.postgres_pool import WatchedPool

EVERY = 1.0


class ProcessGauges:
    """`process` is api, worker or poller; `engines` by the names that their pools go by."""

    def __init__(self, process: str, engines: Mapping[str, AsyncEngine]) -> None:
        self._process = process
        self._engines = engines

    async def run(self) -> None:
        """Look and tell, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(EVERY)

    def look(self) -> None:
        """Tell how it is now."""
        metrics.PROCESSES.labels(self._process).set_to_current_time()
        for name, engine in self._engines.items():
            pool = engine.pool  # another one after `dispose`
            if isinstance(pool, WatchedPool):
                metrics.POOL_SIZE.labels(self._process, name).set(pool.size())
                metrics.POOL_IN_USE.labels(self._process, name).set(pool.checkedout())
                metrics.POOL_WAITING.labels(self._process, name).set(pool.waiting)
