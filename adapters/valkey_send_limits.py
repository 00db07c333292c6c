"""Telegram's limits on sending, kept before they are hit, by all workers together in Valkey.

Triggered by adapters/telegram_effects.py before each message; it returns when the message may go.
A place in the line of its bot and of its chat is reserved (GCRA, the "leaky bucket as a meter"), so
messages leave evenly, in order, and nobody asks twice. While Valkey is away nothing is held back:
Telegram's own 429 is honoured all the same.

Facts: Bots FAQ, "My bot is hitting limits": no more than one message a second in a chat (short
bursts are let through), 20 messages a minute in a group, about 30 messages a second in all.
"""

import asyncio
import math
import time
from collections.abc import Callable

import structlog
from msgspec import Struct
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from application.meter import Counted, Meter
from application.ports import TelegramAccess

AWAY_FOR = 5.0
"""Seconds for which Valkey is not asked again once it was away."""
LONGEST = 60.0
"""Seconds that a message holds its place for; one that would wait longer comes back later."""

log = structlog.get_logger("telegram")


class Limit(Struct, frozen=True):
    """One message every `interval` seconds; `burst` may come at once after a silence."""

    interval: float
    burst: int


BOT = Limit(1 / 30, 1)
PRIVATE = Limit(1.0, 3)
GROUP = Limit(4.0, 5)
"""Five and one every four seconds: 20 in any minute."""

# Microseconds, by the clock of Valkey. `tat`, the theoretical arrival time, is when a key's line
# would be empty again. Nothing is reserved where the wait would be longer than ARGV[1].
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local at = now
local tats = {}
for i, key in ipairs(KEYS) do
    local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    tats[i] = math.max(tonumber(redis.call('GET', key) or 0), now)
    at = math.max(at, tats[i] - (burst - 1) * interval)
end
if at - now > tonumber(ARGV[1]) then return {0, at - now} end
for i, key in ipairs(KEYS) do
    local tat = math.max(tats[i], at) + tonumber(ARGV[2 * i])
    redis.call('SET', key, string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 1)
end
return {1, at - now}
"""


class ValkeySendLimits:
    """The limits of all bots; `applies` says of a Bot API server's address whether it has them."""

    def __init__(self, client: Valkey, applies: Callable[[str], bool], meter: Meter) -> None:
        self._applies = applies
        self._reserve = client.register_script(_RESERVE)
        self._meter = meter
        self._away_until = 0.0

    async def hold(self, access: TelegramAccess, chat_id: int) -> float:
        """Return 0 when the message may go, or the seconds after which it should come back."""
        now = time.monotonic()
        if now < self._away_until or not self._applies(access.api_url):
            return 0.0
        bot_id = access.bot_id
        chat = PRIVATE if chat_id > 0 else GROUP
        keys = [f"kotodom:sends:{bot_id}", f"kotodom:sends:{bot_id}:{chat_id}"]
        limits = [value for limit in (BOT, chat) for value in (_micro(limit.interval), limit.burst)]
        try:
            reserved, wait = await self._reserve(keys, [_micro(LONGEST), *limits])
        except (ValkeyError, OSError, TimeoutError) as error:
            self._away_until = now + AWAY_FOR
            log.warning("telegram.limits_not_kept", error=str(error) or repr(error))
            return 0.0
        if wait > 0:
            self._meter.add(Counted.SENDS_HELD_BACK)
        if not reserved:
            return float(wait / 1e6)
        await asyncio.sleep(wait / 1e6)
        return 0.0


def _micro(seconds: float) -> int:
    return math.ceil(seconds * 1e6)
