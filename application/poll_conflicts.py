"""Somebody else has a polled bot's updates: another program with its token, or a webhook.

Triggered by application/polling.py with each refusal of that kind and each poll that succeeds. A
webhook is removed. A conflict that stays becomes the bot's error, in words, and an alert; when the
bot has been polled in peace for a while, its error is cleared. What was told stands in the bot
itself, so that another poller, after a restart, goes on from there.
"""

from datetime import datetime, timedelta
from typing import Protocol

from application.bot_life import BotLife
from application.ports import Clock, PollConflict
from domain.events import BotFailed, BotRecovered, WebhookEnsured

TOLD_AT = 3
"""The conflict that the bot hears of. Two may come when a program takes over from another."""
REMOVED_EVERY = 10
"""Conflicts between two removals of a webhook, some five minutes with the poller's delays."""
PEACE = timedelta(seconds=20)
"""Of polling undisturbed. Two pollers take turns: each has polls that succeed, and ends others'."""

OTHER_POLLER = (
    "another program polls Telegram with this bot's token: stop it, or have @BotFather revoke the "
    "token and give the bot the new one"
)
OTHER_WEBHOOK = (
    "another program sets a webhook with this bot's token, so that the bot cannot be polled: stop "
    "it, or have @BotFather revoke the token and give the bot the new one"
)


class BotErrors(Protocol):
    """What is wrong with bots."""

    async def error(self, bot_id: int) -> str | None:
        """The bot's error, None where it has none. Raises Unavailable."""
        ...


class PollConflicts:
    """The conflicts of one bot, for as long as it is polled here."""

    def __init__(self, bot_id: int, errors: BotErrors, life: BotLife, clock: Clock) -> None:
        self._bot_id = bot_id
        self._errors = errors
        self._life = life
        self._clock = clock
        self._count = 0
        self._since: datetime | None = None
        self._at_peace = False

    async def met(self, conflict: PollConflict) -> None:
        """Telegram refused a poll. Raises Unavailable."""
        self._count += 1
        self._since, self._at_peace = None, False
        if conflict.webhook and self._count % REMOVED_EVERY == 1:
            # A webhook that a bot in POLLING mode has is removed. A bot that was given another mode
            # a moment ago keeps it: it is the bot's own.
            await self._life.put(self._bot_id, WebhookEnsured())
        reason = OTHER_WEBHOOK if conflict.webhook else OTHER_POLLER
        if self._count >= TOLD_AT and await self._errors.error(self._bot_id) != reason:
            await self._life.put(self._bot_id, BotFailed(reason))

    async def polled(self, began: datetime) -> None:
        """A poll that began then succeeded. Raises Unavailable."""
        if self._at_peace:
            return
        self._since = self._since or began
        if self._clock.now() - self._since < PEACE:
            return
        if await self._errors.error(self._bot_id) in (OTHER_POLLER, OTHER_WEBHOOK):
            await self._life.put(self._bot_id, BotRecovered())
        self._count, self._at_peace = 0, True
