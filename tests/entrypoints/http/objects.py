"""One of each thing that stands in a path, made anew for whoever owns it, and an absent one."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.entrypoints.http.conftest import Person, Run, make_bot
from tests.entrypoints.http.rows import keep_chat, keep_message, keep_step

RECORDING = (Path(__file__).parents[2] / "recordings/0.1.0.jsonl").read_bytes()
NO_USER = "00000000-0000-0000-0000-000000000000"


async def _a_bot(owner: Person, _: Run) -> int:
    return int((await make_bot(owner))["id"])


async def _a_chat(owner: Person, sql: Run) -> str:
    bot_id = await _a_bot(owner, sql)
    await sql("UPDATE bots SET enabled = true WHERE id = :bot", bot=bot_id)
    return await keep_chat(sql, bot_id, 5)


async def _a_message(owner: Person, sql: Run) -> int:
    """One that waits for its next try, with the first step of its turn in the journal."""
    chat = await _a_chat(owner, sql)
    message = await keep_message(sql, chat, "Hello", "FAILED")
    await keep_step(sql, message, RECORDING.splitlines()[0])
    return message


async def _a_job(owner: Person, sql: Run) -> int:
    chat = await _a_chat(owner, sql)
    ((job_id,),) = await sql(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after)"
        " VALUES (0, 'queued', 'bot.handle_update', :chat, now() + interval '1 hour') RETURNING id",
        chat=chat.encode(),
    )
    return int(job_id)


async def _a_user(owner: Person, _: Run) -> str:
    """The owner."""
    return str((await owner.get("/api/auth/me")).json["id"])


async def _a_key(owner: Person, _: Run) -> int:
    answer = await owner.post("/api/api-keys", {"name": "x", "role": "USER"})
    return int(answer.json["id"])


OBJECTS: dict[str, tuple[Callable[[Person, Run], Awaitable[int | str]], int | str]] = {
    "bot_id": (_a_bot, 999_999_999),
    "chat_id": (_a_chat, "999999999:5"),
    "processing_id": (_a_message, 999_999_999),
    "job_id": (_a_job, 999_999_999),
    "user_id": (_a_user, NO_USER),
    "key_id": (_a_key, 999_999_999),
}
"""By the parameter's name: what makes one, and the id of none."""
