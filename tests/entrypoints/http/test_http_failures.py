"""Failures over HTTP: of what kinds they are, and another try of many at once."""

from typing import Any

import pytest

from application import failures as failures_module
from tests.entrypoints.http.conftest import Person, Run, make_bot
from tests.entrypoints.http.rows import keep_chat, keep_message

EMPTY: dict[str, Any] = {"filter": {}}
RETRY = "/api/processing/retry"


@pytest.fixture(autouse=True)
async def _nothing_failed_before(sql: Run) -> None:
    await sql("DELETE FROM message_processing")


async def _chat(person: Person, sql: Run, number: int = 5) -> str:
    return await keep_chat(sql, (await make_bot(person))["id"], number)


def _bot(chat: str) -> int:
    return int(chat.partition(":")[0])


async def _failed(sql: Run, chat: str, kind: str | None, minutes: int, **columns: Any) -> int:
    """A TERMINAL message that ended so many minutes ago."""
    status = columns.pop("status", "TERMINAL")
    message = await keep_message(sql, chat, "Why?", status, fingerprint=kind, **columns)
    await sql(
        "UPDATE message_processing SET updated_at = now() - make_interval(mins => :ago),"
        " created_at = now() - make_interval(mins => :ago) WHERE id = :id",
        ago=minutes,
        id=message,
    )
    return message


async def _lines(sql: Run, *chats: str) -> list[tuple[str, int]]:
    rows = await sql(
        "SELECT chat_id, processing_id FROM chat_requests"
        " WHERE chat_id = ANY(:chats) AND kind = 'RETRY' AND taken_at IS NULL ORDER BY id",
        chats=list(chats),
    )
    return [tuple(row) for row in rows]


async def _jobs(sql: Run, chat: str) -> list[bool]:
    """Of each of its jobs, whether it is due."""
    rows = await sql(
        "SELECT execute_after <= now() FROM pgqueuer"
        " WHERE entrypoint = 'bot.handle_update' AND payload = :c ORDER BY id",
        c=chat.encode(),
    )
    return [row[0] for row in rows]


# --- kinds ---------------------------------------------------------------------------------------


async def test_kinds_newest_first_page_by_page(admin: Person, user: Person, sql: Run) -> None:
    mine, other, theirs = await _chat(user, sql), await _chat(user, sql), await _chat(admin, sql)
    await _failed(sql, mine, "gave up: #", 30)
    second = await _failed(sql, other, "gave up: #", 20)
    bug = await _failed(sql, mine, "a bug: #", 10)
    later = await _failed(sql, other, "gave up: #", 5, status="FAILED")
    secret = await _failed(sql, theirs, "bot disabled", 1)
    await _failed(sql, mine, None, 0, status="COMPLETED")
    await _failed(sql, mine, "gave up: #", 0, status="RECEIVED")
    items = (await user.get("/api/processing/failures")).json["items"]
    assert [{**item, "lastAt": None} for item in items] == [
        {
            "fingerprint": kind,
            "status": status,
            "count": count,
            "bots": bots,
            "lastAt": None,
            "exampleId": example,
        }
        for kind, status, count, bots, example in [
            ("gave up: #", "FAILED", 1, [_bot(other)], later),
            ("a bug: #", "TERMINAL", 1, [_bot(mine)], bug),
            ("gave up: #", "TERMINAL", 2, [_bot(other), _bot(mine)], second),
        ]
    ]
    assert [item["lastAt"] for item in items] == sorted(
        (item["lastAt"] for item in items), reverse=True
    )
    everything = (await admin.get("/api/processing/failures")).json["items"]
    assert everything[0]["exampleId"] == secret
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "1", "cursor": cursor} if cursor else {"limit": "1"}
        page = (await user.get("/api/processing/failures", params=query)).json
        found += [item["exampleId"] for item in page["items"]]
        cursor = page["nextCursor"]
    assert found == [later, bug, second]


async def test_kinds_of_a_bot_and_of_a_time(
    admin: Person, manager: Person, user: Person, nobody: Person, sql: Run
) -> None:
    chat, other = await _chat(admin, sql), await _chat(admin, sql)
    old = await _failed(sql, chat, "old", 60 * 24 * 10)
    await _failed(sql, chat, "new", 5)
    await _failed(sql, other, "other", 5)
    ((before,),) = await sql("SELECT to_json(now() - interval '1 day')::text")
    url = f"/api/processing/failures?botId={_bot(chat)}"
    for person in (admin, manager):
        assert [item["fingerprint"] for item in (await person.get(url)).json["items"]] == [
            "new",
            "old",
        ]
    (item,) = (await admin.get(url, params={"to": before.strip('"')})).json["items"]
    assert item["exampleId"] == old
    (item,) = (await admin.get(url, params={"from": before.strip('"')})).json["items"]
    assert item["fingerprint"] == "new"
    assert (await user.get(url)).json == {"items": [], "nextCursor": None}
    for absent in ("0", "-1", str(2**63)):
        answer = await admin.get(f"/api/processing/failures?botId={absent}")
        assert (answer.status, answer.json["items"]) == (200, [])
    assert (await nobody.get(url)).status == 401


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"cursor": "x"},
        {"cursor": "NQ"},
        {"botId": "x"},
        {"from": "yesterday"},
        {"to": "0001-01-01T00:00:00+14:00"},
    ],
)
async def test_bad_parameters_are_400_and_named(admin: Person, query: dict[str, str]) -> None:
    answer = await admin.get("/api/processing/failures", params=query)
    assert (answer.status, answer.fields) == (400, list(query))


# --- another try of many -------------------------------------------------------------------------


async def test_all_that_may_be_are_tried_again(user: Person, admin: Person, sql: Run) -> None:
    mine, other, theirs = await _chat(user, sql), await _chat(user, sql), await _chat(admin, sql)
    first = await _failed(sql, mine, "x", 3)
    second = await _failed(sql, mine, "x", 2)
    third = await _failed(sql, other, "x", 1)
    await _failed(sql, mine, "x", 1, turn=None)
    for status in ("RECEIVED", "COMPLETED"):
        await _failed(sql, other, "x", 1, status=status)
    hidden = await _failed(sql, theirs, "x", 1)
    counted = await user.get(RETRY)
    assert (counted.status, counted.json) == (200, {"count": 3, "orMore": False})
    answer = await user.post(RETRY, EMPTY)
    assert (answer.status, answer.json) == (202, {"retried": 3, "left": 0})
    assert (await user.get(RETRY)).json["count"] == 0
    assert (await admin.get(RETRY)).json["count"] == 1
    assert await _lines(sql, mine, other) == [(mine, first), (mine, second), (other, third)]
    assert (await _jobs(sql, mine), await _jobs(sql, other)) == ([True], [True])
    assert (await user.get(f"/api/processing/{first}")).json["status"] == "RECEIVED"
    again = await user.post(RETRY, EMPTY)
    assert again.json == {"retried": 0, "left": 0}
    assert (await admin.get(f"/api/processing/{hidden}")).json["status"] == "TERMINAL"
    assert await _lines(sql, theirs) == []


async def test_failed_ones_are_brought_forward(user: Person, sql: Run) -> None:
    """One waits, one is due, one is being taken, and one has lost its job."""
    chats = {}
    for place, (status, due) in enumerate(
        [("queued", "1 hour"), ("queued", "-1 hour"), ("picked", "-1 hour"), (None, "")]
    ):
        chat = await _chat(user, sql)
        chats[place] = chat
        await _failed(sql, chat, "x", 1, status="FAILED")
        if status is not None:
            await sql(
                "WITH job AS (INSERT INTO pgqueuer (priority, status, entrypoint, payload,"
                " execute_after) VALUES (0, CAST(:status AS pgqueuer_status), 'bot.handle_update',"
                " :payload, now() + CAST(CAST(:due AS text) AS interval)) RETURNING id)"
                " UPDATE chats SET owner_job_id = job.id FROM job WHERE chats.id = :chat",
                status=status,
                payload=chat.encode(),
                due=due,
                chat=chat,
            )
    assert (await user.get(RETRY, params={"status": "FAILED"})).json["count"] == 2
    answer = await user.post(RETRY, {"filter": {"status": "FAILED"}})
    assert (answer.status, answer.json["retried"]) == (202, 2)
    assert [await _jobs(sql, chats[place]) for place in chats] == [[True]] * 4
    assert await _lines(sql, *chats.values()) == []


async def test_filters(admin: Person, manager: Person, sql: Run) -> None:
    chat, other = await _chat(admin, sql), await _chat(admin, sql)
    bot = _bot(chat)
    old = await _failed(sql, chat, "x", 60 * 24 * 10)
    new = await _failed(sql, chat, "x", 5)
    await _failed(sql, other, "x", 5)
    ((before,),) = await sql("SELECT to_json(now() - interval '1 day')::text")
    moment = before.strip('"')
    for wanted, retried in [
        ({"status": "COMPLETED"}, 0),
        ({"status": "FAILED"}, 0),
        ({"q": "100%"}, 0),
        ({"to": "2020-01-01T00:00:00Z"}, 0),
        ({"q": "WHY?", "to": moment, "status": "TERMINAL"}, 1),
        ({"from": moment}, 1),
        ({}, 0),
    ]:
        counted = await manager.get(RETRY, params={"botId": str(bot), **wanted})
        assert (counted.status, counted.json["count"]) == (200, retried), wanted
        answer = await manager.post(RETRY, {"filter": {"botId": bot, **wanted}})
        assert (answer.status, answer.json["retried"]) == (202, retried), wanted
    assert await _lines(sql, chat, other) == [(chat, old), (chat, new)]
    for absent in (0, -1, 2**63, 10**9):
        answer = await admin.post(RETRY, {"filter": {"botId": absent}})
        assert (answer.status, answer.json) == (202, {"retried": 0, "left": 0})
        assert (await admin.get(f"{RETRY}?botId={absent}")).json["count"] == 0


async def test_no_more_than_so_many_at_once(
    user: Person, sql: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures_module, "MOST_AT_ONCE", 2)
    chat = await _chat(user, sql)
    made = [await _failed(sql, chat, "x", 1) for _ in range(5)]
    wanted = {"filter": {"botId": _bot(chat)}}
    answers = [(await user.post(RETRY, wanted)).json for _ in range(3)]
    assert answers == [
        {"retried": 2, "left": 3},
        {"retried": 2, "left": 1},
        {"retried": 1, "left": 0},
    ]
    assert [message for _, message in await _lines(sql, chat)] == made


async def test_no_more_than_so_many_are_counted_before(
    user: Person, sql: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures_module, "LOOKED_AT", 3)
    chat = await _chat(user, sql)
    for _ in range(2):
        await _failed(sql, chat, "x", 1)
    for told in (False, True):
        await _failed(sql, chat, "x", 1)
        assert (await user.get(RETRY)).json == {"count": 3, "orMore": told}
        nowhere = {"count": 0, "orMore": told}
        assert (await user.get(f"{RETRY}?q=nowhere")).json == nowhere


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["filter"]),
        ({"filter": None}, ["filter"]),
        ({"filter": {"status": "DONE"}}, ["filter.status"]),
        ({"filter": {"botId": "5"}}, ["filter.botId"]),
        ({"filter": {"q": "x" * 201}}, ["filter.q"]),
        ({"filter": {"from": "yesterday"}}, ["filter.from"]),
        ({"filter": {"since": "2026-01-01T00:00:00Z"}}, ["filter.since"]),
        ({"filter": {}, "all": True}, ["all"]),
        ([], ["$"]),
    ],
)
async def test_what_is_no_filter(user: Person, body: Any, fields: list[str]) -> None:
    answer = await user.post(RETRY, body)
    assert (answer.status, answer.fields) == (422, fields)


async def test_odd_filters_are_no_bug(user: Person, nobody: Person) -> None:
    for q in ("", "\x00", "%", "\\", "_"):
        answer = await user.post(RETRY, {"filter": {"q": q, "botId": 1}})
        assert answer.status in (202, 422)
    answer = await user.post(RETRY, {"filter": {"from": "0001-01-01T00:00:00+14:00"}})
    assert (answer.status, answer.fields) == (400, ["filter.from"])
    assert (await nobody.post(RETRY, EMPTY)).status == 401
    assert (await nobody.get(RETRY)).status == 401


async def test_of_one_kind(admin: Person, user: Person, sql: Run) -> None:
    """What GET /api/processing/failures names, the list shows and a retry of many takes, alone."""
    mine, theirs = await _chat(user, sql), await _chat(admin, sql)
    kind = "gave up: #"
    wanted = [await _failed(sql, mine, kind, 30), await _failed(sql, mine, kind, 20)]
    await _failed(sql, mine, f"{kind}.", 10)
    await _failed(sql, mine, None, 5)
    # RECEIVED again, it is no failure any more.
    await _failed(sql, mine, kind, 1, status="RECEIVED")
    hidden = await _failed(sql, theirs, kind, 2)

    async def listed(person: Person, **asked: str) -> list[int]:
        query = {"fingerprint": kind, **asked}
        items = (await person.get("/api/processing", params=query)).json["items"]
        found = [item["id"] for item in items]
        rows = (await person.get("/api/processing.csv", params=query)).json.splitlines()[1:]
        assert [int(row.partition(",")[0]) for row in rows] == found
        return found

    newest_first = wanted[::-1]
    assert await listed(user) == newest_first
    assert await listed(user, q="why") == newest_first
    assert await listed(user, q="nowhere") == []
    assert await listed(user, status="FAILED") == []
    assert await listed(admin) == [hidden, *newest_first]
    assert await listed(admin, fingerprint="gave up: ##") == []
    for person, asked, left in ((user, wanted, 0), (admin, [hidden], 0)):
        counted = (await person.get(RETRY, params={"fingerprint": kind})).json
        assert counted["count"] == len(asked)
        answer = await person.post(RETRY, {"filter": {"fingerprint": kind}})
        assert (answer.status, answer.json) == (202, {"retried": len(asked), "left": left})
    assert await _lines(sql, mine, theirs) == [
        *((mine, message) for message in wanted),
        (theirs, hidden),
    ]
