"""Valkey under DATA_DIR: what a session is must survive a kill, and no port is opened."""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from valkey.asyncio import Valkey

from adapters.child_process import spawn, stop_process
from adapters.data_directory import DataDirectory
from adapters.embedded_valkey import EmbeddedValkey


@pytest.fixture
def data() -> Iterator[DataDirectory]:
    path = Path(tempfile.mkdtemp(prefix="kt %+"))
    yield DataDirectory.open(path / ".data")
    shutil.rmtree(path)


@contextlib.asynccontextmanager
async def _running(
    data: DataDirectory,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, "Valkey"]]:
    server = EmbeddedValkey(data)
    await server.prepare()
    with server.log_path.open("ab") as log:
        process = await spawn(
            server.argv,
            env=server.env,
            death_signal=server.stop_signal,
            user=server.user,
            output=log,
        )
    await server.ready()
    client = Valkey.from_url(server.url, decode_responses=True)
    try:
        yield process, client
    finally:
        await client.aclose()
        await stop_process(process, server.stop_signal, 5)


async def test_sessions_survive_a_kill_and_a_stop(data: DataDirectory) -> None:
    async with _running(data) as (process, client):
        await client.set("session:1", "anna", ex=3600)
        assert await client.config_get("port") == {"port": "0"}
        socket = (data.sockets / "valkey.sock").stat()
        assert stat.S_IMODE(socket.st_mode) == 0o700
        assert socket.st_uid == psutil.Process(process.pid).uids().effective
        if os.geteuid() == 0:
            assert socket.st_uid != 0
        process.kill()
        await process.wait()
    async with _running(data) as (process, client):
        assert await client.get("session:1") == "anna"
        assert 3500 < await client.ttl("session:1") <= 3600
        await client.set("session:2", "boris")
    assert process.returncode == 0
    async with _running(data) as (_, client):
        assert await client.mget("session:1", "session:2") == ["anna", "boris"]


async def test_one_that_outlived_its_parent_is_ended_first(data: DataDirectory) -> None:
    async with _running(data) as (abandoned, client):
        await client.set("session:1", "anna")
        async with _running(data) as (process, _):
            assert await asyncio.wait_for(abandoned.wait(), 1) == 0
            assert process.pid != abandoned.pid
            assert await Valkey.from_url(EmbeddedValkey(data).url).get("session:1") == b"anna"
            process.send_signal(signal.SIGTERM)
