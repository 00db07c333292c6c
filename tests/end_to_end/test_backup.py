"""A backup of a running system, restored into an empty place, goes on answering there.

The old system is killed once the backup is taken; `kotodom run` starts on what was restored. Its
Telegram and its model are the same stand-ins.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import EmbeddedPostgres, find_binaries
from tests.end_to_end.system import KOTODOM, PASSWORD, SECRET_KEY, Bot, System, free_port
from tests.entrypoints.commands import names
from tests.entrypoints.commands import run as command

_HOLD = """
UPDATE pgqueuer SET execute_after = now() + interval '1 hour'
WHERE status = 'queued' AND execute_after > now() AND payload = convert_to($1, 'UTF8') RETURNING id
"""


class Kept(NamedTuple):
    """A backup, and whose bot is in it."""

    system: System
    bot: Bot
    file: Path
    said: str


async def holds(system: System, bot: Bot) -> bool:
    """Whether the message has failed, and its next try is an hour away by now."""
    return bool(await system.rows(_HOLD, f"{bot.id}:1002"))


async def flow(bot: Bot) -> None:
    """People keep writing."""
    for number in range(10_000):
        bot.say(f"/sandbox:echo {number}", user=5000 + number)
        await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def kept(
    database_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Kept]:
    """The backup was taken while messages came, and the system that it was taken of is gone."""
    file = tmp_path_factory.mktemp("backup") / "kotodom.backup"
    async with System(database_url, valkey_url) as system:
        await system.start("api", "worker", "poller")
        await system.sign_in()
        bot = await system.bot("POLLING")
        bot.say("My cat is called Ludwig.")
        await bot.answers(1)
        fault = system.sandbox.faults.add("openai", "server_error")
        bot.say("I wait.", user=1002)
        await system.until(partial(holds, system, bot))
        system.sandbox.faults.remove(fault.id)
        flowing = asyncio.create_task(flow(bot))
        await bot.answers(1, chat=5000)
        ran = await command("backup", file, **system.environment)
        flowing.cancel()
        assert ran.code == 0, ran
        for name in list(system.processes):
            await system.kill(name)
        yield Kept(system, bot, file, ran.errors)


@asynccontextmanager
async def running(kept: Kept, place: Path) -> AsyncIterator[asyncpg.Connection]:
    """`kotodom run` on what was restored, with the key that lies there; and its database."""
    port = free_port()
    environment = kept.system.environment | {
        "DATA_DIR": str(place),
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "WORKERS": "1",
    }
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        del environment[name]
    process = await asyncio.create_subprocess_exec(
        KOTODOM, "run", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(40):
            while b"Ctrl-C stops" not in (line := await process.stderr.readline()):
                assert line, "it ended before it was ready"
        connection = await asyncpg.connect(
            EmbeddedPostgres(DataDirectory.open(place)).address.dsn()
        )
        yield connection
        await connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 20)


async def test_the_system_goes_on_where_the_backup_was_taken(kept: Kept, tmp_path: Path) -> None:
    bot, place = kept.bot, tmp_path / "data"
    ran = await command("restore", kept.file, DATA_DIR=str(place))
    of = f"bot {bot.id} ({bot.row['name']})"
    assert ran.code == 1, ran  # it has no key yet
    assert "must not run any more" in ran.errors
    assert f"No key opens the token of {of}." in ran.errors
    assert f"No key opens the API key of {of}." in ran.errors
    assert f"into {place / 'secret_key'} before the system starts" in ran.errors
    counted = kept.said.split(" messages")[0].split()[-1]
    assert f": 1 bot, {counted} messages in their chats." in ran.errors
    assert not (place / "secret_key").exists()
    ran = await command("restore", kept.file, DATA_DIR=str(place))
    assert ran.code == 2 and f"move {place} away (keep its secret_key)" in ran.told
    ran = await command("backup", tmp_path / "keyless.backup", DATA_DIR=str(place))
    assert ran.code == 0 and f"no {place / 'secret_key'}." in ran.errors

    (place / "secret_key").write_text(SECRET_KEY)
    async with running(kept, place) as database:
        assert bot.texts(1002) == []
        await database.execute("UPDATE pgqueuer SET execute_after = now() WHERE status = 'queued'")
        assert len(await bot.answers(1, chat=1002)) == 1
        bot.say("/sandbox:history")
        assert "user: My cat is called Ludwig." in (await bot.answers(2))[1]

        async def settled() -> bool:
            return not await database.fetchval(
                "SELECT (SELECT count(*) FROM message_processing WHERE status <> 'COMPLETED')"
                " + (SELECT count(*) FROM telegram_updates WHERE state = 'WAITING')"
            )

        # What workers held when they were killed is taken over: in at most ten seconds.
        await kept.system.until(settled)
        chats = await database.fetch("SELECT telegram_chat_id AS id FROM chats")
        assert len(chats) > 2 and all(bot.texts(chat["id"]) for chat in chats)
        assert len(bot.texts(1002)) == 1


async def test_no_secret_is_readable_in_the_file(kept: Kept) -> None:
    assert kept.file.stat().st_mode & 0o777 == 0o600
    assert names(kept.file.parent) == [kept.file.name]
    assert SECRET_KEY not in kept.said and "keep SECRET_KEY as well" in kept.said
    reading = await asyncio.create_subprocess_exec(
        find_binaries() / "pg_restore", "--file=-", kept.file, stdout=asyncio.subprocess.PIPE
    )
    plain, _ = await reading.communicate()
    assert b"My cat is called Ludwig." in plain
    for secret in (kept.bot.token, "sk-of-the-stand-in", SECRET_KEY, PASSWORD):
        assert secret.encode() not in plain
        assert secret.encode() not in kept.file.read_bytes()
