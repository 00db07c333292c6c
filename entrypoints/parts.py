"""The parts that a command stands on: PostgreSQL, Valkey, the secret key; ours where none is given.

Triggered by every command. `kotodom run` starts the embedded servers itself and hands their
addresses on in the environment; any other command uses the ones that run in DATA_DIR, or starts
PostgreSQL for as long as it needs it. One that only reads makes none where there is none.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec.structs import replace

from adapters.data_directory import DataDirectory, DataDirectoryError
from adapters.embedded_postgres import has_postgres, postgres_for_command
from adapters.embedded_valkey import EmbeddedValkey
from entrypoints.settings import Settings, WrongSetting


def with_secret_key(settings: Settings, data: DataDirectory | None) -> Settings:
    """SECRET_KEY, generated into DATA_DIR on a first embedded run. Raises WrongSetting."""
    if settings.secret_key is not None:
        return settings
    if data is None:
        raise WrongSetting(
            "SECRET_KEY: required where DATABASE_URL is set; it encrypts tokens and keys. "
            "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return replace(settings, secret_key=data.secret_key())


def data_directory(settings: Settings) -> DataDirectory | None:
    """DATA_DIR where something of ours lives in it: an embedded server, or its secret key."""
    if settings.database_url is not None and settings.redis_url is not None:
        return None
    return DataDirectory.open(settings.data_dir)


@asynccontextmanager
async def connected(settings: Settings, command: str) -> AsyncIterator[Settings]:
    """The settings with every address filled in, for as long as the context lasts."""
    data = data_directory(settings)
    keeper = data if settings.database_url is None else None
    settings = with_secret_key(settings, keeper)
    async with AsyncExitStack() as stack:
        if settings.database_url is None and data is not None:
            address = await stack.enter_async_context(postgres_for_command(data, command))
            settings = replace(settings, database_url=address.dsn())
        if settings.redis_url is None and data is not None:
            settings = replace(settings, redis_url=EmbeddedValkey(data).url)
        yield settings


@asynccontextmanager
async def database_to_read(settings: Settings, command: str) -> AsyncIterator[str]:
    """The address of the database that is there, for as long as the context lasts.

    For a command that only reads: it makes nothing, and needs no secret key and no Valkey. Raises
    DataDirectoryError where DATA_DIR has no PostgreSQL.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    if not has_postgres(settings.data_dir):
        raise DataDirectoryError(
            f"there is no data in DATA_DIR ({settings.data_dir.absolute()}): run it where the "
            "system runs, or set DATA_DIR or DATABASE_URL"
        )
    data = DataDirectory.open(settings.data_dir)
    async with postgres_for_command(data, command) as address:
        yield address.dsn()


def environment_of(settings: Settings) -> dict[str, str]:
    """What a child process is told in its environment that it could not find out itself."""
    values = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "SANDBOX": "on" if settings.sandbox else "off",
        "KOTODOM_SANDBOX_URL": settings.sandbox_url,
    }
    return {name: value for name, value in values.items() if value is not None}
