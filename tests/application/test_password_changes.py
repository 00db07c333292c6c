"""Passwords that change while another one is being hashed: nobody's reset is overwritten."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.argon2_passwords import Argon2Passwords
from adapters.postgres_users import PostgresUsers
from application.admin_users import AdminUsers, UserPatch
from application.refusals import Conflict, Invalid, TooMany, Unauthenticated
from application.sessions import Bucket, Session, Sessions
from application.users import Account, User, Users
from domain.access import Actor, Role

QUICK = replace(RFC_9106_LOW_MEMORY, time_cost=1, memory_cost=1024, parallelism=1)
FORMER, OWN, RESET = "the former one", "one's own new one", "the administrator's"
ADMIN = Actor("5f0c1c1e-3c56-4b1c-9f0e-2b7f3c3a9d11", "admin@example.com", Role.ADMIN)


class Hashing(Argon2Passwords):
    """Something else happens while a password is hashed."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def hash(self, password: str) -> str:
        made = await super().hash(password)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return made


class Outside:
    """Sessions, counts and devices in memory."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.wrong: dict[str, int] = {}

    async def create(self, session: Session) -> str:
        self.sessions[str(len(self.sessions))] = session
        return str(len(self.sessions) - 1)

    async def read(self, session_id: str) -> Session | None:
        return self.sessions.get(session_id)

    async def end(self, session_id: str) -> None:
        self.sessions.pop(session_id, None)

    async def end_all(self, user_id: str) -> None:
        self.sessions.clear()

    async def ping(self) -> None: ...

    async def wait(self, buckets: Sequence[Bucket]) -> int:
        return int(any(self.wrong.get(each.name, 0) > each.limit for each in buckets))

    async def count(self, buckets: Sequence[Bucket]) -> int:
        for each in buckets:
            self.wrong[each.name] = self.wrong.get(each.name, 0) + 1
        return await self.wait(buckets)

    def knows(self, token: str | None, user_id: str) -> str | None:
        return None

    def remember(self, token: str | None, user_id: str) -> str:
        return ""


class World:
    def __init__(self, store: PostgresUsers, anna: User) -> None:
        self.store, self.anna, self.outside = store, anna, Outside()
        self.hashing = Hashing(QUICK)
        self.sessions = Sessions(store, self.hashing, self.outside, self.outside, self.outside)

    async def reset(self) -> None:
        admin = AdminUsers(self.store, Argon2Passwords(QUICK), self.outside)
        await admin.change(ADMIN, self.anna.id, UserPatch(password=RESET))

    async def change(self, current: str = FORMER, new: str = OWN) -> None:
        await self.sessions.change_password(self.anna.actor, current, new)

    async def has(self, password: str) -> bool:
        account: Account | None = await self.store.by_id(self.anna.id)
        assert account is not None
        return await self.hashing.verify(account.password_hash, password)


@pytest.fixture
async def world(engine: AsyncEngine) -> World:
    store = PostgresUsers(engine)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM users"))
    users = Users(store, Argon2Passwords(QUICK))
    return World(store, await users.create_user("anna@example.com", FORMER, Role.USER))


async def test_a_reset_is_not_overwritten_by_ones_own_change(world: World) -> None:
    world.hashing.meanwhile = world.reset
    with pytest.raises(Conflict, match="sign in"):
        await world.change()
    assert await world.has(RESET)


async def test_of_two_changes_at_once_one_is_told_so(world: World) -> None:
    world.hashing.meanwhile = lambda: world.change(new="another new one")
    with pytest.raises(Conflict):
        await world.change()
    assert await world.has("another new one")


async def test_a_reset_is_not_overwritten_by_the_renewal_of_the_former_hash(
    world: World, engine: AsyncEngine
) -> None:
    await _weaken(engine)
    world.hashing.meanwhile = world.reset
    signed_in = await world.sessions.sign_in("anna@example.com", FORMER, "192.0.2.1")
    assert await world.has(RESET)
    with pytest.raises(Unauthenticated):  # the reset has ended it
        await world.sessions.user(signed_in.session)


async def test_who_signs_in_twice_at_once_is_signed_in_twice(
    world: World, engine: AsyncEngine
) -> None:
    await _weaken(engine)
    made: list[str] = []

    async def again() -> None:
        made.append((await world.sessions.sign_in("anna@example.com", FORMER, "192.0.2.1")).session)

    world.hashing.meanwhile = again
    await again()
    for session in made:
        assert (await world.sessions.user(session)).id == world.anna.id


async def test_what_strangers_try_does_not_keep_who_is_signed_in_from_it(world: World) -> None:
    for _ in range(30):
        with suppress(Unauthenticated, TooMany):
            await world.sessions.sign_in("anna@example.com", "guess", "192.0.2.1")
    await world.change()
    assert await world.has(OWN)
    # Somebody else at one's own browser may not guess on, either.
    for _ in range(6):
        with pytest.raises(Invalid):
            await world.change("guess")
    with pytest.raises(TooMany):
        await world.change("guess")


async def _weaken(engine: AsyncEngine) -> None:
    """A hash with former parameters."""
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(FORMER)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE users SET password_hash = :weak"), {"weak": weak})
