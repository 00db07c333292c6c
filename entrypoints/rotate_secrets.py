"""What `kotodom rotate-secrets` does: the newest key in SECRET_KEY takes over from the older ones.

Where DATA_DIR keeps the key, `--new-key` makes one and puts it first, and once nothing hangs on the
older ones they leave the file. Killed anywhere, it is gone on with by the next run: the file holds
every key that anything is encrypted with, always.
"""

from dishka import make_async_container
from msgspec.structs import replace
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.data_directory import DataDirectory, DataDirectoryError
from adapters.embedded_postgres import has_postgres
from adapters.postgres_migrations import require_current
from adapters.postgres_secrets import PostgresSecrets, alone
from adapters.secret_box import SecretBox
from application.bot_life import BotLife
from application.secret_rotation import Rotation, SecretRotation
from entrypoints.parts import connected
from entrypoints.settings import Settings, WrongSetting
from entrypoints.wiring import SharedProvider, direct_dsn

_MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


async def rotate(settings: Settings, console: Console, *, new_key: bool) -> int:
    """Rotate; the exit code: 0 where nothing hangs on an older key, 1 where something does.

    Raises WrongSetting, DataDirectoryError, Unavailable.
    """
    in_file = settings.secret_key is None and settings.database_url is None
    if new_key and not in_file:
        raise WrongSetting(
            "SECRET_KEY: it is yours, so --new-key makes none. Put a new key and a comma before it "
            f"({_MAKE_ONE}), restart every process, and run this without --new-key"
        )
    if in_file and not has_postgres(settings.data_dir):
        raise DataDirectoryError(
            f"there is no data in DATA_DIR ({settings.data_dir.absolute()}): run it where the "
            "system runs, or set DATA_DIR or DATABASE_URL"
        )
    async with (
        connected(settings, "kotodom rotate-secrets") as ready,
        alone(direct_dsn(ready)) as is_alone,
    ):
        if not is_alone:
            console.print("Another rotation is under way: wait for it.", style="bold red")
            return 1
        data = DataDirectory.open(settings.data_dir) if in_file else None
        if data is not None:
            ready = replace(ready, secret_key=_keys_of(data, console, new_key=new_key))
        rotation = await _rotated(ready)
        several = "," in (ready.secret_key or "")
        if rotation.complete and several and data is not None:
            data.keep_newest_key()
        _tell(console, rotation, data)
        if rotation.complete:
            _tell_end(console, data, several=several)
    return 0 if rotation.complete else 1


def _keys_of(data: DataDirectory, console: Console, *, new_key: bool) -> str:
    """The keys of DATA_DIR, with a new one first where one is wanted and none is under way."""
    keys = data.secret_key()
    if not new_key:
        return keys
    if "," in keys:
        console.print("A rotation was begun before: it is gone on with, without another key.")
        return keys
    console.print(f"A new key stands first in {data.given / 'secret_key'}.", soft_wrap=True)
    return data.put_new_key_first()


async def _rotated(settings: Settings) -> Rotation:
    container = make_async_container(SharedProvider(), context={Settings: settings})
    try:
        engine = await container.get(AsyncEngine)
        await require_current(engine)
        vault = PostgresSecrets(engine, await container.get(SecretBox))
        return await SecretRotation(vault, await container.get(BotLife)).run()
    finally:
        await container.close()


def _tell(console: Console, rotation: Rotation, data: DataDirectory | None) -> None:
    """What was done, and what is left to do."""

    def say(words: str, style: str | None = None) -> None:
        console.print(words, style=style, soft_wrap=True, markup=False)

    if not rotation.known_everywhere:
        what = "`kotodom run`" if data is not None else "every process, with this SECRET_KEY"
        say(
            "Nothing was encrypted anew: a process that runs does not know the newest key yet. "
            f"Restart {what}, then run `kotodom rotate-secrets` again.",
            "bold red",
        )
        return
    say(
        f"Stored secrets: {rotation.renewed} encrypted anew with the newest key, "
        f"{rotation.current} were already."
    )
    if rotation.webhooks_set:
        say(f"Webhooks: Telegram was given a new secret for {rotation.webhooks_set}.")
    for name in rotation.unreadable:
        say(
            f"Not readable with any key: {name}. Set it anew, or put the key it was encrypted with "
            "at the end of SECRET_KEY, and run this again.",
            "bold red",
        )
    for webhook in rotation.old_webhooks:
        why = webhook.error or "it is set anew as soon as a worker runs"
        say(
            f"Telegram still has an older key's secret for the webhook of bot {webhook.bot_id} "
            f"({webhook.name}): {why}.",
            "bold red",
        )
    if not rotation.complete:
        say("Keep the older keys, and run `kotodom rotate-secrets` again.", "bold red")


def _tell_end(console: Console, data: DataDirectory | None, *, several: bool) -> None:
    """What becomes of the older keys."""
    if not several:
        words = "There is one key, and everything is encrypted with it."
    elif data is not None:
        words = (
            f"Nothing hangs on the older keys: {data.given / 'secret_key'} holds the newest alone. "
            "A system that runs forgets the others when it is restarted."
        )
    else:
        words = (
            "Nothing hangs on the older keys: leave only the first in SECRET_KEY, and restart "
            "every process."
        )
    console.print(words, soft_wrap=True, markup=False)
    if several:
        console.print(
            "A backup of the database from before now needs its older key: keep it with that.",
            soft_wrap=True,
        )
