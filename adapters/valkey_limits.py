"""Counts of wrong passwords in Valkey (fulfils application.sessions.LoginLimits).

A count lives 15 minutes from its first wrong password. Keys are digests: no e-mail address and no
address of a browser stands in Valkey.
"""

import math
from collections.abc import Sequence
from hashlib import sha256

from valkey.asyncio import Valkey

from adapters.valkey_sessions import sessions_away
from application.sessions import Bucket

WINDOW = 15 * 60


class ValkeyLimits:
    """The counts."""

    def __init__(self, client: Valkey) -> None:
        self._client = client

    async def wait(self, buckets: Sequence[Bucket]) -> int:
        """Seconds until none of them is full; 0 where none is."""
        async with sessions_away(), self._client.pipeline(transaction=True) as pipeline:
            for bucket in buckets:
                pipeline.get(_key(bucket))
                pipeline.pttl(_key(bucket))
            answers = await pipeline.execute()
        triples = zip(buckets, answers[::2], answers[1::2], strict=True)
        full = (left for bucket, count, left in triples if int(count or 0) >= bucket.limit)
        return max(map(_seconds, full), default=0)

    async def count(self, buckets: Sequence[Bucket]) -> int:
        """Count a wrong password in all of them; seconds to wait where that was one too many."""
        async with sessions_away(), self._client.pipeline(transaction=True) as pipeline:
            for bucket in buckets:
                pipeline.incr(_key(bucket))
                pipeline.expire(_key(bucket), WINDOW, nx=True)
                pipeline.pttl(_key(bucket))
            answers = await pipeline.execute()
        triples = zip(buckets, answers[::3], answers[2::3], strict=True)
        full = (left for bucket, count, left in triples if count > bucket.limit)
        return max(map(_seconds, full), default=0)


def _key(bucket: Bucket) -> str:
    return f"kotodom:wrong-passwords:{sha256(bucket.name.encode()).hexdigest()}"


def _seconds(milliseconds: int) -> int:
    return max(1, math.ceil(milliseconds / 1000))
