"""`kotodom run`: everything in one go, each part a process of its own that is kept alive.

Prints a line for each stage, then a short banner: where the admin is, the first administrator's
e-mail and generated password (once), where the sandbox is. Ctrl-C or SIGTERM ends everything.
"""

import asyncio
import errno
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from tempfile import TemporaryDirectory

import aiohttp
import asyncpg
import structlog
from dishka import make_async_container
from msgspec.structs import replace
from rich.console import Console
from rich.panel import Panel
from sqlalchemy.ext.asyncio import AsyncEngine
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from adapters.child_process import wait_until
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.embedded_valkey import EmbeddedValkey
from adapters.pgqueuer_worker import session_name
from adapters.postgres_migrations import migrate
from adapters.postgres_transactions import telling_away
from adapters.prometheus_meter import MULTIPROCESS, forget_process
from adapters.secret_box import SecretBox
from application.bot_life import BotLife
from application.users import Users
from entrypoints.logs import configure
from entrypoints.parts import data_directory, environment_of, with_secret_key
from entrypoints.sandbox.ready_bot import ensure_ready_bot
from entrypoints.settings import Settings, WrongSetting, reachable
from entrypoints.supervisor import Part, PartEvent, PartFailedError, Supervisor, kotodom_argv
from entrypoints.wiring import SharedProvider, direct_dsn

STOP_SECONDS = 8.0
READY_SECONDS = 60.0

_MISSING = """
SELECT count(*) FROM unnest($1::text[]) AS part (name)
WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = part.name)
"""

log = structlog.get_logger("run")
console = Console(stderr=True, highlight=False)


async def run_everything(settings: Settings) -> int:
    """Run until Ctrl-C or SIGTERM; the exit code."""
    configure(settings, "run")
    _check_free(settings.host, settings.port)
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    began = time.monotonic()
    with ExitStack() as held:
        counters = held.enter_context(TemporaryDirectory(prefix="kotodom-counters-"))
        supervisor = Supervisor(partial(_told, counters))
        data = data_directory(settings)
        if data is not None:
            held.enter_context(data.lock("kotodom run"))
        settings = with_secret_key(settings, data if settings.database_url is None else None)
        try:
            if data is not None and settings.database_url is None:
                postgres = EmbeddedPostgres(data)
                with _stage("PostgreSQL"):
                    await supervisor.start(Part.of_service(postgres))
                settings = replace(settings, database_url=postgres.address.dsn())
            if data is not None and settings.redis_url is None:
                valkey = EmbeddedValkey(data)
                with _stage("Valkey"):
                    await supervisor.start(Part.of_service(valkey))
                settings = replace(settings, redis_url=valkey.url)
            await _start_ours(settings, supervisor, began, counters)
            await stopping.wait()
        except PartFailedError as error:
            console.print(f"kotodom run: {error}; its own lines above say why", style="bold red")
            return 1
        finally:
            console.print("stopping …")
            await supervisor.stop(STOP_SECONDS)
    return 0


async def _start_ours(
    settings: Settings, supervisor: Supervisor, began: float, counters: str
) -> None:
    """The parts that are our own, once PostgreSQL and Valkey answer; they count into one folder."""
    if settings.sandbox:
        port = _free_port(settings.port + 1)
        settings = replace(settings, sandbox_url=f"http://127.0.0.1:{port}")
    environment = {**os.environ, **environment_of(settings), MULTIPROCESS: counters}

    def part(name: str, *arguments: str, url: str | None = None) -> Part:
        ready = _answering(url) if url is not None else None
        return Part(name, kotodom_argv(*arguments), environment, ready)

    if settings.sandbox_url is not None:
        with _stage("sandbox"):
            arguments = ("sandbox", "--port", settings.sandbox_url.rpartition(":")[2])
            await supervisor.start(part("sandbox", *arguments, url=f"{settings.sandbox_url}/"))
    container = make_async_container(SharedProvider(), context={Settings: settings})
    try:
        await _look_at_valkey(await container.get(Valkey))
        with _stage("schema"):
            await migrate(await container.get(AsyncEngine))
        first = await (await container.get(Users)).ensure_first_admin(
            settings.admin_email, settings.admin_password
        )
        if settings.sandbox_url is not None:
            await ensure_ready_bot(
                await container.get(AsyncEngine),
                await container.get(SecretBox),
                await container.get(BotLife),
                settings.sandbox_url,
            )
    finally:
        await container.close()
    base = f"http://{reachable(settings.host)}:{settings.port}"
    names = [f"worker-{number + 1}" for number in range(settings.workers or os.cpu_count() or 1)]
    with _stage("api, workers, poller"):
        await asyncio.gather(
            supervisor.start(part("api", "api", url=f"{base}/health/ready")),
            *(supervisor.start(part(name, "worker")) for name in names),
            supervisor.start(part("poller", "poller")),
        )
        expected = [session_name("worker", supervisor.pid(name) or 0) for name in names]
        expected.append(session_name("poller", supervisor.pid("poller") or 0))
        await _connected(direct_dsn(settings), expected)
    _banner(settings, settings.public_url or base, first, time.monotonic() - began)


async def _look_at_valkey(client: Valkey) -> None:
    """Messages are answered without it, so its absence is said and stops nothing."""
    try:
        await client.ping()
    except (OSError, ValkeyError) as error:
        console.print(
            f"REDIS_URL: no answer ({error}); until there is one, nobody can sign in",
            style="yellow",
        )


def _banner(
    settings: Settings, base: str, first: tuple[str, str | None] | None, seconds: float
) -> None:
    lines = [f"Kotodom GPT is ready, in {seconds:.1f} s.", "", f"Admin     {base}/admin/"]
    if first is not None:
        email, password = first
        lines.append(f"E-mail    {email}")
        if password is not None:
            lines.append(f"Password  {password}   (shown this once)")
    if settings.sandbox:
        lines += [
            f"Sandbox   {base}/sandbox/",
            "          (write to the ready bot: no keys needed)",
        ]
    lines += ["", "Ctrl-C stops everything."]
    console.print(Panel.fit("\n".join(lines), border_style="green"), soft_wrap=True)


@contextmanager
def _stage(name: str) -> Iterator[None]:
    """A progress line: the stage, and how long it took."""
    began = time.monotonic()
    yield
    console.print(f"  ✓ {name} ({time.monotonic() - began:.1f} s)", style="dim")


def _told(counters: str, event: PartEvent) -> None:
    """What happens to the parts, in the log; an orderly start and stop are not worth a line."""
    if event.what == "died" and event.pid is not None:
        forget_process(event.pid, counters)
    if event.what in ("died", "restarting", "failed", "killed"):
        log.warning(
            f"part.{event.what}", name=event.part, pid=event.pid, code=event.code, delay=event.delay
        )


def _answering(url: str) -> Callable[[], Awaitable[None]]:
    async def ready() -> None:
        """Return once the URL answers 200. Raises TimeoutError."""
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await wait_until(lambda: _answers(session, url), READY_SECONDS)

    return ready


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _connected(dsn: str, expected: list[str]) -> None:
    """Return once these sessions are seen in PostgreSQL: workers and poller have no port to ask.

    Raises TimeoutError.
    """
    with telling_away():
        connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await wait_until(lambda: _seen(connection, expected), READY_SECONDS)
    finally:
        await connection.close()


async def _seen(connection: asyncpg.Connection, expected: list[str]) -> bool:
    return not await connection.fetchval(_MISSING, expected)


def _check_free(host: str, port: int) -> None:
    """Raises WrongSetting where the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            why = f"cannot listen on {host}:{port} ({error.strerror or error})"
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                raise WrongSetting(
                    f"PORT: {why}; stop what does, or set PORT to another one"
                ) from None
            raise WrongSetting(f"HOST: {why}; expected an address of this machine") from None


def _free_port(first: int) -> int:
    """The first port from `first` on that is free on 127.0.0.1; any free one where none is."""
    for port in (*range(first, min(first + 20, 65536)), 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise WrongSetting("PORT: no port is free on 127.0.0.1")
