"""SECRET_KEY is rotated while the system runs: nothing is lost, nothing is forgotten.

The order of a person who follows the document "Upgrading": the new key before the old one, every
process restarted, `kotodom rotate-secrets`, and then the old key is gone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from adapters.secret_box import SecretBox, SecretUnreadable
from application.moves import effect_job
from domain.effects import DetachedEffect, EnsureWebhook, ForgetThreads, RemoveFormerWebhook
from tests.end_to_end.system import KOTODOM, SECRET_KEY, System, token_of

OLD, NEW = SECRET_KEY, "the-next-secret-key-of-the-tests-and-of-nothing-else"
BOTH = f"{NEW},{OLD}"
ALERTS_BOT = token_of(77)


@pytest.fixture
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    """Nothing runs yet; what an earlier test of the module left is gone."""
    async with System(database_url, valkey_url) as made:
        await made.database.execute("DELETE FROM bots")
        await made.database.execute("DELETE FROM settings")
        await made.database.execute("DELETE FROM pgqueuer")
        yield made


async def start(system: System, keys: str, *names: str) -> None:
    """Start, or start again, with these keys."""
    for name in list(system.processes):
        await system.kill(name)
    system.environment["SECRET_KEY"] = keys
    await system.start(*names)


async def rotating(system: System, keys: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        str(KOTODOM),
        "rotate-secrets",
        *arguments,
        env=system.environment | {"SECRET_KEY": keys},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def rotate(system: System, keys: str, *arguments: str) -> tuple[int | None, str]:
    """Run the command to its end; its exit code, and what it says."""
    process = await rotating(system, keys, *arguments)
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert b"Traceback" not in said, said.decode()
    assert not any(key.encode() in said for key in keys.split(","))
    return process.returncode, said.decode()


async def stored(system: System) -> list[str]:
    """Every encrypted secret."""
    rows = await system.rows(
        "SELECT token FROM bots UNION ALL SELECT api_key FROM bots WHERE api_key IS NOT NULL "
        "UNION ALL SELECT value FROM settings WHERE id IN ('openai.apiKey', 'alerts.botToken')"
    )
    return [secret for (secret,) in rows]


def opens(key: str, secret: str) -> bool:
    try:
        return bool(SecretBox(key).decrypt(secret))
    except SecretUnreadable:
        return False


async def opened_by(system: System, key: str) -> int:
    """How many of them a key alone opens."""
    return sum(opens(key, secret) for secret in await stored(system))


async def plain_bots(system: System, count: int) -> None:
    """Bots that poll nobody, with a token and an API key each, under the old key."""
    box = SecretBox(OLD)
    await system.database.executemany(
        "INSERT INTO bots (name, token, token_fingerprint, telegram_mode, api_key) "
        "VALUES ($1, $2, $1, 'POLLING', $3)",
        [(f"n{i}", box.encrypt(token_of(i)), box.encrypt(f"sk-{i}")) for i in range(count)],
    )


async def waits(system: System) -> bool:
    """Whether somebody waits for another's lock."""
    return bool(
        await system.rows(
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND datname = current_database()"
        )
    )


@asynccontextmanager
async def locked(system: System, sql: str, *arguments: object) -> AsyncIterator[None]:
    """Somebody's transaction with this statement is open, and committed at the end."""
    other = await asyncpg.connect(system.database_url)
    async with other.transaction():
        await other.execute(sql, *arguments)
        yield
    await other.close()


async def test_what_deleted_bots_have_left_to_be_done(system: System) -> None:
    """No worker runs, so it is still to be done when the older key goes."""
    box = SecretBox(OLD)
    left = [
        RemoveFormerWebhook(901, box.encrypt(token_of(901)), "https://a.example", delay=60.0),
        ForgetThreads(902, box.encrypt('{"api_key": "sk-902"}'), ("conv_1", "conv_2")),
        EnsureWebhook(903),
    ]
    await system.database.executemany(
        "INSERT INTO pgqueuer (entrypoint, payload, status, priority, created, updated, "
        "execute_after) VALUES ('effect.perform', $1, 'queued', 0, now(), now(), "
        "now() + interval '1 hour')",
        [(effect_job(effect).payload,) for effect in left],
    )
    await system.database.execute(
        "INSERT INTO erasures (bot_id, sealed_model) VALUES (904, $1)", box.encrypt("a model")
    )
    code, said = await rotate(system, BOTH)
    assert code == 0 and "Stored secrets: 3 encrypted anew" in said, said
    jobs = await system.rows("SELECT payload FROM pgqueuer ORDER BY id")
    farewell, forget, ensure = (
        msgspec.json.decode(payload, type=DetachedEffect) for (payload,) in jobs
    )
    new = SecretBox(NEW)
    assert new.decrypt(farewell.sealed_token) == token_of(901)
    assert new.decrypt(forget.sealed_model) == '{"api_key": "sk-902"}'
    assert replace(farewell, sealed_token="") == replace(left[0], sealed_token="")
    assert replace(forget, sealed_model="") == replace(left[1], sealed_model="")
    assert ensure == left[2]
    ((sealed,),) = await system.rows("SELECT sealed_model FROM erasures")
    assert new.decrypt(sealed) == "a model"
    code, said = await rotate(system, BOTH)
    assert code == 0 and "Stored secrets: 0 encrypted anew" in said, said
    await system.database.execute("DELETE FROM erasures")


async def test_a_rotation_from_the_first_step_to_the_last(system: System) -> None:
    await start(system, OLD, "api", "worker")
    await system.sign_in()
    hook = await system.bot("WEBHOOK")
    secrets: dict[str, Any] = {"openai.apiKey": "sk-the-global-one", "alerts.botToken": ALERTS_BOT}
    await system.ask("PUT", "/api/settings", secrets)
    key = (await system.ask("POST", "/api/api-keys", {"name": "k", "role": "ADMIN"}))["key"]
    old_secret = system.sandbox.telegram.kept.bots[hook.telegram_id].webhook.secret_token

    # The processes that run know nothing of the new key: what it encrypts would be lost on them.
    before = await stored(system)
    code, said = await rotate(system, BOTH)
    assert code == 1 and "Restart every process" in said, said
    assert await stored(system) == before and len(before) == 4

    await start(system, BOTH, "api", "worker")
    hook.say("between the keys")  # by a webhook with the old key's secret
    assert len(await hook.answers(1)) == 1
    code, said = await rotate(system, BOTH)
    assert code == 0, said
    assert "Stored secrets: 4 encrypted anew with the newest key, 0 were already." in said
    assert "Telegram was given a new secret for 1." in said
    assert "leave only the first in SECRET_KEY" in said
    assert await opened_by(system, NEW) == 4
    secret = system.sandbox.telegram.kept.bots[hook.telegram_id].webhook.secret_token
    assert secret == SecretBox(NEW).webhook_secret(hook.id) != old_secret
    after = await stored(system)

    # Once more: there is nothing to do, and nothing is done.
    code, said = await rotate(system, BOTH)
    assert code == 0 and "0 encrypted anew with the newest key, 4 were already." in said
    assert "Telegram was given" not in said
    assert sorted(await stored(system)) == sorted(after)

    await start(system, NEW, "api", "worker")
    hook.say("with the new key alone")
    assert len(await hook.answers(2)) == 2
    shown = await system.ask("GET", "/api/settings")  # the session is what it was
    assert shown["alerts.botToken"] == "77:…tttt"
    async with system.http.get("/api/bots", headers={"Authorization": f"Bearer {key}"}) as answer:
        assert answer.status == 200
    code, said = await rotate(system, NEW)
    assert code == 0 and "There is one key, and everything is encrypted with it." in said


async def test_killed_in_the_middle_and_gone_on_with(system: System) -> None:
    await plain_bots(system, 3)
    await system.database.execute(
        "INSERT INTO settings VALUES ('openai.apiKey', $1)", SecretBox(OLD).encrypt("sk-global")
    )
    async with locked(system, "SELECT FROM bots WHERE name = 'n1' FOR UPDATE"):
        process = await rotating(system, BOTH)
        await system.until(partial(waits, system))
        assert await opened_by(system, NEW) == 1
        # One rotation at a time.
        code, said = await rotate(system, BOTH)
        assert code == 1 and "Another rotation is under way" in said
        process.kill()
        await process.communicate()
    # Every secret is whole, and each opens with one of the two keys.
    assert await opened_by(system, OLD) == 6 and await opened_by(system, NEW) == 1
    code, said = await rotate(system, BOTH)
    assert code == 0 and "6 encrypted anew with the newest key, 1 were already." in said
    assert await opened_by(system, NEW) == 7


async def test_an_edit_at_the_same_time_is_not_lost(system: System) -> None:
    """A person changes a bot's key, and the batch that waits for them does not bring back the
    former one."""
    await plain_bots(system, 3)
    edited = SecretBox(BOTH).encrypt("sk-edited")
    async with locked(system, "UPDATE bots SET api_key = $1 WHERE name = 'n1'", edited):
        process = await rotating(system, BOTH)
        await system.until(partial(waits, system))
    assert await asyncio.wait_for(process.wait(), 30) == 0
    box = SecretBox(NEW)
    rows = await system.rows("SELECT name, token, api_key FROM bots ORDER BY name")
    assert [(name, box.decrypt(token), box.decrypt(key)) for name, token, key in rows] == [
        ("n0", token_of(0), "sk-0"),
        ("n1", token_of(1), "sk-edited"),
        ("n2", token_of(2), "sk-2"),
    ]


async def test_what_no_key_opens_is_named_and_stays(system: System) -> None:
    await plain_bots(system, 2)
    lost = SecretBox("a-key-that-nobody-has-any-more-at-all").encrypt("sk-lost")
    await system.database.execute("UPDATE bots SET api_key = $1 WHERE name = 'n1'", lost)
    await system.database.execute("INSERT INTO settings VALUES ('alerts.botToken', $1)", lost)
    code, said = await rotate(system, BOTH)
    (bot_id,) = (await system.rows("SELECT id FROM bots WHERE name = 'n1'"))[0]
    assert code == 1
    assert f"Not readable with any key: the API key of bot {bot_id} (n1)." in said
    assert "Not readable with any key: the setting alerts.botToken." in said
    assert "Stored secrets: 3 encrypted anew" in said and "Keep the older keys" in said
    assert (await stored(system)).count(lost) == 2
    assert await opened_by(system, NEW) == 3


async def test_a_webhook_that_cannot_be_set_keeps_the_old_key(system: System) -> None:
    await system.database.execute(
        "INSERT INTO bots (name, token, token_fingerprint, telegram_mode, telegram_api_url,"
        " enabled, is_active) VALUES ('n1', $1, '', 'WEBHOOK', $2, true, true)",
        SecretBox(OLD).encrypt(token_of(1)),
        system.sandbox.telegram_url,
    )
    # Nobody carries jobs out: the wish is kept, once, however often it is asked for.
    for _ in range(2):
        code, said = await rotate(system, BOTH)
        assert code == 1 and "as soon as a worker runs" in said, said
    assert len(await system.rows("SELECT FROM pgqueuer WHERE entrypoint = 'effect.perform'")) == 1
    system.sandbox.faults.add(
        "telegram", "error", method="setWebhook", status=400, description="no"
    )
    await start(system, BOTH, "worker")
    why = "Telegram 400: no"

    async def refused() -> bool:
        rows = await system.rows("SELECT error FROM bots")
        return rows[0]["error"] == why

    await system.until(refused, 60)
    code, said = await rotate(system, BOTH)
    assert code == 0, said
