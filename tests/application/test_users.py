"""Users on the real database: the first administrator, and who may be made."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.argon2_passwords import Argon2Passwords
from adapters.postgres_users import PostgresUsers
from application.refusals import Conflict, Invalid
from application.users import Users
from domain.access import Role


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
