"""An alert to the administrator by Telegram, once an hour for each bot and cause.

Triggered by the job of a notification.adminAlert effect. An alert that cannot be sent is kept in
the log and counted, and the next one of its kind tells of it; it never breaks anything.
"""

from datetime import datetime
from typing import Protocol

import structlog

from application.meter import Counted, Meter
from application.ports import Failed, Telegram, TelegramAccess
from application.settings import CurrentSettings, SettingsReader
from domain.alerts import QUIET, QUIET_UNDELIVERED, unquoted, worded
from domain.effects import AdminAlert

log = structlog.get_logger("alerts")


class AlertBook(Protocol):
    """Remembers when an alert of one bot and cause was last sent."""

    async def note(
        self, alert: AdminAlert, at: datetime, quiet: float, job_id: int | None
    ) -> int | None:
        """How many were held back since the last one; None: hold this one back too (`quiet` s).

        The job that noted the last one may note it again: its worker died before it was sent.
        """
        ...

    async def not_sent(self, alert: AdminAlert, earlier: float) -> None:
        """The one noted last did not arrive: count it, as if it were so many seconds older."""
        ...


class Alerts:
    """The use case."""

    def __init__(
        self,
        book: AlertBook,
        telegram: Telegram,
        settings: SettingsReader,
        telegram_api_url: str,
        meter: Meter,
    ) -> None:
        self._book = book
        self._telegram = telegram
        self._settings = settings
        self._telegram_api_url = telegram_api_url
        self._meter = meter

    async def send(self, alert: AdminAlert, at: datetime, job_id: int | None = None) -> None:
        """Send the alert, or count it. `job_id`: the job that asks, again after a crash."""
        held_back = await self._book.note(alert, at, QUIET.total_seconds(), job_id)
        if held_back is None:
            return
        text = worded(alert.text, held_back)
        log.error(
            "admin.alert",
            bot=alert.bot_id,
            cause=alert.cause,
            text=worded(unquoted(alert.text), held_back),
        )
        settings = await self._settings.latest()
        to = destination(settings, self._telegram_api_url)
        if to is None:
            return
        access, chat_id = to
        try:
            await self._telegram.send_message(access, chat_id, text[:2000])
        except Failed as failed:
            self._meter.add(Counted.ALERTS_UNDELIVERED)
            log.error("admin.alert_undelivered", cause=alert.cause, failure=repr(failed.failure))
            await self._book.not_sent(alert, (QUIET - QUIET_UNDELIVERED).total_seconds())


def destination(
    settings: CurrentSettings, telegram_api_url: str
) -> tuple[TelegramAccess, int | str] | None:
    """The bot that sends alerts and the chat that gets them; None where one is not set."""
    if not settings.alerts_bot_token or not settings.alerts_chat_id:
        return None
    access = TelegramAccess(0, settings.alerts_bot_token, telegram_api_url)
    chat = settings.alerts_chat_id
    return access, chat if chat.startswith("@") else int(chat)
