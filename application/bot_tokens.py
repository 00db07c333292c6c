"""What Telegram says of a token, while a person waits: whose it is, and how its bot stands.

Triggered by whoever makes, changes or looks at a bot over HTTP. Telegram has little time for it.
"""

import asyncio
from datetime import UTC, datetime

from application.bot_forms import TelegramView, WebhookView
from application.ports import BotCard, Failed, Telegram, TelegramAccess, WebhookStatus
from application.refusals import FieldError, Invalid, UpstreamFailed
from domain.failures import Fatal

CHECK_SECONDS = 5.0
"""How long a request waits for Telegram."""


class BotTokens:
    """The use case. `telegram_api_url` is the server of a bot that names none."""

    def __init__(self, telegram: Telegram, telegram_api_url: str) -> None:
        self._telegram = telegram
        self._telegram_api_url = telegram_api_url

    def server(self, api_url: str | None) -> str:
        """The server of a bot that names this one, or none."""
        return api_url or self._telegram_api_url

    async def check(self, token: str, api_url: str | None) -> BotCard:
        """Who Telegram says the token's bot is. Raises Invalid, UpstreamFailed."""
        access = TelegramAccess(0, token, self.server(api_url))
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await self._telegram.get_me(access)
        except TimeoutError:
            why = f"no answer in {CHECK_SECONDS:g} s"
        except Failed as failed:
            why = _reason(failed)
            if isinstance(failed.failure, Fatal) and failed.failure.token_dead:
                refused = FieldError("token", f"Telegram refuses it: {why}")
                raise Invalid([refused]) from failed
        raise UpstreamFailed(f"Telegram could not be asked whether the token is right: {why}")

    async def look(self, access: TelegramAccess) -> TelegramView:
        """What Telegram says of a bot now, or why it says nothing."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                card = await self._telegram.get_me(access)
                webhook = await self._telegram.get_webhook_info(access)
        except TimeoutError:
            return TelegramView(error=f"Telegram: no answer in {CHECK_SECONDS:g} s")
        except Failed as failed:
            return TelegramView(error=_reason(failed))
        return TelegramView(card.username, card.name, _webhook(webhook))


def _reason(failed: Failed) -> str:
    return str(getattr(failed.failure, "reason", failed.failure))


def _webhook(status: WebhookStatus) -> WebhookView:
    at = status.last_error_date
    return WebhookView(
        url=status.url,
        pending_update_count=status.pending_update_count,
        last_error_at=datetime.fromtimestamp(at, UTC) if at is not None else None,
        last_error_message=status.last_error_message,
    )
