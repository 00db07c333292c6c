"""dishka providers of the HTTP API: its use cases, and the adapters behind their ports.

Beside entrypoints/wiring.py, which has what every process shares.
"""

from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.argon2_passwords import Argon2Passwords
from adapters.fernet_devices import FernetDevices
from adapters.postgres_bots import PostgresBots
from adapters.postgres_chats import PostgresChats
from adapters.postgres_health import PostgresHealth
from adapters.postgres_journal import PostgresJournal
from adapters.postgres_processing import PostgresProcessing
from adapters.postgres_users import PostgresUsers
from adapters.secret_box import SecretBox
from adapters.valkey_limits import ValkeyLimits
from adapters.valkey_sessions import ValkeySessions
from application.bot_life import BotLife
from application.bots import BotRepository, Bots
from application.chats import ChatRepository, Chats
from application.health import DatabaseProbe, Health
from application.ports import Telegram
from application.processing import Processing, ProcessingRepository
from application.recordings import Journal, Recordings
from application.sessions import Devices, LoginLimits, Sessions, SessionStore
from application.settings import AdminSettings
from application.users import Passwords, UserStore
from entrypoints.settings import Settings


class HttpProvider(Provider):
    """What the routes of /api and /health ask for."""

    scope = Scope.APP

    user_store = provide(PostgresUsers, provides=UserStore)
    session_store = provide(ValkeySessions, provides=SessionStore)
    limits = provide(ValkeyLimits, provides=LoginLimits)
    devices = provide(FernetDevices, provides=Devices)
    sessions = provide(Sessions)

    admin_settings = provide(AdminSettings)

    chat_repository = provide(PostgresChats, provides=ChatRepository)
    chats = provide(Chats)

    processing_repository = provide(PostgresProcessing, provides=ProcessingRepository)
    processing = provide(Processing)

    journal = provide(PostgresJournal, provides=Journal)
    recordings = provide(Recordings)

    probe = provide(PostgresHealth, provides=DatabaseProbe)
    health = provide(Health)

    @provide
    def passwords(self) -> Passwords:
        return Argon2Passwords()

    @provide
    def bot_repository(
        self, engine: AsyncEngine, box: SecretBox, settings: Settings
    ) -> BotRepository:
        return PostgresBots(engine, box, settings.telegram_api_url)

    @provide
    def bots(
        self, bots: BotRepository, life: BotLife, telegram: Telegram, settings: Settings
    ) -> Bots:
        return Bots(bots, life, telegram, settings.public_url, settings.telegram_api_url)
