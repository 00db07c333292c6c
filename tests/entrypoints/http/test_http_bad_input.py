"""Bad input of every kind, sent by somebody who may: a problem with a sentence, and never a 500.

What nobody who asks is known for is in test_http_gate.py, who may what in test_http_access.py.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from yarl import URL

from domain.turn import Status
from tests.entrypoints.http.conftest import PASSWORD, Answer, Api, Person, make_bot, new_token
from tests.entrypoints.http.objects import NO_USER

HUGE = "9" * 25
"""Beyond a bigint."""
ENDLESS = "9" * 5000
"""Beyond what Python makes an int of."""
PROBLEM = "application/problem+json"
JSON = "application/json"
SETTINGS, RETRY, REPLAY = "/api/settings", "/api/processing/retry", "/api/replay"


def cursor(*key: Any) -> str:
    """A cursor as a list makes it, with any key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Bad:
    """A request and what it gets; `fields` are those that the problem names."""

    status: int
    method: str
    path: str
    body: bytes | None = None
    fields: tuple[str, ...] = ()
    type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        body = (self.body or b"").decode("latin-1")
        return f"{self.status} {self.method} {self.path} {body}"[:70]


def queries(path: str, name: str, *values: str) -> list[Bad]:
    """400s, each for one value of a query's parameter."""
    return [Bad(400, "GET", f"{path}?{name}={value}", fields=(name,)) for value in values]


def bodies(method: str, path: str, **told: str) -> list[Bad]:
    """422s: JSON by the path of the field that it names (__ stands for a dot)."""
    return [
        Bad(422, method, path, body.encode(), (name.replace("__", "."),))
        for name, body in told.items()
    ]


BAD = [
    # 400: what cannot be read
    *queries("/api/bots", "limit", "0", "201", "-1", "x", "", "1.5", "%00", HUGE, ENDLESS),
    *queries("/api/bots", "limit", "1.0", "1e1", "%2B1", "1_0", "%EF%BC%91", "%201"),
    *queries("/api/bots", "cursor", "", "x", "%00", "%ff", "a" * 501, cursor(1), cursor({})),
    *queries(
        "/api/chats",
        "cursor",
        "MQ",  # 1
        cursor("2026-11-27T12:00:00Z", "\0"),
        cursor("2026-11-27T12:00:00", "1:5"),
        cursor("0001-01-01T00:00:00+14:00", "1:5"),
        cursor("9999-12-31T23:59:59-14:00", "1:5"),
        cursor("2026-11-27T12:00:00Z", "1:5", 1),
    ),
    *queries("/api/processing", "cursor", cursor("9999-12-31T23:59:59-14:00", 1)),
    *queries("/api/processing/failures", "cursor", cursor("0001-01-01T00:00:00+14:00", 1)),
    *queries("/api/audit", "cursor", cursor("x", 1)),
    *queries("/api/users", "cursor", cursor("0001-01-01T00:00:00+14:00", "x")),
    # Every list, with every kind of key that none of its items has.
    *(
        bad
        for path in ("bots", "jobs", "api-keys", "chats/1:5/messages")
        for bad in queries(f"/api/{path}", "cursor", "MA", "LTE", "OTIyMzM3MjAzNjg1NDc3NTgwOA")
    ),
    *(
        bad
        for path in ("processing", "processing/failures", "audit")
        for bad in queries(
            f"/api/{path}",
            "cursor",
            cursor("2026-11-27T12:00:00", 1),
            cursor("9999-12-31T23:59:59-14:00", 1),
            cursor("2026-11-27T12:00:00Z", 0),
            cursor("2026-11-27T12:00:00Z", 2**63),
            cursor("2026-11-27T12:00:00Z", "1"),
        )
    ),
    *queries(
        "/api/users",
        "cursor",
        cursor("2026-11-27T12:00:00Z", "x"),
        cursor("2026-11-27T12:00:00Z", "\0"),
        cursor("2026-11-27T12:00:00", NO_USER),
        cursor("9999-12-31T23:59:59-14:00", NO_USER),
    ),
    *queries("/api/chats", "botId", "x", "", "1.5", "[]", "true"),
    *queries("/api/chats", "q", "x" * 201),
    *queries(
        "/api/chats",
        "activeSince",
        "x",
        "",
        "2026-11-27",
        "2026-11-27T12:00:00+02:00",  # its + is a space
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-14:00",
        "1e400",
        "nan",
        HUGE,
        "0",
        "-1",
        "1700000000",
        "1700000000.5",
    ),
    *queries("/api/processing", "fingerprint", "%00", "x" * 201),
    *queries("/api/processing", "status", "x", "", "completed", "%00"),
    *queries("/api/processing", "from", "yesterday"),
    *queries("/api/jobs", "status", "QUEUED"),
    *queries("/api/stats", "days", "0", "91", HUGE),
    *queries("/api/audit", "actor", "x" * 321),
    Bad(400, "GET", "/api/processing?from=x&to=y", fields=("from", "to")),
    Bad(400, "POST", "/api/bots", b""),
    Bad(400, "POST", "/api/bots", b"{"),
    Bad(400, "POST", "/api/bots", b"\xff"),
    Bad(400, "POST", "/api/bots", b"\xef\xbb\xbf{}"),  # a byte order mark
    Bad(400, "POST", "/api/bots", b'{"name": "\\ud800"}'),
    Bad(400, "POST", "/api/bots", b'{"temperature": NaN}'),
    Bad(400, "PATCH", "/api/bots/1", b"{]"),
    Bad(400, "POST", RETRY, b'{"filter":{"from":"9999-12-31T23:59:59-14:00"}}', ("filter.from",)),
    *(Bad(400, "POST", REPLAY, body, type="text/plain") for body in (b"", b"\xff", b"{}", b"x")),
    # 401: whoever shows something wrong is not whom the cookie names
    *(
        Bad(401, "GET", "/api/bots", headers={"Authorization": shown})
        for shown in ("", "Bearer", "Bearer x", "kd_x", "Bearer kd_" + "é" * 43)
    ),
    # 404: malformed ids as well as absent ones
    *(
        Bad(404, "GET", f"/api/bots/{given}")
        for given in ("x", "-1", "0", "1.5", "%00", "%ff", HUGE, ENDLESS, "..%2f1")
    ),
    *(
        Bad(404, "GET", f"/api/chats/{given}")
        for given in ("x", "%00", "%ed%a0%80", f"{HUGE}:5", f"1:{HUGE}", "1:", "x" * 5000)
    ),
    Bad(404, "GET", f"/api/processing/{HUGE}"),
    Bad(404, "POST", f"/api/jobs/{HUGE}/requeue"),
    Bad(404, "DELETE", f"/api/api-keys/{HUGE}"),
    Bad(404, "PATCH", "/api/users/%00", b"{}"),
    Bad(404, "PATCH", "/api/users/not-a-uuid", b"{}"),
    Bad(404, "GET", "/schema/no-such-page"),
    Bad(404, "GET", "/no-such-page"),
    # 405
    Bad(405, "PUT", "/api/bots/1"),
    Bad(405, "DELETE", "/api/bots"),
    Bad(405, "POST", "/api/chats.csv"),
    Bad(405, "GET", "/webhook/1"),
    Bad(405, "POST", "/schema"),
    Bad(405, "POST", "/admin/"),
    Bad(405, "DELETE", "/admin/bots"),
    Bad(405, "TRACE", "/api/bots"),
    # 413
    Bad(413, "POST", "/api/bots", b" " * (1024 * 1024 + 1)),
    Bad(413, "POST", REPLAY, b" " * (10 * 1024 * 1024 + 1), type="text/plain"),
    # 415
    *(
        Bad(415, "POST", "/api/bots", b"{}", type=given)
        for given in ("", "x", "text/plain", "multipart/form-data; boundary=x", "text/json")
    ),
    Bad(415, "POST", REPLAY, b"{}"),
    # 422: the path of the field
    Bad(422, "POST", "/api/bots", b"[]", ("$",)),
    *bodies(
        "POST",
        "/api/bots",
        name='{"name": 1, "token": "1:a"}',
        token='{"name": "x"}',
        historyMessages='{"name": "x", "token": "1:a", "historyMessages": "1"}',
        maxOutputTokens='{"name": "x", "token": "1:a", "maxOutputTokens": ' + HUGE + "}",
        temperature='{"name": "x", "token": "1:a", "temperature": 1e308}',
        telegramMode='{"name": "x", "token": "1:a", "telegramMode": "webhook"}',
        telegramApiUrl='{"name": "x", "token": "1:a", "telegramApiUrl": "ftp://x"}',
        unheardOf='{"name": "x", "token": "1:a", "unheardOf": 1}',
    ),
    Bad(422, "POST", "/api/bots", b'{"name": "\\u0000", "token": "1:a"}', ("name",)),
    *bodies("POST", RETRY, filter__botId='{"filter": {"botId": "1"}}'),
    *bodies("POST", RETRY, filter__from='{"filter": {"from": "2026-11-27"}}'),
    *bodies("POST", RETRY, filter='{"filter": []}'),
    # What is no words would mean all messages.
    *bodies("POST", RETRY, filter__q='{"filter": {"q": " "}}'),
    *bodies("POST", RETRY, filter__q='{"filter": {"q": ""}}'),
    *bodies("POST", RETRY, filter__q='{"filter": {"q": "\\u0000"}}'),
    *bodies("POST", RETRY, filter__fingerprint='{"filter": {"fingerprint": "\\u0000"}}'),
    *bodies("POST", "/api/users", role='{"email": "a@b.c", "role": "user", "password": "x"}'),
    # Control characters, and those that turn a line around.
    *(
        Bad(
            422,
            "POST",
            "/api/users",
            json.dumps({"email": f"a{odd}b@b.c", "role": "USER", "password": PASSWORD}).encode(),
            ("email",),
        )
        for odd in "\x07\x7f\u202e\u2066\u200b"
    ),
    Bad(422, "PUT", SETTINGS, b'{"retention.updatesDays": true}', ("retention.updatesDays",)),
    Bad(422, "PUT", SETTINGS, b'{"openai.baseUrl": "http://[::1"}', ("openai.baseUrl",)),
    Bad(422, "PUT", SETTINGS, b'{"alerts.chatId": "\\u0000"}', ("alerts.chatId",)),
    Bad(422, "PUT", SETTINGS, b'{"unheard.of": 1}', ("unheard.of",)),
]


@pytest.mark.parametrize("bad", BAD, ids=str)
async def test_bad_input(bad: Bad, admin: Person, api: Api) -> None:
    headers = bad.headers | ({"Content-Type": bad.type} if bad.body is not None else {})
    url = URL(api.url + bad.path, encoded=True)
    options: Any = {"data": bad.body, "headers": headers, "allow_redirects": False}
    async with admin.session.request(bad.method, url, **options) as response:
        told = await response.json(content_type=None)
        _check(Answer(response.status, told, response.headers, None), bad.status, bad.fields)


def _check(answer: Answer, status: int, fields: tuple[str, ...] = ()) -> None:
    assert answer.status == status, answer.json
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert (answer.headers.get("www-authenticate") == "Bearer") is (status == 401)
    assert answer.json["detail"].endswith((".", ")")) or fields, answer.json
    assert tuple(answer.fields) == fields
    assert all(error["message"] for error in answer.json.get("errors", ()))
    assert "Traceback" not in str(answer.json)
    assert ("Allow" in answer.headers) is (status == 405)
    assert ("Retry-After" in answer.headers) is (status in (429, 503))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("bots?limit=201", "must be a whole number from 1 to 200"),
        ("chats?q=" + "x" * 201, "must have at most 200 characters"),
        ("processing?status=x", f"must be one of {', '.join(Status)}"),
        ("processing?botId=x", "must be a whole number"),
        ("processing?from=x", "must be a moment, as 2026-11-27T12:00:00Z"),
    ],
)
async def test_a_parameter_is_refused_in_words(path: str, words: str, admin: Person) -> None:
    answer = await admin.get(f"/api/{path}")
    assert [error["message"] for error in answer.json["errors"]] == [words]


async def test_an_id_is_written_in_one_way(admin: Person) -> None:
    number = str((await make_bot(admin))["id"])
    full_width = quote("".join(chr(ord("０") + int(digit)) for digit in number))
    assert (await admin.get(f"/api/bots/{number}")).status == 200
    for given in (
        *(f"{odd}{number}" for odd in ("0", "0_", "+", "%2B", "%20", "%09")),
        f"{number}%20",
        full_width,
    ):
        url = URL(f"{admin.url}/api/bots/{given}", encoded=True)
        async with admin.session.get(url) as response:
            assert response.status == 404, given


async def test_what_is_odd_but_can_be_read(admin: Person) -> None:
    """An unseen botId is an empty list, of two values the last one counts, others are not read."""
    bot = await make_bot(admin)
    for path in (
        f"/api/chats?botId={HUGE}",
        "/api/chats?botId=-5",
        "/api/chats?q=%00",
        "/api/chats?q=%ff",
        "/api/chats?q=%25%5f%5c",
        f"/api/stats?botId={HUGE}",
        "/api/audit?target=%ed%a0%80",
    ):
        answer = await admin.ask("GET", str(path))
        assert answer.status == 200, path
        assert not answer.json.get("items"), path
    assert len((await admin.get("/api/bots?limit=200&limit=1&unheard=of")).json["items"]) == 1
    assert (await admin.get(f"/api/bots/{bot['id']}/")).status == 200


async def test_head_and_options(admin: Person) -> None:
    head = await admin.ask("HEAD", "/health")
    assert (head.status, head.headers["content-type"]) == (405, PROBLEM)
    assert "GET" in head.headers["Allow"]
    options = await admin.ask("OPTIONS", "/api/bots")
    assert options.status == 204
    assert "GET" in options.headers["Allow"]
    _check(await admin.ask("OPTIONS", "/no-such-page"), 404)


async def test_conflicts(admin: Person) -> None:
    bot = {"name": "x", "token": new_token()}
    assert (await admin.post("/api/bots", bot)).status == 201
    _check(await admin.post("/api/bots", bot), 409)
    user = {"email": "user@example.com", "role": "USER", "password": PASSWORD}
    _check(await admin.post("/api/users", user), 409)
    _check(await admin.post("/api/settings/alerts/test"), 409)


async def test_forbidden(user: Person) -> None:
    for answer in (
        await user.get("/api/users"),
        await user.get("/api/jobs"),
        await user.put(SETTINGS, {}),
        await user.post("/api/bots", {"name": "x", "token": new_token(), "baseUrl": "http://x"}),
        await user.post("/api/bots", {}, headers={"Origin": "https://evil.example"}),
    ):
        _check(answer, 403, tuple(answer.fields))


async def test_too_many(people: Callable[[], Person]) -> None:
    stranger = people()
    answers = [await stranger.sign_in("nobody@example.com", "wrong") for _ in range(7)]
    for answer in answers[:-1]:
        _check(answer, 401)
    _check(answers[-1], 429)


@pytest.mark.parametrize(
    "cookie",
    ["kotodom_session", "=;;;==", 'kotodom_session="x', f"kotodom_session={'x' * 5000}", "é=é; ;"],
)
async def test_malformed_cookies_are_nobodys(nobody: Person, cookie: str) -> None:
    headers = {"Cookie": cookie}
    _check(await nobody.get("/api/bots", headers=headers), 401)
    assert (await nobody.post("/api/auth/logout", headers=headers)).status == 204


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",  # TLS
        b"FOO /api/bots HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/bots HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET /api/bots HTTP/9\r\n\r\n",
    ],
)
async def test_what_is_no_http_gets_a_problem_too(api: Api, sent: bytes) -> None:
    address = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(sent)
    head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 400 ")
    assert f"content-type: {PROBLEM}".encode() in head
    assert json.loads(body)["status"] == 400
