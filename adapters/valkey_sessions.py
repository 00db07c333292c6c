"""Sessions in Valkey (fulfils application.sessions.SessionStore).

A session's key is a digest of its id: whoever reads Valkey can sign in as nobody. A user's keys
are also kept in a set, so that all of them can be ended.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TypeVar, cast

import msgspec
from valkey.asyncio import Valkey
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff
from valkey.exceptions import ConnectionError as ValkeyConnectionError
from valkey.exceptions import ValkeyError

from application.refusals import SessionsAway
from application.sessions import SESSION_SECONDS, Session

T = TypeVar("T")

_TIMEOUT = 2.0


def valkey_client(url: str) -> Valkey:
    """A client for `url` (redis://, rediss://, valkey://, valkeys:// or unix://).

    A kept connection that a restart of Valkey has closed is replaced, once, without a word.
    """
    client: Valkey = Valkey.from_url(
        url,
        socket_timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[ValkeyConnectionError],
    )
    return client


@asynccontextmanager
async def sessions_away() -> AsyncIterator[None]:
    """Tells every way of Valkey's being away as SessionsAway."""
    try:
        yield
    except (ValkeyError, OSError, TimeoutError) as error:
        raise SessionsAway from error


class ValkeySessions:
    """The store."""

    def __init__(self, client: Valkey) -> None:
        self._client = client

    async def create(self, session: Session) -> str:
        """The new session's secret id (256 random bits)."""
        session_id = secrets.token_urlsafe(32)
        key, all_keys = _key(session_id), _all_keys(session.user_id)
        async with sessions_away(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.set(key, msgspec.json.encode(session), ex=SESSION_SECONDS)
            pipeline.sadd(all_keys, key)
            pipeline.expire(all_keys, SESSION_SECONDS)
            await pipeline.execute()
        return session_id

    async def read(self, session_id: str) -> Session | None:
        """The session, whose life begins anew."""
        async with sessions_away():
            found = await self._client.getex(_key(session_id), ex=SESSION_SECONDS)
        if found is None:
            return None
        session = msgspec.json.decode(found, type=Session)
        async with sessions_away():
            await self._client.expire(_all_keys(session.user_id), SESSION_SECONDS)
        return session

    async def end(self, session_id: str) -> None:
        """Nothing happens where it is over."""
        key = _key(session_id)
        async with sessions_away():
            found = await self._client.getdel(key)
            if found is not None:
                session = msgspec.json.decode(found, type=Session)
                await _answer(self._client.srem(_all_keys(session.user_id), key))

    async def end_all(self, user_id: str) -> None:
        """Every session of the user."""
        all_keys = _all_keys(user_id)
        async with sessions_away():
            keys = await _answer(self._client.smembers(all_keys))
            await self._client.delete(all_keys, *keys)

    async def ping(self) -> None:
        """Raises SessionsAway."""
        async with sessions_away():
            await self._client.ping()


async def _answer(asked: Awaitable[T] | T) -> T:
    """A command's answer: the client's types leave open whether it is the asynchronous one."""
    return await cast("Awaitable[T]", asked)


def _key(session_id: str) -> str:
    return f"kotodom:session:{sha256(session_id.encode()).hexdigest()}"


def _all_keys(user_id: str) -> str:
    return f"kotodom:user-sessions:{user_id}"
