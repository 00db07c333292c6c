"""What holds of every request: errors, origins, headers, proxies."""

from typing import Any

import pytest

from entrypoints.http.security import Gate
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
