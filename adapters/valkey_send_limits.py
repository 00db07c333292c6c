"""Telegram's limits on sending, kept before they are hit, by all workers together in Valkey.

Triggered by adapters/telegram_effects.py before each message; it returns when the message may go.
Its time is reserved in one call, so messages leave evenly, in order, and nobody asks twice. A chat
has a meter (GCRA, the "leaky bucket"), which says when its next message may go at the earliest. A
bot has slots, one message each: the message takes the first free one from then on. A chat that
waits for its own turn so takes one slot of the future, and what comes before it is free for the
bot's other chats. While Valkey is away nothing is held back: Telegram's own 429 is honoured all the
same.

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


SLOT = 1 / 29
"""Seconds of a bot's slot: any second then touches 30 of them at most, wherever it begins."""
PRIVATE = Limit(1.0, 3)
GROUP = Limit(4.0, 5)
"""Five and one every four seconds: 20 in any minute."""

# KEYS: the bot's slots that are taken (a sorted set of their numbers since 1970), the chat's
# theoretical arrival time (when its line would be empty again). ARGV: the longest wait, the slot's
# length, the chat's interval and burst. All in microseconds, by the clock of Valkey. The number of
# free slots between two only grows with their distance, so the first free one is found by halving.
_RESERVE = """
local bot, chat = KEYS[1], KEYS[2]
local longest, length = tonumber(ARGV[1]), tonumber(ARGV[2])
local interval, burst = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrival = math.max(tonumber(redis.call('GET', chat) or 0), now)
local earliest = math.max(now, arrival - (burst - 1) * interval)
local first = math.floor(earliest / length)
local function taken(last) return redis.call('ZCOUNT', bot, first, last) end
local slot, last = first, first + taken('+inf')
while slot < last do
    local middle = math.floor((slot + last) / 2)
    if taken(middle) < middle - first + 1 then last = middle else slot = middle + 1 end
end
local at = math.max(earliest, slot * length)
if at - now > longest then return {0, at - now} end
redis.call('ZREMRANGEBYSCORE', bot, '-inf', '(' .. math.floor(now / length))
redis.call('ZADD', bot, slot, slot)
redis.call('PEXPIRE', bot, math.ceil((longest + length) / 1000) + 1)
arrival = math.max(arrival, at) + interval
local lives = math.ceil((arrival - now) / 1000) + 1
redis.call('SET', chat, string.format('%.0f', arrival), 'PX', lives)
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
        line = f"kotodom:sends:{access.bot_id}"
        chat = PRIVATE if chat_id > 0 else GROUP
        try:
            reserved, wait = await self._reserve(
                [line, f"{line}:{chat_id}"],
                [_micro(LONGEST), _micro(SLOT), _micro(chat.interval), chat.burst],
            )
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
