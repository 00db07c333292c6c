"""dishka provider of the worker: turns, effects and the clients that perform them.

Beside entrypoints/wiring.py, which has what every process shares; only the worker loads the
models' clients, which take most of a second.
"""

from collections.abc import AsyncIterator
from typing import NewType

from dishka import Provider, Scope, alias, provide
from sqlalchemy.ext.asyncio import AsyncEngine
from valkey.asyncio import Valkey

from adapters.effect_runner import EffectRunner
from adapters.model_circuits import ModelCircuits
from adapters.model_effects import ModelEffects
from adapters.model_prices import GenaiPrices
from adapters.openai_chat_completions import OpenAIChatCompletions
from adapters.openai_clients import OpenAIClients
from adapters.openai_responses import OpenAIResponses
from adapters.pgqueuer_worker import PgqueuerWorker
from adapters.postgres_alerts import PostgresAlerts
from adapters.postgres_bot_access import PostgresBotAccess
from adapters.postgres_conversations import PostgresConversations
from adapters.postgres_erasure import PostgresErasure
from adapters.postgres_history import PostgresHistory
from adapters.postgres_retention import PostgresRetention
from adapters.postgres_silent_bots import PostgresSilentBots
from adapters.postgres_statistics import PostgresStatistics
from adapters.postgres_sweep import PostgresSweep
from adapters.secret_box import SecretBox
from adapters.telegram_effects import TelegramEffects
from adapters.telegram_markdown import TelegramMarkdown
from adapters.valkey_send_limits import ValkeySendLimits
from application.alerts import Alerts
from application.bot_life import BotLife
from application.conversations import ConversationStore
from application.detached import Detached
from application.erasure import Erasure
from application.jobs import PERFORM_EFFECT
from application.live import Live
from application.meter import Meter
from application.model import LanguageModel, ModelApi
from application.outages import Outages
from application.ports import Clock, Telegram
from application.react import React
from application.retention import Retention
from application.settings import SettingsReader
from application.silent_bots import SilentBots
from application.statistics import DayCounting
from application.sweep import Sweep
from application.turns import TurnRunner, Turns
from domain.effects import HANDLE_UPDATE
from entrypoints.settings import Settings
from entrypoints.wiring import HotEngine, direct_dsn

Models = NewType("Models", dict[ModelApi, LanguageModel])
"""The adapter of each model API."""


class WorkerProvider(Provider):
    """What runs turns and effects."""

    scope = Scope.APP

    outages = provide(Outages)

    @provide
    async def clients(
        self, settings: Settings, outages: Outages, meter: Meter
    ) -> AsyncIterator[OpenAIClients]:
        clients = OpenAIClients(settings.openai_timeout, ModelCircuits(outages.heard), meter)
        yield clients
        await clients.close()

    @provide
    def models(self, clients: OpenAIClients, settings: Settings) -> Models:
        return Models(
            {
                ModelApi.RESPONSES: OpenAIResponses(clients, settings.openai_timeout),
                ModelApi.CHAT_COMPLETIONS: OpenAIChatCompletions(clients, settings.openai_timeout),
            }
        )

    @provide
    def model_effects(
        self,
        models: Models,
        engine: HotEngine,
        bots: PostgresBotAccess,
        clock: Clock,
        meter: Meter,
    ) -> ModelEffects:
        return ModelEffects(
            models=models,
            bots=bots,
            history=PostgresHistory(engine),
            markdown=TelegramMarkdown(),
            prices=GenaiPrices(),
            clock=clock,
            meter=meter,
        )

    @provide
    def telegram_effects(
        self,
        telegram: Telegram,
        bots: PostgresBotAccess,
        box: SecretBox,
        clock: Clock,
        settings: Settings,
        limits: ValkeySendLimits,
    ) -> TelegramEffects:
        return TelegramEffects(telegram, bots, box, clock, settings.public_url, limits)

    @provide
    def limits(self, settings: Settings, valkey: Valkey, meter: Meter) -> ValkeySendLimits:
        return ValkeySendLimits(valkey, settings.send_limits_apply, meter)

    @provide
    def alerts(
        self,
        engine: HotEngine,
        telegram: Telegram,
        reader: SettingsReader,
        settings: Settings,
        meter: Meter,
    ) -> Alerts:
        return Alerts(PostgresAlerts(engine), telegram, reader, settings.telegram_api_url, meter)

    @provide
    def silent_bots(
        self,
        engine: AsyncEngine,
        bots: PostgresBotAccess,
        telegram: Telegram,
        life: BotLife,
        alerts: Alerts,
        live: Live,
        clock: Clock,
        settings: Settings,
    ) -> SilentBots:
        watched = PostgresSilentBots(engine, bots)
        return SilentBots(watched, telegram, life, alerts, live, clock, settings.public_url)

    @provide
    def sweep(self, engine: HotEngine, meter: Meter) -> Sweep:
        return Sweep(PostgresSweep(engine), meter)

    @provide
    def retention(self, engine: AsyncEngine, reader: SettingsReader, meter: Meter) -> Retention:
        return Retention(PostgresRetention(engine), reader, meter)

    @provide
    def erasure(self, engine: AsyncEngine) -> Erasure:
        return Erasure(PostgresErasure(engine))

    @provide
    def day_counting(self, engine: AsyncEngine, clock: Clock) -> DayCounting:
        return DayCounting(PostgresStatistics(engine), clock)

    runner = provide(EffectRunner)
    turn_runner = alias(EffectRunner, provides=TurnRunner)

    @provide
    def conversations(self, engine: HotEngine) -> ConversationStore:
        return PostgresConversations(engine)

    @provide
    def react(self, store: ConversationStore, clock: Clock, meter: Meter, live: Live) -> React:
        return React(store, clock, meter, live)

    turns = provide(Turns)

    @provide
    def detached(self, runner: EffectRunner, bots: BotLife) -> Detached:
        return Detached(runner, bots)

    @provide
    def worker(self, settings: Settings, turns: Turns, detached: Detached) -> PgqueuerWorker:
        return PgqueuerWorker(
            direct_dsn(settings),
            {
                HANDLE_UPDATE: lambda payload, lease: turns.run(payload.decode(), lease),
                PERFORM_EFFECT: detached.run,
            },
        )
