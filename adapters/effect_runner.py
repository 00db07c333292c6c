"""One match from Effect to client: performs effects against Telegram, OpenAI and the queue.

Triggered by a turn's job (`perform`, `show`) and by the job of a detached effect (`carry_out`).
A documented failure comes back as an event with its typed Failure; anything else is a bug.
"""

from typing import assert_never

import structlog

from adapters.model_effects import ModelEffects
from adapters.postgres_bot_access import PostgresBotAccess
from adapters.telegram_effects import TelegramEffects
from application.alerts import Alerts
from application.jobs import Lease
from application.ports import Clock, Failed
from application.sweep import Sweep
from application.turns import Emit
from domain.effects import (
    AdminAlert,
    DetachedEffect,
    EnsureWebhook,
    ForgetThreads,
    GenerateReply,
    PublishWaiting,
    RemoveFormerWebhook,
    RemoveWebhook,
    ReportBotFailure,
    ReportBotRecovery,
    ResetThread,
    ResumeReply,
    SendChatAction,
    SendMessage,
)
from domain.events import (
    BotEvent,
    BotFailed,
    BotRecovered,
    MessageFailed,
    ReplyFailed,
    ReplyStarted,
    TurnEvent,
)

log = structlog.get_logger("effects")


class EffectRunner:
    """Holds the clients; knows nothing of states."""

    def __init__(
        self,
        bots: PostgresBotAccess,
        model: ModelEffects,
        telegram: TelegramEffects,
        alerts: Alerts,
        sweep: Sweep,
        clock: Clock,
    ) -> None:
        self._bots = bots
        self._model = model
        self._telegram = telegram
        self._alerts = alerts
        self._sweep = sweep
        self._clock = clock

    async def perform(
        self, effect: GenerateReply | ResumeReply | SendMessage, lease: Lease, emit: Emit
    ) -> TurnEvent:
        """A turn's effect; its outcome. Raises LeaseLost, Unavailable."""

        async def started(run_id: str | None, thread_id: str | None) -> None:
            known = isinstance(effect, SendMessage) or thread_id == effect.thread_id
            await emit(ReplyStarted(effect.turn, run_id, None if known else thread_id))

        try:
            bot = await self._bots.get(effect.bot_id)
        except Failed as failed:
            if isinstance(effect, SendMessage):
                return MessageFailed(effect.turn, effect.part, failed.failure)
            return ReplyFailed(effect.turn, failed.failure)
        lease.check()
        match effect:
            case GenerateReply():
                return await self._model.generate(effect, bot, started, lease.check)
            case ResumeReply():
                return await self._model.resume(effect, bot, started)
            case SendMessage():
                return await self._telegram.send(effect, bot, lease)
            case unreachable:
                assert_never(unreachable)

    async def show(self, effect: SendChatAction, lease: Lease) -> None:
        """Show "typing" until cancelled."""
        await self._telegram.show(effect, lease)

    async def carry_out(
        self, effect: DetachedEffect, job_id: int
    ) -> tuple[int, BotEvent] | DetachedEffect | None:
        """A job's detached effect; the bot it is about and its outcome, where it has one, or what
        is to be carried out in its place.
        """
        match effect:
            case EnsureWebhook(bot_id=bot_id):
                outcome = await self._telegram.ensure_webhook(effect)
                return outcome if isinstance(outcome, RemoveFormerWebhook) else (bot_id, outcome)
            case RemoveWebhook(bot_id=bot_id):
                return bot_id, await self._telegram.remove_webhook(effect)
            case RemoveFormerWebhook():
                return await self._telegram.remove_former_webhook(effect)
            case ForgetThreads():
                return await self._model.forget(effect)
            case ReportBotFailure(bot_id=bot_id, reason=reason, token_dead=token_dead):
                return bot_id, BotFailed(reason, token_dead)
            case ReportBotRecovery(bot_id=bot_id):
                return bot_id, BotRecovered()
            case PublishWaiting(bot_id=bot_id):
                await self._sweep.publish_waiting(bot_id)
            case AdminAlert():
                await self._alerts.send(effect, self._clock.now(), job_id)
            case ResetThread():
                try:
                    await self._model.reset(effect)
                except Failed as failed:
                    log.info("openai.thread_not_deleted", failure=repr(failed.failure))
            case unreachable:
                assert_never(unreachable)
        return None
