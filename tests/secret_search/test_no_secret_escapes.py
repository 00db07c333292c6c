"""The running system, with a recognisable secret wherever it takes one: none comes out of it.

Real processes that log at DEBUG work, are asked every documented route well and badly, and meet
servers that quote the tokens and keys they are sent. Then everything that came out is searched:
answers, log lines, every table, the journal, recordings, metrics, Valkey, what chats, Logtail and
the traces' collector were told, and the process list.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from valkey.asyncio import Valkey

from adapters.argon2_passwords import Argon2Passwords
from adapters.data_directory import DataDirectory
from adapters.postgres_journal import PostgresJournal
from adapters.postgres_transactions import engine as make_engine
from adapters.postgres_users import PostgresUsers
from application.recordings import RecordingFilter
from application.users import Users
from domain.access import Role
from entrypoints.settings import WrongSetting, load
from tests.end_to_end.system import KOTODOM
from tests.secret_search.echoing import MODEL, TELEGRAM
from tests.secret_search.hunt import Hunt, core
from tests.secret_search.scene import Scene, setting
from tests.secret_search.visitor import Visitor, Walk

EMAIL = "admin@example.org"
RECORDING = (Path(__file__).parents[1] / "recordings/0.1.0.jsonl").read_bytes()

PLACES = (
    "log lines",
    "messages to Telegram",
    "what Logtail was sent",
    "what traces was sent",
    "the folder of counters",
    "table audit_log",
    "steps of the journal",
    "Valkey",
    "Valkey's channels",
    "process list",
    "kotodom record",
    "answer GET /metrics",
    "answer GET /api/events",
)
"""Where something must have come out, or the search shows nothing."""


@pytest.fixture
async def scene(
    database_url: str, valkey_url: str, valkey: Valkey, tmp_path: Path
) -> AsyncIterator[Scene]:
    async with setting(database_url, valkey_url, valkey, tmp_path) as made:
        yield made


@pytest.mark.timeout(400)
async def test_no_secret_escapes(
    scene: Scene,
    valkey: Valkey,
    valkey_url: str,
    data_directory: DataDirectory,
    tmp_path: Path,
) -> None:
    hunt, system = scene.hunt, scene.system
    heard = asyncio.create_task(_listen(valkey_url, hunt))
    await system.start("api", "worker", "poller")
    await _sign_in(scene)
    await _meet_servers_that_quote(scene)
    await _walk_every_route(scene)
    await _break_statements(scene)
    _look_at_processes(scene)
    await _run_commands(scene, tmp_path)
    await _search_stored(scene, valkey)
    heard.cancel()
    for name in list(system.processes):
        await system.kill(name, signal.SIGTERM)
    hunt.search("log lines", scene.log.read_bytes())
    hunt.search("PostgreSQL's log", data_directory.log_path("postgres").read_bytes())
    for told in scene.echoing.told:
        hunt.search("messages to Telegram", told)
    for name, collector in (("Logtail", scene.logtail), ("traces", scene.traces)):
        for path, _, body in collector.requests:
            hunt.search(f"what {name} was sent", path.encode() + body)
    for file in scene.counters.iterdir():
        hunt.search("the folder of counters", file.read_bytes())
    found = "\n".join(f"{name} in {place}: {near!r}" for (name, place), near in hunt.found.items())
    assert not hunt.found, found
    thin = {place for place in PLACES if hunt.searched.get(place, 0) < 100}
    assert not thin, "too little was there to be searched"


async def _listen(valkey_url: str, hunt: Hunt) -> None:
    """Search all that is published in Valkey."""
    async with (
        Valkey.from_url(valkey_url, socket_timeout=None) as valkey,
        valkey.pubsub() as channels,
    ):
        await channels.psubscribe("*")
        async for message in channels.listen():
            hunt.search("Valkey's channels", repr(message))


async def _sign_in(scene: Scene) -> None:
    """Make the administrator, fail to sign in, and sign in."""
    hunt, visitor = scene.hunt, scene.visitor
    password = hunt.secret("password of the admin", core())
    database = make_engine(scene.system.database_url, pool_size=1)
    await Users(PostgresUsers(database), Argon2Passwords()).create_user(EMAIL, password, Role.ADMIN)
    await database.dispose()
    wrong = hunt.secret("wrong password", core())
    for body in ({"email": EMAIL, "password": wrong}, {"email": wrong, "password": password}):
        assert (await visitor.ask("POST", "/api/auth/login", body))[0] in (401, 422)
    login = {"email": EMAIL, "password": password}
    assert (await visitor.ask("POST", "/api/auth/login", login))[0] == 200
    for cookie in scene.session.cookie_jar:
        # A device's begins as every encrypted text of this hour does.
        hunt.secret(f"cookie {cookie.key}", cookie.value[12:])


async def _meet_servers_that_quote(scene: Scene) -> None:
    """Bots whose Telegram, and bots whose model, quote the secrets they are sent."""
    echoing, sandbox = scene.echoing, scene.system.sandbox
    good_telegram, good_model = f"{echoing.url}/tg/ok", sandbox.openai_url
    bots = [await scene.add_bot("good", good_telegram, good_model)]
    telegrams = []
    for mode in TELEGRAM:
        server = f"{echoing.url}/tg/{mode}"
        telegrams.append(await scene.add_bot(f"telegram {mode}", server, good_model))
        await scene.add_bot(f"polled {mode}", server, good_model, mode="POLLING")
    for mode in MODEL:
        server = f"{echoing.url}/ai/{mode}/v1"
        for api in ("RESPONSES", "CHAT_COMPLETIONS"):
            for prefix in ("sk-", ""):  # a compatible server's keys have any form
                name = f"model {mode} {api} {prefix}"
                bots.append(
                    await scene.add_bot(name, good_telegram, server, api=api, prefix=prefix)
                )
    for bot_id in (*bots, *telegrams):
        await scene.write(bot_id)
    scene.hunt.secret("a webhook's secret", scene.box.webhook_secret(telegrams[0]))
    await scene.tried(len(bots) + len(telegrams))
    for bot_id in telegrams:
        path = f"/api/bots/{bot_id}"
        await scene.visitor.ask("POST", f"{path}/webhook", route="/api/bots/{bot_id}/webhook")
        await scene.visitor.ask("GET", f"{path}/telegram", route="/api/bots/{bot_id}/telegram")
    wanted = {(mode, method) for mode in TELEGRAM for method in ("getUpdates", "setWebhook")}

    async def met() -> bool:
        return wanted <= echoing.calls

    await scene.system.until(met, 120)


async def _walk_every_route(scene: Scene) -> None:
    """Every route of the document, well and badly, by session and by API key."""
    hunt, visitor, system = scene.hunt, scene.visitor, scene.system
    _, document = await visitor.ask("GET", "/schema/openapi.json")
    _, made = await visitor.ask("POST", "/api/api-keys", {"name": "k", "role": "ADMIN"})
    key = hunt.secret("API key", made["key"], "answer POST /api/api-keys")
    bearer = {"Authorization": f"Bearer {key}"}
    wrong_bearer = {"Authorization": f"Bearer kd_{hunt.secret('wrong API key', core(43))}"}
    assert (await visitor.ask("GET", "/api/bots", headers=wrong_bearer))[0] == 401
    bodies = _bodies(scene)
    user = {"email": "bob@example.org", "role": "USER", "password": hunt.secret("bob's", core())}
    _, bob = await visitor.ask("POST", "/api/users", user)
    good = await system.rows("SELECT min(id) AS id FROM bots WHERE name = 'good'")
    (chat,) = await system.rows("SELECT id FROM chats WHERE bot_id = $1 LIMIT 1", good[0]["id"])
    (failed,) = await system.rows(
        "SELECT max(id) AS id FROM message_processing WHERE status IN ('FAILED', 'TERMINAL')"
    )
    names = {
        "bot_id": good[0]["id"],
        "chat_id": chat["id"],
        "processing_id": failed["id"],
        "job_id": await _job(scene, chat["id"]),
        "user_id": bob["id"],
        "key_id": made["id"],
    }
    walked: list[str] = []
    for headers in ({}, bearer):
        walk = Walk(visitor, hunt, document, bodies, headers)
        walked += await walk.go(names, lambda method, _: method == "GET")
    walk = Walk(visitor, hunt, document, bodies)
    leaving = {"/api/auth/logout", "/api/bots/{bot_id}/disable"}
    walked += await walk.go(
        names, lambda method, path: method not in ("GET", "DELETE") and path not in leaving
    )
    await _search_tables(scene, "before anything is deleted")
    await _change_a_password(scene)
    names["job_id"] = await _job(scene, "1:1")  # the chat's own go with the chat
    whole = "/api/bots/{bot_id}"
    walked += await walk.go(names, lambda method, path: method == "DELETE" and path != whole)
    walked += await walk.go(names, lambda _, path: path == "/api/bots/{bot_id}/disable")
    walked += await walk.go(names, lambda method, path: (method, path) == ("DELETE", whole))
    documented = {f"{method} {path}" for method, path, _ in walk.routes}
    assert {*walked, "POST /api/auth/logout"} == documented
    worked = {name for name, statuses in visitor.statuses.items() if min(statuses) < 300}
    # Done well elsewhere: by Telegram, and by a user of their own.
    elsewhere = {"POST /webhook/{bot_id}", "POST /api/auth/password", "POST /api/auth/logout"}
    assert documented - worked <= elsewhere


async def _job(scene: Scene, chat: str) -> int:
    """A job that waits."""
    (row,) = await scene.system.rows(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after)"
        " VALUES (0, 'queued', 'bot.handle_update', $1, now() + interval '1 hour') RETURNING id",
        chat.encode(),
    )
    return int(row["id"])


def _bodies(scene: Scene) -> dict[str, list[Any]]:
    """What each route that takes a body is sent; the first one is good."""
    hunt, url = scene.hunt, scene.echoing.url

    def bot(name: str, **fields: Any) -> dict[str, Any]:
        key = hunt.secret(f"key of the {name} bot", f"sk-{core()}")
        token = hunt.token(f"token of the {name} bot")
        return {"name": name, "token": token, "apiKey": key, "telegramMode": "WEBHOOK", **fields}

    made = bot("made")
    refused = [bot(f"refused {mode}", telegramApiUrl=f"{url}/tg/{mode}") for mode in TELEGRAM]
    away = bot("away", telegramApiUrl="http://127.0.0.1:1")
    patch = {"token": hunt.token("new token"), "apiKey": hunt.secret("new key", core())}
    settings = {
        "openai.apiKey": hunt.secret("openai.apiKey", f"sk-{core()}"),
        "alerts.botToken": hunt.token("alerts.botToken"),
        "alerts.chatId": "4002",
        "openai.baseUrl": f"{url}/ai/401/v1",
    }
    user = {"email": "user@example.org", "role": "USER"}
    user["password"] = hunt.secret("password of a user", core())
    checked = [
        {"token": each["token"], "telegramApiUrl": each["telegramApiUrl"]} for each in refused
    ]
    passwords = {
        "currentPassword": hunt.secret("former password", core()),
        "newPassword": hunt.secret("new password", core()),
    }
    return {
        "POST /api/auth/login": [{"email": EMAIL, "password": hunt.secret("guess", core())}],
        "POST /api/auth/password": [passwords],
        "POST /api/users": [user, user],
        "PATCH /api/users/{user_id}": [{"password": hunt.secret("set password", core())}],
        "POST /api/api-keys": [{"name": "x", "role": "USER"}],
        "POST /api/bots": [made, made, *refused, away],
        "POST /api/bots/check-token": [{"token": made["token"]}, *checked],
        "PATCH /api/bots/{bot_id}": [patch, *({"token": each["token"]} for each in (made, away))],
        "POST /api/chats/{chat_id}/messages": [{"text": "Hello"}],
        "POST /api/processing/retry": [{"filter": {}}],
        "POST /api/replay": [RECORDING],
        "PUT /api/settings": [settings],
        "POST /webhook/{bot_id}": [{"update_id": 1}],
    }


async def _change_a_password(scene: Scene) -> None:
    """A user signs in, changes the password, and out; the alerts' server quotes the token."""
    hunt = scene.hunt
    former, new = hunt.secret("carl's", core()), hunt.secret("carl's new one", core())
    body = {"email": "carl@example.org", "role": "MANAGER", "password": former}
    assert (await scene.visitor.ask("POST", "/api/users", body))[0] == 201
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(scene.system.url, cookie_jar=jar) as session:
        carl = Visitor(session, hunt)
        login = {"email": "carl@example.org", "password": former}
        assert (await carl.ask("POST", "/api/auth/login", login))[0] == 200
        change = {"currentPassword": former, "newPassword": new}
        assert (await carl.ask("POST", "/api/auth/password", change))[0] == 204
        for cookie in jar:
            hunt.secret(f"carl's cookie {cookie.key}", cookie.value[12:])
        assert (await carl.ask("POST", "/api/auth/logout"))[0] in (204, 401)
    for scene.echoing.main in TELEGRAM:
        for path in ("test", "link"):
            await scene.visitor.ask("POST", f"/api/settings/alerts/{path}")
    scene.echoing.main = "ok"


async def _break_statements(scene: Scene) -> None:
    """Statements that hold secrets are refused by PostgreSQL, and connections are cut off."""
    database, hunt = scene.system.database, scene.hunt
    refused = {
        "users": ("POST /api/users", {"email": "dora@example.org", "role": "USER"}),
        "bots": ("POST /api/bots", {"name": "Bot", "telegramMode": "POLLING"}),
        "settings": ("PUT /api/settings", {}),
    }
    for table, (request, body) in refused.items():
        method, path = request.split()
        await database.execute(f"ALTER TABLE {table} ADD CONSTRAINT no CHECK (false) NOT VALID")
        match table:
            case "users":
                body |= {"password": hunt.secret("password that is refused", core())}
            case "bots":
                body |= {"token": hunt.token("token that is refused")}
            case _:
                body |= {"openai.apiKey": hunt.secret("key that is refused", core())}
        assert (await scene.visitor.ask(method, path, body))[0] == 500
        await database.execute(f"ALTER TABLE {table} DROP CONSTRAINT no")
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    body = {"openai.apiKey": hunt.secret("key while PostgreSQL is away", core())}
    await scene.visitor.ask("PUT", "/api/settings", body)
    await scene.system.until(scene.system.ready, 30)


def _look_at_processes(scene: Scene) -> None:
    """What anybody on the machine sees of them."""
    for process in scene.system.processes.values():
        for member in (psutil.Process(process.pid), *psutil.Process(process.pid).children(True)):
            scene.hunt.search("process list", " ".join(member.cmdline()) + " " * 1000)


async def _run_commands(scene: Scene, folder: Path) -> None:
    """Commands, with good and with wrong addresses."""
    environment = scene.system.environment
    away = f"postgresql://u:{scene.hunt.secret('password of no database', core())}@127.0.0.1:1/x"
    wrong = environment["REDIS_URL"].replace("unix://kotodom:", "unix://kotodom:x")
    for arguments, changes in (
        (["record", "--out", "-"], {}),
        (["record", "--out", "-", "--redact"], {}),
        (["rotate-secrets"], {}),
        (["doctor"], {"REDIS_URL": wrong}),
        (["migrate"], {"DATABASE_URL": away}),
    ):
        process = await asyncio.create_subprocess_exec(
            str(KOTODOM),
            *arguments,
            cwd=folder,
            env=environment | changes,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        assert said
        scene.hunt.search(f"kotodom {arguments[0]}", said)


async def _search_stored(scene: Scene, valkey: Valkey) -> None:
    """Everything that is kept."""
    await _search_tables(scene, "")
    database = make_engine(scene.system.database_url, pool_size=1)
    journal, asked = PostgresJournal(database), RecordingFilter()
    async for steps in journal.steps(asked, *(await journal.span(asked))):
        scene.hunt.search("steps of the journal", "\n".join(map(repr, steps)))
    await database.dispose()
    async for key in valkey.scan_iter():
        kind = (await valkey.type(key)).decode()
        read = {
            "string": valkey.get,
            "hash": valkey.hgetall,
            "set": valkey.smembers,
            "list": partial(valkey.lrange, start=0, end=-1),
            "zset": partial(valkey.zrange, start=0, end=-1),
        }[kind]
        scene.hunt.search("Valkey", f"{key!r} {await read(key)!r}")


async def _search_tables(scene: Scene, when: str) -> None:
    """Every row of every table."""
    tables = await scene.system.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    for (table,) in tables:
        place, texts = f"table {table} {when}".strip(), []
        for row in await scene.system.rows(f'SELECT * FROM "{table}"'):
            for value in row.values():
                if isinstance(value, bytes):
                    scene.hunt.search(place, value)
                else:
                    texts.append(str(value))
        scene.hunt.search(place, "\n".join(texts))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://u:{}@h/db"),
        ("DATABASE_URL", "postgresql://u:{}@h:port/db"),
        ("WORKER_DATABASE_URL", "mysql://u:{}@h/db"),
        ("REDIS_URL", "http://:{}@h"),
        ("REDIS_URL", "redis://:{}@h/x"),
        ("SECRET_KEY", "{:.20}"),
        ("OPENAI_API_KEY", "{} {}"),
        ("LOGTAIL_SOURCE_TOKEN", "{} é"),
        ("ADMIN_PASSWORD", "{:.7}"),
        ("OPENAI_BASE_URL", "https://u:{}@h"),
        ("PUBLIC_URL", "https://u:{}@h"),
        ("TELEGRAM_API_URL", "https://u:{}@h"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://u:{}@h"),
        ("LOGTAIL_HOST", "u:{}@h"),
    ],
)
def test_a_wrong_environment_is_not_quoted(name: str, value: str) -> None:
    secret = core()
    with pytest.raises(WrongSetting) as wrong:
        load({name: value.format(secret, secret)})
    assert secret[:7] not in str(wrong.value), wrong.value
