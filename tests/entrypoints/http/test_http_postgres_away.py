"""PostgreSQL is stopped, or hangs, under an api that runs: what everybody is told, and after it.

The api has less patience here than it really has, or each test would take half a minute.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from dishka import make_async_container

from adapters.child_process import wait_until
from adapters.data_directory import DataDirectory
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.postgres_migrations import migrate
from adapters.postgres_transactions import engine as make_engine
from adapters.secret_box import SecretBox
from adapters.service_process import running
from application.users import Users, UserStore
from domain.access import Role
from entrypoints import wiring
from entrypoints.http.app import create_app
from entrypoints.http_wiring import HttpProvider
from entrypoints.settings import Settings, load
from entrypoints.wiring import SharedProvider
from tests.entrypoints.http.conftest import (
    PASSWORD,
    Answer,
    Passwords,
    Person,
    QuickProvider,
    make_bot,
    serving,
)

PATIENCE = 1.0
SECONDS = 60.0
"""What waits for longer hangs."""
EMAIL = "admin@example.com"


class OwnPostgres:
    """A PostgreSQL that may be stopped, started again, and made to hang."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedPostgres(DataDirectory.open(folder / ".data"))
        self._stack = AsyncExitStack()
        self.url = self._server.address.dsn()

    async def start(self) -> None:
        server = running(self._server, 5, ("-c", "fsync=off"))
        self._process = await self._stack.enter_async_context(server)

    async def stop(self) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        """It is away: connections are refused."""
        await self.stop()
        yield
        await self.start()

    @asynccontextmanager
    async def hanging(self) -> AsyncIterator[None]:
        """It takes connections, and answers nothing."""
        postmaster = psutil.Process(self._process.pid)
        servers = [postmaster, *postmaster.children(recursive=True)]
        for server in servers:
            server.suspend()
        try:
            yield
        finally:
            for server in servers:
                server.resume()


@pytest.fixture(scope="module")
async def postgres_of_its_own() -> AsyncIterator[OwnPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="kotodom-tests-"))
    server = OwnPostgres(folder)
    await server.start()
    made = make_engine(server.url, pool_size=1)
    await migrate(made)
    await made.dispose()
    yield server
    await server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
async def admin(postgres_of_its_own: OwnPostgres, environ: dict[str, str]) -> AsyncIterator[Person]:
    """An administrator of an api on that PostgreSQL."""
    settings = load(environ | {"DATABASE_URL": postgres_of_its_own.url})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "PATIENCE", PATIENCE)
        container = make_async_container(
            SharedProvider(), HttpProvider(), QuickProvider(), context={Settings: settings}
        )
        users = Users(await container.get(UserStore), await container.get(Passwords))
        await users.create_user(EMAIL, PASSWORD, Role.ADMIN)
        jar = aiohttp.CookieJar(unsafe=True)
        async with (
            serving(create_app(container, settings)) as url,
            aiohttp.ClientSession(cookie_jar=jar) as session,
        ):
            person = Person(session, url)
            assert (await person.sign_in(EMAIL)).status == 200
            yield person


Requests = dict[str, Callable[[], Awaitable[Answer]]]


@pytest.fixture
async def requests(admin: Person, environ: dict[str, str]) -> AsyncIterator[Requests]:
    """One of every kind; all of them succeed while PostgreSQL is there."""
    bot = (await make_bot(admin))["id"]
    key = await admin.post("/api/api-keys", {"name": "script", "role": "ADMIN"})
    secret = SecretBox(environ["SECRET_KEY"]).webhook_secret(bot)
    update = {"update_id": 7, "edited_message": {}}
    async with aiohttp.ClientSession() as session:
        script, by_key = Person(session, admin.url), {"Authorization": f"Bearer {key.json['key']}"}
        webhook = {"X-Telegram-Bot-Api-Secret-Token": secret}
        credentials = {"email": EMAIL, "password": PASSWORD}
        yield {
            "webhook": lambda: script.post(f"/webhook/{bot}", update, headers=webhook),
            "login": lambda: script.post("/api/auth/login", credentials),
            "me": lambda: admin.get("/api/auth/me"),
            "list": lambda: admin.get("/api/bots"),
            "list by key": lambda: script.get("/api/processing", headers=by_key),
            "one": lambda: admin.get(f"/api/bots/{bot}"),
            "statistics": lambda: admin.get("/api/stats"),
            "unsafe": lambda: admin.post(f"/api/bots/{bot}/disable"),
            "unsafe by key": lambda: script.post(f"/api/bots/{bot}/disable", headers=by_key),
            "settings": lambda: admin.put("/api/settings", {"retention.jobLogDays": 7}),
            "csv": lambda: admin.get("/api/chats.csv"),
            "csv by key": lambda: script.get("/api/processing.csv", headers=by_key),
            "events": lambda: _opened(admin, "/api/events"),
        }


@pytest.mark.parametrize("away", [OwnPostgres.stopped, OwnPostgres.hanging])
async def test_away_and_back_by_itself(
    postgres_of_its_own: OwnPostgres,
    admin: Person,
    requests: Requests,
    away: Callable[[OwnPostgres], Any],
) -> None:
    before = await _all(requests)
    assert {name: answer.status for name, answer in before.items() if answer.status >= 300} == {}
    listening = await admin.session.get(f"{admin.url}/api/events")
    async with away(postgres_of_its_own):
        asked = asyncio.create_task(_all(requests))
        assert (await admin.get("/health")).status == 200
        await wait_until(lambda: _is_ready(admin, 503), 10)  # a look is shared for a second
        ready = await admin.get("/health/ready")
        assert (ready.status, ready.json["status"]) == (503, "down")
        parts = ready.json["parts"]
        assert (parts["postgres"], parts["workers"], parts["valkey"]) == ("down", "unknown", "ok")
        assert "kotodom_database_up 0.0" in (await admin.get("/metrics")).json
        for name, answer in (await asked).items():
            assert answer.status == 503, name
            assert answer.headers["Content-Type"] == "application/problem+json", name
            assert int(answer.headers["Retry-After"]) > 0, name
            told = str(answer.json)
            assert "PostgreSQL is away" in told, name
            assert not any(
                word in told for word in ("Traceback", "Error", ".s.PGSQL", "kotodom-tests")
            )

    async def answered_again() -> bool:
        return {name: one.status for name, one in (await _all(requests)).items()} == {
            name: one.status for name, one in before.items()
        }

    await wait_until(lambda: _is_ready(admin, 200), SECONDS)
    await wait_until(answered_again, SECONDS)
    async with asyncio.timeout(SECONDS), listening:  # what was open has stayed so
        while b'"type":"bot"' not in await listening.content.readline():
            pass


async def _is_ready(person: Person, status: int) -> bool:
    return (await person.get("/health/ready")).status == status


async def _all(requests: Requests) -> dict[str, Answer]:
    """Ask everything at once."""
    async with asyncio.timeout(SECONDS):
        answers = await asyncio.gather(*(ask() for ask in requests.values()))
    return dict(zip(requests, answers, strict=True))


async def _opened(person: Person, path: str) -> Answer:
    """A stream's beginning, or what is answered instead of it."""
    async with person.session.get(person.url + path) as response:
        json = None if response.status == 200 else await response.json(content_type=None)
        return Answer(response.status, json, response.headers, response.cookies)
