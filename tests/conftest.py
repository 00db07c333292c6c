"""Real servers for every test: PostgreSQL and Valkey from their wheels, once per session.

`database_url` is a fresh, migrated database per test module, made from a template; `valkey_url` is
an emptied Valkey; `sandbox` is the stand-in of Telegram and OpenAI.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncEngine
from valkey.asyncio import Valkey

from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import EmbeddedPostgres, PostgresAddress
from adapters.embedded_valkey import EmbeddedValkey
from adapters.postgres_migrations import migrate
from adapters.postgres_transactions import engine as make_engine
from adapters.service_process import running
from adapters.valkey_sessions import valkey_client
from entrypoints.sandbox.server import SandboxServer

# How busy the machine is decides nothing: no deadline for an example, none for drawing it.
settings.register_profile("kotodom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kotodom")

_TEMPLATE = "kotodom_template"
# What a power cut would lose is of no use after a test.
_FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
_numbers = count(1)


@pytest.fixture(scope="session")
def data_directory() -> Iterator[DataDirectory]:
    """A DATA_DIR that is gone after the tests."""
    path = Path(tempfile.mkdtemp(prefix="kotodom-tests-"))
    yield DataDirectory.open(path / ".data")
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
async def postgres(data_directory: DataDirectory) -> AsyncIterator[PostgresAddress]:
    """A PostgreSQL with a migrated template database."""
    server = EmbeddedPostgres(data_directory)
    async with running(server, 5, _FAST):
        await _create_database(server.address, _TEMPLATE, "template0")
        template = make_engine(server.address.dsn(_TEMPLATE), pool_size=1)
        await migrate(template)
        await template.dispose()
        yield server.address


async def empty_database(address: PostgresAddress) -> str:
    """The URL of a fresh database with nothing in it."""
    name = f"kotodom_empty_{next(_numbers)}"
    await _create_database(address, name, "template0")
    return address.dsn(name)


@pytest.fixture
async def empty_url(postgres: PostgresAddress) -> str:
    """DATABASE_URL of a database with nothing in it."""
    return await empty_database(postgres)


@pytest.fixture(scope="module")
async def database_url(postgres: PostgresAddress) -> str:
    """DATABASE_URL of a fresh, migrated database."""
    name = f"kotodom_test_{next(_numbers)}"
    await _create_database(postgres, name, _TEMPLATE)
    return postgres.dsn(name)


@pytest.fixture(scope="module")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on `database_url`."""
    made = make_engine(database_url, pool_size=5)
    yield made
    await made.dispose()


@pytest.fixture(scope="session")
async def valkey_server(data_directory: DataDirectory) -> AsyncIterator[str]:
    """The URL of the one Valkey of the session."""
    server = EmbeddedValkey(data_directory)
    async with running(server, 5):
        yield server.url


@pytest.fixture(scope="module")
async def valkey_url(valkey_server: str) -> str:
    """REDIS_URL of a Valkey with nothing in it."""
    client = valkey_client(valkey_server)
    await client.flushall()
    await client.aclose()
    return valkey_server


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncIterator[Valkey]:
    """A client of `valkey_url`."""
    client = valkey_client(valkey_url)
    yield client
    await client.aclose()


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[SandboxServer]:
    """Telegram and a model on loopback, both answering at once."""
    async with SandboxServer() as server:
        yield server


async def _create_database(address: PostgresAddress, name: str, template: str) -> None:
    connection = await asyncpg.connect(address.dsn("postgres"))
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    await connection.close()
