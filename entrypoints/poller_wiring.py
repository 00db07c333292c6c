"""dishka provider of the poller, beside entrypoints/wiring.py, which has what processes share."""

from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide

from adapters.postgres_bot_access import PostgresBotAccess
from adapters.postgres_polled_bots import PostgresPolledBots
from application.alert_link import AlertLinks, LinkCodes
from application.alert_link_polling import AlertLinkPolling
from application.bot_life import BotLife
from application.intake import Intake
from application.polling import Polling
from application.ports import Clock, Telegram
from application.settings import SettingsReader
from entrypoints.settings import Settings
from entrypoints.wiring import HotEngine, direct_dsn


class PollerProvider(Provider):
    """What polls Telegram."""

    scope = Scope.APP

    @provide
    async def polled_bots(
        self, engine: HotEngine, bots: PostgresBotAccess, settings: Settings
    ) -> AsyncIterator[PostgresPolledBots]:
        polled = PostgresPolledBots(engine, bots, direct_dsn(settings))
        yield polled
        await polled.close()

    @provide
    def polling(
        self,
        bots: PostgresPolledBots,
        telegram: Telegram,
        intake: Intake,
        life: BotLife,
        clock: Clock,
    ) -> Polling:
        return Polling(bots, telegram, intake, life, clock)

    @provide
    def alert_link_polling(
        self,
        codes: LinkCodes,
        links: AlertLinks,
        reader: SettingsReader,
        bots: PostgresPolledBots,
        telegram: Telegram,
        clock: Clock,
        settings: Settings,
    ) -> AlertLinkPolling:
        return AlertLinkPolling(
            codes, links, reader, bots, telegram, clock, settings.telegram_api_url
        )
