"""Jobs over HTTP: the list, the figures, making one due now, deleting one."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from valkey.asyncio import Valkey

from domain.effects import AdminAlert, TurnToken
from domain.events import BotProfile
from domain.turn import Status, Turn
from tests.entrypoints.http.conftest import Person, Run, make_bot
from tests.entrypoints.http.rows import keep_chat, keep_message, somebody_waits
from tests.journal_steps import decoded

JOB = {
    *("id", "entrypoint", "status", "chatId", "effect", "attempts", "createdAt", "nextAt"),
    *("payload", "heartbeatAt", "worker", "error"),
}
HANDLE = "bot.handle_update"
WORKER = "00000000-0000-0000-0000-000000000007"


@pytest.fixture(autouse=True)
async def empty_queue(sql: Run, valkey: Valkey) -> None:
    await sql("TRUNCATE pgqueuer, pgqueuer_log")
    await valkey.delete("kotodom:cache:job-minutes")


async def _job(
    sql: Run,
    payload: bytes = b"1:5",
    status: str = "queued",
    entrypoint: str = HANDLE,
    due: int = 0,
) -> int:
    """A row of the queue, due in so many seconds; its id."""
    ((job_id,),) = await sql(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after,"
        " queue_manager_id) VALUES (0, CAST(:status AS pgqueuer_status), :entrypoint, :payload,"
        " now() + make_interval(secs => :due), CAST(:worker AS uuid)) RETURNING id",
        status=status,
        entrypoint=entrypoint,
        payload=payload,
        due=due,
        worker=WORKER if status == "picked" else None,
    )
    return int(job_id)


async def _owned(sql: Run, person: Person, status: Status, turn: bool = True) -> tuple[str, int]:
    """A chat in the middle of a turn; its id and its message's."""
    chat = await keep_chat(sql, (await make_bot(person))["id"], 5)
    await sql("UPDATE bots SET enabled = true WHERE id = :id", id=int(chat.partition(":")[0]))
    message = await keep_message(sql, chat, "Why?", status.value, attempts=3)
    bot = BotProfile(int(chat.partition(":")[0]), "Bot", "bot", enabled=True)
    began = datetime.now(UTC) - timedelta(minutes=1)
    kept = Turn(TurnToken(message, 7), bot, "Why?", began, status=status, asking="model")
    await sql(
        "UPDATE message_processing SET turn = :turn WHERE id = :id",
        id=message,
        turn=msgspec.json.encode(kept).decode() if turn else '{"of": "another version"}',
    )
    await sql("UPDATE chats SET epoch = 7 WHERE id = :chat", chat=chat)
    return chat, message


async def _own(sql: Run, chat: str, job: int) -> None:
    await sql("UPDATE chats SET owner_job_id = :job WHERE id = :chat", job=job, chat=chat)


async def _wait_in_line(sql: Run, chat: str) -> None:
    await sql(
        "INSERT INTO telegram_updates (bot_id, update_id, payload, chat_id, state)"
        " VALUES (:bot, 1, '{}', :chat, 'WAITING')",
        bot=int(chat.partition(":")[0]),
        chat=chat,
    )


async def _queue(sql: Run) -> list[tuple[str, bytes]]:
    rows = await sql("SELECT status::text, payload FROM pgqueuer ORDER BY id")
    return [tuple(row) for row in rows]


async def test_every_job_is_listed_newest_first(manager: Person, sql: Run) -> None:
    alert = msgspec.json.encode(AdminAlert(3, "cause", "Words"))
    waits = await _job(sql, due=3600)
    held = await _job(sql, alert, "failed", "effect.perform")
    await sql(
        "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback)"
        " VALUES (:job, 'failed', 0, 'effect.perform', CAST(:what AS jsonb))",
        job=held,
        what='{"traceback": "Traceback: boom", "exception_message": "boom"}',
    )
    runs = await _job(sql, status="picked")
    answer = await manager.get("/api/jobs")
    assert answer.status == 200
    items = answer.json["items"]
    assert [item["id"] for item in items] == [runs, held, waits]
    assert all(set(item) == JOB for item in items)
    picked, failed, queued = items
    assert (picked["status"], picked["chatId"], picked["worker"]) == ("picked", "1:5", WORKER)
    assert picked["heartbeatAt"] is not None
    assert (failed["status"], failed["error"]) == ("failed", "Traceback: boom")
    assert failed["chatId"] is None
    assert failed["effect"] == msgspec.json.decode(alert)
    assert (queued["heartbeatAt"], queued["worker"], queued["error"]) == (None, None, None)
    assert queued["nextAt"] > queued["createdAt"]
    for status, expected in (("queued", waits), ("picked", runs), ("failed", held)):
        found = (await manager.get(f"/api/jobs?status={status}")).json["items"]
        assert [item["id"] for item in found] == [expected]
    first = (await manager.get("/api/jobs?limit=2")).json
    assert [item["id"] for item in first["items"]] == [runs, held]
    rest = (await manager.get(f"/api/jobs?limit=2&cursor={first['nextCursor']}")).json
    assert ([item["id"] for item in rest["items"]], rest["nextCursor"]) == ([waits], None)


async def test_attempts_are_those_of_the_message_that_the_job_owns(admin: Person, sql: Run) -> None:
    chat, _ = await _owned(sql, admin, Status.FAILED)
    owner, other = await _job(sql, chat.encode()), await _job(sql, chat.encode())
    await _own(sql, chat, owner)
    items = (await admin.get("/api/jobs")).json["items"]
    assert [(item["id"], item["attempts"]) for item in items] == [(other, 0), (owner, 3)]


async def test_payloads_that_are_none_of_ours(admin: Person, sql: Run) -> None:
    for payload in (b"", b"\xff", b"[1]", b"{"):
        for entrypoint in (HANDLE, "effect.perform", "somebody.elses"):
            await _job(sql, payload, entrypoint=entrypoint)
    items = (await admin.get("/api/jobs")).json["items"]
    assert {(item["chatId"], item["effect"]) for item in items} == {(None, None)}
    assert len(items) == 12
    assert (await admin.delete(f"/api/jobs/{items[-1]['id']}")).status == 204


async def test_a_job_of_any_kind_shows_what_it_carries_and_why_it_is_held(
    manager: Person, sql: Run
) -> None:
    held = await _job(sql, b'{"letters": ["\xc3\xa9"], "n": 1}', "failed", "somebody.elses")
    await sql(
        "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback)"
        " VALUES (:job, 'failed', 0, 'somebody.elses', CAST(:what AS jsonb))",
        job=held,
        what='{"traceback": "KeyError: n, with sk-a-key-of-somebody and a://u:p@host"}',
    )
    await _job(sql, b"not JSON \xff", entrypoint="somebody.elses")
    await _job(sql, b"x" * 10_001, entrypoint="somebody.elses")
    await _job(sql)
    items = (await manager.get("/api/jobs")).json["items"]
    assert [item["payload"] for item in items] == [
        "1:5",
        "x" * 10_000,
        "not JSON \ufffd",
        '{"letters":["é"],"n":1}',
    ]
    assert items[-1]["error"] == "KeyError: n, with … and a://…@host"


@pytest.mark.parametrize("entrypoint", ["effect.perform", "somebody.elses"])
async def test_no_secret_of_a_payload_comes_out(manager: Person, sql: Run, entrypoint: str) -> None:
    token = "1234567:AAF-abcdefghijklmnopqrstuvwxyz_0123456"
    secrets = {
        "type": "of.another.version",
        "sealed_token": "gAAAAA-sealed",
        "within": [{"apiKey": "of no shape", "sealed_model": "gAAAAA-sealed"}],
        "bot_token": "of no shape",
        "text": f"/bot{token}/x and sk-0123456789",
        token: 1,
        "input_tokens": 7,
    }
    await _job(sql, msgspec.json.encode(secrets), entrypoint=entrypoint)
    await _job(sql, f"plainly {token}, Bearer abc".encode(), entrypoint=entrypoint)
    # Escaped it has another shape, and is the same when it is read.
    escaped = f'{{"text":"{token}"}}'.replace(":AAF", "\\u003aAAF").encode()
    await _job(sql, escaped, entrypoint=entrypoint)
    *others, first = (await manager.get("/api/jobs")).json["items"]
    shown = {
        "type": "of.another.version",
        "within": [{"apiKey": "…"}],
        "bot_token": "…",
        "text": "/bot…/x and …",
        "…": 1,
        "input_tokens": 7,
    }
    assert msgspec.json.decode(first["payload"]) == shown
    assert first["effect"] == (shown if entrypoint == "effect.perform" else None)
    assert [item["payload"] for item in others] == ['{"text":"…"}', "plainly …, Bearer …"]


async def test_figures(manager: Person, sql: Run) -> None:
    for due in (-60, -5, 3600):
        await _job(sql, due=due)
    await _job(sql, status="picked")
    await _job(sql, b"{}", "failed", "effect.perform")
    await _job(sql, b"{}", "queued", "effect.perform")
    for status, seconds in (
        ("successful", 0),
        ("deleted", 120),
        ("queued", 0),
        ("successful", 7200),
    ):
        await sql(
            "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, created) VALUES"
            " (1, CAST(:status AS pgqueuer_status), 0, 'x', now() - make_interval(secs => :ago))",
            status=status,
            ago=seconds,
        )
    answer = await manager.get("/api/jobs/stats")
    assert answer.status == 200
    counted = [
        (each["entrypoint"], each["status"], each["count"], each["orMore"])
        for each in answer.json["counts"]
    ]
    assert counted == [
        (HANDLE, "picked", 1, False),
        (HANDLE, "queued", 3, False),
        ("effect.perform", "failed", 1, False),
        ("effect.perform", "queued", 1, False),
    ]
    assert 60 <= answer.json["oldestDueSeconds"] < 90
    minutes = answer.json["minutes"]
    assert len(minutes) == 60
    assert sum(minute["ended"] for minute in minutes) == 2
    assert minutes[-3]["ended"] == 1
    await sql("TRUNCATE pgqueuer, pgqueuer_log")
    again = (await manager.get("/api/jobs/stats")).json
    assert (again["counts"], again["minutes"]) == ([], minutes)  # an hour's log is kept a while


async def test_figures_of_an_empty_queue(admin: Person) -> None:
    answer = (await admin.get("/api/jobs/stats")).json
    assert (answer["counts"], answer["oldestDueSeconds"]) == ([], None)


@pytest.mark.parametrize("status", ["queued", "failed"])
async def test_a_job_is_made_due_now(manager: Person, sql: Run, status: str) -> None:
    job = await _job(sql, status=status, due=3600)
    answer = await manager.post(f"/api/jobs/{job}/requeue")
    assert (answer.status, answer.json["status"]) == (202, "queued")
    due = await sql("SELECT execute_after <= now() FROM pgqueuer WHERE id = :job", job=job)
    assert due == [(True,)]


async def test_a_job_that_runs_is_not_requeued(manager: Person, sql: Run) -> None:
    job = await _job(sql, status="picked")
    answer = await manager.post(f"/api/jobs/{job}/requeue")
    assert answer.status == 409
    assert [row[0] for row in await _queue(sql)] == ["picked"]


@pytest.mark.parametrize("status", ["queued", "picked", "failed"])
async def test_a_deleted_owner_ends_its_message(admin: Person, sql: Run, status: str) -> None:
    turn = Status.PROCESSING if status == "picked" else Status.FAILED
    chat, message = await _owned(sql, admin, turn)
    job = await _job(sql, chat.encode(), status)
    await _own(sql, chat, job)
    await _wait_in_line(sql, chat)
    assert (await admin.delete(f"/api/jobs/{job}")).status == 204
    (row,) = await sql("SELECT * FROM message_processing WHERE id = :id", id=message)
    assert (row.status, row.terminal_reason) == ("TERMINAL", "its job was deleted")
    (there,) = await sql("SELECT epoch, owner_job_id FROM chats WHERE id = :chat", chat=chat)
    assert tuple(there) == (8, None)
    assert await _queue(sql) == [("queued", chat.encode())]
    ((event, turn_id, step),) = await sql(
        "SELECT event, turn_id, id FROM journal WHERE key = :chat", chat=chat
    )
    assert decoded(event)["type"] == "job.deleted"
    assert (turn_id, step) == (message, f"turn:{message}.7:job.deleted")
    logged = await sql("SELECT status::text FROM pgqueuer_log WHERE job_id = :job", job=job)
    assert logged == [("deleted",)]


async def test_nothing_is_published_where_nothing_waits(admin: Person, sql: Run) -> None:
    chat, _ = await _owned(sql, admin, Status.PROCESSING)
    job = await _job(sql, chat.encode())
    await _own(sql, chat, job)
    assert (await admin.delete(f"/api/jobs/{job}")).status == 204
    assert await _queue(sql) == []


async def test_a_disabled_bots_line_waits_on(admin: Person, sql: Run) -> None:
    chat, message = await _owned(sql, admin, Status.FAILED)
    await sql("UPDATE bots SET enabled = false WHERE id = :id", id=int(chat.partition(":")[0]))
    job = await _job(sql, chat.encode())
    await _own(sql, chat, job)
    await _wait_in_line(sql, chat)
    assert (await admin.delete(f"/api/jobs/{job}")).status == 204
    assert await _queue(sql) == []
    assert (await admin.get(f"/api/processing/{message}")).json["status"] == "TERMINAL"


async def test_a_turn_that_cannot_be_read_ends_as_well(admin: Person, sql: Run) -> None:
    chat, message = await _owned(sql, admin, Status.FAILED, turn=False)
    job = await _job(sql, chat.encode())
    await _own(sql, chat, job)
    assert (await admin.delete(f"/api/jobs/{job}")).status == 204
    assert (await admin.get(f"/api/processing/{message}")).json["status"] == "TERMINAL"


async def test_a_job_that_owns_nothing_is_simply_deleted(admin: Person, sql: Run) -> None:
    chat, message = await _owned(sql, admin, Status.PROCESSING)
    owner, other = await _job(sql, chat.encode(), "picked"), await _job(sql, chat.encode())
    await _own(sql, chat, owner)
    effect = await _job(sql, b"{}", entrypoint="effect.perform")
    for job in (other, effect):
        assert (await admin.delete(f"/api/jobs/{job}")).status == 204
        assert (await admin.delete(f"/api/jobs/{job}")).status == 404
    assert await _queue(sql) == [("picked", chat.encode())]
    (there,) = await sql("SELECT epoch, owner_job_id FROM chats WHERE id = :chat", chat=chat)
    assert tuple(there) == (7, owner)
    assert (await admin.get(f"/api/processing/{message}")).json["status"] == "PROCESSING"


async def test_a_job_is_deleted_as_the_change_before_it_left_it(
    admin: Person, sql: Run, engine: AsyncEngine
) -> None:
    job = await _job(sql, b"{}", entrypoint="effect.perform")
    async with engine.begin() as worker:
        failed = text("UPDATE pgqueuer SET status = 'failed', attempts = 3 WHERE id = :job")
        await worker.execute(failed, {"job": job})
        answer = asyncio.ensure_future(admin.delete(f"/api/jobs/{job}"))
        await somebody_waits(sql)
    assert (await answer).status == 204
    (noted,) = (await admin.get(f"/api/audit?target=job:{job}")).json["items"]
    assert (noted["before"]["status"], noted["before"]["attempts"]) == ("failed", 3)


async def test_a_job_whose_bot_is_gone_is_deleted(admin: Person, sql: Run) -> None:
    job = await _job(sql, b"999999:5")
    assert (await admin.delete(f"/api/jobs/{job}")).status == 204
    assert await _queue(sql) == []


REQUESTS = [
    ("GET", "/api/jobs", 200, False),
    ("GET", "/api/jobs/stats", 200, False),
    ("POST", "/api/jobs/{}/requeue", 202, True),
    ("DELETE", "/api/jobs/{}", 204, True),
]


@pytest.mark.parametrize(("method", "path", "success", "one"), REQUESTS)
async def test_who_may(
    admin: Person,
    manager: Person,
    user: Person,
    nobody: Person,
    sql: Run,
    method: str,
    path: str,
    success: int,
    one: bool,
) -> None:
    people: list[tuple[Person, int, int]] = [
        (user, 403, 403),
        (nobody, 401, 401),
        (manager, success, 404),
        (admin, success, 404),
    ]
    for person, there, absent in people:
        job = await _job(sql)
        answer = await person.ask(method, path.format(job))
        assert answer.status == there
        if one:
            for number in (job + 1000, 0, 2**63, 10**30):
                answer = await person.ask(method, path.format(number))
                assert answer.status == absent, number
                assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "x"}, {"cursor": "x"}, {"cursor": "W10"}, {"status": "DONE"}],
)
async def test_bad_parameters_are_400_and_named(admin: Person, query: dict[str, Any]) -> None:
    answer = await admin.get("/api/jobs", params=query)
    assert (answer.status, answer.fields) == (400, list(query))


async def test_a_bad_id_is_404(admin: Person) -> None:
    for path in ("/api/jobs/x", "/api/jobs/1.5"):
        assert (await admin.delete(path)).status in (404, 405)
