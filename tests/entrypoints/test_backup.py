"""`kotodom backup` and `kotodom restore` as a person runs them: what they refuse, and what is left.

That a restored system goes on answering is tests/end_to_end/test_backup.py's.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import asyncpg
import psutil
import pytest
from alembic.script import ScriptDirectory

from adapters.child_process import wait_until
from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import PostgresAddress
from adapters.postgres_dump import check_empty, dump, snapshot
from adapters.postgres_migrations import alembic_config, migrate
from adapters.postgres_transactions import engine as make_engine
from adapters.secret_box import SecretBox
from tests.conftest import empty_database
from tests.entrypoints.commands import FULL, KOTODOM, READER_LEFT, first_of, names, run
from tests.entrypoints.test_cli import SECRET_KEY

KEY = {"SECRET_KEY": SECRET_KEY}
_numbers = count(1)


@pytest.fixture(scope="module")
async def old(database_url: str) -> str:
    """DATABASE_URL of what is backed up: a bot, under SECRET_KEY. It is more than a pipe holds."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO bots (name, token, token_fingerprint, telegram_mode, instructions)"
        " VALUES ('Ann', $1, '', 'POLLING', $2)",
        SecretBox(SECRET_KEY).encrypt("1:t"),
        os.urandom(100_000).hex(),
    )
    await connection.close()
    return database_url


@pytest.fixture
def place(empty_url: str) -> str:
    """DATABASE_URL of an empty database."""
    return empty_url


async def dumped(url: str, file: Path) -> None:
    """A backup, made without a process of our own."""
    async with snapshot(url) as seen:
        await dump(url, seen, file)


@asynccontextmanager
async def held(url: str, sql: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody's transaction with this statement is open, and undone; a connection to look on."""
    other, watching = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        await other.execute(f"BEGIN; {sql}")
        yield watching
    finally:
        await other.close()
        await watching.close()


async def stopped(
    command: str, url: str, file: Path, how: signal.Signals, *, held_by: str
) -> tuple[int | None, str]:
    """A command that is sent this signal while PostgreSQL's program waits; its end, and words."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with held(url, held_by) as watching:
        process = await asyncio.create_subprocess_exec(
            KOTODOM,
            *(command, str(file)),
            env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
            stderr=asyncio.subprocess.PIPE,
        )

        async def waits() -> bool:
            return bool(await watching.fetchval(waiting))

        async def gone() -> bool:
            return not program.is_running() and not await waits()

        await wait_until(waits, 20)
        (program,) = psutil.Process(process.pid).children()
        process.send_signal(how)
        _, said = await asyncio.wait_for(process.communicate(), 20)
        await wait_until(gone, 10)
    return process.returncode, said.decode()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_interrupted_it_leaves_nothing(old: str, how: signal.Signals, tmp_path: Path) -> None:
    code, said = await stopped(
        "backup", old, tmp_path / "x.backup", how, held_by="LOCK TABLE settings"
    )
    assert (code, said) == (2, "kotodom backup: interrupted; nothing is left of it\n")
    assert names(tmp_path) == []


async def test_killed_it_leaves_a_part_that_the_next_one_writes_anew(
    old: str, tmp_path: Path
) -> None:
    how = signal.SIGKILL
    await stopped("backup", old, tmp_path / "x.backup", how, held_by="LOCK TABLE settings")
    assert names(tmp_path) == ["x.backup.part"]
    assert (tmp_path / "x.backup.part").stat().st_mode & 0o777 == 0o600
    ran = await run("backup", tmp_path / "x.backup", DATABASE_URL=old)
    assert ran.code == 0, ran
    assert names(tmp_path) == ["x.backup"]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("there", "there is there already: it is not written over"),
        ("none/x", "none/x: No such file or directory"),
        (".", ". is a folder: name a file in it"),
    ],
)
async def test_where_it_cannot_be_written(
    file: str, words: str, old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_bytes(b"old")
    ran = await run("backup", file, DATABASE_URL=old)
    assert (ran.code, ran.told) == (2, f"kotodom backup: {words}")
    assert names(tmp_path) == ["there"]
    assert (tmp_path / "there").read_bytes() == b"old"


async def test_where_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    ran = await run("backup", tmp_path / "x", DATA_DIR=str(tmp_path / "data"))
    assert ran.code == 2 and "there is no data in DATA_DIR" in ran.told
    assert names(tmp_path) == []


async def test_standard_output_and_input(old: str, place: str, tmp_path: Path) -> None:
    file = tmp_path / "x.backup"
    with file.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            KOTODOM,
            *("backup", "-"),
            env={"PATH": os.environ["PATH"], "DATABASE_URL": old},
            stdout=out,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    assert process.returncode == 0 and said.startswith(b"Backup: 1 bot, 0 messages, schema ")
    ran = await run("restore", "-", stdin=file.read_bytes(), DATABASE_URL=place, **KEY)
    assert ran.code == 0, ran
    assert ": 1 bot, 0 messages in their chats." in ran.errors
    with FULL.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            KOTODOM,
            *("backup", "-"),
            env={"PATH": os.environ["PATH"], "DATABASE_URL": old},
            stdout=out,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    assert (process.returncode, said.count(b"\n")) == (2, 1)
    assert said.endswith(b"No space left on device\n")


@pytest.mark.parametrize(
    ("command", "closed", "words"),
    [
        ("backup", ">&-", "standard output is closed: name a file, or send it on"),
        ("restore", "<&-", "standard input is closed: name a file, or send one in"),
    ],
)
async def test_standard_output_and_input_that_are_closed(
    command: str, closed: str, words: str, old: str
) -> None:
    process = await asyncio.create_subprocess_shell(
        f"'{KOTODOM}' {command} - {closed}",
        env={"PATH": os.environ["PATH"], "DATABASE_URL": old, **KEY},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, said.decode()) == (2, f"kotodom {command}: {words}\n")


async def test_what_is_closed_is_not_taken_for_a_connection(old: str, tmp_path: Path) -> None:
    """Without a standard input and output a connection would have their numbers."""
    process = await asyncio.create_subprocess_shell(
        f"'{KOTODOM}' backup '{tmp_path / 'x.backup'}' <&- >&-",
        env={"PATH": os.environ["PATH"], "DATABASE_URL": old},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0 and said.startswith(b"Backup: "), said


def test_a_reader_that_has_seen_enough(old: str) -> None:
    code, first, said = first_of("backup", "-", DATABASE_URL=old)
    assert (code, first[:5], said) == (READER_LEFT, b"PGDMP", b"")


async def test_an_older_schema_is_brought_up_and_a_newer_one_refused(
    postgres: PostgresAddress, place: str, tmp_path: Path
) -> None:
    older = await empty_database(postgres)
    database = make_engine(older, pool_size=1)
    await migrate(database, "0010")
    await database.dispose()
    await dumped(older, tmp_path / "old")
    connection = await asyncpg.connect(older)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    await dumped(older, tmp_path / "new")

    ran = await run("restore", tmp_path / "new", DATABASE_URL=place, **KEY)
    assert ran.code == 2 and "is of a newer Kotodom: its schema is 9999" in ran.told
    ran = await run("restore", tmp_path / "old", DATABASE_URL=place, **KEY)
    assert ran.code == 0, ran
    connection = await asyncpg.connect(place)
    revision = await connection.fetchval("SELECT version_num FROM alembic_version")
    await connection.close()
    assert revision == ScriptDirectory.from_config(alembic_config()).get_current_head()


async def test_an_interrupted_restore_leaves_the_place_empty(
    old: str, place: str, tmp_path: Path
) -> None:
    await dumped(old, tmp_path / "x")
    how, somebody = signal.SIGINT, "CREATE TABLE public.bots (id int)"
    code, said = await stopped("restore", place, tmp_path / "x", how, held_by=somebody)
    assert (code, said) == (2, "kotodom restore: interrupted; the place is as it was\n")
    assert await check_empty(place) == 18


async def test_a_database_of_another_owner_is_refused(
    old: str, postgres: PostgresAddress, place: str, tmp_path: Path
) -> None:
    await dumped(old, tmp_path / "x")
    name = f"guest_{next(_numbers)}"
    connection = await asyncpg.connect(postgres.dsn("postgres"))
    await connection.execute(f'CREATE ROLE "{name}" LOGIN')
    guest = place.replace("postgres@", f"{name}@", 1)
    ran = await run("restore", tmp_path / "x", DATABASE_URL=guest, **KEY)
    assert (
        ran.code == 2 and "has to be the database's owner (createdb --owner=USER NAME)" in ran.told
    )
    await connection.execute(
        f'ALTER DATABASE "{Path(place.partition("?")[0]).name}" OWNER TO "{name}"'
    )
    await connection.close()
    ran = await run("restore", tmp_path / "x", DATABASE_URL=guest, **KEY)
    assert ran.code == 0, ran


async def test_a_place_in_use_is_refused(old: str, tmp_path: Path) -> None:
    await dumped(old, tmp_path / "x.backup")
    ran = await run("restore", tmp_path / "x.backup", DATABASE_URL=old, **KEY)
    assert ran.code == 2
    assert "make an empty database (createdb NAME), and let DATABASE_URL name it" in ran.told
    data = DataDirectory.open(tmp_path / "data")
    with data.lock("kotodom run"):
        ran = await run("restore", tmp_path / "x.backup", DATA_DIR=str(data.path))
    assert ran.code == 2 and "is in use by `kotodom run`" in ran.told
    ran = await run("restore", tmp_path / "none", DATA_DIR=str(tmp_path / "other"))
    assert ran.code == 2 and "No such file or directory" in ran.told
    assert not (tmp_path / "other").exists()
