"""API keys over HTTP: told once, never above their maker, over when revoked or disabled."""

import re
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from valkey.asyncio import Valkey

from domain.access import Role
from tests.entrypoints.http.conftest import PASSWORD, Api, Person, Run, make_bot

New = Callable[[], Person]

KEY = re.compile(r"kd_[A-Za-z0-9_-]{43}")
_numbers = count(1)


@pytest.fixture(autouse=True)
async def forget_wrong_passwords(valkey: Valkey) -> None:
    for key in await valkey.keys("kotodom:wrong-passwords:*"):
        await valkey.delete(key)


async def _key(person: Person, role: str, name: str = "script") -> dict[str, Any]:
    answer = await person.post("/api/api-keys", {"name": name, "role": role})
    assert answer.status == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


def _bearing(key: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key['key']}"}


async def _maker(people: New, api: Api, role: Role) -> tuple[Person, str]:
    """Somebody new, signed in, and their id."""
    email = f"maker{next(_numbers)}@example.com"
    made = await api.users.create_user(email, PASSWORD, role)
    person = people()
    assert (await person.sign_in(email)).status == 200
    return person, made.id


async def test_a_key_is_told_once(manager: Person, nobody: Person, sql: Run) -> None:
    key = await _key(manager, "MANAGER", "  nightly export ")
    assert KEY.fullmatch(key["key"])
    assert key["key"].startswith(key["prefix"]) and len(key["prefix"]) == 9
    shown = {"name": "nightly export", "role": "MANAGER", "createdBy": "manager@example.com"}
    assert shown.items() <= key.items()
    assert key["lastUsedAt"] is None
    listed = (await manager.get("/api/api-keys")).json["items"][0]
    assert listed == {name: value for name, value in key.items() if name != "key"}
    rows = await sql("SELECT api_keys::text FROM api_keys WHERE id = :id", id=key["id"])
    assert key["key"] not in rows[0][0] and key["key"][9:] not in rows[0][0]
    me = await nobody.get("/api/auth/me", headers=_bearing(key))
    assert (me.status, me.json["email"]) == (200, "manager@example.com")
    assert "Set-Cookie" not in me.headers


async def test_it_is_accepted_wherever_a_session_is(user: Person, nobody: Person) -> None:
    bot = await make_bot(user)
    by_key = _bearing(await _key(user, "USER"))
    assert (await nobody.get(f"/api/bots/{bot['id']}", headers=by_key)).json == bot
    path = f"/api/bots/{bot['id']}"
    renamed = await nobody.ask("PATCH", path, {"name": "By key"}, headers=by_key)
    assert (renamed.status, renamed.json["name"]) == (200, "By key")
    lower = {"authorization": by_key["Authorization"].replace("Bearer", "bearer")}
    assert (await nobody.get("/api/bots", headers=lower)).status == 200


async def test_it_may_what_its_role_may(admin: Person, user: Person, nobody: Person) -> None:
    theirs = f"/api/bots/{(await make_bot(user))['id']}"
    own = f"/api/bots/{(await make_bot(admin))['id']}"
    for role, anothers, jobs in (("ADMIN", 200, 200), ("MANAGER", 200, 403), ("USER", 404, 403)):
        by_key = _bearing(await _key(admin, role))
        assert (await nobody.get(theirs, headers=by_key)).status == anothers
        assert (await nobody.get(own, headers=by_key)).status == 200
        assert (await nobody.get("/api/settings", headers=by_key)).status == jobs
        me = await nobody.get("/api/auth/me", headers=by_key)
        assert (me.json["email"], me.json["role"]) == ("admin@example.com", role)


async def test_no_role_above_ones_own(manager: Person, user: Person) -> None:
    for person, role in ((manager, "ADMIN"), (user, "ADMIN"), (user, "MANAGER")):
        answer = await person.post("/api/api-keys", {"name": "x", "role": role})
        assert answer.status == 403
        assert "at most" in answer.json["detail"]
    await _key(manager, "USER")


async def test_it_falls_with_its_maker_and_rises_no_further_than_its_own_role(
    admin: Person, people: New, api: Api, nobody: Person
) -> None:
    maker, maker_id = await _maker(people, api, Role.MANAGER)
    keys = [await _key(maker, role) for role in ("MANAGER", "USER")]
    for role, seen in (
        ("USER", ["USER", "USER"]),
        ("ADMIN", ["MANAGER", "USER"]),
        ("MANAGER", ["MANAGER", "USER"]),
    ):
        answer = await admin.patch(f"/api/users/{maker_id}", {"role": role})
        assert answer.status == 200
        mine = [await nobody.get("/api/auth/me", headers=_bearing(key)) for key in keys]
        assert [answer.json["role"] for answer in mine] == seen


async def test_a_disabled_makers_key_is_over_until_they_are_back(
    admin: Person, people: New, api: Api, nobody: Person, sql: Run
) -> None:
    maker, maker_id = await _maker(people, api, Role.USER)
    key = await _key(maker, "USER")
    await admin.patch(f"/api/users/{maker_id}", {"status": "DISABLED"})
    assert (await nobody.get("/api/bots", headers=_bearing(key))).status == 401
    rows = await sql("SELECT last_used_at FROM api_keys WHERE id = :id", id=key["id"])
    assert rows[0][0] is None
    await admin.patch(f"/api/users/{maker_id}", {"status": "ACTIVE"})
    assert (await nobody.get("/api/bots", headers=_bearing(key))).status == 200


async def test_a_revoked_key_is_over(user: Person, nobody: Person) -> None:
    key = await _key(user, "USER")
    assert (await nobody.get("/api/bots", headers=_bearing(key))).status == 200
    answer = await user.delete(f"/api/api-keys/{key['id']}")
    assert (answer.status, answer.json) == (204, "")
    assert (await nobody.get("/api/bots", headers=_bearing(key))).status == 401
    assert key["id"] not in [one["id"] for one in await _listed(user)]
    assert (await user.delete(f"/api/api-keys/{key['id']}")).status == 404


async def test_a_key_may_list_and_revoke_but_do_nothing_that_outlives_it(
    admin: Person, nobody: Person
) -> None:
    key = await _key(admin, "ADMIN")
    by_key = _bearing(key)
    me = (await nobody.get("/api/auth/me", headers=by_key)).json["id"]
    passwords = {"currentPassword": PASSWORD, "newPassword": "battery staple"}
    for answer in (
        await nobody.post("/api/api-keys", {"name": "x", "role": "USER"}, headers=by_key),
        await nobody.post("/api/auth/password", passwords, headers=by_key),
        await nobody.post(
            "/api/users",
            {"email": "back@door.example", "password": "battery staple", "role": "ADMIN"},
            headers=by_key,
        ),
        *[
            await nobody.ask("PATCH", f"/api/users/{me}", form, headers=by_key)
            for form in ({"password": "battery staple"}, {"role": "USER"}, {"status": "DISABLED"})
        ],
    ):
        assert answer.status == 403
        assert "sign in for that" in answer.json["detail"]
    assert (await nobody.sign_in("admin@example.com")).status == 200
    for path in ("/api/api-keys", "/api/users"):
        assert (await nobody.get(path, headers=by_key)).status == 200
    path = f"/api/api-keys/{key['id']}"
    assert (await nobody.ask("DELETE", path, headers=by_key)).status == 204


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer kd_" + "A" * 43,
        "Bearer kd_short",
        "Bearer KD_" + "A" * 43,
        "Bearer ",
        "Bearer",
        "Bearer x",
        "Token kd_" + "A" * 43,
        "kd_" + "A" * 43,
        "",
        "Bearer kd_" + "\u00e9" * 43,
        "Bearer " + "x" * 5000,
    ],
)
async def test_a_wrong_one_is_401_whoever_is_signed_in(user: Person, authorization: str) -> None:
    answer = await user.get("/api/bots", headers={"Authorization": authorization})
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await user.get("/api/bots")).status == 200


async def test_two_keys_at_once_are_401(user: Person) -> None:
    by_key = _bearing(await _key(user, "USER"))["Authorization"]
    twice = [("Authorization", by_key), ("Authorization", by_key)]
    assert (await user.get("/api/bots", headers=twice)).status == 401


async def test_the_password_of_a_proxy_in_front_is_not_ours(user: Person, nobody: Person) -> None:
    basic = {"Authorization": "Basic YTpi"}
    assert (await user.get("/api/bots", headers=basic)).status == 200
    assert (await nobody.get("/api/bots", headers=basic)).status == 401


async def test_foreign_pages_are_refused_with_a_key_too(user: Person, nobody: Person) -> None:
    foreign = _bearing(await _key(user, "USER")) | {"Origin": "https://evil.example"}
    path = f"/api/bots/{(await make_bot(user))['id']}"
    assert (await nobody.ask("DELETE", path, headers=foreign)).status == 403
    assert (await nobody.get(path, headers=foreign)).status == 200


async def test_its_use_is_noted_once_a_minute(user: Person, nobody: Person, sql: Run) -> None:
    key = await _key(user, "USER")

    async def used() -> Any:
        assert (await nobody.get("/api/bots", headers=_bearing(key))).status == 200
        (found,) = [one for one in await _listed(user) if one["id"] == key["id"]]
        return found["lastUsedAt"]

    first = await used()
    assert first is not None
    assert await used() == first
    await sql(
        "UPDATE api_keys SET last_used_at = now() - interval '61 seconds' WHERE id = :id",
        id=key["id"],
    )
    assert await used() > first


async def test_one_sees_and_revokes_ones_own_and_admin_everybodys(
    admin: Person, manager: Person, user: Person, nobody: Person
) -> None:
    keys = {person: await _key(person, "USER") for person in (admin, manager, user)}
    for person in (manager, user):
        ids = [one["id"] for one in await _listed(person)]
        assert keys[person]["id"] in ids
        for other in set(keys) - {person}:
            assert keys[other]["id"] not in ids
            assert (await person.delete(f"/api/api-keys/{keys[other]['id']}")).status == 404
    assert {key["id"] for key in keys.values()} <= {one["id"] for one in await _listed(admin)}
    # An ADMIN's key that is less than ADMIN sees the ADMIN's own.
    ids = [
        one["id"]
        for one in (await nobody.get("/api/api-keys", headers=_bearing(keys[admin]))).json["items"]
    ]
    assert keys[admin]["id"] in ids and keys[user]["id"] not in ids
    assert (await admin.delete(f"/api/api-keys/{keys[user]['id']}")).status == 204
    assert (await nobody.get("/api/bots", headers=_bearing(keys[user]))).status == 401


async def test_the_list_goes_on(people: New, api: Api) -> None:
    maker, _ = await _maker(people, api, Role.USER)
    made = [(await _key(maker, "USER"))["id"] for _ in range(3)]
    first = await maker.get("/api/api-keys", params={"limit": "2"})
    rest = await maker.get("/api/api-keys", params={"cursor": first.json["nextCursor"]})
    found = [one["id"] for one in (*first.json["items"], *rest.json["items"])]
    assert found == made[::-1]
    assert rest.json["nextCursor"] is None
    for query in ({"limit": "0"}, {"cursor": "x"}):
        answer = await maker.get("/api/api-keys", params=query)
        assert (answer.status, answer.fields) == (400, list(query))


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"role": "USER"}, "name"),
        ({"name": "", "role": "USER"}, "name"),
        ({"name": "  ", "role": "USER"}, "name"),
        ({"name": "x" * 101, "role": "USER"}, "name"),
        ({"name": 5, "role": "USER"}, "name"),
        ({"name": "a\x00b", "role": "USER"}, "name"),
        ({"name": "x"}, "role"),
        ({"name": "x", "role": "OWNER"}, "role"),
        ({"name": "x", "role": "USER", "key": "kd_mine"}, "key"),
    ],
)
async def test_bad_forms_name_the_field(user: Person, form: object, field: str) -> None:
    answer = await user.post("/api/api-keys", form)
    assert (answer.status, answer.fields) == (422, [field])


@pytest.mark.parametrize("identity", ["0", "-1", "999999999", "9" * 30, "x", "%00"])
async def test_an_unseen_key_is_404(admin: Person, identity: str) -> None:
    assert (await admin.delete(f"/api/api-keys/{identity}")).status == 404


async def test_nobody_has_none(nobody: Person) -> None:
    for answer in (
        await nobody.get("/api/api-keys"),
        await nobody.post("/api/api-keys", {"name": "x", "role": "USER"}),
        await nobody.delete("/api/api-keys/1"),
    ):
        assert answer.status == 401


async def _listed(person: Person) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await person.get("/api/api-keys?limit=200")).json["items"]
    return items
