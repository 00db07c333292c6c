"""openai.generateReply, …resumeReply, …resetThread and …forgetThreads against a bot's model."""

import structlog
from msgspec.structs import replace

from adapters.openai_failures import masked
from adapters.postgres_bot_access import BotAccess, PostgresBotAccess
from adapters.postgres_history import MAX_UNSEEN, PostgresHistory
from adapters.secret_box import SecretUnreadable
from application.meter import Meter, Stage
from application.model import Ask, Check, Generated, LanguageModel, ModelAccess, ModelApi, Started
from application.ports import Clock, Failed, Markdown, Prices
from domain.effects import ForgetThreads, GenerateReply, Part, ResetThread, ResumeReply
from domain.events import Reply, ReplyFailed, ReplyGenerated
from domain.failures import MAX_ATTEMPTS, Failure, Fatal, Retryable, backoff

log = structlog.get_logger("effects")

TRIMMED = 4
"""How many messages a model is told whose context was too short for more."""


class ModelEffects:
    """Asks models; renders and prices what they answer."""

    def __init__(
        self,
        models: dict[ModelApi, LanguageModel],
        bots: PostgresBotAccess,
        history: PostgresHistory,
        markdown: Markdown,
        prices: Prices,
        clock: Clock,
        meter: Meter,
    ) -> None:
        self._models = models
        self._bots = bots
        self._history = history
        self._markdown = markdown
        self._prices = prices
        self._clock = clock
        self._meter = meter

    async def generate(
        self, effect: GenerateReply, bot: BotAccess, started: Started, check: Check
    ) -> ReplyGenerated | ReplyFailed:
        """Ask for a reply. Raises what is no documented failure."""
        told: set[str | None] = set()

        async def telling(run_id: str | None, thread_id: str | None) -> None:
            told.add(run_id)
            await started(run_id, thread_id)

        try:
            model, access = self._model(bot)
            ask = await self._ask(effect, bot, access)
            generated = await model.generate(access, ask, telling, check)
        except Failed as failed:
            return ReplyFailed(effect.turn, _told(failed, bot.model), self._clock.jitter())
        return ReplyGenerated(effect.turn, self._reply(generated, told, access))

    async def resume(
        self, effect: ResumeReply, bot: BotAccess, started: Started
    ) -> ReplyGenerated | ReplyFailed:
        """Follow a run that was started before. Raises what is no documented failure."""
        try:
            model, access = self._model(bot)
            generated = await model.resume(access, effect.run_id, effect.thread_id, started)
        except Failed as failed:
            return ReplyFailed(effect.turn, _told(failed, bot.model), self._clock.jitter())
        return ReplyGenerated(effect.turn, self._reply(generated, {effect.run_id}, access))

    async def reset(self, effect: ResetThread) -> None:
        """Delete the server's conversation. Raises Failed."""
        model, access = self._model(await self._bots.get(effect.bot_id))
        await _forget(model, access, effect.thread_id)

    async def forget(self, effect: ForgetThreads) -> ForgetThreads | None:
        """Delete conversations one by one; those that are to be tried again."""
        access: ModelAccess | Fatal
        try:
            access = await self._bots.former_model(effect.sealed_model)
        except SecretUnreadable as error:
            access = Fatal(str(error))
        if isinstance(access, Fatal):
            log.warning("openai.threads_not_deleted", reason=access.reason)
            return None
        for done, thread_id in enumerate(effect.thread_ids):
            try:
                await _forget(self._models[access.api], access, thread_id)
            except Failed as failed:
                failure, left = failed.failure, effect.thread_ids[done:]
                attempt = 1 if done else effect.attempt + 1
                if isinstance(failure, Retryable) and attempt < MAX_ATTEMPTS:
                    delay = failure.after or backoff(attempt, self._clock.jitter())
                    return replace(effect, thread_ids=left, attempt=attempt, delay=delay)
                log.info("openai.thread_not_deleted", failure=repr(failure))
                if isinstance(failure, Retryable | Fatal):  # it would be the next one's, too
                    return None
        return None

    def _model(self, bot: BotAccess) -> tuple[LanguageModel, ModelAccess]:
        if isinstance(bot.model, Fatal):
            raise Failed(bot.model)
        return self._models[bot.model.api], bot.model

    async def _ask(self, effect: GenerateReply, bot: BotAccess, access: ModelAccess) -> Ask:
        """A thread is told what it has not seen; without one, the model is told local history."""
        threaded = access.api is ModelApi.RESPONSES and effect.thread_id is not None
        after = max(effect.context_from, effect.thread_upto if threaded else 0)
        limit = MAX_UNSEEN if threaded else bot.history_messages + 1
        lines = await self._history.lines(
            effect.chat, effect.turn.id, after, min(limit, TRIMMED) if effect.trim else limit
        )
        return Ask(effect.turn.id, lines, effect.thread_id if threaded else None)

    def _reply(self, generated: Generated, told: set[str | None], access: ModelAccess) -> Reply:
        """The reply; `told` are the runs of which the turn knows already."""
        tokens = (generated.input_tokens, generated.output_tokens)
        price = self._prices.price(generated.model, *tokens)
        self._meter.took(Stage.MODEL, generated.latency)
        self._meter.model_used(access.model, *tokens, price)
        parts = self._markdown.render(generated.text)
        return Reply(
            text="" if parts == (Part(generated.text),) else generated.text,
            parts=parts,
            model=generated.model,
            input_tokens=generated.input_tokens,
            output_tokens=generated.output_tokens,
            price=price,
            latency=round(generated.latency, 3),
            thread_id=generated.thread_id,
            run_id=generated.run_id if generated.run_id not in told else None,
            incomplete=generated.incomplete,
        )


async def _forget(model: LanguageModel, access: ModelAccess, thread_id: str) -> None:
    try:
        await model.forget(access, thread_id)
    except Failed as failed:
        raise Failed(_told(failed, access)) from None


def _told(failed: Failed, access: ModelAccess | Fatal) -> Failure:
    """The failure as it may be kept and logged: without the key."""
    if isinstance(access, Fatal):
        return failed.failure
    return masked(failed.failure, access.api_key)
