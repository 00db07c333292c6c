"""`kotodom record` as a person runs it: exit codes, and what it says."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from application.recordings import RecordingFilter, StoredStep
from entrypoints.record import Watched
from tests.adapters.test_postgres_journal import empty, insert
from tests.domain.given import NOW
from tests.domain.random_recordings import SECRETS
from tests.entrypoints.commands import (
    GOOD,
    READER_LEFT,
    STEPS,
    differing,
    first_of,
    names,
    recording,
    run,
)
from tests.entrypoints.test_cli import SECRET_KEY


@pytest.fixture
async def where(engine: AsyncEngine, database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a database with the journal of a conversation."""
    await empty(engine)
    await insert(engine, STEPS)
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1",
        "SECRET_KEY": SECRET_KEY,
        "DATA_DIR": str(tmp_path / "data"),
    }


async def test_a_recording_is_the_journal(where: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    ran = await run("record", "--out", out, **where)
    assert (ran.code, ran.out, ran.told) == (0, "", f"{len(STEPS)} steps recorded")
    assert out.read_bytes() == GOOD
    assert names(tmp_path) == ["out.jsonl"]
    piped = await run("record", "--out", "-", **where)
    assert (piped.code, piped.out, piped.told) == (0, GOOD.decode(), ran.told)
    assert (await run("replay", out)).code == 0


async def test_a_part_of_the_journal_is_recorded(where: dict[str, str], tmp_path: Path) -> None:
    chat = next(step.key for step in STEPS if not step.key.startswith("bot:"))
    begins = [step for step in STEPS if step.from_state is not None]
    since = begins[len(begins) // 2].at
    wanted: dict[tuple[str, ...], list[StoredStep]] = {
        ("--chat", chat): [step for step in STEPS if step.key == chat],
        ("--bot", "610333"): list(STEPS),
        ("--since", since.isoformat()): begun([step for step in STEPS if step.at >= since]),
        ("--since", since.replace(tzinfo=None).isoformat(), "--chat", chat): begun(
            [step for step in STEPS if step.at >= since and step.key == chat]
        ),
    }
    for asked, steps in wanted.items():
        ran = await run("record", "--out", "-", *asked, **where)
        assert (ran.code, ran.out) == (0, recording(*steps).decode())
        assert differing(ran.out.encode()) == 0


def begun(steps: list[StoredStep]) -> list[StoredStep]:
    """Without the turns whose beginning is not among them."""
    kept: list[StoredStep] = []
    for step in steps:
        if step.from_state is not None or step.key in {each.key for each in kept}:
            kept.append(step)
    return kept


async def test_a_redacted_recording_holds_nothing_of_its_people(
    where: dict[str, str], tmp_path: Path
) -> None:
    one, other = await asyncio.gather(
        *(run("record", "--redact", "--out", tmp_path / name, **where) for name in ("a", "b"))
    )
    assert (one.code, other.code) == (0, 0)
    content = (tmp_path / "a").read_bytes()
    assert content != (tmp_path / "b").read_bytes()
    assert differing(content) == 0
    assert len(content.splitlines()) == len(STEPS)
    numbers = set(re.findall(r"(?<![0-9a-zA-Z])\d+(?![0-9a-zA-Z])", content.decode()))
    for secret in SECRETS:
        assert secret not in (numbers if secret.isdecimal() else content.decode())
    assert (await run("replay", tmp_path / "a")).code == 0


NINES = "9" * 40
LONG = "9" * 5_000
"""More digits than int() takes."""


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        ("--bot 61033", "bot 61033 has no kept turn"),
        ("--chat 610333:5", "chat 610333:5 has no kept turn"),
        ("--chat 610333:-5:7 --bot 610333", "chat 610333:-5:7 has no kept turn"),
        ("--since 2100-01-01", "the journal has no kept turn since 2100-01-01T00:00:00Z"),
        (
            "--since 9999-12-31T23:59:59.999999Z --bot 3",
            "bot 3 has no kept turn since 9999-12-31T23:59:59Z",
        ),
        (f"--bot {NINES}", f"bot {NINES} has no kept turn"),
        (f"--chat {LONG}:{NINES}", f"chat {LONG}:{NINES} has no kept turn"),
    ],
)
async def test_nothing_to_record_leaves_no_file_and_is_said(
    asked: str, who: str, where: dict[str, str], tmp_path: Path
) -> None:
    ran = await run("record", "--out", tmp_path / "out.jsonl", *asked.split(), **where)
    told = f"kotodom record: {who}; one whose beginning is pruned by now is left out"
    assert (ran.code, ran.out, ran.told) == (1, "", told)
    assert names(tmp_path) == []


FORM = "give BOT:CHAT or BOT:CHAT:TOPIC, as in 3:42 or 3:-100123:7"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        *(
            (("--chat", chat), f"--chat {chat}: {FORM}")
            for chat in ("610333", "", "bot:3", "3:ann", "3:42:7:1", "03:42", "3:42:-7", " 3:42")
        ),
        (("--chat", "٣:42"), f"--chat ٣:42: {FORM}"),
        (("--chat", "3:\x1b[/x]"), f"--chat 3:\\x1b[/x]: {FORM}"),
        (
            ("--bot", "3", "--chat", "4:42"),
            "--bot 3 and --chat 4:42 are about two bots: give one of them",
        ),
    ],
)
async def test_what_cannot_be_asked_for_is_one_line_and_exit_2(
    asked: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    ran = await run(
        "record", "--out", tmp_path / "out", *asked, DATA_DIR=str(data), LC_ALL="C.UTF-8"
    )
    assert (ran.code, ran.out, ran.told) == (2, "", f"kotodom record: {reason}")
    assert names(tmp_path) == []


async def test_where_there_is_no_data_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for name in ("none", "empty", "file"):
        data = tmp_path / name
        ran = await run("record", "--out", tmp_path / "out", DATA_DIR=str(data))
        told = (
            f"there is no data in DATA_DIR ({data}): run it where the system runs, or set DATA_DIR "
            "or DATABASE_URL"
        )
        assert (ran.code, ran.out, ran.told) == (2, "", f"kotodom record: {told}")
    assert sorted(names(tmp_path)) == ["empty", "file"]
    assert names(tmp_path / "empty") == []


async def test_a_system_that_is_not_running_is_read(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert (await run("migrate", DATA_DIR=data)).code == 0
    ran = await run("record", "--out", tmp_path / "out", DATA_DIR=data)
    assert ran.code == 1
    assert ran.told.startswith("kotodom record: the journal has no kept turn; ")


async def test_only_an_address_is_needed_to_read_a_database(
    where: dict[str, str], tmp_path: Path
) -> None:
    alone = {name: where[name] for name in ("DATABASE_URL", "DATA_DIR")}
    ran = await run("record", "--out", "-", **alone)
    assert (ran.code, ran.out) == (0, GOOD.decode())
    assert names(tmp_path) == []


async def test_the_bar_moves_while_nothing_is_found() -> None:
    class Empty:
        """A journal of a million steps of other chats."""

        async def steps(
            self, asked: RecordingFilter, first: int, last: int
        ) -> AsyncIterator[Sequence[StoredStep]]:
            assert last - first < 20_000
            if first == 40_001:
                yield [STEPS[0]]

        async def span(self, asked: RecordingFilter) -> tuple[int, int]:
            return (1, 1_000_000)

        async def turn(self, processing_id: int, owner: str | None) -> Sequence[StoredStep]:
            return ()

    shown: list[int] = []
    watched = Watched(Empty(), shown.append)
    found = [step async for step in watched.steps(RecordingFilter(), 1, 1_000_000)]
    assert found == [[STEPS[0]]]
    assert shown == sorted([STEPS[0].seq, *range(20_000, 1_000_001, 20_000)], key=shown.index)
    assert shown[-1] == 1_000_000


async def test_only_a_moment_is_one_to_record_since(where: dict[str, str]) -> None:
    ran = await run("record", "--out", "-", "--since", "0001-01-01T00:00:00-14:00", **where)
    assert (ran.code, ran.out) == (0, GOOD.decode())
    for wrong in ("yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", ""):
        ran = await run("record", "--out", "-", "--since", wrong, **where)
        assert (ran.code, ran.out) == (2, "")
        assert "--since" in ran.errors and "is no moment like" in ran.errors


async def test_a_recording_that_cannot_be_written(where: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out, reason in {
        tmp_path / "none/[/x]": "No such file or directory",
        tmp_path / "file/out": "Not a directory",
        tmp_path: "Is a directory",
        Path("/"): "Is a directory",
        Path("/dev/full"): "No space left on device",
    }.items():
        ran = await run("record", "--out", out, **where)
        assert (ran.code, ran.out) == (2, "")
        assert ran.told == f"kotodom record: {out}: {reason}"
    assert names(tmp_path) == ["file"]


async def test_a_step_of_another_version_cannot_be_redacted(
    where: dict[str, str], engine: AsyncEngine, tmp_path: Path
) -> None:
    seq = STEPS[-1].seq + 5
    later = StoredStep(seq, "610333:1", NOW, "x", "{}", '{"type":"chat.sung"}', "[]", "")
    await insert(engine, [later])
    ran = await run("record", "--redact", "--out", tmp_path / "out.jsonl", **where)
    assert (ran.code, names(tmp_path)) == (2, [])
    assert re.match(rf"kotodom record: seq {seq}: ", ran.told)
    plain = await run("record", "--out", "-", **where)
    assert (plain.code, plain.out.count("\n")) == (0, len(STEPS) + 1)


async def test_a_step_that_a_later_version_packed(
    where: dict[str, str], engine: AsyncEngine, tmp_path: Path
) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE journal SET event = '\\xff00'")
    ran = await run("record", "--out", tmp_path / "out.jsonl", **where)
    assert (ran.code, names(tmp_path)) == (2, [])
    assert ran.told.endswith("the journal has steps of a later version: use that one, or a newer")


async def test_a_reader_of_a_recording_that_has_seen_enough_is_no_error(
    where: dict[str, str], engine: AsyncEngine
) -> None:
    text = msgspec.json.encode({"type": "chat.sung", "text": "x" * 300_000}).decode()
    long = StoredStep(STEPS[-1].seq + 5, "610333:1", NOW, "x", "{}", text, "[]", "")
    await insert(engine, [long])
    code, first, errors = await asyncio.to_thread(first_of, "record", "--out", "-", **where)
    assert (code, len(first), errors) == (READER_LEFT, 10, b"")


async def test_a_database_that_is_away_is_said(where: dict[str, str], tmp_path: Path) -> None:
    away = where | {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    ran = await run("record", "--out", tmp_path / "out", **away)
    assert (ran.code, names(tmp_path)) == (2, [])
    assert ran.told.startswith("kotodom record: DATABASE_URL: PostgreSQL is away")
