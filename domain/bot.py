"""A bot's life: handle(bot, envelope) -> Step. Enable, disable, webhook, dead token.

Triggered by an administrator's request and by the outcomes of the bot's own effects. `enabled` is
the administrator's wish, `is_active` what is so: the webhook is set, or updates are polled.
"""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.alerts import bot_alert
from domain.effects import (
    Effect,
    EnsureWebhook,
    PublishWaiting,
    RemoveWebhook,
)
from domain.events import (
    BotEdited,
    BotEvent,
    BotFailed,
    BotRecovered,
    DisableAsked,
    EnableAsked,
    WebhookAsked,
    WebhookEnsured,
    WebhookFailed,
    WebhookRemovalAsked,
    WebhookRemoved,
)
from domain.failures import MAX_ATTEMPTS, Fatal, Retryable, backoff
from domain.step import Envelope, Step


class TelegramMode(StrEnum):
    """How a bot's updates reach us."""

    WEBHOOK = "WEBHOOK"
    POLLING = "POLLING"


class Bot(Struct, frozen=True, omit_defaults=True, tag="bot"):
    """What a bot's own handler needs of it; no token and no key ever stands here."""

    id: int
    name: str
    mode: TelegramMode
    enabled: bool = False
    is_active: bool = False
    error: str | None = None


def webhook_path(bot_id: int) -> str:
    """Where below PUBLIC_URL Telegram posts the bot's updates."""
    return f"/webhook/{bot_id}"


def is_webhook_of(bot_id: int, url: str) -> bool:
    """Whether a webhook at Telegram leads to that path, wherever: PUBLIC_URL may have been another
    one when it was set. Where another system has the token by now, its webhook leads elsewhere.
    """
    return url.partition("?")[0].endswith(webhook_path(bot_id))


def handle(bot: Bot, envelope: Envelope[BotEvent]) -> Step[Bot]:
    """One event of a bot. Pure: the same arguments give the same Step."""
    match envelope.event:
        case EnableAsked():
            step = _connect(replace(bot, enabled=True, error=None))
            return Step(step.state, (*step.effects, PublishWaiting(bot.id)))
        case DisableAsked():
            return Step(replace(bot, enabled=False, is_active=False), (RemoveWebhook(bot.id),))
        case BotEdited(mode=mode, reconnect=reconnect):
            bot = replace(bot, mode=TelegramMode(mode))
            if bot.enabled and reconnect:
                return _connect(replace(bot, error=None))
            return Step(bot)
        case WebhookAsked():
            return Step(bot, (EnsureWebhook(bot.id),))
        case WebhookRemovalAsked():
            return Step(bot, (RemoveWebhook(bot.id, polling=_polls(bot), asked=True),))
        case WebhookEnsured():
            if not bot.enabled or _polls(bot):
                return Step(bot, (RemoveWebhook(bot.id, polling=_polls(bot)),))
            return Step(replace(bot, is_active=True, error=None))
        case WebhookRemoved(polling=polling, asked=asked):
            if _polls(bot):
                return Step(replace(bot, is_active=True, error=None) if polling else bot)
            bot = replace(bot, is_active=False)
            if bot.enabled and not asked:
                # A removal from before it was enabled came last: what is wished for now is a hook.
                return Step(bot, (EnsureWebhook(bot.id),))
            return Step(bot)
        case WebhookFailed() as event:
            return _webhook_failed(bot, event)
        case BotFailed(reason=reason, token_dead=token_dead):
            alert = bot_alert(bot.id, bot.name, "the bot cannot answer", reason)
            return Step(_broken(bot, reason, token_dead=token_dead), (alert,))
        case BotRecovered():
            return Step(replace(bot, error=None) if bot.enabled else bot)
        case unreachable:
            assert_never(unreachable)


def _polls(bot: Bot) -> bool:
    return bot.enabled and bot.mode is TelegramMode.POLLING


def _connect(bot: Bot) -> Step[Bot]:
    """Ask Telegram to deliver as the bot's mode says; it is active once Telegram has agreed."""
    bot = replace(bot, is_active=False)
    if _polls(bot):
        return Step(bot, (RemoveWebhook(bot.id, polling=True),))
    return Step(bot, (EnsureWebhook(bot.id),))


def _broken(bot: Bot, reason: str, *, token_dead: bool) -> Bot:
    if token_dead:
        return replace(bot, enabled=False, is_active=False, error=reason)
    return replace(bot, error=reason)


def _webhook_failed(bot: Bot, event: WebhookFailed) -> Step[Bot]:
    failure = event.failure
    if isinstance(failure, Retryable) and event.attempt + 1 < MAX_ATTEMPTS:
        delay = failure.after or backoff(event.attempt + 1, event.jitter)
        attempt = event.attempt + 1
        again: Effect
        wished = event.asked or not bot.enabled or _polls(bot)
        if event.removing and event.polling == _polls(bot) and wished:
            again = RemoveWebhook(bot.id, event.polling, attempt, delay, event.asked)
        elif not event.removing and bot.enabled and not _polls(bot):
            again = EnsureWebhook(bot.id, attempt, delay)
        else:
            return Step(bot)  # it is wished for no more
        return Step(bot, (again,))
    reason = getattr(failure, "reason", repr(failure))
    token_dead = isinstance(failure, Fatal) and failure.token_dead
    if event.removing and not event.polling:
        # A bot that was disabled stays so, whatever Telegram thinks of its webhook.
        return Step(replace(bot, error=reason))
    bot = replace(_broken(bot, reason, token_dead=token_dead), is_active=False)
    return Step(bot, (bot_alert(bot.id, bot.name, "Telegram does not deliver to it", reason),))
