"""Recordings over HTTP: one message's turn to take along, and the replay of an uploaded one."""

import asyncio
import time
from pathlib import Path

import msgspec
import pytest

from entrypoints.http import recordings
from tests.entrypoints.http.conftest import Answer, Person, Run, make_bot
from tests.entrypoints.http.rows import keep_chat, keep_message, keep_step

RECORDING = (Path(__file__).parents[2] / "recordings/0.1.0.jsonl").read_bytes()
STEPS = RECORDING.count(b"\n")
JSON_LINES = {"Content-Type": "application/x-ndjson"}


async def _replay(person: Person, content: bytes, **headers: str) -> Answer:
    return await person.post("/api/replay", data=content, headers=JSON_LINES | headers)


async def _journalled(person: Person, sql: Run, *, first: bool = True) -> int:
    """A message of a bot of the person's, with the journal of the recording's first turn."""
    chat = await keep_chat(sql, (await make_bot(person))["id"], 5)
    message = await keep_message(sql, chat, "Hello", "COMPLETED")
    for line in RECORDING.splitlines()[0 if first else 1 : 5]:
        await keep_step(sql, message, line)
    return message


async def test_a_recording_is_downloaded_as_a_file(user: Person, sql: Run) -> None:
    message = await _journalled(user, sql)
    answer = await user.get(f"/api/processing/{message}/recording")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    name = f'attachment; filename="recording-{message}.jsonl"'
    assert answer.headers["Content-Disposition"] == name
    steps = [msgspec.json.decode(line) for line in answer.json.splitlines()]
    assert [step["event"]["type"] for step in steps] == [
        "telegram.updateReceived",
        "openai.replyStarted",
        "openai.replyGenerated",
        "telegram.messageSent",
        "telegram.messageSent",
    ]
    assert list(steps[0]) == ["key", "seq", "at", "id", "from", "event", "effects", "state"]
    assert list(steps[1]) == ["key", "seq", "at", "id", "event", "effects", "state"]


async def test_of_others_messages_there_is_none(
    admin: Person, manager: Person, user: Person, nobody: Person, sql: Run
) -> None:
    path = f"/api/processing/{await _journalled(admin, sql)}/recording"
    assert (await user.get(path)).status == 404
    assert (await nobody.get(path)).status == 401
    assert (await manager.get(path)).status == 200


@pytest.mark.parametrize("identity", ["0", "-1", "999999999", "9" * 30, "x"])
async def test_an_unseen_message_has_none(admin: Person, identity: str) -> None:
    assert (await admin.get(f"/api/processing/{identity}/recording")).status == 404


async def test_a_turn_whose_beginning_is_pruned_has_none(admin: Person, sql: Run) -> None:
    message = await _journalled(admin, sql, first=False)
    answer = await admin.get(f"/api/processing/{message}/recording")
    assert (answer.status, answer.json["detail"]) == (404, "There is no such recording.")


async def test_a_recording_that_is_the_same(user: Person) -> None:
    answer = await _replay(user, RECORDING)
    steps = RECORDING.count(b"\n")
    assert answer.status == 200
    assert answer.json == {
        "steps": steps,
        "events": steps,
        "effects": answer.json["effects"],
        "differing": 0,
        "differences": [],
    }
    assert answer.json["effects"] > 40


async def test_a_difference_is_told(user: Person) -> None:
    lines = RECORDING.splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"text":"two"', b'"text":"three"')
    answer = await _replay(user, b"".join(lines))
    assert answer.json["differing"] == 1
    (difference,) = answer.json["differences"]
    recorded, found = difference["effects"]["recorded"], difference["effects"]["found"]
    assert (recorded[0]["text"], found[0]["text"]) == ("three", "two")
    shown = {"line": 4, "seq": 4, "key": "3:42", "step": 4, "messageId": 101, "text": "Hello"}
    shown |= {"event": "telegram.messageSent", "trouble": None, "state": None}
    assert shown.items() <= difference.items()
    assert '-     "text": "three"' in difference["told"].splitlines()


async def test_only_the_first_hundred_differences_are_told(user: Person) -> None:
    line = RECORDING.splitlines()[0].replace(b'"state":"', b'"state":"0')
    many = [
        line.replace(b'"3:42"', b'"3:%d"' % n).replace(b'"seq":1,', b'"seq":%d,' % n)
        for n in range(1, 151)
    ]
    answer = await _replay(user, b"\n".join(many))
    assert (answer.json["differing"], len(answer.json["differences"])) == (150, 100)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it holds no steps"),
        (b"\n\n", "it holds no steps"),
        (b"{}", "line 1: Object missing required field `key`"),
        (b"[1]", "line 1: Expected `object`, got `array`"),
        (RECORDING[:-30], f"line {STEPS}: it is cut off: the file ends in its middle"),
        (b"\xff\n", "line 1: byte 1 is not UTF-8"),
        (RECORDING.replace(b"telegram.messageSent", b"telegram.messageRead"), "line 4: unknown"),
        (RECORDING.replace(b'{"type":"chat"', b'{"type":"room"'), "line 1: unknown state 'room'"),
        (b'{"effects":' + b"[" * 100_000, "line 1: nested too deeply"),
    ],
)
async def test_what_is_no_recording(user: Person, content: bytes, words: str) -> None:
    answer = await _replay(user, content)
    assert answer.status == 400
    assert words in answer.json["detail"]


async def test_its_size_and_type_and_who_may(user: Person, nobody: Person) -> None:
    longer = RECORDING * (10 * 1024 * 1024 // len(RECORDING) + 1)
    assert (await _replay(user, longer)).status == 413
    assert (await _replay(user, RECORDING, **{"Content-Type": "text/html"})).status == 415
    assert (await _replay(user, RECORDING, **{"Content-Type": "text/plain"})).status == 200
    assert (await _replay(nobody, RECORDING)).status == 401
    assert (await _replay(user, RECORDING, Origin="https://evil.example")).status == 403


async def test_what_is_too_long_to_be_compared_line_by_line_is_told_at_once(user: Person) -> None:
    """A diff takes time with the square of its lines; effects beyond any step's are refused."""
    line = msgspec.json.decode(RECORDING.splitlines()[0])
    line["effects"] = [{"type": f"t{n % 150}", "n": n} for n in range(12_000)]
    began = time.perf_counter()
    answer = await _replay(user, msgspec.json.encode(line))
    assert time.perf_counter() - began < 3
    (difference,) = answer.json["differences"]
    assert difference["effects"] is None
    assert len(difference["told"]) < 20_000
    line["effects"] = [1] * 300_000
    answer = await _replay(user, msgspec.json.encode(line))
    assert (answer.status, "longer than those of any step" in answer.json["detail"]) == (400, True)


async def test_one_at_a_time(user: Person) -> None:
    async with recordings._ONE:  # the application runs on this loop
        answer = await _replay(user, RECORDING)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert (await _replay(user, RECORDING)).status == 200


async def test_a_large_one_does_not_hold_up_the_others(user: Person, nobody: Person) -> None:
    body = b"".join(
        RECORDING.splitlines(keepends=True)[0].replace(b'"seq":1,', b'"seq":%d,' % n)
        for n in range(1, 12_000)
    )
    replaying = asyncio.create_task(_replay(user, body))
    slowest = 0.0
    while not replaying.done():
        began = time.perf_counter()
        assert (await nobody.get("/health")).status == 200
        slowest = max(slowest, time.perf_counter() - began)
    assert (await replaying).json["steps"] == 11_999
    assert slowest < 1.0
