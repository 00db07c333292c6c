"""Processing over HTTP: lists, one alone with its timeline, and retries."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.journal_compression import packed
from tests.entrypoints.http.conftest import Person, Run, make_bot
from tests.entrypoints.http.rows import keep_chat, keep_message, keep_reply

ITEM = {
    *("id", "botId", "chatId", "telegramUpdateId", "text", "status", "attempts", "lastError"),
    *("lastErrorAt", "terminalReason", "price", "model", "inputTokens", "outputTokens"),
    *("partsSent", "responseGeneratedAt", "responseSentAt", "createdAt", "updatedAt"),
}


async def _chat(person: Person, sql: Run) -> str:
    return await keep_chat(sql, (await make_bot(person))["id"], 5)


async def test_one_alone_has_its_timeline(admin: Person, sql: Run) -> None:
    chat = await _chat(admin, sql)
    message = await keep_message(
        sql, chat, "Why?", "COMPLETED", price=Decimal("0.00012"), model="m", input_tokens=3
    )
    await keep_reply(sql, chat, "Because.", message)
    for event in ("telegram.updateReceived", "openai.replyGenerated"):
        await sql(
            "INSERT INTO journal (key, at, id, turn_id, event, effects, state)"
            " VALUES (:key, now(), :event, :turn, :json, :effects, 'x')",
            key=chat,
            event=event,
            turn=message,
            json=packed(f'{{"type": "{event}"}}'.encode()),
            effects=packed(b'[{"type": "telegram.sendMessage", "text": "\\u0000"}]'),
        )
    answer = await admin.get(f"/api/processing/{message}")
    assert answer.status == 200
    found = answer.json
    assert set(found) == ITEM | {"responseText", "responseMarkdown", "timeline"}
    assert (found["text"], found["responseText"], found["status"]) == (
        "Why?",
        "Because.",
        "COMPLETED",
    )
    assert found["responseMarkdown"] is True
    await sql("UPDATE messages SET in_context = false WHERE user_message_id = :id", id=message)
    notice = (await admin.get(f"/api/processing/{message}")).json
    assert (notice["responseText"], notice["responseMarkdown"]) == ("Because.", False)
    assert (found["price"], found["model"], found["inputTokens"]) == (0.00012, "m", 3)
    assert [step["event"]["type"] for step in found["timeline"]] == [
        "telegram.updateReceived",
        "openai.replyGenerated",
    ]
    assert found["timeline"][0]["effects"] == [{"type": "telegram.sendMessage", "text": "\x00"}]
    (item,) = (await admin.get(f"/api/processing?botId={found['botId']}")).json["items"]
    assert item == {key: found[key] for key in ITEM}


async def test_filters(admin: Person, user: Person, sql: Run) -> None:
    chat = await _chat(user, sql)
    bot_id = chat.partition(":")[0]
    done = await keep_message(sql, chat, "100% Sure_ly", "COMPLETED")
    ended = await keep_message(sql, chat, "never", "TERMINAL")
    for person in (admin, user):
        for query, expected in [
            ({}, [ended, done]),
            ({"status": "TERMINAL"}, [ended]),
            ({"status": "FAILED"}, []),
            ({"q": "100% sure_"}, [done]),
            ({"q": "100_"}, []),
            ({"from": "2020-01-01T00:00:00Z", "to": "2100-01-01"}, None),
            ({"from": "2100-01-01T00:00:00+01:00"}, []),
            ({"to": "2020-01-01T00:00:00Z"}, []),
        ]:
            answer = await person.get("/api/processing", params={"botId": bot_id, **query})
            if expected is None:
                assert (answer.status, answer.fields) == (400, ["to"])
            else:
                assert [item["id"] for item in answer.json["items"]] == expected, query


async def test_words_in_any_letters_and_of_any_length(
    admin: Person, user: Person, sql: Run
) -> None:
    chat = await _chat(user, sql)
    bot_id = chat.partition(":")[0]
    russian = await keep_message(sql, chat, "Привет, Ёжик!", "COMPLETED")
    latin = await keep_message(sql, chat, "privet", "COMPLETED")
    chinese = await keep_message(sql, chat, "日本語で話す", "TERMINAL")
    for person in (admin, user):
        for query, expected in [
            ({"q": "ПРИВЕТ"}, [russian]),
            ({"q": "ёжик"}, [russian]),
            ({"q": "privet"}, [latin]),
            ({"q": "語で話"}, [chinese]),
            ({"q": "本語"}, [chinese]),
            ({"q": "И"}, [russian]),
            ({"q": "iv"}, [latin]),
            ({"q": "%"}, []),
            ({"q": "iv", "status": "TERMINAL"}, []),
        ]:
            for narrowed in ({}, {"botId": bot_id}):
                answer = await person.get("/api/processing", params={**query, **narrowed})
                found = [
                    item["id"] for item in answer.json["items"] if item["botId"] == int(bot_id)
                ]
                assert found == expected, query


async def test_the_newest_first_is_by_time_and_goes_on(admin: Person, sql: Run) -> None:
    chat = await _chat(admin, sql)
    bot_id = chat.partition(":")[0]
    made = []
    for minutes in (2, 0, 1, 1):
        at = datetime.now(UTC).replace(second=0, microsecond=7) - timedelta(minutes=minutes)
        made.append(await keep_message(sql, chat, "Words", "COMPLETED", created_at=at))
    expected = [made[1], made[3], made[2], made[0]]
    found, cursor = [], ""
    while True:
        page = (await admin.get(f"/api/processing?botId={bot_id}&limit=1{cursor}")).json
        found += [item["id"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert found == expected


async def test_a_user_sees_only_its_own_in_order(admin: Person, user: Person, sql: Run) -> None:
    mine = [await _chat(user, sql), await _chat(user, sql)]
    theirs = await _chat(admin, sql)
    made = []
    for number in range(4):
        made.append(await keep_message(sql, mine[number % 2], f"m{number}", "COMPLETED"))
        hidden = await keep_message(sql, theirs, "secret", "TERMINAL")
    first = (await user.get("/api/processing?limit=3")).json
    assert [item["id"] for item in first["items"]] == made[:0:-1]
    rest = (await user.get(f"/api/processing?limit=3&cursor={first['nextCursor']}")).json
    assert rest["items"][0]["id"] == made[0]
    assert (await user.get(f"/api/processing/{hidden}")).status == 404
    assert (await user.post(f"/api/processing/{hidden}/retry")).status == 404


async def test_retry_of_a_terminal_one_joins_the_line(user: Person, sql: Run) -> None:
    chat = await _chat(user, sql)
    message = await keep_message(sql, chat, "again", "TERMINAL")
    answer = await user.post(f"/api/processing/{message}/retry")
    assert (answer.status, answer.json["status"]) == (202, "RECEIVED")
    rows = await sql(
        "SELECT kind, processing_id, taken_at FROM chat_requests WHERE chat_id = :c", c=chat
    )
    assert rows == [("RETRY", message, None)]
    assert await _jobs(sql, chat) == ["queued"]
    again = await user.post(f"/api/processing/{message}/retry")
    assert again.status == 409
    assert await _jobs(sql, chat) == ["queued"]


async def test_retry_of_a_failed_one_is_brought_forward(admin: Person, sql: Run) -> None:
    chat = await _chat(admin, sql)
    message = await keep_message(sql, chat, "later", "FAILED")
    ((job,),) = await sql(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after)"
        " VALUES (0, 'queued', 'bot.handle_update', :chat, now() + interval '1 hour') RETURNING id",
        chat=chat.encode(),
    )
    await sql("UPDATE chats SET owner_job_id = :job WHERE id = :chat", job=job, chat=chat)
    answer = await admin.post(f"/api/processing/{message}/retry")
    assert (answer.status, answer.json["status"]) == (202, "FAILED")
    assert await sql("SELECT execute_after <= now() FROM pgqueuer WHERE id = :job", job=job) == [
        (True,)
    ]
    assert await _jobs(sql, chat) == ["queued"]


async def test_retry_of_a_failed_one_whose_job_is_gone(admin: Person, sql: Run) -> None:
    chat = await _chat(admin, sql)
    message = await keep_message(sql, chat, "later", "FAILED")
    assert (await admin.post(f"/api/processing/{message}/retry")).status == 202
    assert await _jobs(sql, chat) == ["queued"]


@pytest.mark.parametrize("status", ["RECEIVED", "PROCESSING", "COMPLETED"])
async def test_what_is_not_over_or_is_done_is_not_retried(
    admin: Person, sql: Run, status: str
) -> None:
    chat = await _chat(admin, sql)
    message = await keep_message(sql, chat, "now", status)
    answer = await admin.post(f"/api/processing/{message}/retry")
    assert answer.status == 409
    assert status in answer.json["detail"]
    assert await _jobs(sql, chat) == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "x"},
        {"cursor": "x"},
        {"cursor": "W10"},
        {"status": "DONE"},
        {"botId": "x"},
        {"from": "yesterday"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"q": "x" * 201},
    ],
)
async def test_bad_parameters_are_400_and_named(admin: Person, query: dict[str, str]) -> None:
    answer = await admin.get("/api/processing", params=query)
    assert (answer.status, answer.fields) == (400, list(query))
    assert answer.headers["content-type"] == "application/problem+json"


async def test_odd_words_are_no_bug(admin: Person) -> None:
    for q in ("%ED%A0%80", "%00", "%FF", "%25", "%5C"):
        assert (await admin.get(f"/api/processing?q={q}")).status == 200


async def _jobs(sql: Run, chat: str) -> list[Any]:
    rows = await sql(
        "SELECT status::text FROM pgqueuer WHERE entrypoint = 'bot.handle_update' AND payload = :c",
        c=chat.encode(),
    )
    return [row[0] for row in rows]
