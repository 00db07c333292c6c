"""Live events: who hears what, what happens when something drops, a thousand listeners."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from dishka import make_async_container
from structlog.testing import capture_logs
from valkey.asyncio import Valkey

from adapters import valkey_live
from adapters.child_process import wait_until
from adapters.data_directory import DataDirectory
from adapters.embedded_valkey import EmbeddedValkey
from adapters.service_process import running
from adapters.valkey_live import APART, CHANNEL, ValkeyFeed, ValkeyLive
from adapters.valkey_sessions import valkey_client
from application import listeners
from application.listeners import Listener
from application.live import Changed
from domain.access import Actor, Role
from entrypoints.http.app import create_app
from entrypoints.http_wiring import HttpProvider
from entrypoints.settings import Settings, load
from entrypoints.wiring import SharedProvider
from tests.entrypoints.http.conftest import PASSWORD, Answer, Api, Person, Run, make_bot, serving
from tests.entrypoints.http.rows import keep_chat, keep_message

REFRESH = {"type": "refresh", "id": None}


class Page:
    """An open page: what it heard so far."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.events: list[dict[str, Any]] = []
        self.comments: list[str] = []
        self.ids: list[int] = []
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for line in self.response.content:
            text = line.decode().rstrip("\n")
            if text.startswith("data: "):
                self.events.append(json.loads(text[6:]))
            elif text.startswith("id: "):
                self.ids.append(int(text[4:]))
            elif text.startswith(":"):
                self.comments.append(text)

    async def hears(self, event: dict[str, Any], seconds: float = 5) -> None:
        async def heard() -> bool:
            return event in self.events

        await wait_until(heard, seconds)

    async def ends(self, seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            await asyncio.shield(self.task)


@asynccontextmanager
async def page(person: Person, **headers: str) -> AsyncIterator[Page]:
    url = f"{person.url}/api/events"
    timeout = aiohttp.ClientTimeout(total=None)
    async with person.session.get(url, headers=headers, timeout=timeout) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        opened = Page(response)
        yield opened
        opened.task.cancel()


async def _barrier(valkey: Valkey, *pages: Page) -> None:
    """All that was told before has arrived."""
    await asyncio.sleep(3 * APART)  # the API's last PUBLISH has gone out
    mark = f"0:{time.monotonic_ns()}"
    live = ValkeyLive(valkey)
    live.tell([Changed("refresh", mark)])
    for opened in pages:
        await opened.hears({"type": "refresh", "id": mark})


async def test_who_hears_what(
    admin: Person, manager: Person, user: Person, valkey: Valkey, sql: Run
) -> None:
    theirs = await make_bot(admin, telegramMode="POLLING")
    async with page(admin) as of_admin, page(manager) as of_manager, page(user) as of_user:
        pages = (of_admin, of_manager, of_user)
        mine = await make_bot(user, telegramMode="POLLING")
        bot = {"type": "bot", "id": mine["id"]}
        for opened in pages:
            await opened.hears(bot)
        await admin.patch(f"/api/bots/{theirs['id']}", {"name": "New"})
        await admin.put("/api/settings", {"defaults.model": "m"})
        chat = await keep_chat(sql, mine["id"], 71)
        message = await keep_message(sql, chat, "hi", "TERMINAL")
        assert (await user.post(f"/api/processing/{message}/retry")).status == 202
        await of_user.hears({"type": "message", "id": message})
        await user.delete(f"/api/bots/{mine['id']}")
        await _barrier(valkey, *pages)
        everything = [
            bot,
            {"type": "bot", "id": theirs["id"]},
            {"type": "settings", "id": None},
            {"type": "message", "id": message},
            bot,
        ]
        assert _distinct(of_admin) == everything
        assert _distinct(of_manager) == [each for each in everything if each["type"] != "settings"]
        assert _distinct(of_user) == [bot, everything[3], bot]
        assert of_user.ids == sorted(of_user.ids) and len(of_user.ids) == len(of_user.events)
    await admin.put("/api/settings", {"defaults.model": None})


def _distinct(opened: Page) -> list[dict[str, Any]]:
    """Without what was heard twice in a row, and without the barrier."""
    events = [event for event in opened.events if event["type"] != "refresh"]
    return [event for at, event in enumerate(events) if at == 0 or events[at - 1] != event]


async def test_nobody_and_a_key(nobody: Person, admin: Person, valkey: Valkey) -> None:
    assert (await nobody.get("/api/events")).status == 401
    key = await admin.post("/api/api-keys", {"name": "events", "role": "USER"})
    assert key.status == 201, key.json
    secret = next(value for value in key.json.values() if len(str(value)) > 30)
    async with page(nobody, Authorization=f"Bearer {secret}") as opened:
        await _barrier(valkey, opened)


async def test_who_comes_back_asks_for_everything_again(admin: Person) -> None:
    async with page(admin) as opened:
        await admin.put("/api/settings", {"defaults.model": None, "retention.journalDays": 9})
        await opened.hears({"type": "settings", "id": None})
        assert REFRESH not in opened.events
    async with page(admin, **{"Last-Event-ID": str(opened.ids[-1])}) as again:
        await again.hears(REFRESH)


async def test_a_heartbeat_is_a_comment(admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entrypoints.http.events.HEARTBEAT_EVERY", 0.1)
    async with page(admin) as opened:

        async def beats() -> bool:
            return len(opened.comments) >= 3

        await wait_until(beats, 5)
        assert opened.events == []


async def _sign_out(leaves: Person, _: Person, __: str) -> Answer:
    return await leaves.post("/api/auth/logout")


async def _change_password(leaves: Person, _: Person, __: str) -> Answer:
    change = {"currentPassword": PASSWORD, "newPassword": "another correct one"}
    return await leaves.post("/api/auth/password", change)


async def _patch(admin: Person, user_id: str, **fields: str) -> Answer:
    return await admin.patch(f"/api/users/{user_id}", fields)


@pytest.mark.parametrize(
    "ends",
    [
        _sign_out,
        _change_password,
        lambda _, admin, user_id: _patch(admin, user_id, status="DISABLED"),
        lambda _, admin, user_id: _patch(admin, user_id, role="USER"),
        lambda _, admin, user_id: _patch(admin, user_id, password="another correct one"),
    ],
    ids=["sign out", "own password", "disable", "role", "password"],
)
async def test_what_ends_a_session_ends_its_page_at_once(
    people: Callable[[], Person],
    admin: Person,
    valkey: Valkey,
    monkeypatch: pytest.MonkeyPatch,
    ends: Callable[[Person, Person, str], Awaitable[Answer]],
) -> None:
    """Without the look that is taken at all of them each 20 s."""
    monkeypatch.setattr(listeners, "CHECK_EVERY", 3600)
    new = {"email": f"{time.monotonic_ns()}@example.com", "password": PASSWORD, "role": "MANAGER"}
    user_id = (await admin.post("/api/users", new)).json["id"]
    leaves = people()
    assert (await leaves.sign_in(new["email"])).status == 200
    async with page(leaves) as gone, page(admin) as still:
        assert (await ends(leaves, admin, user_id)).status in (200, 204)
        await gone.ends()
        await _barrier(valkey, still)
        # It is nobody's event.
        assert [event["type"] for event in [*still.events, *gone.events]] == ["refresh"]


async def test_a_key_that_is_revoked_hears_no_more(
    nobody: Person, user: Person, admin: Person, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "CHECK_EVERY", 3600)
    keys = [(await user.post("/api/api-keys", {"name": "x", "role": "USER"})).json for _ in "12"]
    shown = [{"Authorization": f"Bearer {key['key']}"} for key in keys]
    async with page(nobody, **shown[0]) as gone, page(nobody, **shown[1]) as still:
        assert (await admin.delete(f"/api/api-keys/{keys[0]['id']}")).status == 204
        await gone.ends()
        await _barrier(valkey, still)


async def test_signing_out_ends_it(
    people: Callable[[], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert listeners.CHECK_EVERY <= 30
    monkeypatch.setattr(listeners, "CHECK_EVERY", 0.2)
    leaves, stays = people(), people()
    for person in (leaves, stays):
        assert (await person.sign_in("user@example.com")).status == 200
    async with page(leaves) as gone, page(stays) as still:
        await leaves.post("/api/auth/logout")
        await gone.ends()
        assert not still.task.done()


async def test_a_user_who_is_disabled_hears_no_more(
    people: Callable[[], Person], admin: Person, sql: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "CHECK_EVERY", 0.2)
    person = people()
    new = {"email": "leaves@example.com", "password": PASSWORD, "role": "MANAGER"}
    assert (await admin.post("/api/users", new)).status == 201
    await person.sign_in("leaves@example.com")
    async with page(person) as opened:
        await sql("UPDATE users SET status = 'DISABLED' WHERE email = 'leaves@example.com'")
        await opened.ends()


async def test_another_role_hears_otherwise(
    people: Callable[[], Person],
    admin: Person,
    sql: Run,
    valkey: Valkey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listeners, "CHECK_EVERY", 0.1)
    person = people()
    new = {"email": "less@example.com", "password": PASSWORD, "role": "MANAGER"}
    assert (await admin.post("/api/users", new)).status == 201
    await person.sign_in("less@example.com")
    async with page(person) as opened:
        await sql("UPDATE users SET role = 'USER' WHERE email = 'less@example.com'")
        await asyncio.sleep(0.5)
        await make_bot(admin, telegramMode="POLLING")
        await _barrier(valkey, opened)
        assert [event for event in opened.events if event["type"] == "bot"] == []


async def test_a_listener_that_does_not_read_hears_one_refresh() -> None:
    async def check() -> Actor:
        raise AssertionError

    listener = Listener(Actor("1", "a@example.com", Role.ADMIN), "s", check)
    for _ in range(10_000):
        listener.hear(b"x" * 40, lambda: b"refresh")
    listener.hear(b"after", lambda: b"refresh")
    heard = await listener.next(1)
    assert heard is not None
    assert heard.startswith(b"refresh") and heard.endswith(b"after")
    assert len(heard) <= listeners.MOST_BYTES
    assert await listener.next(0.01) == b""
    listener.end()
    assert await listener.next(1) is None


async def test_a_bug_ends_the_streams_is_told_and_the_next_listener_begins_anew() -> None:
    class Feed:
        tries = 0

        async def follow(self) -> AsyncIterator[None]:
            self.tries += 1
            yield None
            if self.tries == 1:
                raise ValueError("cannot read what it hears")
            await asyncio.sleep(60)

    class Owners:
        async def bots_of(self, user_ids: object) -> dict[int, str]:
            return {}

    async def check() -> Actor:
        return actor

    actor = Actor("1", "a@example.com", Role.ADMIN)
    first, second = Listener(actor, "s", check), Listener(actor, "s", check)
    together = listeners.Listeners(Feed(), Owners(), lambda _, __: b"")
    with capture_logs() as lines:
        await together.join(first)
        assert await first.next(1) is None
    assert [(line["event"], line["log_level"]) for line in lines] == [("live.broke", "error")]
    together.leave(first)
    await together.join(second)
    assert await second.next(0.01) == b""
    together.leave(second)


async def test_a_page_that_is_gone_before_its_stream_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listeners, "CHECK_EVERY", 0.05)
    followed: list[str] = []

    class Feed:
        async def follow(self) -> AsyncIterator[None]:
            followed.append("begun")
            try:
                yield None
                await asyncio.sleep(60)
            finally:
                followed.append("ended")

    class Owners:
        async def bots_of(self, user_ids: object) -> dict[int, str]:
            return {}

    async def check() -> Actor:
        return actor

    actor = Actor("1", "u@example.com", Role.USER)
    use_case = listeners.Listeners(Feed(), Owners(), lambda number, events: b"")
    await use_case.join(Listener(actor, "s", check))

    async def rests() -> bool:
        return followed == ["begun", "ended"]

    await wait_until(rests, 2)
    assert use_case.count == 0
    again = Listener(actor, "s", check)
    await use_case.join(again)
    assert use_case.count == 1 and followed == ["begun", "ended", "begun"]
    use_case.leave(again)


async def test_one_subscription_for_many_and_none_for_nobody(admin: Person, valkey: Valkey) -> None:
    async def subscribers() -> int:
        return int((await valkey.pubsub_numsub(CHANNEL))[0][1])

    async def nobody_listens() -> bool:
        return await subscribers() == 0

    await wait_until(nobody_listens, 5)
    async with AsyncExitStack() as stack:
        for _ in range(20):
            await stack.enter_async_context(page(admin))
        assert await subscribers() == 1
    await wait_until(nobody_listens, 5)


async def test_a_thousand_listeners(
    admin: Person, api: Api, valkey: Valkey, record_property: Callable[[str, object], None]
) -> None:
    """On the API's own process, which is this one: the readers cost as much as what they read."""
    process = psutil.Process()
    count = 1000
    connector = aiohttp.TCPConnector(limit=0)
    jar = aiohttp.CookieJar(unsafe=True)
    for cookie in admin.session.cookie_jar:
        jar.update_cookies({cookie.key: cookie.value})
    async with (
        AsyncExitStack() as stack,
        aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session,
    ):
        before = process.memory_info().rss
        person = Person(session, api.url)
        pages = [await stack.enter_async_context(page(person)) for _ in range(count)]
        grown = (process.memory_info().rss - before) / count
        mark = {"type": "settings", "id": None}
        times: list[float] = []
        for number in range(3):
            began = time.monotonic()
            answer = await admin.put("/api/settings", {"retention.journalDays": 10 + number})
            assert answer.status == 200

            async def all_heard(least: int = number + 1) -> bool:
                return all(opened.events.count(mark) >= least for opened in pages)

            await wait_until(all_heard, 20)
            times.append(time.monotonic() - began)
        print(f"{grown / 1024:.0f} KiB a listener (and its reader), {times} s to the last of them")
        record_property("KiB a listener", round(grown / 1024))
        assert grown < 200 * 1024
        assert min(times) < 2


@pytest.fixture
async def own_valkey(tmp_path: Path) -> AsyncIterator[tuple[EmbeddedValkey, Callable[[], Any]]]:
    data = DataDirectory.open(tmp_path / "d")
    server = EmbeddedValkey(data)
    yield server, lambda: running(server, 5)


async def test_valkey_dies_and_comes_back(
    own_valkey: tuple[EmbeddedValkey, Callable[[], Any]],
) -> None:
    """The feed and the telling side, without the sessions, which live in the same Valkey."""
    server, run = own_valkey
    heard: list[object] = []

    async def follow() -> None:
        async for events in ValkeyFeed(server.url).follow():
            heard.append(events)

    client = valkey_client(server.url)
    live = ValkeyLive(client)
    following: asyncio.Task[None]

    def heard_is(expected: list[object]) -> Callable[[], Awaitable[bool]]:
        async def holds() -> bool:
            return heard == expected

        return holds

    async with run():
        following = asyncio.create_task(follow())
        await wait_until(heard_is([None]), 5)
        live.tell([Changed("bot", 1, 1)])
        live.tell([Changed("bot", 1, 1), Changed("bot", 2, 2)])
        first = [Changed("bot", 1, 1), Changed("bot", 2, 2)]
        await wait_until(heard_is([None, first]), 5)
    live.tell([Changed("bot", 3, 3)])  # nobody can hear it
    await asyncio.sleep(0.5)
    async with run():
        refresh = [Changed("refresh", None)]

        async def heard_again() -> bool:
            return None in heard[2:] and refresh in heard[2:]

        await wait_until(heard_again, 15)
        assert [each for each in heard[2:] if each not in (None, refresh)] == []
        live.tell([Changed("bot", 4, 4)])

        async def fourth() -> bool:
            return heard[-1] == [Changed("bot", 4, 4)]

        await wait_until(fourth, 5)
        following.cancel()
        await live.close()
        await client.aclose()


async def test_an_open_page_over_the_death_of_valkey(
    environ: dict[str, str], api: Api, own_valkey: tuple[EmbeddedValkey, Callable[[], Any]]
) -> None:
    server, run = own_valkey
    settings = load(environ | {"REDIS_URL": server.url})
    async with run() as process:
        container = make_async_container(
            SharedProvider(), HttpProvider(), context={Settings: settings}
        )
        async with (
            serving(create_app(container, settings)) as url,
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
        ):
            person = Person(session, url)
            assert (await person.sign_in("admin@example.com")).status == 200
            async with page(person) as opened:
                await asyncio.sleep(1.1)  # Valkey's file is synced once a second
                process.kill()
                await process.wait()
                away = await person.get("/api/events")
                assert (away.status, away.headers["Retry-After"]) == (503, "2")
                async with run():
                    await opened.hears(REFRESH, 10)
                    assert (
                        await person.put("/api/settings", {"defaults.model": None})
                    ).status == 200
                    await opened.hears({"type": "settings", "id": None})


async def test_a_valkey_that_hangs_is_a_gap(
    own_valkey: tuple[EmbeddedValkey, Callable[[], Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, run = own_valkey
    monkeypatch.setattr(valkey_live, "QUIET", 0.1)
    monkeypatch.setattr(valkey_live, "PONG_WITHIN", 0.5)
    heard: list[object] = []

    async def follow() -> None:
        async for events in ValkeyFeed(server.url).follow():
            heard.append(events)

    async with run() as process:
        following = asyncio.create_task(follow())
        await asyncio.sleep(0.7)
        assert heard == [None]  # silence that is answered is none
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1)
        process.send_signal(signal.SIGCONT)

        async def subscribed_again() -> bool:
            return heard == [None, None]

        await wait_until(subscribed_again, 5)
        following.cancel()


async def test_what_is_pending_is_told_at_the_end_and_too_much_is_a_refresh(
    valkey: Valkey,
) -> None:
    pubsub = valkey.pubsub()
    await pubsub.subscribe(CHANNEL)
    await pubsub.get_message(timeout=2)
    live = ValkeyLive(valkey)
    live.tell([Changed("user", "anna")])
    live.tell([Changed("message", number, 1) for number in range(501)])
    live.tell([Changed("user", "boris"), Changed("bot", 1, 1)])
    await live.close()
    told = await pubsub.get_message(timeout=2)
    # Whose sessions are to be looked at is in no refresh.
    users = b'["user","anna",null],["user","boris",null]'
    assert told is not None and told["data"] == b'[%s,["refresh",null,null]]' % users
    await pubsub.aclose()
