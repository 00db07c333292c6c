"""dishka: the only place where ports meet adapters. What every process shares stands here.

The worker's and the poller's own parts are in worker_wiring.py and poller_wiring.py beside it, so
that a process loads no more than it runs.
"""

from collections.abc import AsyncIterator
from typing import NewType

from dishka import AsyncContainer, Provider, Scope, from_context, provide
from sqlalchemy.ext.asyncio import AsyncEngine
from valkey.asyncio import Valkey

from adapters.argon2_passwords import Argon2Passwords
from adapters.postgres_audit import PostgresAudit
from adapters.postgres_bot_access import PostgresBotAccess
from adapters.postgres_bot_life import PostgresBotStore
from adapters.postgres_closing import closing
from adapters.postgres_inbox import PostgresInbox
from adapters.postgres_secrets import keys_session
from adapters.postgres_settings import PostgresSettings
from adapters.postgres_transactions import dsn, engine
from adapters.postgres_users import PostgresUsers
from adapters.prometheus_meter import PrometheusMeter
from adapters.prometheus_process import ProcessGauges
from adapters.secret_box import SecretBox
from adapters.system_clock import SystemClock
from adapters.telegram_client import TelegramClient
from adapters.valkey_alert_link import ValkeyAlertLink
from adapters.valkey_live import ValkeyLive
from adapters.valkey_sessions import valkey_client
from application.alert_link import AlertLinks, LinkCodes
from application.audit import Audit
from application.backlog import Backlog
from application.bot_life import BotLife
from application.intake import Intake
from application.live import Live
from application.meter import Meter
from application.ports import Clock, Telegram
from application.settings import EnvironmentDefaults, SettingsReader, SettingsStore
from application.users import Users
from entrypoints.settings import Settings

HotEngine = NewType("HotEngine", AsyncEngine)
"""The loop's own connections: a small pool, statements planned for the index."""

PATIENCE = 30.0
"""Seconds that a statement may take: one that hangs holds up every chat, or person, behind it."""


class SharedProvider(Provider):
    """What every process has. Settings come from the context, their addresses filled in."""

    scope = Scope.APP
    settings = from_context(Settings)

    @provide
    async def engine(self, settings: Settings, box: SecretBox) -> AsyncIterator[AsyncEngine]:
        name = keys_session(box)
        url = _given(settings.database_url)
        async with closing(engine(url, pool_size=5, patience=PATIENCE, name=name)) as made:
            yield made

    @provide
    async def hot_engine(self, settings: Settings, box: SecretBox) -> AsyncIterator[HotEngine]:
        url = _given(settings.database_url)
        hot = engine(url, pool_size=8, patience=PATIENCE, hot=True, name=keys_session(box))
        async with closing(hot) as made:
            yield HotEngine(made)

    @provide
    async def valkey(self, settings: Settings) -> AsyncIterator[Valkey]:
        client = valkey_client(_given(settings.redis_url))
        yield client
        await client.aclose()

    @provide
    async def live(self, valkey: Valkey) -> AsyncIterator[Live]:
        telling = ValkeyLive(valkey)
        yield telling
        await telling.close()

    @provide
    def box(self, settings: Settings) -> SecretBox:
        return SecretBox(_given(settings.secret_key))

    clock = provide(SystemClock, provides=Clock)
    meter = provide(PrometheusMeter, provides=Meter)

    settings_store = provide(PostgresSettings, provides=SettingsStore)

    @provide
    def settings_reader(
        self, store: SettingsStore, clock: Clock, settings: Settings
    ) -> SettingsReader:
        environment = EnvironmentDefaults(settings.openai_api_key, settings.openai_base_url)
        return SettingsReader(store, clock, environment)

    @provide
    async def telegram(self, settings: Settings, meter: Meter) -> AsyncIterator[Telegram]:
        async with TelegramClient(settings.telegram_timeout, meter) as client:
            yield client

    @provide
    def bot_access(
        self, engine: HotEngine, box: SecretBox, reader: SettingsReader, settings: Settings
    ) -> PostgresBotAccess:
        stand_in = settings.stand_in_model_url
        return PostgresBotAccess(engine, box, reader, settings.telegram_api_url, stand_in)

    @provide
    def intake(self, engine: HotEngine, clock: Clock, meter: Meter, links: AlertLinks) -> Intake:
        inbox = PostgresInbox(engine)
        return Intake(inbox, Backlog(inbox, clock), meter, links)

    link_codes = provide(ValkeyAlertLink, provides=LinkCodes)

    @provide
    def alert_links(
        self,
        codes: LinkCodes,
        store: SettingsStore,
        reader: SettingsReader,
        engine: AsyncEngine,
        telegram: Telegram,
        live: Live,
        settings: Settings,
    ) -> AlertLinks:
        audit = Audit(PostgresAudit(engine))
        return AlertLinks(codes, store, reader, audit, telegram, live, settings.telegram_api_url)

    @provide
    def bot_life(self, engine: AsyncEngine, clock: Clock, live: Live) -> BotLife:
        return BotLife(PostgresBotStore(engine), clock, live)

    @provide
    def users(self, engine: AsyncEngine) -> Users:
        return Users(PostgresUsers(engine), Argon2Passwords())


async def process_gauges(container: AsyncContainer, process: str) -> ProcessGauges:
    """What a process (api, worker, poller) tells of itself once a second."""
    engines = {"shared": await container.get(AsyncEngine), "loop": await container.get(HotEngine)}
    return ProcessGauges(process, engines)


def direct_dsn(settings: Settings) -> str:
    """A DSN for asyncpg with a session of its own (LISTEN, advisory locks): not a pooler's."""
    return dsn(settings.worker_database_url or _given(settings.database_url))


def _given(value: str | None) -> str:
    """An address that entrypoints/parts.py has filled in by now."""
    if value is None:
        raise RuntimeError("the settings have no address; they come from entrypoints.parts")
    return value
