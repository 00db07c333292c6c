"""A trace's first span: an update came, by a webhook or a poll, and is kept.

Stands before application/intake.py where traces are written.
"""

from collections.abc import Sequence
from time import time_ns

from opentelemetry.trace import Span, SpanKind
from structlog.contextvars import bound_contextvars

from adapters.opentelemetry_tracing import ROOT, Tracing, failed
from application.backlog import BacklogFull
from application.intake import Incoming, Intake, Receipt
from application.jobs import Unavailable


class TracedIntake(Intake):
    """An intake that writes a span for each update that will have a turn."""

    def __init__(self, intake: Intake, tracing: Tracing) -> None:
        self._intake = intake
        self._tracing = tracing

    async def keep(self, updates: Sequence[Incoming]) -> Sequence[Receipt]:
        """Keep them. Raises BacklogFull, Unavailable."""
        if len(updates) != 1:
            return await self._keep(updates)
        ids = self._tracing.ids(updates[0].bot_id, updates[0].update_id)
        with bound_contextvars(trace_id=ids.hex):
            return await self._keep(updates)

    async def _keep(self, updates: Sequence[Incoming]) -> Sequence[Receipt]:
        began = time_ns()
        try:
            receipts = await self._intake.keep(updates)
        except (BacklogFull, Unavailable) as error:
            for update in updates:
                if update.chat is not None:
                    span = self._span(update, began, first=False)
                    failed(span, type(error).__name__, str(error))
                    span.end()
            raise
        for update, receipt in zip(updates, receipts, strict=True):
            if update.chat is not None and receipt is not Receipt.UNKNOWN_BOT:
                # Only the one that was kept is the trace's first: its id is to be there once.
                span = self._span(update, began, first=receipt is Receipt.KEPT)
                span.set_attribute("kotodom.receipt", receipt.value)
                span.end()
        return receipts

    def _span(self, update: Incoming, began: int, *, first: bool) -> Span:
        ids = self._tracing.ids(update.bot_id, update.update_id)
        about: dict[str, str | int] = {
            "messaging.system": "telegram",
            "messaging.operation.type": "receive",
            "kotodom.bot": update.bot_id,
            "kotodom.chat": update.chat or "",
            "kotodom.update": update.update_id,
        }
        if first:
            return self._tracing.begin(ids, SpanKind.CONSUMER, about, began)
        return self._tracing.tracer.start_span(
            ROOT,
            context=self._tracing.under_root(ids),
            kind=SpanKind.CONSUMER,
            attributes=about,
            start_time=began,
        )
