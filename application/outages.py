"""A model server goes down and comes back: the administrator hears of both, and a metric shows it.

Triggered by the circuits of adapters/model_circuits.py in each worker; application/alerts.py makes
one alert of several workers' alerts.
"""

import asyncio
from contextvars import Context

import structlog

from application.alerts import Alerts
from application.jobs import Unavailable
from application.meter import Counted, Meter
from application.ports import Clock
from domain.effects import AdminAlert

log = structlog.get_logger("outages")


class Outages:
    """The use case."""

    def __init__(self, alerts: Alerts, meter: Meter, clock: Clock) -> None:
        self._alerts = alerts
        self._meter = meter
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def heard(self, server: str, reason: str | None) -> None:
        """The server is down for this reason; None: it answers again."""
        self._meter.model_circuit(server, is_open=reason is not None)
        if reason is not None:
            self._meter.add(Counted.MODEL_CIRCUIT_OPENED)
        # Not in the context of the chat whose call happened to be the last straw.
        task = asyncio.create_task(self._alert(server, reason), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _alert(self, server: str, reason: str | None) -> None:
        if reason is None:
            text = f"The model server {server} answers again; what waited goes on."
        else:
            text = f"The model server {server} is down. Messages wait for it, in order. {reason}"
        state = "down" if reason is not None else "up"
        alert = AdminAlert(0, f"model server {state}: {server}", text)
        try:
            await self._alerts.send(alert, self._clock.now())
        except Unavailable as error:
            log.error("outage.alert_not_sent", text=text, error=str(error))
