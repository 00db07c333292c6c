"""schemathesis over the whole OpenAPI document, as ADMIN, as USER, and as nobody.

Each operation gets the document's own example of its body first, and then a few requests that
fit the document and a few that do not, about a thing of the asker's own two times in three. Every
answer must be one of those that the document tells of, in status, type, headers and body, and never
a 5xx. The examples are the same in every run.

GET /api/events is asked by nobody only: its stream has no end, and nothing would be left to check.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks
from valkey.asyncio import Valkey

from domain.access import Role
from entrypoints.openapi import api_document
from tests.entrypoints.http.conftest import PASSWORD, Api, Person, Run
from tests.entrypoints.http.objects import OBJECTS

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = 4
"""Requests of each kind, to each operation, of each asker; of nobody, who mostly gets 401, half."""
ENDLESS = "streamEvents"
READINESS = "ready"
"""It may well say 503: no worker takes the jobs of these tests."""
NO_SUCCESS = {
    "testAlerts": 409,  # there is no alerts' bot
    "linkAlerts": 409,
    "receiveUpdate": 401,  # only Telegram knows the secret
}
"""What an administrator's request by the document's example is answered, where that is no 2xx."""
OWN_BODIES: dict[str, Callable[[str], Any]] = {
    "login": lambda email: {"email": email, "password": PASSWORD},
    "changePassword": lambda _: {"currentPassword": PASSWORD, "newPassword": "a better one"},
}
"""Bodies that hold what is the asker's own, by their e-mail."""

# Without deadlines, shrinking and a database: what a run does depends on the document alone.
SETTINGS = hypothesis.settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
SCHEMA = schemathesis.openapi.from_dict(api_document())
OPERATIONS = {
    operation.definition.raw["operationId"]: operation
    for operation in (result.ok() for result in SCHEMA.get_all_operations())
}
_numbers = count(1)


@schemathesis.serializer("application/x-ndjson")
def _lines(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """A recording is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@dataclass(frozen=True)
class Asker:
    """Somebody new in a role, with what they show; nobody where there is no role."""

    role: Role | None
    email: str
    person: Person
    headers: dict[str, str]


async def _asker(role: Role | None, api: Api, people: Callable[[], Person]) -> Asker:
    """ADMIN asks with a session, USER with an API key."""
    person = people()
    if role is None:
        return Asker(None, "nobody@example.com", person, {})
    email = f"asker{next(_numbers)}@example.com"
    await api.users.create_user(email, PASSWORD, role)
    assert (await person.sign_in(email)).status == 200
    if role is Role.ADMIN:
        cookies = [f"{each.key}={each.value}" for each in person.session.cookie_jar]
        return Asker(role, email, person, {"Cookie": "; ".join(cookies)})
    made = await person.post("/api/api-keys", {"name": "x", "role": role.value})
    return Asker(role, email, person, {"Authorization": f"Bearer {made.json['key']}"})


@pytest.fixture(scope="module")
def environ(environ: dict[str, str]) -> dict[str, str]:
    """With a PUBLIC_URL, so that bots have webhooks."""
    return environ | {"PUBLIC_URL": "http://127.0.0.1:1"}


@pytest.fixture(autouse=True)
async def forget_wrong_passwords(valkey: Valkey) -> None:
    """Or the address of all of them is soon refused."""
    for key in await valkey.keys("kotodom:wrong-passwords:*"):
        await valkey.delete(key)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.USER, None], ids=str)
@pytest.mark.parametrize("operation_id", OPERATIONS)
async def test_answers_are_as_documented(
    operation_id: str, role: Role | None, api: Api, people: Callable[[], Person], sql: Run
) -> None:
    if operation_id == ENDLESS and role is not None:
        return
    operation = OPERATIONS[operation_id]
    asker = await _asker(role, api, people)
    parameter = operation.path.partition("{")[2].partition("}")[0]
    own: int | str | None = None
    if parameter:
        make, absent = OBJECTS[parameter]
        own = await make(asker.person, sql) if role is not None else absent
    things = {parameter: own} if parameter else {}
    # In a thread: the API answers in this one.
    status = await asyncio.to_thread(_ask_all, operation, api.url, asker, things)
    if role is Role.ADMIN and operation_id != READINESS:
        refused = NO_SUCCESS.get(operation_id)
        assert status == refused if refused is not None else 200 <= status < 300, status


def _ask_all(
    operation: schemathesis.APIOperation, url: str, asker: Asker, things: dict[str, Any]
) -> int:
    """What the document's example was answered; the rest need only be as documented."""
    session = requests.Session()
    session.trust_env = False
    told = operation.definition.raw
    judged = [
        check
        for check in CHECKS
        if check is not not_a_server_error or told["operationId"] != READINESS
    ]

    def ask(case: schemathesis.Case) -> int:
        _stay_here(case)
        session.cookies.clear()
        answer = case.call_and_validate(url, session, asker.headers, checks=judged)
        return int(answer.status_code)

    body: dict[str, Any] = {}
    for media_type, content in told.get("requestBody", {}).get("content", {}).items():
        own = OWN_BODIES.get(told["operationId"])
        shown = content["example"] if own is None else own(asker.email)
        body = {"media_type": media_type, "body": shown}
    status = ask(operation.Case(path_parameters=dict(things), **body))
    examples = EXAMPLES if asker.role is not None else EXAMPLES // 2
    for mode in GenerationMode:

        @hypothesis.settings(SETTINGS, max_examples=examples)
        @hypothesis.given(
            operation.as_strategy(generation_mode=mode), st.sampled_from([True, True, False])
        )
        def ask_some(case: schemathesis.Case, known: bool) -> None:
            if known:
                case.path_parameters |= things
            ask(case)

        # Nothing can be wrong with what is sent to an operation that takes nothing.
        with contextlib.suppress(hypothesis.errors.Unsatisfiable):
            ask_some()
    return status


def _stay_here(case: schemathesis.Case) -> None:
    """No request makes the server ask another host than the tests' own."""
    if isinstance(case.body, dict):
        for name in ("telegramApiUrl", "baseUrl"):
            if isinstance(case.body.get(name), str):
                case.body[name] = None
