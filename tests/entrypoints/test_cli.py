"""The commands as a person runs them: processes, their exit codes and what they say."""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from adapters.embedded_postgres import PostgresAddress
from adapters.pgqueuer_worker import session_name
from adapters.postgres_migrations import alembic_config
from adapters.secret_box import SecretBox
from tests.conftest import empty_database
from tests.end_to_end.system import free_port

KOTODOM = Path(sys.executable).with_name("kotodom")
SECRET_KEY = "a-secret-key-of-the-tests-and-of-nothing-else"


async def kotodom(*arguments: str, cwd: Path, **environment: str) -> tuple[int, str]:
    """Run a command; its exit code and all that it said."""
    process = await asyncio.create_subprocess_exec(
        str(KOTODOM),
        *arguments,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.mark.parametrize("command", ["run", "api", "worker", "poller", "migrate", "doctor"])
async def test_a_wrong_environment_is_one_line_and_exit_2(command: str, tmp_path: Path) -> None:
    code, said = await kotodom(command, cwd=tmp_path, PORT="http")
    (line,) = said.strip().splitlines()
    assert (code, line) == (
        2,
        f"kotodom {command}: PORT: expected a whole number from 1 to 65535, got 'http'",
    )


@pytest.mark.parametrize("command", ["run", "api", "worker", "poller", "migrate"])
async def test_a_database_needs_a_secret_key(command: str, tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    where = {"DATABASE_URL": url, "REDIS_URL": "redis://x", "PORT": str(free_port())}
    code, said = await kotodom(command, cwd=tmp_path, **where)
    (line,) = said.strip().splitlines()
    assert code == 2
    assert "SECRET_KEY" in line


async def test_a_database_that_cannot_be_reached_is_said(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    code, said = await kotodom("migrate", cwd=tmp_path, DATABASE_URL=url, SECRET_KEY=SECRET_KEY)
    (line,) = said.strip().splitlines()
    assert code == 2
    assert "DATABASE_URL: PostgreSQL is away" in line


async def test_create_user(tmp_path: Path, database_url: str, valkey_url: str) -> None:
    where = {"DATABASE_URL": database_url, "REDIS_URL": valkey_url, "SECRET_KEY": SECRET_KEY}
    arguments = ("create-user", "ann@example.org", "--role", "MANAGER", "--password", "long enough")
    code, said = await kotodom(*arguments, cwd=tmp_path, **where)
    assert (code, said.strip()) == (0, "ann@example.org may sign in as MANAGER")
    code, said = await kotodom(*arguments, cwd=tmp_path, **where)
    assert code == 1
    assert "already" in said
    code, said = await kotodom("create-user", "bob", "--password", "x", cwd=tmp_path, **where)
    assert code == 1
    assert "email" in said and "password" in said
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT email, role FROM users")
    await connection.close()
    assert [tuple(row) for row in rows] == [("ann@example.org", "MANAGER")]


async def test_doctor_says_ok_or_what_to_do(
    tmp_path: Path, database_url: str, valkey_url: str
) -> None:
    where = {
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
        "SECRET_KEY": SECRET_KEY,
        "TELEGRAM_API_URL": "http://127.0.0.1:1",
    }
    code, said = await kotodom("doctor", cwd=tmp_path, **where)
    lines = dict(line.split(maxsplit=1)[::-1] for line in said.strip().splitlines())
    wrong = [line for line, verdict in lines.items() if verdict == "wrong"]
    assert code == 1
    assert [line.partition(":")[0] for line in wrong] == ["model"]
    assert "OPENAI_API_KEY" in wrong[0]
    told = {line.partition(":")[0] for line in lines}
    assert {"python", "postgresql", "schema", "secrets", "jobs", "bots", "valkey"} <= told


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("create-user", "ann@example.org", "--password", "long enough"), 2),
        (("rotate-secrets",), 2),
        (("record", "--chat", "1:1", "--out", "-"), 2),
        (("doctor",), 1),
    ],
)
async def test_a_database_without_tables_is_said(
    command: tuple[str, ...], code: int, tmp_path: Path, postgres: PostgresAddress, valkey_url: str
) -> None:
    url = await empty_database(postgres)
    where = {"DATABASE_URL": url, "REDIS_URL": valkey_url, "SECRET_KEY": SECRET_KEY}
    ended, said = await kotodom(*command, cwd=tmp_path, **where)
    assert ended == code and "kotodom migrate" in said and "Traceback" not in said


async def test_doctor_finds_jobs_that_nobody_takes_and_bots_that_nobody_hears(
    tmp_path: Path, database_url: str, valkey_url: str
) -> None:
    where = {"DATABASE_URL": database_url, "REDIS_URL": valkey_url, "SECRET_KEY": SECRET_KEY}
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO pgqueuer (priority, status, entrypoint, execute_after)"
        " VALUES (0, 'queued', 'x', now() - interval '2 minutes')"
    )
    await connection.execute(
        "INSERT INTO bots (name, token, token_fingerprint, telegram_mode, enabled, is_active,"
        " silent_reason) VALUES ('Ada', $1, 'x', 'POLLING', true, true, 'nobody polls')",
        SecretBox(SECRET_KEY).encrypt("1:x"),
    )
    said = (await kotodom("doctor", cwd=tmp_path, **where))[1]
    assert "running: 0 workers, 0 pollers; start `kotodom worker`, or more of them" in said
    assert "bots: Ada: nobody polls" in said
    await connection.execute("DELETE FROM pgqueuer")
    named = {"application_name": session_name("worker", 7)}
    worker = await asyncpg.connect(database_url, server_settings=named)
    await worker.execute("SELECT 1")
    said = (await kotodom("doctor", cwd=tmp_path, **where))[1]
    assert "running: 1 workers, 0 pollers; bots to poll: 1; start `kotodom poller`" in said
    worker.terminate()
    await connection.execute("DELETE FROM bots")
    await connection.close()


async def test_commands_start_the_embedded_postgresql_for_as_long_as_they_need_it(
    tmp_path: Path,
) -> None:
    assert (await kotodom("migrate", cwd=tmp_path))[0] == 0
    code, said = await kotodom("migrate", cwd=tmp_path)
    newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert (code, said.strip()) == (0, f"the schema is at {newest}")
    assert not (tmp_path / ".data/postgres/postmaster.pid").exists()
    arguments = ("create-user", "ann@example.org", "--password", "long enough")
    assert (await kotodom(*arguments, cwd=tmp_path))[0] == 0
