"""`kotodom replay` as a person runs it: exit codes, and what it says."""

import asyncio
import gzip
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.conversation import handle
from domain.effects import TurnToken
from domain.events import UpdateReceived
from domain.step import Envelope, digest
from domain.turn import Conversation
from tests.domain.given import BOT, NOW, update
from tests.entrypoints.commands import (
    COUNTS,
    FULL,
    GOOD,
    READER_LEFT,
    STEPS,
    UPDATES,
    first_of,
    names,
    run,
)
from tests.entrypoints.test_cli import KOTODOM


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the files that these tests are about."""
    lines = b"\n".join(map(msgspec.json.encode, UPDATES))
    for name, content in {
        "good.jsonl": GOOD,
        "updates.jsonl": lines,
        "updates.json": msgspec.json.format(msgspec.json.encode(UPDATES)),
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


# --- replay --------------------------------------------------------------------------------------


async def test_a_recording_that_replays_the_same(folder: Path) -> None:
    effects = sum(len(msgspec.json.decode(step.effects)) for step in STEPS)
    plain, as_json, piped = await asyncio.gather(
        run("replay", folder / "good.jsonl"),
        run("replay", folder / "good.jsonl", "--json"),
        run("replay", "-", stdin=b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n\r\n")),
    )
    for ran in (plain, piped):
        assert (ran.code, ran.out) == (0, "")
        told = rf"{len(STEPS)} steps, {effects} effects in \d+\.\d\d s: as it should be"
        assert re.fullmatch(told, ran.told)
    summary = msgspec.json.decode(as_json.out)
    assert (as_json.code, as_json.errors, list(summary)) == (0, "", COUNTS)
    assert 0 < summary.pop("seconds") < 10
    assert summary == {
        "steps": len(STEPS),
        "events": len(STEPS),
        "effects": effects,
        "differing": 0,
    }


async def test_a_recording_that_differs(folder: Path) -> None:
    lines = GOOD.splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if b"generateReply" in line)
    lines[place] = lines[place].replace(b"openai.generateReply", b"openai.guess\\u001b[31m")
    path = folder / "[bold]bad.jsonl"
    path.write_bytes(b"".join(lines))
    plain, as_json = await asyncio.gather(run("replay", path), run("replay", path, "--json"))
    assert plain.code == as_json.code == 1
    where, first, *diff = plain.out.splitlines()
    assert where.startswith(f"line {place + 1}: message ")
    assert first == "  effect 2 of 2 differs (openai.guess\\x1b[31m):"
    assert '-     "type": "openai.guess\\u001b[31m",' in diff
    assert '+     "type": "openai.generateReply",' in diff
    assert plain.told.endswith(" s: 1 differ")
    summary = msgspec.json.decode(as_json.out)
    assert (list(summary), summary["differing"]) == (COUNTS, 1)
    assert as_json.errors == ""


async def test_many_differences_are_counted(folder: Path) -> None:
    path = folder / "bad.jsonl"
    path.write_bytes(re.sub(rb'"state":"[0-9a-f]+"\}', b'"state":"?"}', GOOD))
    ran = await run("replay", path)
    shown = [line for line in ran.out.splitlines() if line.startswith("line ")]
    assert (ran.code, len(shown)) == (1, 20)
    more, count = ran.errors.splitlines()
    assert more == f"… and {len(STEPS) - 20} more"
    assert count.endswith(f" s: {len(STEPS)} differ")


BARE = " (bare updates are replayed with --updates)"
NO_RECORDING: dict[bytes, str] = {
    b"": "it holds no steps",
    b"\n \r\n": "it holds no steps",
    b"hello": "line 1: not JSON: JSON is malformed: invalid character (byte 0)",
    b'{"a": 1}': "line 1: Object missing required field `key`",
    b'{"key": 1, "event": {"update": {"update_id": 1}}}': "line 1: Expected `str`, got `int` - at "
    "`$.key`",
    b'{"key": "1:2", "event": {"update": {"update_id": 1': "line 1: it is cut off: the file ends "
    "in its middle",
    b'{"update_id": 1}': "line 1: Object missing required field `key`" + BARE,
    b'\xef\xbb\xbf[{"update_id": 1}]': "line 1: Expected `object`, got `array`" + BARE,
    b'{\n  "message": {},\n  "update_id": 1\n}': "line 1: not JSON: Input data was truncated"
    + BARE,
    b'{"ok":true,"result":[]}': "line 1: Object missing required field `key`" + BARE,
    gzip.compress(GOOD): "it is compressed by gzip: unpack it first",
    GOOD.decode().encode("utf-16"): "it is UTF-16: save it as UTF-8",
    GOOD[:-20]: f"line {len(STEPS)}: it is cut off: the file ends in its middle",
    b"\n" + GOOD + b"[]\n": f"line {len(STEPS) + 2}: Expected `object`, got `array`",
    GOOD + b"\xff": f"line {len(STEPS) + 1}: byte 1 is not UTF-8",
    GOOD + b"[" * 100_000 + b"\n": f"line {len(STEPS) + 1}: Expected `object`, got `array`",
    GOOD + b'{"x":' + b"[" * 100_000 + b"\n": f"line {len(STEPS) + 1}: nested too deeply",
    GOOD.replace(b'"type":"telegram.messageSent"', b'"type":"telegram.\\u001b"', 1): "line ",
    GOOD.replace(b'"type":"chat"', b'"type":"tribe"', 1): "line ",
    b"x" * (17 << 20): "line 1 is longer than 16 MiB",
}
CLAUSES = {
    b"\\u001b": r"line \d+: unknown event 'telegram\.\\x1b'",
    b"tribe": r"line \d+: unknown state 'tribe'",
}


async def test_what_is_no_recording_is_one_line_and_exit_2() -> None:
    answers = await asyncio.gather(*(run("replay", "-", stdin=content) for content in NO_RECORDING))
    for (content, reason), ran in zip(NO_RECORDING.items(), answers, strict=True):
        assert (ran.code, ran.out) == (2, "")
        known = next((clause for mark, clause in CLAUSES.items() if mark in content), None)
        assert re.fullmatch(rf"kotodom replay: -: {known or re.escape(reason)}", ran.told), content[
            :60
        ]


async def test_files_that_cannot_be_read(folder: Path) -> None:
    none, there, odd = await asyncio.gather(
        run("replay", folder / "none"),
        run("replay", folder),
        run("replay", os.fsdecode(os.fsencode(folder) + b"/\xff[/x]")),
    )
    assert [ran.code for ran in (none, there, odd)] == [2, 2, 2]
    assert none.told == f"kotodom replay: {folder}/none: No such file or directory"
    assert there.told == f"kotodom replay: {folder}: Is a directory"
    assert odd.told == f"kotodom replay: {folder}/\\udcff[/x]: No such file or directory"


async def test_options_that_do_not_go_together(folder: Path) -> None:
    for arguments in (
        ["--write"],
        ["--golden", "x"],
        ["--failures", "x"],
        ["--updates", "--write"],
    ):
        ran = await run("replay", folder / "good.jsonl", *arguments)
        assert ran.code == 2
        assert "--write" in ran.errors


@pytest.mark.skipif(not FULL.exists(), reason="a disk that is always full is Linux's")
async def test_what_cannot_be_written_is_the_outputs_trouble(folder: Path) -> None:
    (folder / "bad.jsonl").write_bytes(re.sub(rb'"state":"[0-9a-f]+"\}', b'"state":"?"}', GOOD))
    updates = ("--updates", "updates.jsonl")
    for arguments in (
        ("good.jsonl", "--json"),
        ("bad.jsonl",),
        ("bad.jsonl", "--json"),
        updates,
        (*updates, "--json"),
        (*updates, "--golden", "-", "--write"),
        (*updates, "--golden", FULL, "--write"),
    ):
        words = " ".join(map(str, arguments))
        process = await asyncio.create_subprocess_shell(
            f"'{KOTODOM}' replay {words} > {FULL}", cwd=folder, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await asyncio.wait_for(process.communicate(), 30)
        where = FULL if FULL in arguments else "standard output"
        told = f"kotodom replay: {where}: No space left on device\n"
        assert (process.returncode, errors.decode()) == (2, told)


async def test_standard_input_and_output_that_are_closed(folder: Path) -> None:
    for command, told in {
        "--updates - <&-": "kotodom replay: standard input: it is closed",
        "--updates updates.jsonl --golden - --write >&-": "kotodom replay: standard output: it is "
        "closed",
    }.items():
        process = await asyncio.create_subprocess_shell(
            f"'{KOTODOM}' replay {command}", cwd=folder, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await asyncio.wait_for(process.communicate(), 30)
        assert (process.returncode, errors.decode().strip()) == (2, told)


# --- replay --updates ----------------------------------------------------------------------------


async def test_updates_are_answered(folder: Path) -> None:
    lines, array, piped, as_json = await asyncio.gather(
        run("replay", "--updates", folder / "updates.jsonl"),
        run("replay", "--updates", folder / "updates.json"),
        run("replay", "--updates", "-", stdin=(folder / "updates.json").read_bytes()),
        run("replay", "--updates", folder / "updates.json", "--json"),
    )
    assert [ran.code for ran in (lines, array, piped, as_json)] == [0, 0, 0, 0]
    assert lines.out == array.out == piped.out
    answers = [msgspec.json.decode(line) for line in lines.out.splitlines()]
    assert [(answer["update_id"], answer["key"]) for answer in answers] == [
        (number, "1:42") for number in (1, 2, 3)
    ]
    asked = ["telegram.sendChatAction", "openai.generateReply", "telegram.sendMessage"]
    assert [[effect["type"] for effect in answer["effects"]] for answer in answers] == [
        asked,
        asked[2:],
        asked,
    ]
    summary = msgspec.json.decode(as_json.out)
    assert (list(summary), as_json.errors) == (COUNTS, "")
    assert [summary[name] for name in ("steps", "events", "effects", "differing")] == [8, 3, 7, 0]


async def test_updates_as_they_come_from_anywhere(folder: Path) -> None:
    """getUpdates' own answer, as a file or as a line, and updates that go over several lines."""
    response = msgspec.json.encode({"ok": True, "result": UPDATES})
    pretty = [msgspec.json.format(msgspec.json.encode(update)) for update in UPDATES]
    forms = (response, msgspec.json.format(response), b"\n".join(pretty), b"\n" + response + b"\n")
    plain, *others = await asyncio.gather(
        run("replay", "--updates", folder / "updates.jsonl"),
        *(run("replay", "--updates", "-", stdin=form) for form in forms),
    )
    assert [(ran.code, ran.out) for ran in others] == [(0, plain.out)] * len(forms)


async def test_updates_that_are_not_answered_are_counted(folder: Path) -> None:
    odd = msgspec.json.decode(msgspec.json.encode(UPDATES[0]))
    odd["message"]["text"] = 5
    dead = {"type": "fatal", "reason": "Telegram 401: Unauthorized", "token_dead": True}
    script = folder / "script.json"
    script.write_bytes(msgspec.json.encode([{"effect": "telegram.sendMessage", "failure": dead}]))
    content = b"\n".join(map(msgspec.json.encode, [odd, *UPDATES]))
    options = ("replay", "--updates", "-")
    plain, waiting, as_json = await asyncio.gather(
        run(*options, stdin=content),
        run(*options, "--failures", script, stdin=content),
        run(*options, "--json", stdin=content),
    )
    assert [ran.code for ran in (plain, waiting, as_json)] == [0, 0, 0]
    assert plain.told.endswith(" s: as it should be (of 4 updates, 1 unreadable)")
    assert waiting.told.endswith(
        " s: as it should be (of 4 updates, 1 unreadable, 2 waiting for a disabled bot)"
    )
    assert (list(msgspec.json.decode(as_json.out)), as_json.errors) == (COUNTS, "")


async def test_the_answers_are_utf8_whatever_the_locale_says(folder: Path) -> None:
    (folder / "updates.jsonl").write_bytes(
        msgspec.json.encode(UPDATES[1]).replace(b'"Ann"', b'"Ann","language_code":"ru"')
    )
    ran = await run("replay", "--updates", folder / "updates.jsonl", PYTHONIOENCODING="ascii")
    assert (ran.code, "Здравствуйте" in ran.out) == (0, True)


async def test_a_golden_file_is_kept_and_compared(folder: Path) -> None:
    updates, golden = folder / "updates.jsonl", folder / "golden.jsonl"
    options = ("replay", "--updates", updates, "--golden", golden)
    missing = await run(*options)
    assert missing.code == 2
    told = f"kotodom replay: {golden}: there is no such file yet; --write makes it"
    assert missing.told == told
    kept = await run(*options, "--write")
    assert (kept.code, kept.out) == (0, "")
    assert len(golden.read_text().splitlines()) == 3
    assert (await run(*options)).code == 0
    golden.write_text(golden.read_text().replace("An answer of", "A word from", 1))
    changed, as_json = await asyncio.gather(run(*options), run(*options, "--json"))
    assert changed.code == as_json.code == 1
    first, second, *diff = changed.out.splitlines()
    assert first == "answer 1: update 1 of chat 1:42"
    assert second == "  effect 3 of 3 differs (telegram.sendMessage):"
    assert '-     "text": "A word from the model."' in diff
    assert '+     "text": "An answer of the model."' in diff
    assert msgspec.json.decode(as_json.out)["differing"] == 1


@pytest.mark.parametrize(
    ("golden", "reason"),
    [
        (b"{}\nnonsense\n", "line 2 is no answer that --write keeps: JSON is malformed: "),
        (b"[]\n", "line 1 is no answer that --write keeps: Expected `object`, got `array`"),
        (b'{"a":' + b"[" * 100_000, "line 1 is no answer that --write keeps: nested too deeply"),
        (b"\xff\n", "line 1 is no answer that --write keeps: "),
    ],
)
async def test_a_golden_file_that_is_none(golden: bytes, reason: str, folder: Path) -> None:
    path = folder / "golden.jsonl"
    path.write_bytes(golden)
    ran = await run("replay", "--updates", folder / "updates.jsonl", "--golden", path)
    assert ran.code == 2
    assert ran.told.startswith(f"kotodom replay: {path}: {reason}")


async def test_trouble_with_the_golden_file_is_the_golden_files(folder: Path) -> None:
    golden = folder / "[x]golden"
    for content, reason in {
        gzip.compress(b"{}"): "it is compressed by gzip: unpack it first",
        b"x" * (17 << 20): "line 1 is longer than 16 MiB",
    }.items():
        golden.write_bytes(content)
        ran = await run("replay", "--updates", folder / "updates.jsonl", "--golden", golden)
        assert (ran.code, ran.told) == (2, f"kotodom replay: {golden}: {reason}")


async def test_what_is_read_is_not_written_to(folder: Path) -> None:
    updates, script, link = folder / "updates.jsonl", folder / "script.json", folder / "link"
    script.write_bytes(b"[]")
    link.symlink_to(updates)
    before = updates.read_bytes()
    for read, failures, golden, what in (
        (updates, None, updates, "the updates"),
        (link, None, updates, "the updates"),
        (updates, None, link, "the updates"),
        (updates, None, folder / "none/../updates.jsonl", None),
        (updates, script, script, "--failures"),
    ):
        options = () if failures is None else ("--failures", failures)
        ran = await run(
            "replay", "--updates", read, *options, "--golden", golden, "--write", stdin=b""
        )
        assert ran.code == 2
        if what is not None:
            told = f"{golden}: --write would replace {what}: name another --golden"
            assert ran.told == f"kotodom replay: {told}"
    command = f"'{KOTODOM}' replay --updates - --golden '{updates}' --write < '{updates}'"
    process = await asyncio.create_subprocess_shell(command, stderr=asyncio.subprocess.PIPE)
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, b"--write would replace the updates" in errors) == (2, True)
    assert (updates.read_bytes(), script.read_bytes()) == (before, b"[]")


async def test_a_script_says_what_becomes_of_effects(folder: Path) -> None:
    script = folder / "script.json"
    refused = {"type": "terminal", "reason": "the model refused"}
    script.write_bytes(
        msgspec.json.encode([{"effect": "openai.generateReply", "nth": 2, "failure": refused}])
    )
    updates = folder / "updates.jsonl"
    ran = await run("replay", "--updates", updates, "--failures", script)
    answers = [msgspec.json.decode(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert [effect["type"] for effect in answers[2]["effects"]] == [
        "telegram.sendChatAction",
        "openai.generateReply",
        "notification.adminAlert",
        "telegram.sendMessage",
    ]
    for content, reason in {
        b"[]]": "JSON is malformed: trailing characters (byte 3)",
        b"[{}]": "rule 1: Object missing required field `effect`",
        b'\xef\xbb\xbf[{"effect": "telegram.sing"}]': "rule 1, effect: Invalid enum value "
        "'telegram.sing'",
        b'[{"effect": "telegram.sendMessage"}]': "rule 1: give one of failure, reply, died and bug",
    }.items():
        script.write_bytes(content)
        wrong = await run("replay", "--updates", updates, "--failures", script)
        assert wrong.code == 2
        assert wrong.told == f"kotodom replay: {script}: {reason}"
    none = await run("replay", "--updates", updates, "--failures", folder / "none")
    assert (none.code, none.told) == (
        2,
        f"kotodom replay: {folder}/none: No such file or directory",
    )


NO_UPDATES: dict[bytes, str] = {
    b"": "it holds no updates",
    b"[]": "it holds no updates",
    b"nonsense": "line 1: the body is not JSON: ",
    b'{"update_id": 1}\n{"update_id": "2"}': "line 2: the body has no integer update_id",
    b'[{"update_id": 1}, 5]': "element 2: the body is not a JSON object",
    b'[{"update_id": 1}, NaN]': "element 2: the body is not JSON: NaN is not JSON",
    b'[{"update_id": 1}': "line 1: after element 1 comes the end of the file: it is cut off",
    b"[" * 100_000: "line 1: element 1 is nested too deeply",
    b'{"update_id": 1, "x": ' + b"[" * 100_000: "line 1: this value is nested too deeply",
    b'{"update_id": 1\n{"update_id": 2, "message": {}}': "line 1: this value: Expecting ',' "
    "delimiter (give one update a line, an array of them, or getUpdates' answer)",
    b'{"update_id":\n': "line 1: this value is cut off, or no JSON: Expecting value (give one ",
    b'{"ok": false, "error_code": 401, "description": "Un\\u001b"}\n': "line 1: Telegram answered "
    'with an error, not with updates: "Un\\u001b"',
    b'{"ok": true, "result": true}\n': "line 1: this answer of Telegram's holds no list of updates",
    GOOD: "line 1: the body has no integer update_id (it looks like a recording: replay it without "
    "--updates)",
    gzip.compress(b"{}"): "it is compressed by gzip: unpack it first",
    "{}".encode("utf-16"): "it is UTF-16: save it as UTF-8",
    b'[\n"\xff"]': "line 2: not UTF-8",
    b"\xff": "line 1: the body is not JSON: ",
    b'[{"update_id": ' + b"1" * 5000 + b"}]": "element 1: ",
}


async def test_what_holds_no_updates_is_one_line_and_exit_2(folder: Path) -> None:
    options = ("replay", "--updates", "-", "--write", "--golden")
    answers = await asyncio.gather(
        *(
            run(*options, folder / f"kept{number}", stdin=content)
            for number, content in enumerate(NO_UPDATES)
        )
    )
    for (content, reason), ran in zip(NO_UPDATES.items(), answers, strict=True):
        assert (ran.code, ran.out) == (2, "")
        assert ran.told.startswith(f"kotodom replay: -: {reason}"), content[:60]
    assert not [name for name in names(folder) if "kept" in name]


async def test_a_golden_file_that_cannot_be_written(folder: Path) -> None:
    for where in (folder, folder / "none/golden", folder / "good.jsonl/golden"):
        ran = await run(
            "replay", "--updates", folder / "updates.jsonl", "--golden", where, "--write"
        )
        assert ran.code == 2
        assert ran.told.startswith(f"kotodom replay: {where}: ")


# --- large files ---------------------------------------------------------------------------------

STATUS = Path("/proc/self/status")
MEASURED = f"""
import atexit, pathlib, sys
from entrypoints.cli import main
atexit.register(lambda: sys.stderr.write(pathlib.Path("{STATUS}").read_text()))
main()
"""
"""The command, telling its memory in the end: what wait4 tells begins with that of this process."""
needs_status = pytest.mark.skipif(not STATUS.exists(), reason="a process' memory is told by Linux")


def measured(*arguments: str) -> tuple[dict[str, Any], int]:
    """What --json prints, and the most memory that the command took, in KiB."""
    python = [sys.executable, "-c", MEASURED, *arguments]
    ran = subprocess.run(python, capture_output=True, timeout=60, check=True)
    (memory,) = re.findall(rb"VmHWM:\s+(\d+) kB", ran.stderr)
    return msgspec.json.decode(ran.stdout), int(memory)


@needs_status
def test_a_large_recording_takes_little_memory(tmp_path: Path) -> None:
    """100 MB: one chat that was deleted again and again, where a person answers."""
    chat = Conversation("3:42", 42, paused=True)
    event = UpdateReceived(TurnToken(100, 1), update("x" * 10_000), BOT)
    step = handle(chat, Envelope("", NOW, event))
    line = {
        "key": "3:42",
        "at": NOW,
        "from": chat,
        "event": event,
        "effects": step.effects,
        "state": digest(step.state),
    }
    rest = msgspec.json.encode(line)[1:]
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        for seq in range(100_000_000 // len(rest)):
            file.write(b'{"seq":%d,"id":"%d",' % (seq, seq) + rest + b"\n")
    assert path.stat().st_size > 100_000_000
    summary, memory = measured("replay", str(path), "--json")
    assert (summary["steps"], summary["differing"]) == (seq + 1, 0)
    assert memory < 150 * 1024, "KiB"
    assert summary["seconds"] < 10


@needs_status
def test_a_large_array_of_updates_takes_little_memory(tmp_path: Path) -> None:
    """40 MB in one line, each update from a chat of its own."""
    path = tmp_path / "large.json"
    text = "ж" * 5_000
    with path.open("w") as file:
        file.write("[")
        for number in range(4_000):
            one = msgspec.json.decode(msgspec.json.encode(UPDATES[0]))
            one["message"] |= {"text": text, "chat": {"id": number + 1}}
            file.write(("," if number else "") + msgspec.json.encode(one).decode())
        file.write("]")
    summary, memory = measured("replay", "--updates", str(path), "--json")
    assert summary["events"] == 4_000
    assert memory < 150 * 1024, "KiB"
    response = tmp_path / "response.json"
    response.write_bytes(b'{"ok":true,"result":' + path.read_bytes() + b"}")
    summary, memory = measured("replay", "--updates", str(response), "--json")
    assert summary["events"] == 4_000
    assert memory < 100 * 1024, "KiB: it is never held as a line"


def test_a_reader_that_has_seen_enough_is_no_difference(tmp_path: Path) -> None:
    updates, bad = tmp_path / "updates.json", tmp_path / "bad.jsonl"
    updates.write_bytes(msgspec.json.encode(UPDATES * 5_000))
    bad.write_bytes(re.sub(rb'"effects":\[\]', b'"effects":["' + b"x" * 300_000 + b'"]', GOOD))
    for arguments in (("--updates", updates), (bad,)):
        code, first, errors = first_of("replay", *arguments)
        assert (code, len(first), errors) == (READER_LEFT, 10, b"")
