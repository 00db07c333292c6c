"""The HTTP application over real HTTP, with users of each role signed in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

import aiohttp
import pytest
import uvicorn
from argon2.profiles import RFC_9106_LOW_MEMORY
from dishka import Provider, Scope, make_async_container, provide
from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.argon2_passwords import Argon2Passwords
from adapters.child_process import wait_until
from application.users import Passwords, Users, UserStore
from domain.access import Role
from entrypoints.http.app import create_app
from entrypoints.http.server import listening, uvicorn_server
from entrypoints.http_wiring import HttpProvider
from entrypoints.sandbox.server import SandboxServer
from entrypoints.settings import Settings, load
from entrypoints.wiring import SharedProvider

SECRET_KEY = "a secret key of at least 32 characters"
PASSWORD = "correct horse"
QUICK = replace(RFC_9106_LOW_MEMORY, time_cost=1, memory_cost=1024, parallelism=1)
_numbers = count(1_000_001)


class QuickProvider(Provider):
    """Passwords by the same code, with parameters that cost a test a hundredth of the time."""

    scope = Scope.APP

    @provide(override=True)
    def passwords(self) -> Passwords:
        return Argon2Passwords(QUICK)


@dataclass
class Api:
    """A running API: its address, its settings, and the people of the test."""

    url: str
    settings: Settings
    users: Users


@dataclass
class Answer:
    """A response, read."""

    status: int
    json: Any
    headers: Any
    cookies: Any

    @property
    def fields(self) -> list[str]:
        """The fields that a problem names."""
        return [error["field"] for error in self.json.get("errors", ())]


class Person:
    """A browser: it keeps its cookies."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def ask(self, method: str, path: str, json: Any = None, **options: Any) -> Answer:
        if json is not None:
            options["json"] = json
        async with self.session.request(method, self.url + path, **options) as response:
            body = await response.read()
            is_json = response.content_type.endswith(("/json", "+json"))
            return Answer(
                response.status,
                await response.json(content_type=None) if body and is_json else body.decode(),
                response.headers,
                response.cookies,
            )

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Answer:
        return await self.ask("POST", path, json, **options)

    async def patch(self, path: str, json: Any) -> Answer:
        return await self.ask("PATCH", path, json)

    async def put(self, path: str, json: Any) -> Answer:
        return await self.ask("PUT", path, json)

    async def delete(self, path: str) -> Answer:
        return await self.ask("DELETE", path)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Answer:
        return await self.post("/api/auth/login", {"email": email, "password": password})


@pytest.fixture(scope="module")
def environ(database_url: str, valkey_url: str, sandbox: SandboxServer) -> dict[str, str]:
    """The environment that the API runs under; a module may add to it."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
        "SECRET_KEY": SECRET_KEY,
        "TELEGRAM_API_URL": sandbox.telegram_url,
        "TELEGRAM_TIMEOUT": "2",
        "SANDBOX": "off",
    }


@pytest.fixture(scope="module")
async def api(environ: dict[str, str]) -> AsyncIterator[Api]:
    """The application on a free port of 127.0.0.1."""
    settings = load(environ)
    container = make_async_container(
        SharedProvider(), HttpProvider(), QuickProvider(), context={Settings: settings}
    )
    users = Users(await container.get(UserStore), await container.get(Passwords))
    for role in Role:
        await users.create_user(f"{role.lower()}@example.com", PASSWORD, role)
    async with serving(create_app(container, settings)) as url:
        yield Api(url, settings, users)


@asynccontextmanager
async def serving(app: Litestar) -> AsyncIterator[str]:
    """An application over real HTTP; its address."""
    with listening("127.0.0.1", 0) as listener:
        server = uvicorn_server(app)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await wait_until(partial(_started, server), 10)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running


async def _started(server: uvicorn.Server) -> bool:
    return server.started


@pytest.fixture(scope="module")
async def people(api: Api) -> AsyncIterator[Callable[[], Person]]:
    """New browsers, without cookies."""
    made: list[aiohttp.ClientSession] = []

    def new() -> Person:
        jar = aiohttp.CookieJar(unsafe=True)
        made.append(aiohttp.ClientSession(cookie_jar=jar))
        return Person(made[-1], api.url)

    yield new
    for session in made:
        await session.close()


async def _signed_in(people: Callable[[], Person], role: Role) -> Person:
    person = people()
    answer = await person.sign_in(f"{role.lower()}@example.com")
    assert answer.status == 200
    return person


@pytest.fixture(scope="module")
async def admin(people: Callable[[], Person]) -> Person:
    return await _signed_in(people, Role.ADMIN)


@pytest.fixture(scope="module")
async def manager(people: Callable[[], Person]) -> Person:
    return await _signed_in(people, Role.MANAGER)


@pytest.fixture(scope="module")
async def user(people: Callable[[], Person]) -> Person:
    return await _signed_in(people, Role.USER)


@pytest.fixture
async def nobody(people: Callable[[], Person]) -> Person:
    return people()


def new_token() -> str:
    """A token that no bot of the tests has."""
    return f"{next(_numbers)}:AAAAbbbbCCCCddddEEEEffffGGGGhhhh123"


async def make_bot(person: Person, **fields: Any) -> dict[str, Any]:
    """A new bot of the person's."""
    answer = await person.post("/api/bots", {"name": "Bot", "token": new_token()} | fields)
    assert answer.status == 201, answer.json
    bot: dict[str, Any] = answer.json
    return bot


Run = Callable[..., Awaitable[Any]]


@pytest.fixture
def sql(engine: AsyncEngine) -> Run:
    """Runs a statement; its rows, where it has some."""

    async def run(statement: str, **values: Any) -> Any:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return result.all() if result.returns_rows else None

    return run
