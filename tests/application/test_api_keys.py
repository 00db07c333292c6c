"""API keys on the real database: what is kept of one, and what the audit hears."""

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_api_keys import PostgresApiKeys
from adapters.postgres_users import PostgresUsers
from application.api_keys import ApiKeys, ApiKeyView, NewApiKey
from application.audit import begin_trail
from application.refusals import Forbidden, Unauthenticated
from application.users import User
from domain.access import Actor, Role


@pytest.fixture(scope="module")
async def maker(engine: AsyncEngine) -> User:
    made = await PostgresUsers(engine).create("maker@example.com", "a hash", Role.MANAGER)
    assert made is not None
    return made


@pytest.fixture
def keys(engine: AsyncEngine) -> ApiKeys:
    return ApiKeys(PostgresApiKeys(engine))


async def test_the_key_itself_is_kept_nowhere(
    keys: ApiKeys, maker: User, engine: AsyncEngine
) -> None:
    trail = begin_trail()
    made = await keys.create(maker.actor, NewApiKey("export", Role.USER))
    await keys.revoke(maker.actor, made.id)
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT api_keys::text FROM api_keys"))).all()
    secret = made.key.removeprefix(made.prefix)
    assert len(secret) == 37
    assert secret not in str(rows) and secret not in str(trail)
    assert [noted.target for noted in trail] == [f"apiKey:{made.id}"] * 2
    for noted in (trail[0].after, trail[1].before):
        assert msgspec.json.decode(noted or "", type=ApiKeyView).name == "export"
    assert (trail[0].before, trail[1].after) == (None, None)


async def test_who_comes_by_key_is_its_maker_in_the_keys_role(keys: ApiKeys, maker: User) -> None:
    made = await keys.create(maker.actor, NewApiKey("export", Role.USER))
    bearer = await keys.bearer(made.key)
    assert bearer.actor == Actor(maker.id, maker.email, Role.USER, by_key=True)
    with pytest.raises(Forbidden, match="sign in"):
        await keys.create(bearer.actor, NewApiKey("another", Role.USER))
    for wrong in (made.key[:-1], made.key + "A", made.key.upper(), f" {made.key}", made.key + "\n"):
        with pytest.raises(Unauthenticated):
            await keys.bearer(wrong)
