"""Chats and messages over HTTP."""

import pytest

from tests.entrypoints.http.conftest import Person, Run, make_bot
from tests.entrypoints.http.rows import keep_chat, keep_message, keep_reply


async def test_a_chat_and_its_messages(admin: Person, sql: Run) -> None:
    bot = await make_bot(admin)
    chat = await keep_chat(sql, bot["id"], -1001234567890123)
    asked = await keep_message(sql, chat, "Hello?", "COMPLETED")
    await keep_reply(sql, chat, "Hi! " * 200, asked)
    listed = (await admin.get(f"/api/chats?botId={bot['id']}")).json
    assert listed["nextCursor"] is None
    (item,) = listed["items"]
    assert item == (await admin.get(f"/api/chats/{chat}")).json
    assert (item["id"], item["botId"], item["telegramChatId"]) == (
        chat,
        bot["id"],
        -1001234567890123,
    )
    assert (item["name"], item["username"]) == ("Anna -1001234567890123", "anna_1001234567890123")
    assert (item["topicId"], item["threadId"], item["pausedAt"]) == (None, None, None)
    assert item["lastMessage"]["sender"] == "BOT"
    assert item["lastMessage"]["text"] == ("Hi! " * 200)[:300]
    messages = (await admin.get(f"/api/chats/{chat}/messages")).json["items"]
    assert [(one["sender"], one["text"]) for one in messages] == [
        ("BOT", "Hi! " * 200),
        ("USER", "Hello?"),
    ]
    assert [one["processing"] for one in messages] == [None, {"id": asked, "status": "COMPLETED"}]
    assert messages[1]["tgUserId"] == 5
    assert [one["markdown"] for one in messages] == [True, False]
    # What the bot says itself, as to /help, is no answer of the model.
    await sql("UPDATE messages SET in_context = false WHERE user_message_id = :id", id=asked)
    notice, _ = (await admin.get(f"/api/chats/{chat}/messages")).json["items"]
    assert (notice["sender"], notice["markdown"]) == ("BOT", False)


async def test_the_latest_message_first_page_by_page(user: Person, sql: Run) -> None:
    first, second = await make_bot(user), await make_bot(user)
    made = [
        await keep_chat(sql, (first, second)[number % 2]["id"], number + 1, minutes_ago=number)
        for number in range(5)
    ]
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (
            await user.get(
                "/api/chats", params={"limit": "2", "cursor": cursor} if cursor else {"limit": "2"}
            )
        ).json
        found += [chat["id"] for chat in page["items"]]
        cursor = page["nextCursor"]
    assert found == made


async def test_messages_page_by_page(admin: Person, sql: Run) -> None:
    chat = await keep_chat(sql, (await make_bot(admin))["id"], 7)
    made = [await keep_message(sql, chat, f"{number}", None) for number in range(5)]
    first = (await admin.get(f"/api/chats/{chat}/messages?limit=3")).json
    rest = (
        await admin.get(
            f"/api/chats/{chat}/messages", params={"limit": "3", "cursor": first["nextCursor"]}
        )
    ).json
    assert [one["id"] for one in (*first["items"], *rest["items"])] == made[::-1]
    assert rest["nextCursor"] is None


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("ANNA 4242", True),
        ("anna_4242", True),
        ("4242", True),
        ("%", False),
        ("_", True),
        ("nobody", False),
        ("\x00", True),
        ("\\", False),
        ("9" * 19, False),
        ("🦊", False),
    ],
)
async def test_search(admin: Person, sql: Run, q: str, *, found: bool) -> None:
    bot = await make_bot(admin)
    chat = await keep_chat(sql, bot["id"], 4242)
    answer = await admin.get("/api/chats", params={"botId": str(bot["id"]), "q": q})
    assert answer.status == 200
    assert [one["id"] for one in answer.json["items"]] == ([chat] if found else [])


async def test_active_since(admin: Person, sql: Run) -> None:
    bot = await make_bot(admin)
    fresh = await keep_chat(sql, bot["id"], 1, minutes_ago=1)
    await keep_chat(sql, bot["id"], 2, minutes_ago=60)
    (moment,) = (
        await sql("SELECT to_char(now() - interval '10 min', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    )[0]
    listed = await admin.get("/api/chats", params={"botId": str(bot["id"]), "activeSince": moment})
    assert [chat["id"] for chat in listed.json["items"]] == [fresh]


async def test_what_a_user_may_not_see_is_not_there(admin: Person, user: Person, sql: Run) -> None:
    bot = await make_bot(admin)
    chat = await keep_chat(sql, bot["id"], 9)
    assert (await user.get(f"/api/chats/{chat}")).status == 404
    assert (await user.get(f"/api/chats/{chat}/messages")).status == 404
    assert (await user.get(f"/api/chats?botId={bot['id']}")).json["items"] == []
    everything = (await user.get("/api/chats?limit=200")).json["items"]
    assert chat not in [one["id"] for one in everything]


@pytest.mark.parametrize("chat", ["x", "1", "1:2:3:4", "999:999", "%00", "1:%00", "1:" + "9" * 30])
async def test_ids_that_are_none_are_404(admin: Person, chat: str) -> None:
    assert (await admin.get(f"/api/chats/{chat}")).status == 404
    assert (await admin.get(f"/api/chats/{chat}/messages")).status == 404


async def test_an_unseen_bot_in_a_filter_is_an_empty_list(admin: Person) -> None:
    for bot_id in ("999999", "-1", "9" * 25):
        answer = await admin.get(f"/api/chats?botId={bot_id}")
        assert (answer.status, answer.json) == (200, {"items": [], "nextCursor": None})
