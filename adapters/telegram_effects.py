"""telegram.* effects against the Bot API."""

import asyncio

import structlog
from msgspec.structs import replace

from adapters.postgres_bot_access import BotAccess, PostgresBotAccess
from adapters.secret_box import SecretBox, SecretUnreadable
from adapters.valkey_send_limits import ValkeySendLimits
from application.jobs import Lease
from application.ports import Clock, Failed, Telegram, TelegramAccess
from domain import texts
from domain.bot import is_webhook_of, webhook_path
from domain.commands import COMMANDS
from domain.effects import (
    EnsureWebhook,
    RemoveFormerWebhook,
    RemoveWebhook,
    SendChatAction,
    SendMessage,
)
from domain.events import (
    MessageFailed,
    MessageSent,
    WebhookEnsured,
    WebhookFailed,
    WebhookRemoved,
)
from domain.failures import MAX_ATTEMPTS, Retryable, Terminal, backoff

log = structlog.get_logger("telegram")

TYPING_EVERY = 4.5
"""Telegram shows the action for 5 seconds or less (Bot API 10.3, sendChatAction)."""
SETTING = 10.0
"""Seconds in which a setWebhook is over at Telegram, even one whose worker was killed over it."""


class TelegramEffects:
    """Sends messages, shows typing, sets webhooks and the bot's menu."""

    def __init__(
        self,
        telegram: Telegram,
        bots: PostgresBotAccess,
        box: SecretBox,
        clock: Clock,
        public_url: str | None,
        limits: ValkeySendLimits,
    ) -> None:
        self._telegram = telegram
        self._bots = bots
        self._box = box
        self._clock = clock
        self._public_url = public_url
        self._limits = limits

    async def send(
        self, effect: SendMessage, bot: BotAccess, lease: Lease
    ) -> MessageSent | MessageFailed:
        """Send one part, when Telegram's limits let it. Raises LeaseLost."""
        if after := await self._limits.hold(bot.telegram, effect.chat_id):
            busy = Retryable("more is to be sent than Telegram's limits let through", after)
            return MessageFailed(effect.turn, effect.part, busy)
        lease.check()
        try:
            message_id = await self._telegram.send_message(
                bot.telegram,
                effect.chat_id,
                effect.text,
                effect.entities,
                effect.topic_id,
                effect.reply_to,
            )
        except Failed as failed:
            return MessageFailed(effect.turn, effect.part, failed.failure, self._clock.jitter())
        return MessageSent(effect.turn, effect.part, message_id)

    async def show(self, effect: SendChatAction, lease: Lease) -> None:
        """Show the action until cancelled. Nobody waits for it, so its failures end it quietly."""
        try:
            bot = await self._bots.get(effect.bot_id)
            while True:
                lease.check()
                await self._telegram.send_chat_action(
                    bot.telegram, effect.chat_id, effect.action, effect.topic_id
                )
                await asyncio.sleep(TYPING_EVERY)
        except Failed as failed:
            log.info("telegram.action_not_shown", failure=repr(failed.failure))

    async def ensure_webhook(
        self, effect: EnsureWebhook
    ) -> WebhookEnsured | WebhookFailed | RemoveFormerWebhook:
        """setWebhook and the menu. Where the token was the bot's no more when Telegram answered,
        the webhook is to be removed; the bot's step about its new token has its own job.
        """
        if self._public_url is None:
            failure = Terminal("webhook mode needs PUBLIC_URL; set it, or let the bot poll")
            return WebhookFailed(failure, effect.attempt)
        try:
            bot = await self._bots.fresh(effect.bot_id)
            await self._telegram.set_webhook(
                bot.telegram,
                f"{self._public_url}{webhook_path(effect.bot_id)}",
                self._box.webhook_secret(effect.bot_id),
            )
            if not await self._bots.note_webhook(bot.telegram, self._box.key_ids[0]):
                sealed = self._box.encrypt(bot.telegram.token)
                return RemoveFormerWebhook(effect.bot_id, sealed, bot.telegram.api_url)
            await self._menu(bot)
        except Failed as failed:
            return WebhookFailed(failed.failure, effect.attempt, self._clock.jitter())
        return WebhookEnsured()

    async def remove_webhook(self, effect: RemoveWebhook) -> WebhookRemoved | WebhookFailed:
        """deleteWebhook, and the menu where the bot polls from now on.

        A bot that is only disabled keeps a webhook that leads elsewhere: it is another system's.
        """
        try:
            bot = await self._bots.fresh(effect.bot_id)
            if effect.polling or effect.asked or await self._is_ours(bot.telegram):
                await self._telegram.delete_webhook(bot.telegram)
            if effect.polling:
                await self._menu(bot)
        except Failed as failed:
            return WebhookFailed(
                failed.failure,
                effect.attempt,
                self._clock.jitter(),
                removing=True,
                polling=effect.polling,
                asked=effect.asked,
            )
        return WebhookRemoved(effect.polling, effect.asked)

    async def remove_former_webhook(
        self, effect: RemoveFormerWebhook
    ) -> RemoveFormerWebhook | EnsureWebhook | None:
        """deleteWebhook of what leads to the bot; another try where there is one.

        A bot that has the token again keeps its webhook, or gets one where it went meanwhile.
        """
        try:
            token = self._box.decrypt(effect.sealed_token)
        except SecretUnreadable as error:
            log.warning("telegram.webhook_stays", reason=str(error))
            return None
        access = TelegramAccess(effect.bot_id, token, effect.api_url)
        if await self._bots.is_connecting(effect.bot_id):
            # It may have begun with this token: what it sets would come after our deleteWebhook.
            return replace(effect, delay=SETTING)
        try:
            url = (await self._telegram.get_webhook_info(access)).url
            if is_webhook_of(effect.bot_id, url):
                holder = await self._bots.holder(access)
                if holder is None or holder.bot_id != effect.bot_id:
                    await self._telegram.delete_webhook(access)
                    url = ""
        except Failed as failed:
            failure, attempt = failed.failure, effect.attempt + 1
            if isinstance(failure, Retryable) and attempt < MAX_ATTEMPTS:
                delay = failure.after or backoff(attempt, self._clock.jitter())
                return replace(effect, attempt=attempt, delay=delay)
            log.info("telegram.webhook_stays", failure=repr(failure))
            return None
        if url:
            return None
        # Nothing is held while Telegram is asked, so a bot may have come and set its own meanwhile.
        holder = await self._bots.holder(access)
        return EnsureWebhook(holder.bot_id) if holder is not None and holder.hooked else None

    async def _is_ours(self, access: TelegramAccess) -> bool:
        """Whether the webhook leads to the bot's path."""
        webhook = await self._telegram.get_webhook_info(access)
        return is_webhook_of(access.bot_id, webhook.url)

    async def _menu(self, bot: BotAccess) -> None:
        """The commands, in Russian for Russian users and in English for all others."""
        for language, code in (("en", None), ("ru", "ru")):
            menu = texts.MENU["ru" if language == "ru" else "en"]
            commands = [(name, menu[name]) for name in COMMANDS]
            await self._telegram.set_my_commands(bot.telegram, commands, code)
