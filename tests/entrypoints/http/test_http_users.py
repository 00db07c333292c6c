"""Users over HTTP: who makes and changes them, what ends their sessions, that one ADMIN stays."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import pytest
from valkey.asyncio import Valkey

from domain.access import Role
from tests.entrypoints.http.conftest import PASSWORD, Api, Person, Run

New = Callable[[], Person]

_numbers = count(1)


async def _user(admin: Person, role: str = "USER") -> dict[str, Any]:
    form = {"email": f"new{next(_numbers)}@example.com", "role": role, "password": PASSWORD}
    answer = await admin.post("/api/users", form)
    assert answer.status == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


async def _signed_in(people: New, user: dict[str, Any]) -> Person:
    person = people()
    assert (await person.sign_in(user["email"])).status == 200
    return person


@pytest.fixture
async def only_admin(sql: Run) -> AsyncIterator[None]:
    """No ADMIN but admin@example.com is ACTIVE."""
    await sql(
        "UPDATE users SET status = 'DISABLED' WHERE role = 'ADMIN' AND email <> 'admin@example.com'"
    )
    yield
    await sql(
        "UPDATE users SET role = 'ADMIN', status = 'ACTIVE' WHERE email = 'admin@example.com'"
    )


async def test_a_new_user_may_sign_in(admin: Person, people: New) -> None:
    form = {"email": " Anna@example.com ", "role": "MANAGER", "password": "battery staple"}
    answer = await admin.post("/api/users", form)
    assert answer.status == 201
    shown = {"email": "Anna@example.com", "role": "MANAGER", "status": "ACTIVE"}
    assert shown.items() <= answer.json.items()
    assert set(answer.json) == {"id", "email", "role", "status", "createdAt", "updatedAt"}
    anna = people()
    assert (await anna.sign_in("anna@example.com", "battery staple")).json == answer.json
    assert (await anna.get("/api/auth/me")).json == answer.json


async def test_the_list_is_newest_first_and_goes_on(admin: Person) -> None:
    made = [await _user(admin) for _ in range(3)]
    first = await admin.get("/api/users", params={"limit": "2"})
    assert first.json["items"] == [made[2], made[1]]
    rest = await admin.get("/api/users", params={"cursor": first.json["nextCursor"]})
    assert rest.json["items"][0] == made[0]
    assert rest.json["nextCursor"] is None
    emails = [user["email"] for user in rest.json["items"]]
    assert emails[-3:] == ["user@example.com", "manager@example.com", "admin@example.com"]


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "201"}, {"cursor": "x"}, {"cursor": "MQ"}, {"cursor": "x" * 501}],
)
async def test_bad_parameters_are_400_and_named(admin: Person, query: dict[str, str]) -> None:
    answer = await admin.get("/api/users", params=query)
    assert (answer.status, answer.fields) == (400, list(query))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "x" * 321}, "email"),
        ({"email": "a\x00@example.com"}, "email"),
        ({"email": None}, "email"),
        ({"role": "OWNER"}, "role"),
        ({"role": "admin"}, "role"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"password": 12345678}, "password"),
        ({"id": "x"}, "id"),
    ],
)
async def test_bad_forms_name_the_field(
    admin: Person, change: dict[str, object], field: str
) -> None:
    form = {"email": "bad@example.com", "role": "USER", "password": PASSWORD}
    answer = await admin.post("/api/users", form | change)
    assert (answer.status, answer.fields) == (422, [field])
    user = await _user(admin)
    answer = await admin.patch(f"/api/users/{user['id']}", change)
    assert (answer.status, answer.fields) == (422, [field])


async def test_a_form_that_lacks_something(admin: Person) -> None:
    for field in ("email", "role", "password"):
        form = {"email": "bad@example.com", "role": "USER", "password": PASSWORD}
        del form[field]
        answer = await admin.post("/api/users", form)
        assert (answer.status, answer.fields) == (422, [field])


async def test_an_email_is_one_users(admin: Person) -> None:
    first, second = await _user(admin), await _user(admin)
    form = {"email": first["email"].upper(), "role": "USER", "password": PASSWORD}
    answer = await admin.post("/api/users", form)
    assert answer.status == 409
    assert first["email"].upper() in answer.json["detail"]
    path = f"/api/users/{second['id']}"
    answer = await admin.patch(path, {"email": first["email"].title(), "role": "ADMIN"})
    assert answer.status == 409
    # Nothing of it was kept; and one's own e-mail is not taken.
    same = await admin.patch(path, {"email": second["email"].upper()})
    assert (same.status, same.json["email"]) == (200, second["email"].upper())
    assert same.json["role"] == "USER"


async def test_change_what_is_named(admin: Person, people: New) -> None:
    user = await _user(admin)
    path = f"/api/users/{user['id']}"
    assert (await admin.patch(path, {})).json == user
    email = f"renamed{next(_numbers)}@example.com"
    answer = await admin.patch(path, {"email": f" {email} ", "role": "MANAGER"})
    assert answer.status == 200
    assert answer.json["updatedAt"] > user["updatedAt"]
    changed = {"email": email, "role": "MANAGER", "updatedAt": answer.json["updatedAt"]}
    assert answer.json == user | changed
    assert (await people().sign_in(user["email"])).status == 401
    assert (await people().sign_in(email)).status == 200


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"status": "DISABLED"}, 401),
        ({"password": "battery staple"}, 401),
        ({"role": "MANAGER"}, 200),
    ],
)
async def test_what_ends_the_sessions(
    admin: Person, people: New, valkey: Valkey, change: dict[str, str], again: int
) -> None:
    user = await _user(admin)
    browsers = [await _signed_in(people, user) for _ in range(2)]
    kept = f"kotodom:user-sessions:{user['id']}"
    assert await valkey.scard(kept) == 2  # type: ignore[misc]
    # A uuid is the same in capitals.
    assert (await admin.patch(f"/api/users/{user['id'].upper()}", change)).status == 200
    for browser in browsers:
        assert (await browser.get("/api/auth/me")).status == 401
    assert await valkey.exists(kept) == 0
    assert (await people().sign_in(user["email"])).status == again


async def test_who_is_enabled_again_signs_in_again(admin: Person, people: New) -> None:
    user = await _user(admin)
    browser = await _signed_in(people, user)
    path = f"/api/users/{user['id']}"
    assert (await admin.patch(path, {"status": "DISABLED"})).json["status"] == "DISABLED"
    assert (await admin.patch(path, {"status": "ACTIVE"})).json["status"] == "ACTIVE"
    assert (await browser.get("/api/auth/me")).status == 401
    assert (await browser.sign_in(user["email"])).status == 200


async def test_what_changes_nothing_ends_no_session(admin: Person, people: New) -> None:
    user = await _user(admin)
    browser = await _signed_in(people, user)
    same = {"email": user["email"], "role": "USER", "status": "ACTIVE"}
    assert (await admin.patch(f"/api/users/{user['id']}", same)).json == user
    renamed = {"email": f"renamed{next(_numbers)}@example.com"}
    assert (await admin.patch(f"/api/users/{user['id']}", renamed)).status == 200
    assert (await browser.get("/api/auth/me")).json["email"] == renamed["email"]


@pytest.mark.parametrize("change", [{"role": "MANAGER"}, {"role": "USER"}, {"status": "DISABLED"}])
async def test_the_last_active_admin_stays(
    admin: Person, only_admin: None, change: dict[str, str]
) -> None:
    mine = f"/api/users/{(await admin.get('/api/auth/me')).json['id']}"
    answer = await admin.patch(mine, change)
    assert answer.status == 409
    assert "admin@example.com is the last active ADMIN" in answer.json["detail"]
    assert (await admin.get("/api/auth/me")).json["role"] == "ADMIN"
    # Whatever else is changed; and with another ADMIN beside, one may go.
    assert (await admin.patch(mine, {"role": "ADMIN", "status": "ACTIVE"})).status == 200
    other = await _user(admin, "ADMIN")
    assert (await admin.patch(f"/api/users/{other['id']}", change)).status == 200


async def test_a_disabled_admin_is_no_admin_that_stays(admin: Person, only_admin: None) -> None:
    other = await _user(admin, "ADMIN")
    await admin.patch(f"/api/users/{other['id']}", {"status": "DISABLED"})
    mine = f"/api/users/{(await admin.get('/api/auth/me')).json['id']}"
    assert (await admin.patch(mine, {"role": "USER"})).status == 409
    # What is disabled already may be demoted: nobody is locked out by it.
    assert (await admin.patch(f"/api/users/{other['id']}", {"role": "USER"})).status == 200


async def test_two_requests_that_would_leave_none(
    people: New, api: Api, only_admin: None, sql: Run
) -> None:
    pair = [f"pair{next(_numbers)}@example.com" for _ in range(2)]
    ids = [(await api.users.create_user(email, PASSWORD, Role.ADMIN)).id for email in pair]
    await sql("UPDATE users SET status = 'DISABLED' WHERE email = 'admin@example.com'")
    for change in ({"role": "USER"}, {"status": "DISABLED"}) * 5:
        await sql(
            "UPDATE users SET role = 'ADMIN', status = 'ACTIVE' WHERE id::text = ANY(:ids)",
            ids=ids,
        )
        browsers = [people() for _ in pair]
        for browser, email in zip(browsers, pair, strict=True):
            assert (await browser.sign_in(email)).status == 200
        answers = await asyncio.gather(
            *(
                browser.patch(f"/api/users/{user_id}", change)
                for browser, user_id in zip(browsers, reversed(ids), strict=True)
            )
        )
        # The slower one is refused under the lock, or before it: its own session is over by then.
        statuses = sorted(answer.status for answer in answers)
        assert statuses in ([200, 409], [200, 401], [200, 403])
        rows = await sql("SELECT count(*) FROM users WHERE role = 'ADMIN' AND status = 'ACTIVE'")
        assert rows[0][0] == 1


@pytest.mark.parametrize(
    "identity",
    [
        "x",
        "1",
        "00000000-0000-0000-0000-000000000000",
        "{00000000-0000-0000-0000-000000000000}",
        "00000000000000000000000000000000",
        "%00",
        "%ED%A0%80",
        "9" * 300,
    ],
)
async def test_an_unseen_user_is_404(admin: Person, identity: str) -> None:
    answer = await admin.patch(f"/api/users/{identity}", {"status": "ACTIVE"})
    assert (answer.status, answer.json["detail"]) == (404, "There is no such user.")


async def test_only_admin(admin: Person, manager: Person, user: Person, nobody: Person) -> None:
    form = {"email": "never@example.com", "role": "USER", "password": PASSWORD}
    other = (await _user(admin))["id"]
    for person, status in ((manager, 403), (user, 403), (nobody, 401)):
        assert (await person.get("/api/users")).status == status
        assert (await person.post("/api/users", form)).status == status
        for identity in (other, "00000000-0000-0000-0000-000000000000", "x"):
            answer = await person.patch(f"/api/users/{identity}", {"role": "ADMIN"})
            assert answer.status == status
