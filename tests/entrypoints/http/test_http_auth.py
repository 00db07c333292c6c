"""Signing in and out: cookies, wrong passwords, counts, and what ends a session."""

import asyncio
from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest
from valkey.asyncio import Valkey

from domain.access import Role
from tests.entrypoints.http.conftest import PASSWORD, Api, Person, Run

New = Callable[[], Person]


@pytest.fixture(autouse=True)
async def forget_wrong_passwords(valkey: Valkey) -> None:
    for key in await valkey.keys("kotodom:wrong-passwords:*"):
        await valkey.delete(key)


async def test_sign_in_who_am_i_sign_out(nobody: Person) -> None:
    assert (await nobody.get("/api/auth/me")).status == 401
    answer = await nobody.sign_in("ADMIN@example.com")
    assert answer.status == 200
    assert {key: answer.json[key] for key in ("email", "role", "status")} == {
        "email": "admin@example.com",
        "role": "ADMIN",
        "status": "ACTIVE",
    }
    cookie = answer.cookies["kotodom_session"]
    assert cookie["httponly"] and cookie["samesite"].lower() == "lax" and cookie["path"] == "/"
    assert not cookie["secure"]
    assert int(cookie["max-age"]) == 14 * 24 * 3600
    assert len(cookie.value) >= 43
    assert (await nobody.get("/api/auth/me")).json == answer.json
    session = cookie.value
    assert (await nobody.post("/api/auth/logout")).status == 204
    assert (await nobody.get("/api/auth/me")).status == 401
    stolen = {"Cookie": f"kotodom_session={session}"}
    assert (await nobody.get("/api/auth/me", headers=stolen)).status == 401
    assert (await nobody.post("/api/auth/logout")).status == 204


async def test_no_secret_stands_in_valkey(nobody: Person, valkey: Valkey) -> None:
    session = (await nobody.sign_in("admin@example.com")).cookies["kotodom_session"].value
    assert [key for key in await valkey.keys("*") if session.encode() in key] == []


@pytest.mark.parametrize(
    "credentials",
    [("admin@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("", "")],
)
async def test_wrong_is_401(nobody: Person, credentials: tuple[str, str]) -> None:
    answer = await nobody.sign_in(*credentials)
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Set-Cookie" not in answer.headers


async def test_the_seventh_wrong_password_is_429(people: New) -> None:
    browser = people()
    for _ in range(6):
        assert (await browser.sign_in("manager@example.com", "wrong")).status == 401
    seventh = await browser.sign_in("Manager@example.com", "wrong")
    assert seventh.status == 429
    assert 890 <= int(seventh.headers["Retry-After"]) <= 900
    assert (await browser.sign_in("manager@example.com")).status == 429
    assert (await browser.sign_in("admin@example.com")).status == 200


async def test_every_way_to_write_an_e_mail_has_one_count(people: New) -> None:
    """PostgreSQL takes "İ" for an "i": all of these are the administrator."""
    browser = people()
    for email in ("admİn@example.com", "ADMIN@example.com", "AdmİN@EXAMPLE.com") * 2:
        assert (await browser.sign_in(email, "wrong")).status == 401
    for email in ("admin@example.com", "admİn@example.com", "aDmİn@example.com"):
        assert (await people().sign_in(email)).status == 429


async def test_an_e_mail_may_be_written_in_any_case(people: New) -> None:
    assert (await people().sign_in("admİn@example.com")).status == 200


async def test_many_at_once_are_counted_exactly(people: New) -> None:
    answers = await asyncio.gather(
        *(people().sign_in("unknown@example.com", f"wrong{n}") for n in range(10))
    )
    assert sorted(answer.status for answer in answers) == [401] * 6 + [429] * 4


async def test_right_ones_do_not_count(people: New) -> None:
    for _ in range(8):
        assert (await people().sign_in("user@example.com")).status == 200


async def test_a_browser_known_to_the_account_has_a_count_of_its_own(people: New) -> None:
    known = people()
    assert (await known.sign_in("manager@example.com")).status == 200
    stranger = people()
    for _ in range(7):
        last = await stranger.sign_in("manager@example.com", "wrong")
    assert last.status == 429
    for _ in range(6):
        assert (await known.sign_in("manager@example.com", "wrong")).status == 401
    assert (await known.sign_in("manager@example.com", "wrong")).status == 429


async def test_the_thirtieth_from_an_address_is_429(people: New) -> None:
    browser = people()
    for number in range(29):
        answer = await browser.sign_in(f"guess{number}@example.com", "wrong")
        assert answer.status == 401
    assert (await browser.sign_in("another@example.com", "wrong")).status == 429
    assert (await browser.sign_in("admin@example.com")).status == 429


async def test_a_new_password_ends_every_session(people: New, api: Api) -> None:
    await api.users.create_user("anna@example.com", PASSWORD, Role.USER)
    here, there = people(), people()
    for browser in (here, there):
        assert (await browser.sign_in("anna@example.com")).status == 200
    wrong = {"currentPassword": "nope", "newPassword": "battery staple"}
    answer = await here.post("/api/auth/password", wrong)
    assert (answer.status, answer.fields) == (422, ["currentPassword"])
    short = {"currentPassword": PASSWORD, "newPassword": "short"}
    answer = await here.post("/api/auth/password", short)
    assert (answer.status, answer.fields) == (422, ["newPassword"])
    right = {"currentPassword": PASSWORD, "newPassword": "battery staple"}
    assert (await here.post("/api/auth/password", right)).status == 204
    for browser in (here, there):
        assert (await browser.get("/api/auth/me")).status == 401
    assert (await here.sign_in("anna@example.com")).status == 401
    assert (await here.sign_in("anna@example.com", "battery staple")).status == 200


async def test_a_disabled_user_is_out_at_once(people: New, api: Api, sql: Run) -> None:
    await api.users.create_user("boris@example.com", PASSWORD, Role.USER)
    browser = people()
    assert (await browser.sign_in("boris@example.com")).status == 200
    await sql("UPDATE users SET status = 'DISABLED' WHERE email = 'boris@example.com'")
    assert (await browser.get("/api/auth/me")).status == 401
    assert (await browser.sign_in("boris@example.com")).status == 401


async def test_a_hash_with_former_parameters_is_made_anew(people: New, api: Api, sql: Run) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await api.users.create_user("clara@example.com", PASSWORD, Role.USER)
    await sql("UPDATE users SET password_hash = :weak WHERE email = 'clara@example.com'", weak=weak)
    browser = people()
    assert (await browser.sign_in("clara@example.com")).status == 200
    rows = await sql("SELECT password_hash FROM users WHERE email = 'clara@example.com'")
    assert "m=1024" in rows[0][0]
    assert (await browser.get("/api/auth/me")).status == 200


async def test_who_am_i_keeps_the_cookie_alive(user: Person) -> None:
    answer = await user.get("/api/auth/me")
    cookies = SimpleCookie(answer.headers["Set-Cookie"])
    assert cookies["kotodom_session"]["max-age"] == str(14 * 24 * 3600)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "a@b.c"}, "password"),
        ({"email": 1, "password": "x"}, "email"),
        ({"email": "a@b.c", "password": "x", "role": "ADMIN"}, "role"),
        ({"email": "a\x00@b.c", "password": "x"}, "email"),
    ],
)
async def test_bad_forms_name_the_field(nobody: Person, body: object, field: str) -> None:
    answer = await nobody.post("/api/auth/login", body)
    assert (answer.status, answer.fields) == (422, [field])
