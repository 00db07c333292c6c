"""application.alerts.AlertBook on PostgreSQL: when alerts were sent, and where they go."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_transactions import fetch, transaction
from adapters.secret_box import SecretBox
from application.ports import TelegramAccess
from domain.effects import AdminAlert

_NOTE = """
INSERT INTO alerts AS known (bot_id, cause, sent_at) VALUES ($1, $2, $3)
ON CONFLICT (bot_id, cause) DO UPDATE SET
    sent_at = CASE WHEN known.sent_at <= $3 - make_interval(secs => $4) THEN $3
                   ELSE known.sent_at END,
    suppressed = CASE WHEN known.sent_at <= $3 - make_interval(secs => $4) THEN 0
                      ELSE known.suppressed + 1 END
RETURNING old.suppressed, old.sent_at IS NULL OR old.sent_at <= $3 - make_interval(secs => $4)
"""


class PostgresAlerts:
    """The book of alerts."""

    def __init__(self, engine: AsyncEngine, box: SecretBox, telegram_api_url: str) -> None:
        self._engine = engine
        self._box = box
        self._telegram_api_url = telegram_api_url

    async def note(self, alert: AdminAlert, at: datetime, quiet: float) -> int | None:
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _NOTE, alert.bot_id, alert.cause, at, quiet)
        suppressed, due = rows[0]
        return (suppressed or 0) if due else None

    async def destination(self) -> tuple[TelegramAccess, int | str] | None:
        async with transaction(self._engine) as connection:
            rows = await fetch(
                connection,
                "SELECT id, value FROM settings WHERE id IN ('alerts.botToken', 'alerts.chatId')",
            )
        values = {row[0]: row[1] for row in rows}
        token, chat = values.get("alerts.botToken"), values.get("alerts.chatId")
        if not token or not chat:
            return None
        access = TelegramAccess(0, self._box.decrypt(token), self._telegram_api_url)
        return access, (int(chat) if chat.lstrip("-").isdecimal() else chat)
