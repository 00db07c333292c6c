"""`kotodom`: every command. A command that cannot start says why in one line, and exits with 2."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from adapters.child_process import CannotRunAsRootError
from adapters.data_directory import DataDirectoryError
from adapters.embedded_postgres import PostgresStartError
from adapters.embedded_valkey import ValkeyStartError
from adapters.newer_schema import NewerSchemaError
from application.jobs import Unavailable
from domain.access import Role
from entrypoints.settings import Settings, WrongSetting, load

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Telegram bots answered by a language model. Configuration is in the environment.",
)

READER_LEFT = 128 + signal.SIGPIPE
"""The exit code where whoever reads has seen enough, as a shell says it of a killed program."""


class Terminal(Console):
    """Where to print; rich would exit with 1, which says of a recording that it differs."""

    def on_broken_pipe(self) -> NoReturn:
        """Called by rich while it handles a BrokenPipeError."""
        raise BrokenPipeError


console = Terminal(stderr=True, highlight=False)

STANDARD_ERRORS = 2
"""The last descriptor that a process is given by whoever starts it."""

FILES = 65_536
"""Files that a process may have open, where the system does not set a lower limit."""

CANNOT_START = (
    WrongSetting,
    DataDirectoryError,
    CannotRunAsRootError,
    PostgresStartError,
    ValkeyStartError,
    NewerSchemaError,
    Unavailable,
)


def moment(text: str) -> datetime:
    """A moment as ISO 8601 has it; without a zone it is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no moment like 2026-11-27T12:00:00Z") from None


def main() -> None:
    """The console script."""
    _fill_closed()
    app()


def _fill_closed() -> None:
    """/dev/null for what is closed of standard input, output and errors.

    A socket of ours would get that number, and be taken for it. Python has noted by now what was
    closed: sys.stdout is None.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERRORS:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _run(
    part: str, command: Callable[[Settings], Coroutine[Any, Any, int | None]], *, loop: bool = True
) -> None:
    """Run a command's coroutine with the settings; exit with its code, or with one clear line."""
    _allow_files()
    try:
        settings = load(os.environ)
        if loop:
            from entrypoints.logs import configure

            configure(settings, part)
        code = _loop(command(settings))
    except CANNOT_START as error:
        where = "DATABASE_URL: " if isinstance(error, Unavailable) else ""
        console.print(f"kotodom {part}: {where}{error}", style="bold red", soft_wrap=True)
        code = 2
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = READER_LEFT
    _exit(code or 0)


def _exit(code: int) -> NoReturn:
    """Exit; what standard output did not take is given up, or Python would exit with 120."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _allow_files() -> None:
    """As many open files as the system lets us: 2,000 answers at once are 4,000 connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _loop(command: Coroutine[Any, Any, int | None]) -> int | None:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(command)
    return uvloop.run(command)


@app.command()
def run() -> None:
    """Run everything: PostgreSQL, Valkey, migrations, api, workers, poller, sandbox."""
    from entrypoints.run import run_everything

    _run("run", run_everything, loop=False)


@app.command()
def api() -> None:
    """Serve HTTP: webhooks, the admin's API, the web pages."""

    async def command(settings: Settings) -> None:
        from entrypoints.http.server import serve
        from entrypoints.parts import connected

        async with connected(settings, "kotodom api") as ready:
            await serve(ready)

    _run("api", command)


@app.command()
def worker() -> None:
    """Run chats' turns and effects."""

    async def command(settings: Settings) -> None:
        from entrypoints.parts import connected
        from entrypoints.worker import run_worker

        async with connected(settings, "kotodom worker") as ready:
            await run_worker(ready)

    _run("worker", command)


@app.command()
def poller() -> None:
    """Poll Telegram for the bots in POLLING mode."""

    async def command(settings: Settings) -> None:
        from entrypoints.parts import connected
        from entrypoints.poller import run_poller

        async with connected(settings, "kotodom poller") as ready:
            await run_poller(ready)

    _run("poller", command)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port on 127.0.0.1.")] = 8001,
) -> None:
    """Serve the stand-ins of Telegram and OpenAI, and the page to play with, on loopback."""

    async def command(settings: Settings) -> None:
        from entrypoints.sandbox.server import serve

        serving = asyncio.ensure_future(serve("127.0.0.1", port, settings.data_dir / "sandbox"))
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, serving.cancel)
        with suppress(asyncio.CancelledError):
            await serving

    _run("sandbox", command)


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date; safe when several start at once."""

    async def command(settings: Settings) -> None:
        from adapters.postgres_migrations import migrate as to_head
        from adapters.postgres_transactions import engine
        from entrypoints.parts import connected

        async with connected(settings, "kotodom migrate") as ready:
            database = engine(ready.database_url or "", pool_size=1)
            before, after = await to_head(database)
            await database.dispose()
        console.print(
            f"the schema is at {after}" if before == after else f"schema: {before} → {after}"
        )

    _run("migrate", command, loop=False)


@app.command("create-user")
def create_user(
    email: Annotated[str, typer.Argument(help="The e-mail address to sign in with.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.USER,
) -> None:
    """Create a user of the web admin."""

    async def command(settings: Settings) -> int:
        from entrypoints.commands import create_user as create

        return await create(settings, console, email, password, role)

    _run("create-user", command, loop=False)


@app.command("rotate-secrets")
def rotate_secrets(
    new_key: Annotated[
        bool,
        typer.Option("--new-key", help="Make a new key first, where DATA_DIR keeps the key."),
    ] = False,
) -> None:
    """Encrypt every stored secret with the newest key: 0 done, 1 something is left to do."""

    async def command(settings: Settings) -> int:
        from entrypoints.rotate_secrets import rotate

        return await rotate(settings, console, new_key=new_key)

    _run("rotate-secrets", command, loop=False)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; - is standard output.")],
) -> None:
    """Write the whole database into a new file, while the system runs: 0 written, 2 not."""

    async def command(settings: Settings) -> int:
        from entrypoints.backup import backup as write

        return await write(settings, console, file)

    _run("backup", command, loop=False)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup; - is standard input.")],
) -> None:
    """Restore a backup into an empty place: 0 all of it, 1 no key opens its secrets, 2 not."""

    async def command(settings: Settings) -> int:
        from entrypoints.restore import restore as put_back

        return await put_back(settings, console, file)

    _run("restore", command, loop=False)


@app.command()
def record(
    out: Annotated[Path, typer.Option(help="The file to write; - is standard output.")],
    bot: Annotated[int | None, typer.Option(help="Only this bot, and its chats.")] = None,
    chat: Annotated[
        str | None, typer.Option(help="Only this chat: BOT:CHAT, or BOT:CHAT:TOPIC.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=moment, metavar="TIME", help="Only turns begun since then (ISO 8601, UTC)."
        ),
    ] = None,
    redact: Annotated[
        bool, typer.Option("--redact", help="Replace names, texts and ids; it still replays.")
    ] = False,
) -> None:
    """Write the journal's steps as a recording, for `kotodom replay` and for tests."""

    async def command(settings: Settings) -> int:
        from application.recordings import RecordingFilter
        from entrypoints.record import record as write

        asked = RecordingFilter(bot, chat, since)
        return await write(settings, console, asked, out, redact=redact)

    _run("record", command, loop=False)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A recording, or updates; - is standard input.")],
    updates: Annotated[
        bool,
        typer.Option(
            "--updates", help="FILE holds bare updates: lines, an array, or getUpdates' answer."
        ),
    ] = False,
    golden: Annotated[
        Path | None, typer.Option(help="Compare the updates' effects with this file.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Keep them in --golden instead.")] = False,
    failures: Annotated[
        Path | None, typer.Option(help="A script of what becomes of the effects (JSON).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the counts alone, as JSON.")] = False,
) -> None:
    """Replay through the pure handlers: 0 the same, 1 something differs, 2 not such a file."""
    from entrypoints.replay import Replayer

    if not updates and (golden is not None or write or failures is not None):
        raise typer.BadParameter("--golden, --write and --failures go with --updates")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # JSON is, whatever the locale says
    replayer = Replayer(Terminal(highlight=False), console, as_json=json)
    try:
        if updates:
            code = replayer.updates(file, golden, failures, write=write)
        else:
            code = replayer.recording(file)
    except BrokenPipeError:
        code = READER_LEFT
    _exit(code)


@app.command()
def doctor() -> None:
    """Check every part: each line says ok, or what to do."""

    async def command(settings: Settings) -> int:
        from entrypoints.doctor import examine

        return await examine(settings, console)

    _run("doctor", command, loop=False)


class HealthOf(StrEnum):
    """The parts that a container may run."""

    API = "api"
    WORKER = "worker"
    POLLER = "poller"


@app.command()
def health(part: Annotated[HealthOf, typer.Argument(help="What runs on this machine.")]) -> None:
    """Look whether the part that runs here is alive: 0 it is, 1 it is not. For containers."""

    async def command(settings: Settings) -> int:
        from entrypoints.health import look

        return await look(settings, console, part.value)

    _run("health", command, loop=False)


if __name__ == "__main__":
    main()
