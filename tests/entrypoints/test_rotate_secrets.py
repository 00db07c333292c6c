"""`kotodom rotate-secrets --new-key`: the key of DATA_DIR gives way to another, killed anywhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import EmbeddedPostgres, postgres_for_command
from adapters.postgres_secrets import keys_session
from adapters.secret_box import SecretBox
from adapters.service_process import running
from tests.entrypoints.commands import names
from tests.entrypoints.test_cli import SECRET_KEY, kotodom

NEW = "another-secret-key-of-the-tests-and-of-nothing-else"


@pytest.fixture(scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a system has run that has two secrets."""
    path = tmp_path_factory.mktemp("rotation")
    code, said = await kotodom("migrate", cwd=path)
    assert code == 0, said
    async with database(path) as connection:
        await connection.execute(
            "INSERT INTO bots (name, token, token_fingerprint, telegram_mode) "
            "VALUES ('a', '', '', 'POLLING')"
        )
    return path


@pytest.fixture
async def data(folder: Path) -> DataDirectory:
    """One key, with which both secrets are encrypted."""
    data = DataDirectory.open(folder / ".data")
    (data.path / "secret_key").write_text(SECRET_KEY)
    await store(folder, SECRET_KEY, SECRET_KEY)
    return data


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[asyncpg.Connection]:
    """Its PostgreSQL."""
    data = DataDirectory.open(folder / ".data")
    async with postgres_for_command(data, "a test") as address:
        connection = await asyncpg.connect(address.dsn())
        yield connection
        await connection.close()


async def store(folder: Path, token_key: str, setting_key: str) -> None:
    async with database(folder) as connection:
        await connection.execute("UPDATE bots SET token = $1", SecretBox(token_key).encrypt("1:t"))
        await connection.execute(
            "INSERT INTO settings VALUES ('openai.apiKey', $1) "
            "ON CONFLICT (id) DO UPDATE SET value = excluded.value",
            SecretBox(setting_key).encrypt("sk"),
        )


async def readable(folder: Path, key: str) -> list[str]:
    """The secrets, by one key alone."""
    async with database(folder) as connection:
        rows = await connection.fetch("SELECT token FROM bots UNION ALL SELECT value FROM settings")
    return sorted(SecretBox(key).decrypt(secret) for (secret,) in rows)


async def test_one_command_does_it_all(folder: Path, data: DataDirectory) -> None:
    code, said = await kotodom("rotate-secrets", "--new-key", cwd=folder)
    key = data.secret_key()
    assert code == 0, said
    assert "A new key stands first in .data/secret_key." in said
    assert "2 encrypted anew" in said and "holds the newest alone" in said
    assert "backup" in said and key not in said
    assert "," not in key and key != SECRET_KEY
    assert await readable(folder, key) == ["1:t", "sk"]


@pytest.mark.parametrize("setting_key", [SECRET_KEY, NEW])
async def test_a_rotation_that_was_killed_is_gone_on_with(
    folder: Path, data: DataDirectory, setting_key: str
) -> None:
    """After the key was made, in the middle, and before the old one was forgotten."""
    (data.path / "secret_key").write_text(f"{NEW},{SECRET_KEY}")
    await store(folder, NEW, setting_key)
    code, said = await kotodom("rotate-secrets", "--new-key", cwd=folder)
    assert code == 0 and "without another key" in said, said
    assert data.secret_key() == NEW
    assert await readable(folder, NEW) == ["1:t", "sk"]


async def test_a_system_that_runs_is_restarted_first(folder: Path, data: DataDirectory) -> None:
    with data.lock("kotodom run"):
        async with running(EmbeddedPostgres(data), 5):
            name = {"application_name": keys_session(SecretBox(SECRET_KEY))}
            server = EmbeddedPostgres(data).address
            worker = await asyncpg.connect(server.dsn(), server_settings=name)
            code, said = await kotodom("rotate-secrets", "--new-key", cwd=folder)
            assert code == 1 and "Restart `kotodom run`" in said, said
            keys = data.secret_key()
            assert keys.endswith(f",{SECRET_KEY}")
            await worker.close()
            code, said = await kotodom("rotate-secrets", cwd=folder)
            assert code == 0, said
    assert data.secret_key() == keys.partition(",")[0]
    assert await readable(folder, data.secret_key()) == ["1:t", "sk"]


async def test_what_cannot_be_rotated_is_one_line(folder: Path, tmp_path: Path) -> None:
    given = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": "postgres://x"}
    code, said = await kotodom("rotate-secrets", "--new-key", cwd=tmp_path, **given)
    (line,) = said.splitlines()
    assert code == 2 and "SECRET_KEY: it is yours" in line
    code, said = await kotodom("rotate-secrets", cwd=tmp_path)
    (line,) = said.splitlines()
    assert code == 2 and "there is no data in DATA_DIR" in line
    assert names(tmp_path) == []
    async with database(folder) as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '0002'")
    code, said = await kotodom("rotate-secrets", cwd=folder)
    (line,) = said.splitlines()
    assert code == 2 and "run `kotodom migrate` first" in line
