"""Jobs deleted by hand under a running worker (DESIGN §2, "Deleting a job")."""

import asyncio
from pathlib import Path
from typing import Any

from tests.end_to_end.system import KOTODOM, Bot, System

USER = 1002


async def _owner(system: System, bot: Bot, status: str) -> dict[str, Any]:
    """The job that runs the user's chat, once it has one of that status."""

    async def found() -> dict[str, Any] | None:
        chat = f"{bot.id}:{USER}"
        (row,) = await system.rows("SELECT owner_job_id FROM chats WHERE id = $1", chat) or [None]
        jobs = await system.ask("GET", f"/api/jobs?status={status}")
        for job in jobs["items"]:
            if row is not None and job["id"] == row["owner_job_id"]:
                assert job["chatId"] == chat
                return dict(job)
        return None

    job: dict[str, Any] = await system.until(found)
    return job


async def _replays(system: System, bot: Bot, path: Path) -> None:
    """What the bot's chats did stands in the journal as it would happen again."""
    for arguments in (
        ("record", "--bot", str(bot.id), "--out", str(path)),
        ("replay", str(path)),
    ):
        process = await asyncio.create_subprocess_exec(
            str(KOTODOM), *arguments, env=system.environment, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, said.decode()
    recorded = await asyncio.to_thread(path.read_text)
    assert '"job.deleted"' in recorded


async def test_the_worker_of_a_deleted_job_changes_nothing(system: System, tmp_path: Path) -> None:
    bot = await system.bot()
    bot.say("/sandbox:slow 4", user=USER)
    job = await _owner(system, bot, "picked")
    assert job["worker"] is not None and job["heartbeatAt"] is not None
    bot.say("/sandbox:echo and then?", user=USER)

    async def waits() -> bool:
        rows = await system.rows(
            "SELECT FROM telegram_updates WHERE bot_id = $1 AND state = 'WAITING'", bot.id
        )
        return len(rows) == 1

    await system.until(waits)
    await system.ask("DELETE", f"/api/jobs/{job['id']}", status=204)
    await system.ask("DELETE", f"/api/jobs/{job['id']}", status=404)
    first, second = await system.settled(bot, 2)
    assert (first["status"], first["terminal_reason"]) == ("TERMINAL", "its job was deleted")
    assert second["status"] == "COMPLETED"
    assert bot.texts(USER) == ["and then?"]
    await asyncio.sleep(4.5)  # by now the model has answered the first one
    assert bot.texts(USER) == ["and then?"]
    (again, _) = await system.processing(bot)
    assert dict(again) == dict(first)
    (chat,) = await system.rows("SELECT * FROM chats WHERE id = $1", f"{bot.id}:{USER}")
    assert chat["owner_job_id"] is None
    bot.say("/sandbox:echo still there", user=USER)
    assert (await bot.answers(2, chat=USER))[1] == "still there"
    await _replays(system, bot, tmp_path / "deleted.jsonl")


async def test_a_retry_that_is_deleted_ends_its_message_and_may_be_asked_for_again(
    system: System, tmp_path: Path
) -> None:
    bot = await system.bot()
    bot.say("/sandbox:server_error 5", user=USER)
    job = await _owner(system, bot, "queued")
    await system.ask("DELETE", f"/api/jobs/{job['id']}", status=204)
    (row,) = await system.settled(bot, 1)
    assert (row["status"], row["terminal_reason"]) == ("TERMINAL", "its job was deleted")
    await system.ask("POST", f"/api/processing/{row['id']}/retry", status=202)
    again = await _owner(system, bot, "queued")  # it fails on, and waits
    forward = await system.ask("POST", f"/api/jobs/{again['id']}/requeue", status=202)
    assert forward["nextAt"] < again["nextAt"]
    await system.ask("DELETE", f"/api/jobs/{(await _owner(system, bot, 'queued'))['id']}")
    await system.settled(bot, 1)
    await _replays(system, bot, tmp_path / "deleted.jsonl")
