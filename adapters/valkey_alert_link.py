"""The open code of the alerts' chat in Valkey (fulfils application.alert_link.LinkCodes)."""

import math
import secrets
from datetime import timedelta

import msgspec
from valkey.asyncio import Valkey

from adapters.valkey_sessions import sessions_away
from application.alert_link import LINK_SECONDS, OpenLink
from application.ports import Clock
from domain.alert_link import ALPHABET, LENGTH

_KEY = "kotodom:alert-link"
_USE_UP = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"


class ValkeyAlertLink:
    """One key, which forgets by itself."""

    def __init__(self, client: Valkey, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._use_up = client.register_script(_USE_UP)

    async def open(self, token_id: str, bot_id: int, maker: str) -> OpenLink:
        """A new code (37 random bits), in the place of whichever was open."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        expires_at = self._clock.now() + timedelta(seconds=LINK_SECONDS)
        link = OpenLink(code, token_id, bot_id, expires_at, maker)
        async with sessions_away():
            await self._client.set(_KEY, msgspec.json.encode(link), ex=LINK_SECONDS)
        return link

    async def current(self) -> OpenLink | None:
        """The open one."""
        async with sessions_away():
            found = await self._client.get(_KEY)
        return msgspec.json.decode(found, type=OpenLink) if found is not None else None

    async def use_up(self, link: OpenLink) -> bool:
        """Close it; False: it is closed already, or another is open."""
        async with sessions_away():
            return bool(await self._use_up([_KEY], [msgspec.json.encode(link)]))

    async def give_back(self, link: OpenLink) -> None:
        """Open it again, for what is left of its time, where no other is open."""
        left = math.ceil((link.expires_at - self._clock.now()).total_seconds())
        if left > 0:
            async with sessions_away():
                await self._client.set(_KEY, msgspec.json.encode(link), ex=left, nx=True)
