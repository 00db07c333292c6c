"""What holds of every request: errors, origins, headers, proxies."""

import asyncio
from typing import Any

import pytest
from yarl import URL

from adapters.child_process import wait_until
from entrypoints.http.security import SESSION_COOKIE, Gate
from tests.entrypoints.http.conftest import Api, Person

LOGIN = "/api/auth/login"
WRONG = {"email": "a@example.com", "password": "wrong"}


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/no/such/page", {}, 404),
        ("GET", "/api/no-such-thing", {}, 404),
        ("PATCH", "/api/bots", {}, 405),
        ("GET", LOGIN, {}, 405),
        ("GET", "/api/bots", {}, 401),
        ("POST", "/api/bots", {"data": b"{"}, 401),
        ("POST", LOGIN, {"data": b"{"}, 400),
        ("POST", LOGIN, {"data": b""}, 400),
        ("POST", LOGIN, {"data": b"\xff"}, 400),
        ("POST", LOGIN, {"data": b'{"email": "\\ud800", "password": "x"}'}, 400),
        ("POST", LOGIN, {"data": b'{"email": ' + b"[" * 100_000}, 422),
        ("POST", LOGIN, {"data": b"null"}, 422),
        ("POST", LOGIN, {"data": b"[1]"}, 422),
        ("POST", LOGIN, {"data": b'{"email": 1}'}, 422),
        ("POST", LOGIN, {"data": b"x" * (1024 * 1024 + 1)}, 413),
        ("POST", LOGIN, {"data": b"a=b", "type": "application/x-www-form-urlencoded"}, 415),
    ],
)
async def test_every_error_is_a_problem(
    nobody: Person, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    headers = {"Content-Type": options.get("type", "application/json")}
    answer = await nobody.ask(method, path, data=options.get("data"), headers=headers)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["title"] and answer.json["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    if status == 405:
        assert answer.headers["allow"]


async def test_headers(nobody: Person) -> None:
    headers = (await nobody.get("/health")).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert "strict-transport-security" not in headers
    assert "server" not in headers
    assert (await nobody.get("/api/auth/me")).headers["cache-control"] == "no-store"


async def test_the_length_of_an_answer_tells_nothing_of_its_words(admin: Person) -> None:
    """What strangers write is in one answer with what is private: compressed, it would (BREACH)."""
    headers = {"Accept-Encoding": "br, gzip, deflate"}
    for number in range(3):
        user = {"email": f"{'a' * 200}{number}@example.org", "password": "correct horse"}
        await admin.post("/api/users", json={**user, "role": "USER"})
    answer = await admin.get("/api/users", headers=headers)
    assert answer.status == 200 and len(str(answer.json)) > 500
    assert "content-encoding" not in answer.headers


async def test_foreign_pages_are_refused(nobody: Person, api: Api) -> None:
    host = api.url.partition("//")[2]
    port = host.rpartition(":")[2]
    for origin in (
        "null",
        "https://evil.example",
        "http://127.0.0.1:1",
        f"http://{host}.evil",
        "x",
    ):
        answer = await nobody.post(LOGIN, WRONG, headers={"Origin": origin})
        assert answer.status == 403, origin
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await nobody.get("/health", headers={"Origin": origin})).status == 200
    for origin, asked in (
        (api.url, host),
        (f"https://localhost:{port}", f"localhost:{port}"),
        ("https://our.example", "our.example"),
        ("http://our.example:80", "our.example"),
    ):
        answer = await nobody.post(LOGIN, WRONG, headers={"Origin": origin, "Host": asked})
        assert answer.status == 401, origin
    webhook = await nobody.post("/webhook/1", {}, headers={"Origin": "https://evil.example"})
    assert webhook.status == 401


@pytest.mark.parametrize(
    "path",
    [
        "//api/bots/1/disable",
        "/api//bots/1/disable",
        "/api/bots/1/disable//",
        "/%2Fapi/bots/1/disable",
        "/api%2fbots/1/disable",
        "/api/./bots/1/disable",
        "/health/../api/bots/1/disable",
        "/%2e%2e/api/bots/1/disable",
        "/api\\bots/1/disable",
    ],
)
async def test_a_path_has_one_reading(api: Api, admin: Person, path: str) -> None:
    """What the router would take for another path is answered to nobody, and audited."""
    cookie = _cookie_of(admin)
    answer = await _raw(api, f"POST {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n")
    assert b" 404 " in answer.partition(b"\r\n")[0]
    assert b"x-content-type-options: nosniff" in answer and b"application/problem+json" in answer
    (last,) = (await admin.get("/api/audit?limit=1")).json["items"]
    assert (last["action"], last["status"]) == ("none", 404)
    assert "disable" in last["target"]


async def test_who_goes_before_the_body_has_come_is_no_bug(
    api: Api, admin: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    cookie = _cookie_of(admin)
    await _raw(
        api,
        f"PUT /api/settings HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        go=True,
    )

    async def kept() -> bool:
        (last,) = (await admin.get("/api/audit?limit=1")).json["items"]
        return bool((last["action"], last["status"]) == ("put_settings", 499))

    await wait_until(kept, 5)
    assert "request.bug" not in capsys.readouterr().out


def _cookie_of(person: Person) -> str:
    kept = person.session.cookie_jar.filter_cookies(URL(person.url))
    return f"{SESSION_COOKIE}={kept[SESSION_COOKIE].value}"


async def _raw(api: Api, request: str, go: bool = False) -> bytes:
    """What is answered to bytes that no client would send; `go`: without waiting for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(api.url).port)
    writer.write(request.encode())
    await writer.drain()
    answer = b"" if go else await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("peer", "headers", "client", "scheme"),
    [
        (
            "10.0.0.1",
            {"x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https"},
            "1.1.1.1",
            "https",
        ),
        ("10.0.0.1", {"x-forwarded-for": "9.9.9.9, 1.1.1.1, 10.0.0.2"}, "1.1.1.1", "http"),
        ("::ffff:10.0.0.1", {"x-forwarded-for": "2001:db8::1"}, "2001:db8::1", "http"),
        (
            "192.0.2.1",
            {"x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https"},
            "192.0.2.1",
            "http",
        ),
        ("10.0.0.1", {"x-forwarded-proto": "gopher"}, "10.0.0.1", "http"),
        ("10.0.0.1", {"x-forwarded-for": "1.2.3.4:5678"}, "1.2.3.4", "http"),
        ("10.0.0.1", {"x-forwarded-for": "[2001:db8::1]:443"}, "2001:db8::1", "http"),
        ("10.0.0.1", {"x-forwarded-for": "[2001:DB8:0::1], 10.0.0.2:80"}, "2001:db8::1", "http"),
        # What is no address: the proxy that wrote it stays the one who asks.
        ("10.0.0.1", {"x-forwarded-for": "unknown"}, "10.0.0.1", "http"),
        ("10.0.0.1", {"x-forwarded-for": "x" * 2000}, "10.0.0.1", "http"),
        ("10.0.0.1", {"x-forwarded-for": "fe80::1%" + "x" * 2000}, "10.0.0.1", "http"),
        ("10.0.0.1", {"x-forwarded-for": "1.1.1.1, unknown, 10.0.0.2"}, "10.0.0.2", "http"),
    ],
)
async def test_trusted_proxies(
    peer: str, headers: dict[str, str], client: str, scheme: str
) -> None:
    scope, sent = await _through_gate(Gate(_hello, None, ("10.0.0.0/8",)), peer, headers)
    assert (scope["client"][0], scope["scheme"]) == (client, scheme)
    assert (b"strict-transport-security" in dict(sent[0]["headers"])) is (scheme == "https")


@pytest.mark.parametrize(
    ("public_url", "origin", "status"),
    [
        ("https://bots.example", "https://bots.example", 200),
        ("https://bots.example:8443", "https://bots.example:8443", 200),
        ("https://bots.example:8443", "https://bots.example", 403),
        ("https://bots.example", "http://bots.example", 403),
    ],
)
async def test_public_url_is_ours(public_url: str, origin: str, status: int) -> None:
    headers = {"origin": origin, "host": "inner:8000"}
    _, sent = await _through_gate(Gate(_hello, public_url, ()), "10.0.0.1", headers)
    assert sent[0]["status"] == status


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _through_gate(gate: Gate, peer: str, headers: dict[str, str]) -> tuple[Any, list[Any]]:
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": "/api/x",
        "raw_path": b"/api/x",
        "scheme": "http",
        "client": (peer, 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    await gate(scope, receive, send)
    return scope, sent
