"""The commands as a person runs them: processes, their exit codes and what they say."""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from adapters.postgres_migrations import alembic_config

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
    code, said = await kotodom(command, cwd=tmp_path, DATABASE_URL=url, REDIS_URL="redis://x")
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
