"""What a person does in a chat over HTTP: write, refresh, pause, resume, delete."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_erasure import PostgresErasure
from application.erasure import Erasure
from domain.effects import ResetThread
from tests.entrypoints.http.conftest import Person, Run, make_bot
from tests.entrypoints.http.rows import keep_chat, keep_message, somebody_waits
from tests.journal_steps import decoded

ACTIONS = [
    ("POST", "/messages", {"text": "Hi"}, 202),
    ("POST", "/refresh", None, 202),
    ("POST", "/pause", None, 200),
    ("POST", "/resume", None, 200),
    ("DELETE", "", None, 200),
]


async def _chat(person: Person, sql: Run, *, enabled: bool = True) -> str:
    bot = await make_bot(person)
    await sql("UPDATE bots SET enabled = :on WHERE id = :bot", on=enabled, bot=bot["id"])
    return await keep_chat(sql, bot["id"], 5)


async def _requests(sql: Run, chat: str) -> list[Any]:
    return list(
        await sql(
            "SELECT id, kind, payload, taken_at FROM chat_requests WHERE chat_id = :c ORDER BY id",
            c=chat,
        )
    )


async def _jobs(sql: Run, chat: str) -> int:
    ((count,),) = await sql(
        "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'bot.handle_update' AND payload = :c",
        c=chat.encode(),
    )
    return int(count)


async def _journal(sql: Run, chat: str) -> list[tuple[str, int | None, bool]]:
    rows = await sql(
        "SELECT event, turn_id, from_state IS NOT NULL FROM journal WHERE key = :c ORDER BY seq",
        c=chat,
    )
    return [(decoded(event)["type"], turn, begins) for event, turn, begins in rows]


@pytest.mark.parametrize(("method", "path", "body", "status"), ACTIONS)
async def test_who_may(
    admin: Person, manager: Person, user: Person, nobody: Person, sql: Run,
    method: str, path: str, body: Any, status: int,
) -> None:  # fmt: skip
    theirs = await _chat(admin, sql)
    url = f"/api/chats/{theirs}{path}"
    assert (await nobody.ask(method, url, body)).status == 401
    assert (await user.ask(method, url, body)).status == 404
    for absent in (f"{theirs}1", "999999999:1", "x", "5:", f"{2**62}1:1", "0:0:0:0"):
        answer = await admin.ask(method, f"/api/chats/{absent}{path}", body)
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert (await manager.ask(method, url, body)).status == status
    mine = await _chat(user, sql)
    assert (await user.ask(method, f"/api/chats/{mine}{path}", body)).status == status
    assert (await admin.ask(method, f"/api/chats/{await _chat(user, sql)}{path}", body)).status == (
        status
    )


async def test_an_operators_message_joins_the_line(user: Person, sql: Run) -> None:
    chat = await _chat(user, sql)
    answer = await user.post(
        f"/api/chats/{chat}/messages", {"text": "It is **so**.\n\n" + "x" * 5000}
    )
    assert answer.status == 202
    ((request_id, kind, payload, taken),) = await _requests(sql, chat)
    assert answer.json == {
        "id": request_id,
        "chatId": chat,
        "kind": "OPERATOR_MESSAGE",
        "createdAt": answer.json["createdAt"],
    }
    assert (kind, taken, await _jobs(sql, chat)) == ("OPERATOR_MESSAGE", None, 1)
    first, *rest = json.loads(payload)
    assert first["text"].startswith("It is so.")
    assert first["entities"] == [{"type": "bold", "offset": 6, "length": 2}]
    assert "".join(part["text"] for part in rest) == "x" * 5000


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["text"]),
        ({"text": ""}, ["text"]),
        ({"text": " \n\t"}, ["text"]),
        ({"text": "\u200b"}, ["text"]),
        ({"text": "x" * 16_385}, ["text"]),
        ({"text": 5}, ["text"]),
        ({"text": "a\x00"}, ["text"]),
        ({"text": "a", "to": 5}, ["to"]),
        ([], ["$"]),
    ],
)
async def test_what_is_no_message(user: Person, sql: Run, body: Any, fields: list[str]) -> None:
    chat = await _chat(user, sql)
    answer = await user.post(f"/api/chats/{chat}/messages", body)
    assert (answer.status, answer.fields) == (422, fields)
    assert (await _requests(sql, chat), await _jobs(sql, chat)) == ([], 0)


async def test_the_longest_message(user: Person, sql: Run) -> None:
    chat = await _chat(user, sql)
    answer = await user.post(f"/api/chats/{chat}/messages", {"text": "🙂" * 16_384})
    assert answer.status == 202
    ((_, _, payload, _),) = await _requests(sql, chat)
    assert "".join(part["text"] for part in json.loads(payload)) == "🙂" * 16_384


async def test_a_disabled_bot_says_nothing(user: Person, sql: Run) -> None:
    chat = await _chat(user, sql, enabled=False)
    answer = await user.post(f"/api/chats/{chat}/messages", {"text": "Hi"})
    assert answer.status == 409
    assert "disabled" in answer.json["detail"]
    assert (await _requests(sql, chat), await _jobs(sql, chat)) == ([], 0)


async def test_a_refresh_joins_the_line(user: Person, sql: Run) -> None:
    chat = await _chat(user, sql)
    answer = await user.post(f"/api/chats/{chat}/refresh")
    ((request_id, kind, _, taken),) = await _requests(sql, chat)
    assert (answer.status, answer.json["id"], answer.json["kind"]) == (202, request_id, "REFRESH")
    assert (kind, taken, await _jobs(sql, chat)) == ("REFRESH", None, 1)


async def test_pause_and_resume_of_a_chat_between_two_turns(user: Person, sql: Run) -> None:
    chat = await _chat(user, sql)
    paused = (await user.post(f"/api/chats/{chat}/pause")).json
    assert paused["pausedAt"] is not None
    assert paused == (await user.get(f"/api/chats/{chat}")).json
    again = await user.post(f"/api/chats/{chat}/pause")
    assert (again.status, again.json) == (200, paused)
    resumed = await user.post(f"/api/chats/{chat}/resume")
    assert resumed.json == paused | {"pausedAt": None}
    assert (await user.post(f"/api/chats/{chat}/resume")).json == resumed.json
    assert await _journal(sql, chat) == [("chat.paused", None, True), ("chat.resumed", None, True)]
    assert await _jobs(sql, chat) == 0


async def test_a_chat_whose_turn_cannot_be_read_is_not_paused(admin: Person, sql: Run) -> None:
    chat = await _chat(admin, sql)
    await keep_message(sql, chat, "Why?", "PROCESSING", turn='{"token": 5}')
    answer = await admin.post(f"/api/chats/{chat}/pause")
    assert answer.status == 409
    assert await _journal(sql, chat) == []


async def test_a_chat_is_erased_and_its_neighbour_is_not(
    admin: Person, sql: Run, engine: AsyncEngine
) -> None:
    chat = await _chat(admin, sql)
    bot = int(chat.partition(":")[0])
    neighbour = await keep_chat(sql, bot, 55)
    for key in (chat, neighbour):
        number = int(key.partition(":")[2])
        done = await keep_message(sql, key, "done", "COMPLETED")
        await sql(
            "UPDATE messages SET telegram_update_id = :update WHERE id = :id",
            update=number * 10,
            id=done,
        )
        await keep_message(sql, key, "now", "PROCESSING")
        await keep_message(sql, key, "said", None)
        for update, (state, owner) in enumerate(
            [("TAKEN", key), ("WAITING", key), ("IGNORED", None), ("UNREADABLE", None)]
        ):
            await sql(
                "INSERT INTO telegram_updates (bot_id, update_id, payload, chat_id, state)"
                " VALUES (:bot, :update, :payload, :chat, :state)",
                bot=bot,
                update=number * 10 + update,
                payload=json.dumps({"edited_message": {"chat": {"type": "private", "id": number}}}),
                chat=owner,
                state=state,
            )
        await admin.post(f"/api/chats/{key}/refresh")
        await sql(
            "INSERT INTO journal (key, at, id, event, effects, state)"
            " VALUES (:key, now(), 'x', '{}', '[]', 'x')",
            key=key,
        )
        await sql(
            "INSERT INTO pgqueuer (priority, status, entrypoint, payload)"
            " VALUES (0, 'picked', 'bot.handle_update', :chat)",
            chat=key.encode(),
        )
    await sql("UPDATE chats SET thread_id = 'conv_5' WHERE id = :chat", chat=chat)
    answer = await admin.delete(f"/api/chats/{chat}")
    assert (answer.status, answer.json) == (
        200,
        {
            "chatId": chat,
            "messages": 3,
            "processing": 2,
            "updates": 2,
            "requests": 1,
            "steps": 1,
            "jobs": 2,
        },
    )
    await Erasure(PostgresErasure(engine)).run()  # what else names the chat
    assert (await admin.get(f"/api/chats/{chat}")).status == 404
    assert (await admin.delete(f"/api/chats/{chat}")).status == 404
    ((reset,),) = await sql(
        "SELECT convert_from(payload, 'UTF8') FROM pgqueuer WHERE entrypoint = 'effect.perform'"
        " AND convert_from(payload, 'UTF8') LIKE :bot",
        bot=f'%"bot_id":{bot},%',
    )
    assert json.loads(reset) == {"type": "openai.resetThread", "bot_id": bot, "thread_id": "conv_5"}
    left = await sql(
        "SELECT (SELECT count(*) FROM messages WHERE bot_id = :bot),"
        " (SELECT count(*) FROM message_processing WHERE bot_id = :bot),"
        " (SELECT count(*) FROM telegram_updates WHERE bot_id = :bot),"
        " (SELECT count(*) FROM chat_requests WHERE chat_id LIKE :chats),"
        " (SELECT count(*) FROM journal WHERE key LIKE :chats)",
        bot=bot,
        chats=f"{bot}:%",
    )
    assert left == [(3, 2, 4, 1, 1)]
    assert (await _jobs(sql, chat), await _jobs(sql, neighbour)) == (0, 2)


async def test_a_conversation_that_begins_meanwhile_goes_with_its_chat(
    admin: Person, sql: Run, engine: AsyncEngine
) -> None:
    chat = await _chat(admin, sql)
    async with engine.begin() as turn:
        begun = text("UPDATE chats SET thread_id = 'conv_new' WHERE id = :chat")
        await turn.execute(begun, {"chat": chat})
        answer = asyncio.ensure_future(admin.delete(f"/api/chats/{chat}"))
        await somebody_waits(sql)
    assert (await answer).status == 200
    reset = msgspec.json.encode(ResetThread(int(chat.partition(":")[0]), "conv_new"))
    assert await sql("SELECT 1 FROM pgqueuer WHERE payload = :reset", reset=reset) == [(1,)]


async def test_what_a_person_did_is_told_without_what_was_said(admin: Person, sql: Run) -> None:
    chat = await _chat(admin, sql)
    await keep_message(sql, chat, "a secret of Anna's", None)
    for method, path, body, _ in ACTIONS:
        await admin.ask(method, f"/api/chats/{chat}{path}", body)
    entries = (await admin.get("/api/audit", params={"target": f"chat:{chat}"})).json["items"]
    assert [entry["action"] for entry in reversed(entries)] == [
        "write_message",
        "refresh_chat",
        "pause_chat",
        "resume_chat",
        "delete_chat",
    ]
    told = json.dumps(entries)
    assert "secret" not in told
    assert '"Hi"' not in told
    erased, resumed, paused, refreshed, wrote = entries
    assert (erased["before"]["messages"], erased["after"]) == (1, None)
    assert (paused["before"], paused["after"]) == ({"paused": False}, {"paused": True})
    assert (resumed["before"], resumed["after"]) == ({"paused": True}, {"paused": False})
    assert (refreshed["before"], refreshed["after"]["kind"]) == (None, "REFRESH")
    assert (wrote["before"], wrote["after"]["kind"]) == (None, "OPERATOR_MESSAGE")
