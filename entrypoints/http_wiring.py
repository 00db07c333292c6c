"""dishka providers of the HTTP API: its use cases, and the adapters behind their ports.

Beside entrypoints/wiring.py, which has what every process shares.
"""

from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.argon2_passwords import Argon2Passwords
from adapters.fernet_devices import FernetDevices
from adapters.openai_health import OpenAIHealth
from adapters.postgres_api_keys import PostgresApiKeys
from adapters.postgres_audit import PostgresAudit
from adapters.postgres_bot_owners import PostgresBotOwners
from adapters.postgres_bots import PostgresBots
from adapters.postgres_chat_actions import PostgresChatActions
from adapters.postgres_chats import PostgresChats
from adapters.postgres_closing import closing
from adapters.postgres_failures import PostgresFailures
from adapters.postgres_health import PostgresHealth
from adapters.postgres_job_desk import PostgresJobDesk
from adapters.postgres_journal import PostgresJournal
from adapters.postgres_processing import PostgresProcessing
from adapters.postgres_statistics import PostgresStatistics
from adapters.postgres_transactions import engine
from adapters.postgres_users import PostgresUsers
from adapters.prometheus_database import DatabaseMetrics
from adapters.secret_box import SecretBox
from adapters.telegram_markdown import TelegramMarkdown
from adapters.valkey_cache import ValkeyCache
from adapters.valkey_limits import ValkeyLimits
from adapters.valkey_live import ValkeyFeed
from adapters.valkey_sessions import ValkeySessions
from application.admin_users import AdminUsers
from application.alert_link import LinkCodes
from application.alert_setup import AlertSetup
from application.api_keys import ApiKeys, ApiKeyStore
from application.audit import Audit, AuditLog
from application.bot_life import BotLife
from application.bot_tokens import BotTokens
from application.bots import BotRepository, Bots
from application.chat_actions import ChatActions, ChatActionStore
from application.chats import ChatRepository, Chats
from application.exports import Exports
from application.failures import FailureRepository, Failures
from application.health import DatabaseProbe, Health, ModelProbe
from application.job_desk import JobDesk, JobRepository
from application.listeners import Listeners
from application.live import Owners
from application.ports import Clock, Markdown, Telegram
from application.processing import Processing, ProcessingRepository
from application.recordings import Journal, Recordings
from application.sessions import Devices, LoginLimits, Sessions, SessionStore
from application.settings import AdminSettings, SettingsReader
from application.statistics import Kept, Statistics, StatsRepository
from application.users import Passwords, UserStore
from entrypoints.http.events import encoded
from entrypoints.settings import Settings
from entrypoints.wiring import direct_dsn


class HttpProvider(Provider):
    """What the routes of /api and /health ask for."""

    scope = Scope.APP

    user_store = provide(PostgresUsers, provides=UserStore)
    session_store = provide(ValkeySessions, provides=SessionStore)
    limits = provide(ValkeyLimits, provides=LoginLimits)
    devices = provide(FernetDevices, provides=Devices)
    sessions = provide(Sessions)

    api_key_store = provide(PostgresApiKeys, provides=ApiKeyStore)
    api_keys = provide(ApiKeys)

    admin_settings = provide(AdminSettings)

    chat_repository = provide(PostgresChats, provides=ChatRepository)
    chats = provide(Chats)
    chat_store = provide(PostgresChatActions, provides=ChatActionStore)
    markdown = provide(TelegramMarkdown, provides=Markdown)
    chat_actions = provide(ChatActions)

    processing_repository = provide(PostgresProcessing, provides=ProcessingRepository)
    processing = provide(Processing)
    failure_repository = provide(PostgresFailures, provides=FailureRepository)
    failures = provide(Failures)

    job_repository = provide(PostgresJobDesk, provides=JobRepository)
    job_desk = provide(JobDesk)

    stats_repository = provide(PostgresStatistics, provides=StatsRepository)
    kept = provide(ValkeyCache, provides=Kept)
    statistics = provide(Statistics)

    journal = provide(PostgresJournal, provides=Journal)
    recordings = provide(Recordings)

    audit_log = provide(PostgresAudit, provides=AuditLog)
    audit = provide(Audit)

    owners = provide(PostgresBotOwners, provides=Owners)

    probe = provide(PostgresHealth, provides=DatabaseProbe)
    health = provide(Health)

    @provide
    async def database_metrics(self, settings: Settings) -> AsyncIterator[DatabaseMetrics]:
        async with closing(engine(direct_dsn(settings), pool_size=1)) as made:
            yield DatabaseMetrics(made)

    @provide
    async def model_probe(
        self, reader: SettingsReader, clock: Clock, settings: Settings
    ) -> AsyncIterator[ModelProbe]:
        probe = OpenAIHealth(reader, clock, settings.stand_in_model_url)
        yield probe
        await probe.close()

    @provide
    def exports(self, engine: AsyncEngine) -> Exports:
        return Exports(PostgresChats(engine), PostgresProcessing(engine))

    @provide
    def passwords(self) -> Passwords:
        return Argon2Passwords()

    @provide
    def admin_users(self, store: UserStore, passwords: Passwords, sessions: Sessions) -> AdminUsers:
        return AdminUsers(store, passwords, sessions)

    @provide
    def listeners(self, settings: Settings, owners: Owners) -> Listeners:
        if settings.redis_url is None:
            raise RuntimeError("the settings have no address; they come from entrypoints.parts")
        return Listeners(ValkeyFeed(settings.redis_url), owners, encoded)

    @provide
    def alert_setup(
        self,
        reader: SettingsReader,
        telegram: Telegram,
        bots: BotRepository,
        codes: LinkCodes,
        settings: Settings,
    ) -> AlertSetup:
        return AlertSetup(reader, telegram, bots, codes, settings.telegram_api_url)

    @provide
    def bot_repository(
        self, engine: AsyncEngine, box: SecretBox, settings: Settings
    ) -> BotRepository:
        return PostgresBots(engine, box, settings.telegram_api_url)

    @provide
    def bots(
        self, bots: BotRepository, life: BotLife, telegram: Telegram, settings: Settings
    ) -> Bots:
        tokens = BotTokens(telegram, settings.telegram_api_url)
        return Bots(bots, life, tokens, settings.public_url)
