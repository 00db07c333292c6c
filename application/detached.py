"""The job of a detached effect: carry it out, bring its outcome to its bot, acknowledge.

Triggered by the worker with each effect.perform job; the outcome and the acknowledgement are one
transaction.
"""

from typing import Protocol

import msgspec
import structlog
from structlog.contextvars import bind_contextvars

from application.bot_life import BotLife
from application.jobs import Lease, LeaseLost, Unavailable
from domain.effects import DetachedEffect
from domain.events import BotEvent

log = structlog.get_logger("effects")


class DetachedRunner(Protocol):
    """Performs detached effects (adapters/effect_runner.py)."""

    async def carry_out(
        self, effect: DetachedEffect, job_id: int
    ) -> tuple[int, BotEvent] | DetachedEffect | None:
        """The bot it is about and the outcome, where the effect has one; or another try of it."""
        ...


class Detached:
    """The use case."""

    def __init__(self, runner: DetachedRunner, bots: BotLife) -> None:
        self._runner = runner
        self._bots = bots

    async def run(self, payload: bytes, lease: Lease) -> None:
        """Carry the effect out. A bug ends the job with its line in the log, not the worker."""
        outcome: tuple[int, BotEvent] | DetachedEffect | None = None
        try:
            effect: DetachedEffect = msgspec.json.decode(payload, type=DetachedEffect)
            bind_contextvars(effect=effect.__struct_config__.tag, bot=effect.bot_id)
            lease.check()
            outcome = await self._runner.carry_out(effect, lease.pick.job_id)
        except (LeaseLost, Unavailable):
            raise
        except Exception:
            log.exception("effect.broke")
        bot_id, event, again = None, None, None
        if isinstance(outcome, tuple):
            bot_id, event = outcome
        else:
            again = outcome
        try:
            await self._bots.put(bot_id, event, lease.pick, again)
        except (LeaseLost, Unavailable):
            raise
        except Exception:
            log.exception("effect.outcome_broke")
            await self._bots.put(None, None, lease.pick)
