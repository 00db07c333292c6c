"""`kotodom doctor`: checks every part; each line says ok, or what to do. Exit 1 where one is not.

It looks and never changes anything, but starts the embedded PostgreSQL for as long as it looks.
"""

import os
import sys
from collections.abc import Awaitable, Callable

import aiohttp
from rich.console import Console
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from adapters.child_process import CannotRunAsRootError
from adapters.data_directory import DataDirectoryError
from adapters.embedded_postgres import PostgresStartError
from adapters.postgres_health import PostgresHealth
from adapters.postgres_migrations import is_current
from adapters.postgres_transactions import engine, transaction
from adapters.secret_box import SecretBox, SecretUnreadable
from application.jobs import Unavailable
from application.readiness import LATE
from entrypoints.parts import connected
from entrypoints.settings import Settings, is_loopback

Check = Callable[[], Awaitable[str]]


class Wrong(Exception):  # noqa: N818 - a check's line
    """A check failed; the message says what to do."""


async def examine(settings: Settings, console: Console) -> int:
    """Run every check; the exit code."""
    failed = 0
    real_bots = 0

    async def line(name: str, check: Check) -> bool:
        nonlocal failed
        try:
            console.print(f"[green]ok[/]     {name}: {await check()}", soft_wrap=True)
        except (Wrong, Unavailable) as wrong:
            failed += 1
            console.print(f"[bold red]wrong[/]  {name}: {wrong}", soft_wrap=True)
            return False
        return True

    async def python() -> str:
        return f"Python {sys.version.split()[0]}"

    await line("python", python)
    await line("address", lambda: _address(settings))
    try:
        async with connected(settings, "kotodom doctor") as ready:
            database = engine(ready.database_url or "", pool_size=1)
            await line("postgresql", lambda: _postgres(database))
            if await line("schema", lambda: _schema(database)):
                await line("secrets", lambda: _secrets(database, ready))
                await line("jobs", lambda: _jobs(database))
                await line("bots", lambda: _bots(database))
                await line("model", lambda: _model(database, ready))
                real_bots = await _real_bots(database)
            await database.dispose()
            await line("valkey", lambda: _valkey(ready))
    except (DataDirectoryError, PostgresStartError, CannotRunAsRootError) as error:
        failed += 1
        console.print(f"[bold red]wrong[/]  postgresql: {error}", soft_wrap=True)
    await line("telegram", lambda: _reachable(settings.telegram_api_url, needed=real_bots > 0))
    return 1 if failed else 0


async def _address(settings: Settings) -> str:
    if settings.public_url is None:
        if not is_loopback(settings.host):
            return f"{settings.host}:{settings.port}; no PUBLIC_URL: bots poll"
        return (
            f"http://{settings.host}:{settings.port}, this machine only; no PUBLIC_URL: bots poll"
        )
    return f"{settings.public_url} (webhooks) on {settings.host}:{settings.port}"


async def _postgres(database: AsyncEngine) -> str:
    async with transaction(database) as connection:
        number = int((await connection.scalar(text("SHOW server_version_num"))) or 0)
        version = await connection.scalar(text("SHOW server_version"))
    if number < 180000:
        raise Wrong(f"version {version}; Kotodom needs PostgreSQL 18 or later")
    return f"version {version}"


async def _schema(database: AsyncEngine) -> str:
    if not await is_current(database):
        raise Wrong("not up to date; run `kotodom migrate`")
    return "up to date"


async def _secrets(database: AsyncEngine, settings: Settings) -> str:
    box = SecretBox(settings.secret_key or "")
    async with transaction(database) as connection:
        stored = (await connection.execute(text("SELECT token FROM bots"))).scalars().all()
    try:
        for secret in stored:
            box.decrypt(secret)
    except SecretUnreadable as error:
        raise Wrong(str(error)) from None
    return f"{len(stored)} tokens readable"


async def _jobs(database: AsyncEngine) -> str:
    state = await PostgresHealth(database).look()
    if not state.schema_current:
        raise Wrong("not known before `kotodom migrate` has run")
    seen = f"running: {state.workers} workers, {state.pollers} pollers"
    if state.queue_age > LATE:
        waits = f"one has waited for {state.queue_age:.0f} s"
        raise Wrong(f"{waits}; {seen}; start `kotodom worker`, or more of them")
    if state.workers and state.to_poll and not state.pollers:
        raise Wrong(f"{seen}; bots to poll: {state.to_poll}; start `kotodom poller`")
    return f"none waits for long; {seen}"


async def _bots(database: AsyncEngine) -> str:
    async with transaction(database) as connection:
        rows = (
            await connection.execute(
                text(
                    "SELECT name, coalesce(error, silent_reason) FROM bots WHERE error IS NOT NULL"
                    " OR (enabled AND is_active AND silent_reason IS NOT NULL) ORDER BY id"
                )
            )
        ).all()
        total = await connection.scalar(text("SELECT count(*) FROM bots"))
    if rows:
        raise Wrong("; ".join(f"{name}: {reason}" for name, reason in rows))
    return f"{total} in all, none silent or in error"


async def _model(database: AsyncEngine, settings: Settings) -> str:
    async with transaction(database) as connection:
        stored = await connection.scalar(
            text("SELECT count(*) FROM settings WHERE id = 'openai.apiKey'")
        )
    if stored:
        return "a key is set in the settings"
    if settings.openai_api_key is not None:
        return "OPENAI_API_KEY is set"
    if settings.sandbox:
        return "no key: the sandbox's model answers"
    raise Wrong("no OpenAI key: set OPENAI_API_KEY, or openai.apiKey in the settings")


async def _valkey(settings: Settings) -> str:
    client = Valkey.from_url(settings.redis_url or "", socket_connect_timeout=3)
    try:
        await client.ping()
    except (OSError, ValkeyError) as error:
        if "REDIS_URL" in os.environ:
            raise Wrong(f"no answer at REDIS_URL ({error}); nobody can sign in") from None
        return "embedded; it runs while `kotodom run` does"
    finally:
        await client.aclose()
    return "answers"


async def _real_bots(database: AsyncEngine) -> int:
    """How many bots live at TELEGRAM_API_URL."""
    try:
        async with transaction(database) as connection:
            count = await connection.scalar(
                text("SELECT count(*) FROM bots WHERE telegram_api_url IS NULL")
            )
    except Unavailable:
        return 0
    return int(count or 0)


async def _reachable(url: str, *, needed: bool) -> str:
    timeout = aiohttp.ClientTimeout(total=5)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url):
            return f"{url} answers"
    except (aiohttp.ClientError, TimeoutError) as error:
        told = f"{url} cannot be reached ({type(error).__name__})"
        if needed:
            raise Wrong(f"{told}; bots live there") from None
        return f"{told}; no bot lives there yet"
