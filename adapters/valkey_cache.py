"""Answers kept in Valkey for a while (fulfils application.statistics.Kept).

Where Valkey is away nothing is kept, and nothing is said: who asks computes anew.
"""

from contextlib import suppress

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

_AWAY = (ValkeyError, OSError, TimeoutError)


class ValkeyCache:
    """The cache."""

    def __init__(self, client: Valkey) -> None:
        self._client = client

    async def get(self, key: str) -> bytes | None:
        """None: it is not there, or not any more."""
        with suppress(*_AWAY):
            found: bytes | None = await self._client.get(_key(key))
            return found
        return None

    async def put(self, key: str, value: bytes, seconds: int) -> None:
        """Keep it for so many seconds."""
        with suppress(*_AWAY):
            await self._client.set(_key(key), value, ex=seconds)


def _key(key: str) -> str:
    return f"kotodom:cache:{key}"
