"""Every route of the OpenAPI document x every role x one's own, another's and an absent object.

A new route needs a line in TABLE (the test names those that have none): who may, what a success
answers, the body where it takes one, and what a list lists. A path's parameter is filled in by
OBJECTS, anew for each request. Whatever a role may by its session it may by an API key of that
role as well, save the routes of NO_KEY.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count
from typing import Any

import pytest

from domain.access import Role
from tests.entrypoints.http.conftest import PASSWORD, Api, Person, Run, new_token
from tests.entrypoints.http.objects import OBJECTS, RECORDING

_numbers = count(1)


class May(Enum):
    """Who may; whoever is not signed in gets 401 but where ANYONE may."""

    ANYONE = auto()
    SIGNED_IN = auto()
    OWNER = auto()
    """Of the bot: MANAGER and ADMIN for everybody's; what one may not see is 404."""
    MAKER = auto()
    """Of the API key: ADMIN for everybody's; what one may not see is 404."""
    STAFF = auto()
    """MANAGER and ADMIN; 403 for USER, whether there is such a thing or not."""
    ADMIN = auto()
    """403 for the others, whether there is such a thing or not."""


@dataclass(frozen=True)
class Line:
    """`answers`: the status of a success; `sends`: the JSON; `raw`: another body; `lists`: of what
    it lists one's own and, for those who see everybody's, another's.
    """

    may: May
    answers: int = 200
    sends: Callable[[], Any] | None = None
    raw: bytes | None = None
    lists: str | None = None


def new_email() -> str:
    return f"fresh{next(_numbers)}@example.com"


def credentials() -> Any:
    return {"email": "user@example.com", "password": PASSWORD}


def refused_password() -> Any:
    """Too short: what changes one is in test_http_auth.py, and ends the sessions of this test."""
    return {"currentPassword": "x", "newPassword": "short"}


def bot() -> Any:
    return {"name": "Bot", "token": new_token()}


def user() -> Any:
    return {"email": new_email(), "role": "USER", "password": PASSWORD}


TABLE: dict[str, Line] = {
    "POST /webhook/{bot_id}": Line(May.ANYONE, 401),  # it knows Telegram by its secret
    "GET /health": Line(May.ANYONE),
    "GET /health/ready": Line(May.ANYONE),
    "GET /metrics": Line(May.ANYONE),
    "POST /api/auth/login": Line(May.ANYONE, 200, credentials),
    "POST /api/auth/logout": Line(May.ANYONE, 204),
    "GET /api/auth/me": Line(May.SIGNED_IN),
    "POST /api/auth/password": Line(May.SIGNED_IN, 422, refused_password),
    "GET /api/users": Line(May.ADMIN, lists="user_id"),
    "POST /api/users": Line(May.ADMIN, 201, user),
    "PATCH /api/users/{user_id}": Line(May.ADMIN, 200, lambda: {"status": "ACTIVE"}),
    "GET /api/api-keys": Line(May.SIGNED_IN, lists="key_id"),
    "POST /api/api-keys": Line(May.SIGNED_IN, 201, lambda: {"name": "x", "role": "USER"}),
    "DELETE /api/api-keys/{key_id}": Line(May.MAKER, 204),
    "GET /api/bots": Line(May.SIGNED_IN, lists="bot_id"),
    "POST /api/bots": Line(May.SIGNED_IN, 201, bot),
    "POST /api/bots/check-token": Line(May.SIGNED_IN, 200, lambda: {"token": new_token()}),
    "GET /api/bots/{bot_id}": Line(May.OWNER),
    "PATCH /api/bots/{bot_id}": Line(May.OWNER, 200, lambda: {"name": "Renamed"}),
    "DELETE /api/bots/{bot_id}": Line(May.OWNER, 202),
    "POST /api/bots/{bot_id}/enable": Line(May.OWNER, 202),
    "POST /api/bots/{bot_id}/disable": Line(May.OWNER, 202),
    "POST /api/bots/{bot_id}/webhook": Line(May.OWNER, 202),
    "DELETE /api/bots/{bot_id}/webhook": Line(May.OWNER, 202),
    "GET /api/bots/{bot_id}/telegram": Line(May.OWNER),
    "GET /api/chats": Line(May.SIGNED_IN, lists="chat_id"),
    "GET /api/chats/{chat_id}": Line(May.OWNER),
    "GET /api/chats/{chat_id}/messages": Line(May.OWNER),
    "POST /api/chats/{chat_id}/messages": Line(May.OWNER, 202, lambda: {"text": "Hi"}),
    "POST /api/chats/{chat_id}/refresh": Line(May.OWNER, 202),
    "POST /api/chats/{chat_id}/pause": Line(May.OWNER),
    "POST /api/chats/{chat_id}/resume": Line(May.OWNER),
    "DELETE /api/chats/{chat_id}": Line(May.OWNER),
    "GET /api/chats.csv": Line(May.SIGNED_IN, lists="chat_id"),
    "GET /api/processing.csv": Line(May.SIGNED_IN, lists="processing_id"),
    "GET /api/stats": Line(May.SIGNED_IN),
    "GET /api/processing": Line(May.SIGNED_IN, lists="processing_id"),
    "GET /api/processing/retry": Line(May.SIGNED_IN),
    "POST /api/processing/retry": Line(May.SIGNED_IN, 202, lambda: {"filter": {}}),
    "GET /api/processing/failures": Line(May.SIGNED_IN),
    "GET /api/processing/{processing_id}": Line(May.OWNER),
    "POST /api/processing/{processing_id}/retry": Line(May.OWNER, 202),
    "GET /api/processing/{processing_id}/recording": Line(May.OWNER),
    "POST /api/replay": Line(May.SIGNED_IN, 200, raw=RECORDING),
    "GET /api/jobs": Line(May.STAFF, lists="job_id"),
    "GET /api/jobs/stats": Line(May.STAFF),
    "POST /api/jobs/{job_id}/requeue": Line(May.STAFF, 202),
    "DELETE /api/jobs/{job_id}": Line(May.STAFF, 204),
    "GET /api/settings": Line(May.ADMIN),
    "PUT /api/settings": Line(May.ADMIN, 200, lambda: {"retention.updatesDays": 30}),
    "POST /api/settings/alerts/test": Line(May.ADMIN, 409),  # there is no alert bot
    "POST /api/settings/alerts/link": Line(May.ADMIN, 409),
    "GET /api/audit": Line(May.ADMIN),
    "GET /api/events": Line(May.SIGNED_IN),
}

NO_KEY = {
    "POST /api/auth/password",
    "POST /api/api-keys",
    "POST /api/users",
    "PATCH /api/users/{user_id}",
}
"""Routes that refuse an API key with 403, for whatever else they do."""


@dataclass(frozen=True)
class Asker:
    """Somebody in a role (None: nobody), with a session or with an API key."""

    role: Role | None
    person: Person
    key: str | None = None

    def __str__(self) -> str:
        who = self.role.value if self.role is not None else "nobody"
        return f"{who} by key" if self.key is not None else who


@pytest.fixture(scope="module")
def environ(environ: dict[str, str]) -> dict[str, str]:
    """With a PUBLIC_URL, so that bots have webhooks."""
    return environ | {"PUBLIC_URL": "http://127.0.0.1:1"}


@pytest.fixture
async def askers(people: Callable[[], Person]) -> list[Asker]:
    """Signed in anew: signing out is one of the routes."""
    made = [Asker(None, people())]
    for role in Role:
        person = people()
        assert (await person.sign_in(f"{role.lower()}@example.com")).status == 200
        made.append(Asker(role, person))
        key = (await person.post("/api/api-keys", {"name": "x", "role": role.value})).json["key"]
        made.append(Asker(role, person, key))
    return made


@pytest.fixture(scope="module")
async def other(api: Api, people: Callable[[], Person]) -> Person:
    """A USER whose things are another's for everybody."""
    await api.users.create_user("other@example.com", PASSWORD, Role.USER)
    person = people()
    assert (await person.sign_in("other@example.com")).status == 200
    return person


@pytest.fixture(scope="module")
async def documented(people: Callable[[], Person]) -> dict[str, set[int]]:
    """The routes of the OpenAPI document, and the statuses that it tells of."""
    paths = (await people().get("/schema/openapi.json")).json["paths"]
    return {
        f"{method.upper()} {path}": {int(status) for status in operation["responses"]}
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


async def test_every_route_has_its_line(documented: dict[str, set[int]]) -> None:
    without_line = sorted(set(documented) - set(TABLE))
    without_route = sorted(set(TABLE) - set(documented))
    assert not without_line, f"routes without a line in TABLE: {', '.join(without_line)}"
    assert not without_route, f"lines of TABLE without a route: {', '.join(without_route)}"


@pytest.mark.parametrize("route", TABLE)
async def test_who_may(
    route: str,
    askers: list[Asker],
    other: Person,
    nobody: Person,
    sql: Run,
    documented: dict[str, set[int]],
) -> None:
    method, _, path = route.partition(" ")
    line = TABLE[route]
    wrong: list[str] = []
    answered: set[int] = set()
    for asker in askers:
        for whose in _objects(path, asker):
            parameter = _parameter(path)
            url = path
            if parameter is not None:
                make, absent = OBJECTS[parameter]
                owner = asker.person if whose == "own" else other
                value = absent if whose == "absent" else await make(owner, sql)
                url = path.replace(f"{{{parameter}}}", str(value))
            expected = _expected(route, line, asker, whose)
            found = await _ask(asker, nobody, method, url, line)
            answered.add(found)
            if found != expected:
                wrong.append(f"{asker}, {whose}: {found} instead of {expected}")
    assert wrong == []
    # A page of another origin gets 403 from the gate, whoever is signed in.
    if method != "GET" and path.startswith("/api/"):
        foreign = {"Origin": "https://evil.example"}
        assert (await nobody.ask(method, path, headers=foreign)).status == 403
        answered.add(403)
    untold = answered - documented[route]
    assert not untold, f"the OpenAPI document of {route} does not tell of {untold}"


@pytest.mark.parametrize("route", [route for route, line in TABLE.items() if line.lists])
async def test_whose_things_a_list_holds(
    route: str, askers: list[Asker], other: Person, nobody: Person, sql: Run
) -> None:
    path = route.partition(" ")[2]
    line = TABLE[route]
    make, _ = OBJECTS[line.lists or ""]
    for asker in askers:
        if asker.role is None or _expected(route, line, asker, "own") != line.answers:
            continue
        own, anothers = str(await make(asker.person, sql)), str(await make(other, sql))
        managers = (Role.ADMIN,) if line.lists == "key_id" else (Role.ADMIN, Role.MANAGER)
        found = await _listed(asker, nobody, path)
        assert (own in found, anothers in found) == (True, asker.role in managers), str(asker)


async def _listed(asker: Asker, nobody: Person, path: str) -> set[str]:
    """The ids of what a list holds for somebody, or the words of a file's rows."""
    headers = {"Authorization": f"Bearer {asker.key}"} if asker.key is not None else {}
    browser = asker.person if asker.key is None else nobody
    answer = await browser.get(path, params={"limit": "200"}, headers=headers)
    if isinstance(answer.json, str):
        return {word for row in answer.json.splitlines() for word in row.split(",")}
    return {str(item["id"]) for item in answer.json["items"]}


def _objects(path: str, asker: Asker) -> Iterator[str]:
    if _parameter(path) is None:
        yield "no object"
        return
    if asker.role is not None:
        yield "own"
    yield "another's"
    yield "absent"


def _parameter(path: str) -> str | None:
    return path.partition("{")[2].partition("}")[0] or None


def _expected(route: str, line: Line, asker: Asker, whose: str) -> int:
    role = asker.role
    if line.may is May.ANYONE:
        return line.answers
    if role is None:
        return 401
    if asker.key is not None and route in NO_KEY:
        return 403
    match line.may:
        case May.SIGNED_IN:
            seen = may = True
        case May.OWNER:
            seen, may = whose == "own" or role is not Role.USER, True
        case May.MAKER:
            seen, may = whose == "own" or role is Role.ADMIN, True
        case May.STAFF:
            seen, may = True, role is not Role.USER
        case May.ADMIN:
            seen, may = True, role is Role.ADMIN
    if not may:
        return 403
    return line.answers if seen and whose != "absent" else 404


async def _ask(asker: Asker, nobody: Person, method: str, url: str, line: Line) -> int:
    """The answer's status; of a stream that does not end, nothing more is read."""
    options: dict[str, Any] = {}
    if line.sends is not None:
        options["json"] = line.sends()
    if line.raw is not None:
        options["data"] = line.raw
    if asker.key is not None:
        options["headers"] = {"Authorization": f"Bearer {asker.key}"}
    browser = asker.person if asker.key is None else nobody
    async with browser.session.request(method, browser.url + url, **options) as response:
        return response.status
