"""Rotation of SECRET_KEY: all that older keys hold is brought under the newest, while others run.

Triggered by `kotodom rotate-secrets`, as often as one likes: what is done stays done, and a run
that was killed is gone on with by the next. Only once `Rotation.complete` may the older keys go.

What hangs on SECRET_KEY: the tokens and keys of bots, those that jobs carry for bots that are
deleted, and the secret settings, which are encrypted anew; the secrets of bots' webhooks, which
Telegram is told anew, by each bot's own telegram.ensureWebhook; and the cookie by which a browser
is known (adapters/fernet_devices.py), which is made anew at the next sign-in and opens nothing.
Passwords, sessions, API keys and tokens' fingerprints do without it.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from application.bot_life import BotLife
from domain.events import WebhookAsked

LOOKS = 80
LOOK_EVERY = 0.25
"""Seconds between two of the LOOKS at webhooks that workers are setting."""


class Renewed(Struct, frozen=True):
    """What became of some stored secrets.

    `current`: under the newest key already; `unreadable`: what no key opens, in words; `upto`: the
    last bot's id, None where there are no more.
    """

    renewed: int = 0
    current: int = 0
    unreadable: tuple[str, ...] = ()
    upto: int | None = None


class OldWebhook(Struct, frozen=True):
    """A bot that Telegram still calls with an older key's secret. `asked`: a job is about it."""

    bot_id: int
    name: str
    error: str | None
    asked: bool


class Vault(Protocol):
    """Where secrets are stored. Every method raises Unavailable."""

    async def is_known_everywhere(self) -> bool:
        """Whether every process that is connected can read what the newest key encrypts."""
        ...

    async def renew_bots(self, after: int) -> Renewed:
        """A batch of bots with ids above `after`, locked, in a transaction."""
        ...

    async def renew_settings(self) -> Renewed:
        """All secret settings, locked, in a transaction."""
        ...

    async def renew_farewells(self) -> Renewed:
        """What deleted bots have left to be done, locked, in a transaction."""
        ...

    async def old_webhooks(self) -> Sequence[OldWebhook]:
        """By id; of bots whose webhook was set by a version that did not note its key, too."""
        ...

    async def has_workers(self) -> bool:
        """Whether somebody carries jobs out."""
        ...


class Rotation(Struct, frozen=True):
    """How far it has come. `current`: secrets that were under the newest key already."""

    known_everywhere: bool
    renewed: int = 0
    current: int = 0
    unreadable: tuple[str, ...] = ()
    webhooks_set: int = 0
    old_webhooks: tuple[OldWebhook, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing hangs on an older key."""
        return self.known_everywhere and not self.unreadable and not self.old_webhooks


class SecretRotation:
    """The use case."""

    def __init__(self, vault: Vault, life: BotLife) -> None:
        self._vault = vault
        self._life = life

    async def run(self) -> Rotation:
        """Bring what can be under the newest key. Raises Unavailable: what is done stays done."""
        if not await self._vault.is_known_everywhere():
            return Rotation(known_everywhere=False)
        found = await self._renew()
        renewed = changed = found.renewed
        while changed:  # what was written behind our back while we went through
            again = await self._renew()
            changed = again.renewed
            renewed += changed
        asked = await self._vault.old_webhooks()
        for webhook in asked:
            if not webhook.asked:
                await self._life.put(webhook.bot_id, WebhookAsked())
        waiting = await self._wait() if asked else ()
        return Rotation(
            known_everywhere=True,
            renewed=renewed,
            current=found.current,
            unreadable=found.unreadable,
            webhooks_set=len(asked) - len(waiting),
            old_webhooks=tuple(waiting),
        )

    async def _renew(self) -> Renewed:
        """Every stored secret, once."""
        batches = [await self._vault.renew_settings(), await self._vault.renew_farewells()]
        upto: int | None = 0
        while upto is not None:
            batches.append(await self._vault.renew_bots(upto))
            upto = batches[-1].upto
        return Renewed(
            renewed=sum(batch.renewed for batch in batches),
            current=sum(batch.current for batch in batches),
            unreadable=tuple(words for batch in batches for words in batch.unreadable),
        )

    async def _wait(self) -> Sequence[OldWebhook]:
        """Those that are left, once no worker is at them any more."""
        waiting = await self._vault.old_webhooks()
        for _ in range(LOOKS):
            under_way = any(webhook.asked for webhook in waiting)
            if not under_way or not await self._vault.has_workers():
                break
            await asyncio.sleep(LOOK_EVERY)
            waiting = await self._vault.old_webhooks()
        return waiting
