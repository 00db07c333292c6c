"""The cache: it keeps for a while, and its being away is nobody's trouble."""

from valkey.asyncio import Valkey

from adapters.valkey_cache import ValkeyCache
from adapters.valkey_sessions import valkey_client


async def test_what_is_put_is_got(valkey: Valkey) -> None:
    cache = ValkeyCache(valkey)
    assert await cache.get("one") is None
    await cache.put("one", b"value", 30)
    assert await cache.get("one") == b"value"


async def test_where_valkey_is_away_nothing_is_kept() -> None:
    client = valkey_client("redis://127.0.0.1:1")
    cache = ValkeyCache(client)
    await cache.put("one", b"value", 30)
    assert await cache.get("one") is None
    await client.aclose()
