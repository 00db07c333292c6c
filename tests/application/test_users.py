"""Users on the real database: the first administrator, the last one, and who may be made."""

import asyncio

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.argon2_passwords import Argon2Passwords
from adapters.postgres_users import PostgresUsers
from application.admin_users import AdminUsers, NewUser, UserPatch
from application.audit import begin_trail
from application.refusals import Conflict, Invalid, SessionsAway
from application.users import User, Users
from domain.access import Role, UserStatus


@pytest.fixture
async def users(engine: AsyncEngine) -> Users:
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM users"))
    return Users(PostgresUsers(engine), Argon2Passwords())


async def test_the_first_administrator_is_made_once(users: Users) -> None:
    made = await asyncio.gather(*(users.ensure_first_admin(None, None) for _ in range(2)))
    (first,) = [one for one in made if one is not None]
    assert first[0] == "admin@localhost"
    assert first[1] is not None and len(first[1]) == 16
    assert await users.ensure_first_admin("other@example.com", "password") is None


async def test_a_given_password_is_not_shown(users: Users) -> None:
    assert await users.ensure_first_admin("a@example.com", "password") == ("a@example.com", None)


async def test_the_first_administrators_email_is_taken(users: Users) -> None:
    await users.create_user("a@example.com", "password", Role.USER)
    with pytest.raises(Conflict, match="ADMIN_EMAIL"):
        await users.ensure_first_admin("A@example.com", None)


async def test_an_email_is_one_users_whatever_its_case(users: Users) -> None:
    await users.create_user("a@example.com", "password", Role.USER)
    with pytest.raises(Conflict):
        await users.create_user("A@Example.com", "password", Role.ADMIN)


@pytest.mark.parametrize(
    ("email", "password", "fields"),
    [
        ("no address", "password", ["email"]),
        ("a@example.com", "short", ["password"]),
        ("a@b@c", "x" * 1025, ["email", "password"]),
        ("a\x00@example.com", "password", ["email"]),
    ],
)
async def test_bad_users(users: Users, email: str, password: str, fields: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        await users.create_user(email, password, Role.USER)
    assert [error.field for error in refused.value.errors] == fields


class _Sessions:
    """Ends sessions slowly, so that another request meets the transaction; or cannot at all."""

    def __init__(self, *, away: bool = False) -> None:
        self.ended: list[str] = []
        self._away = away

    async def end_all(self, user_id: str) -> None:
        await asyncio.sleep(0.05)
        if self._away:
            raise SessionsAway
        self.ended.append(user_id)


@pytest.mark.parametrize(
    "change", [UserPatch(role=Role.USER), UserPatch(status=UserStatus.DISABLED)]
)
async def test_of_two_who_take_each_others_role_at_once_one_stays(
    users: Users, engine: AsyncEngine, change: UserPatch
) -> None:
    """The first one has decided, and not yet committed, when the second one begins."""
    one = await users.create_user("one@example.com", "password", Role.ADMIN)
    two = await users.create_user("two@example.com", "password", Role.ADMIN)
    sessions = _Sessions()
    admin = AdminUsers(PostgresUsers(engine), Argon2Passwords(), sessions)
    asked = (admin.change(one.actor, two.id, change), admin.change(two.actor, one.id, change))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "User"]
    left = [user for user in await PostgresUsers(engine).page(None, 9) if user.is_active_admin]
    (changed,) = [answer for answer in answers if isinstance(answer, User)]
    assert [user.id for user in left] == [({one.id, two.id} - {changed.id}).pop()]
    assert sessions.ended == [changed.id]


@pytest.mark.parametrize(
    "change",
    [
        UserPatch(role=Role.MANAGER),
        UserPatch(status=UserStatus.DISABLED),
        UserPatch(password="battery staple"),
    ],
)
async def test_where_sessions_cannot_be_ended_nothing_is_changed(
    users: Users, engine: AsyncEngine, change: UserPatch
) -> None:
    root = await users.create_user("root@example.com", "password", Role.ADMIN)
    anna = await users.create_user("anna@example.com", "password", Role.USER)
    store = PostgresUsers(engine)
    before = await store.by_id(anna.id)
    trail = begin_trail()
    with pytest.raises(SessionsAway):
        await AdminUsers(store, Argon2Passwords(), _Sessions(away=True)).change(
            root.actor, anna.id, change
        )
    assert await store.by_id(anna.id) == before
    assert trail == []


async def test_what_the_audit_hears(users: Users, engine: AsyncEngine) -> None:
    root = await users.create_user("root@example.com", "password", Role.ADMIN)
    admin = AdminUsers(PostgresUsers(engine), Argon2Passwords(), _Sessions())
    trail = begin_trail()
    made = await admin.create(root.actor, NewUser("anna@example.com", Role.USER, "horse battery"))
    changed = UserPatch(role=Role.MANAGER, password="battery staple")
    after = await admin.change(root.actor, made.id, changed)
    await admin.change(root.actor, made.id, UserPatch(role=Role.MANAGER))
    assert [(noted.target, noted.before is None) for noted in trail] == [
        (f"user:{made.id}", True),
        (f"user:{made.id}", False),
    ]
    assert msgspec.json.decode(trail[0].after or "", type=User) == made
    noted = msgspec.json.decode(trail[1].after or "")
    assert noted.pop("updatedAt") == msgspec.to_builtins(after.updated_at)
    assert noted == {"role": "MANAGER", "password": "(new)"}
    assert "battery" not in str(trail)
