"""/sandbox/ plays anybody, so it answers this machine only, and no proxy that stands on it."""

import pytest

from entrypoints.sandbox.server import SandboxServer
from tests.entrypoints.http.conftest import Person


@pytest.fixture(scope="module")
def environ(environ: dict[str, str], sandbox: SandboxServer) -> dict[str, str]:
    return environ | {"SANDBOX": "on", "KOTODOM_SANDBOX_URL": sandbox.url}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-For": "::1, 127.0.0.1", "X-Real-IP": "127.0.0.1"},
    ],
)
async def test_a_neighbour_may_come_in(nobody: Person, headers: dict[str, str]) -> None:
    assert (await nobody.get("/sandbox/", headers=headers)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"},
        {"X-Forwarded-For": "unknown"},
        {"X-Real-IP": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
    ],
)
async def test_who_comes_by_a_proxy_may_not(nobody: Person, headers: dict[str, str]) -> None:
    answer = await nobody.get("/sandbox/", headers=headers)
    assert answer.status == 403
    assert "this machine only" in answer.json["detail"]
