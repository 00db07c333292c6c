"""CSV files over HTTP: what stands in them, for whom, and that any number of rows streams."""

import csv
import io
from decimal import Decimal

import pytest

from application.exports import PAGE
from tests.entrypoints.http.conftest import Person, Run, make_bot
from tests.entrypoints.http.rows import keep_chat, keep_message, keep_reply

CHATS = [
    *("id", "botId", "telegramChatId", "topicId", "name", "username", "threadId", "tgUserId"),
    *("pausedAt", "createdAt", "lastMessageAt", "lastMessageSender", "lastMessageText"),
    "lastMessageCreatedAt",
]
PROCESSING = [
    *("id", "botId", "chatId", "telegramUpdateId", "text", "status", "attempts", "lastError"),
    *("lastErrorAt", "terminalReason", "price", "model", "inputTokens", "outputTokens"),
    *("partsSent", "responseGeneratedAt", "responseSentAt", "createdAt", "updatedAt"),
]


async def _rows(person: Person, path: str, **query: str) -> list[dict[str, str]]:
    answer = await person.get(path, params=query)
    assert answer.status == 200, answer.json
    assert answer.json.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.json.removeprefix("\ufeff"), newline="")))


async def test_chats(user: Person, sql: Run) -> None:
    bot = (await make_bot(user))["id"]
    chat = await keep_chat(sql, bot, -100500)
    await sql("UPDATE chats SET name = '=cmd|''/C calc''!A0' WHERE id = :id", id=chat)
    message = await keep_message(sql, chat, 'Say "hi",\nplease', "COMPLETED")
    await keep_reply(sql, chat, "+1", message)
    answer = await user.get(f"/api/chats.csv?botId={bot}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="chats.csv"'
    assert answer.json.splitlines()[0].removeprefix("\ufeff").split(",") == CHATS
    (row,) = await _rows(user, "/api/chats.csv", botId=str(bot))
    assert row["name"] == "'=cmd|'/C calc'!A0"
    assert (row["id"], row["telegramChatId"], row["botId"]) == (chat, "-100500", str(bot))
    assert (row["lastMessageSender"], row["lastMessageText"]) == ("BOT", "'+1")
    listed = (await user.get(f"/api/chats?botId={bot}")).json["items"][0]
    assert row["createdAt"] == listed["createdAt"]
    assert row["lastMessageAt"] == listed["lastMessageAt"]
    assert row["pausedAt"] == ""


async def test_processing(user: Person, sql: Run) -> None:
    bot = (await make_bot(user))["id"]
    chat = await keep_chat(sql, bot, 5)
    done = await keep_message(sql, chat, "Тест, да", "COMPLETED", price=Decimal("0.00012"))
    ended = await keep_message(sql, chat, "-2+3", "TERMINAL", terminal_reason="@gone")
    answer = await user.get(f"/api/processing.csv?botId={bot}")
    assert answer.headers["content-disposition"] == 'attachment; filename="processing.csv"'
    assert answer.json.splitlines()[0].removeprefix("\ufeff").split(",") == PROCESSING
    first, second = await _rows(user, "/api/processing.csv", botId=str(bot))
    assert (first["id"], first["text"], first["terminalReason"]) == (str(ended), "'-2+3", "'@gone")
    assert (second["id"], second["text"], second["price"]) == (str(done), "Тест, да", "0.00012")
    (only,) = await _rows(user, "/api/processing.csv", botId=str(bot), status="TERMINAL")
    assert only["id"] == str(ended)
    assert await _rows(user, "/api/processing.csv", botId=str(bot), q="nothing") == []


async def test_filters_of_chats(user: Person, sql: Run) -> None:
    bot = (await make_bot(user))["id"]
    old, new = await keep_chat(sql, bot, 71, 600), await keep_chat(sql, bot, 72)
    for query, expected in [
        ({}, [old, new]),
        ({"q": "anna_71"}, [old]),
        ({"q": "72"}, [new]),
        ({"activeSince": "2100-01-01T00:00:00Z"}, []),
    ]:
        rows = await _rows(user, "/api/chats.csv", botId=str(bot), **query)
        assert [row["id"] for row in rows] == expected


async def test_more_rows_than_are_read_at_once(admin: Person, sql: Run) -> None:
    bot = (await make_bot(admin))["id"]
    count = 2 * PAGE + 1
    await sql(
        "INSERT INTO chats (id, telegram_chat_id, bot_id, name, last_message_at)"
        " SELECT CAST(:bot AS bigint) || ':' || n, n, :bot, 'Chat', now()"
        " FROM generate_series(1, :count) n",
        bot=bot,
        count=count,
    )
    await sql(
        "WITH said AS (INSERT INTO messages (chat_id, bot_id, sender, text)"
        " SELECT CAST(:bot AS bigint) || ':' || n, :bot, 'USER', 'Words'"
        " FROM generate_series(1, :count) n"
        " RETURNING id, chat_id) INSERT INTO message_processing"
        " (id, user_message_id, bot_id, chat_id, status)"
        " SELECT id, id, :bot, chat_id, 'COMPLETED' FROM said",
        bot=bot,
        count=count,
    )
    for path in ("/api/chats.csv", "/api/processing.csv"):
        rows = await _rows(admin, path, botId=str(bot))
        assert len({row["id"] for row in rows}) == len(rows) == count


async def test_exactly_as_many_rows_as_are_read_at_once(admin: Person, sql: Run) -> None:
    bot = (await make_bot(admin))["id"]
    await sql(
        "INSERT INTO chats (id, telegram_chat_id, bot_id, name, last_message_at)"
        f" SELECT {bot} || ':' || n, n, {bot}, 'Chat', now() FROM generate_series(1, {PAGE}) n"
    )
    assert len(await _rows(admin, "/api/chats.csv", botId=str(bot))) == PAGE


async def test_a_client_that_leaves_harms_nobody(admin: Person, sql: Run) -> None:
    for _ in range(12):  # more than there are connections
        url = admin.url + "/api/processing.csv"
        async with admin.session.get(url) as answer:
            await answer.content.read(10)
            answer.close()
    assert (await admin.get("/api/processing?limit=1")).status == 200
    in_use = await sql(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state = 'idle in transaction'"
    )
    assert in_use == [(0,)]


@pytest.mark.parametrize("path", ["/api/chats.csv", "/api/processing.csv"])
async def test_who_sees_what(
    admin: Person, manager: Person, user: Person, nobody: Person, sql: Run, path: str
) -> None:
    mine, theirs = (await make_bot(user))["id"], (await make_bot(admin))["id"]
    for bot in (mine, theirs):
        await keep_message(sql, await keep_chat(sql, bot, 5), "Words", "COMPLETED")
    seen = {int(row["botId"]) for row in await _rows(user, path)}
    assert mine in seen and theirs not in seen
    assert await _rows(user, path, botId=str(theirs)) == []
    assert await _rows(user, path, botId=str(2**63)) == []
    for person in (admin, manager):
        assert {mine, theirs} <= {int(row["botId"]) for row in await _rows(person, path)}
    assert (await nobody.get(path)).status == 401


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/chats.csv", {"botId": "x"}),
        ("/api/chats.csv", {"activeSince": "yesterday"}),
        ("/api/processing.csv", {"status": "DONE"}),
        ("/api/processing.csv", {"from": "0001-01-01T00:00:00+14:00"}),
    ],
)
async def test_bad_parameters_are_400_and_named(
    admin: Person, path: str, query: dict[str, str]
) -> None:
    answer = await admin.get(path, params=query)
    assert (answer.status, answer.fields) == (400, list(query))
