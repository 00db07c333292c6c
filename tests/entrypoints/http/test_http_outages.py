"""What the API says when a part is away, or when it has a bug."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from dishka import make_async_container
from litestar import Litestar, get

from entrypoints.http.app import create_app
from entrypoints.http.problems import answer
from entrypoints.http.request_log import RequestLog
from entrypoints.http.server import listening
from entrypoints.http_wiring import HttpProvider
from entrypoints.settings import Settings, WrongSetting, load
from entrypoints.wiring import SharedProvider
from tests.entrypoints.http.conftest import Person, serving

NOBODY_LISTENS = "127.0.0.1:1"
CREDENTIALS = {"email": "admin@example.com", "password": "x"}
BY_KEY = {"Authorization": "Bearer kd_" + "A" * 43}


async def _person(environ: dict[str, str]) -> AsyncIterator[Person]:
    settings = load(environ)
    container = make_async_container(SharedProvider(), HttpProvider(), context={Settings: settings})
    async with serving(create_app(container, settings)) as url, aiohttp.ClientSession() as session:
        yield Person(session, url)


@pytest.fixture
async def without_valkey(environ: dict[str, str]) -> AsyncIterator[Person]:
    async for person in _person(environ | {"REDIS_URL": f"redis://{NOBODY_LISTENS}/0"}):
        yield person


@pytest.fixture
async def without_postgres(environ: dict[str, str]) -> AsyncIterator[Person]:
    away = f"postgresql://postgres@{NOBODY_LISTENS}/kotodom"
    async for person in _person(environ | {"DATABASE_URL": away}):
        yield person


async def test_valkey_away(without_valkey: Person) -> None:
    ready = await without_valkey.get("/health/ready")
    assert (ready.status, ready.json["status"]) == (200, "degraded")
    assert ready.json["parts"]["valkey"] == "down"
    login = await without_valkey.post("/api/auth/login", CREDENTIALS)
    assert (login.status, login.headers["Retry-After"]) == (503, "2")
    assert "Valkey" in login.json["detail"]
    assert (await without_valkey.get("/api/bots")).status == 401
    cookie = {"Cookie": "kotodom_session=x"}
    assert (await without_valkey.get("/api/bots", headers=cookie)).status == 503
    # An API key needs no Valkey: this one is only wrong.
    assert (await without_valkey.get("/api/bots", headers=BY_KEY)).status == 401


async def test_valkey_hangs(environ: dict[str, str]) -> None:
    taken: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: taken.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async for person in _person(environ | {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}):
        asked = person.get("/health/ready"), person.post("/api/auth/login", CREDENTIALS)
        ready, login = await asyncio.wait_for(asyncio.gather(*asked), 30)
        assert (ready.status, ready.json["parts"]["valkey"]) == (200, "down")
        assert (login.status, login.headers["Retry-After"]) == (503, "2")
    silent.close()
    for writer in taken:
        writer.close()


async def test_postgres_away(without_postgres: Person) -> None:
    assert (await without_postgres.get("/health")).status == 200
    ready = await without_postgres.get("/health/ready")
    assert (ready.status, ready.json["status"]) == (503, "down")
    parts = ready.json["parts"]
    assert (parts["postgres"], parts["migrations"], parts["valkey"]) == ("down", "unknown", "ok")
    login = await without_postgres.post("/api/auth/login", CREDENTIALS)
    assert (login.status, login.headers["Retry-After"]) == (503, "2")
    assert "PostgreSQL" in login.json["detail"]
    assert NOBODY_LISTENS not in str(login.json)
    by_key = await without_postgres.get("/api/bots", headers=BY_KEY)
    assert (by_key.status, by_key.headers["Retry-After"]) == (503, "2")


async def test_a_bug_tells_only_an_id() -> None:
    @get("/bug")
    async def bug() -> None:
        raise LookupError("a secret")

    app = Litestar([bug], exception_handlers={Exception: answer}, logging_config=None)
    app.asgi_handler = RequestLog(app.asgi_handler)
    async with serving(app) as url, aiohttp.ClientSession() as session:
        told = await Person(session, url).get("/bug")
    assert told.status == 500
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json["id"] == told.headers["x-request-id"]
    assert "secret" not in str(told.json)


def test_a_busy_port_is_one_clear_line() -> None:
    with listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        told = pytest.raises(WrongSetting, match=f"PORT: cannot listen on 127.0.0.1:{port}")
        with told, listening("127.0.0.1", port):
            pass
