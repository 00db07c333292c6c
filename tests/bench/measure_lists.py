"""The admin's lists over HTTP, with a thousand and with a million messages: every list and filter.

Everything belongs to one bot, which is also a USER's: what is narrowed to an owner is as much as
all of it. At the largest size another USER has a thousand bots. Figures say the slowest but one in
twenty, with everything else on the same two cores.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from math import ceil

import aiohttp
import msgspec

from adapters.argon2_passwords import Argon2Passwords
from adapters.postgres_transactions import engine
from adapters.postgres_users import PostgresUsers
from application.users import Users
from domain.access import Role
from tests.bench.filling import fill
from tests.bench.many_bots import make_many_bots
from tests.bench.measurement import Bench, Line, Measurement, kept, line
from tests.bench.servers import BenchFailed

GOAL = 50.0
"""Milliseconds (DESIGN §10)."""
EMAIL, MANY = "owner@example.org", "many@example.org"
PASSWORD = "correct horse battery"

PHRASE = "%D1%81%D0%BB%D0%BE%D0%B2%D0%BE%20%D1%81%D0%BB%D0%BE%D0%B2%D0%BE"
"""Of a word that every message of the filling has, twice in a row, as it stands nowhere."""

LISTS = {
    "processing": "/api/processing",
    "… of a status": "/api/processing?status=TERMINAL",
    "… of a status that is rare": "/api/processing?status=FAILED",
    "… of a bot": "/api/processing?botId={bot}",
    "… of a bot and a status": "/api/processing?botId={bot}&status=TERMINAL",
    "… from and to": "/api/processing?from={from}&to={to}",
    "… from and to, of a status": "/api/processing?from={from}&to={to}&status=TERMINAL",
    "… with a word that is everywhere": "/api/processing?q=%D1%81%D0%BB%D0%BE%D0%B2%D0%BE",
    "… with a rare word": "/api/processing?q=%D1%80%D0%B5%D0%B4%D0%BA%D0%BE%D0%B5",
    "… with a word that is nowhere": "/api/processing?q=nowhere",
    "… with two letters": "/api/processing?q=qz",
    "… with a word, of a bot": "/api/processing?botId={bot}&q=nowhere",
    "… with a phrase of two words that are everywhere": f"/api/processing?q={PHRASE}",
    "… with such a phrase, of a status": f"/api/processing?q={PHRASE}&status=TERMINAL",
    "… with such a phrase, of a bot": f"/api/processing?botId={{bot}}&q={PHRASE}",
    "… with three letters of many words": "/api/processing?q=abc",
    "… with dots": "/api/processing?q=...",
    "… with percents": "/api/processing?q=%25%25%25",
    "… with letters apart": "/api/processing?q=a%20b",
    "… with an emoji": "/api/processing?q=%F0%9F%99%82",
    "chats": "/api/chats",
    "… of one bot": "/api/chats?botId={bot}",
    "… active since": "/api/chats?activeSince={from}",
    "… with a name that many have": "/api/chats?q=person",
    "… with a name that few have": "/api/chats?q=person%201234",
    "… with a name that none has": "/api/chats?q=nobody",
    "… with Telegram's id": "/api/chats?q=-777",
    "… with one letter": "/api/chats?q=%D1%8F",
    "… with names that many have, together": "/api/chats?q=person%20person",
    "… with a name of no letters": "/api/chats?q=...",
    "messages of a chat": "/api/chats/{chat}/messages",
    "bots": "/api/bots",
    "failures": "/api/processing/failures",
    "how many may be retried": "/api/processing/retry",
    "… of those with a word that is nowhere": "/api/processing/retry?q=nowhere",
    "jobs": "/api/jobs",
    "jobs of a status": "/api/jobs?status=failed",
    "job statistics": "/api/jobs/stats",
    "audit": "/api/audit",
}
ADMINS = ("jobs", "jobs of a status", "job statistics", "audit")


async def lists(bench: Bench) -> list[Measurement]:
    """One measurement a size; the second page of each list counts as well.

    Fillings stay: sizes below what another measurement has left are left out (`make bench
    ARGS=lists` has them all).
    """
    one, many = await _make_owners(bench)
    await bench.system.database.execute(
        "UPDATE bots SET owner_user_id = $1 WHERE id = $2", one, bench.system.bot_id
    )
    measurements = []
    already = await bench.system.database.fetchval("SELECT count(*) FROM messages")
    largest = max(bench.sizes.listed)
    for there in bench.sizes.listed:
        if there < already and there != largest:
            continue
        await fill(bench.system.database, bench.system.bot_id, there)
        owners = {" (owner)": EMAIL}
        if there == largest:
            await make_many_bots(bench.system.database, many)
            owners[" (owner of 1,000 bots)"] = MANY
        measurements.append(await _measure(bench, there, owners))
    return measurements


async def _make_owners(bench: Bench) -> list[str]:
    database = engine(bench.system.database_url, pool_size=1)
    users = Users(PostgresUsers(database), Argon2Passwords())
    made = [(await users.create_user(email, PASSWORD, Role.USER)).id for email in (EMAIL, MANY)]
    await database.dispose()
    return made


async def _measure(bench: Bench, there: int, owners: Mapping[str, str]) -> Measurement:
    database, bot = bench.system.database, bench.system.bot_id
    began, ended = await database.fetchrow(
        "SELECT min(created_at) + (max(created_at) - min(created_at)) / 3,"
        " min(created_at) + (max(created_at) - min(created_at)) / 2 FROM message_processing"
    )
    places = {
        "bot": bot,
        "chat": f"{bot}:-1",
        "from": began.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "to": ended.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    lines: list[Line] = []
    figures: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        asking = {"": bench.system.http}
        for who, email in owners.items():
            jar = aiohttp.CookieJar(unsafe=True)
            session = aiohttp.ClientSession(bench.system.url, cookie_jar=jar)
            asking[who] = await stack.enter_async_context(session)
            signing = {"email": email, "password": PASSWORD}
            (await session.post("/api/auth/login", json=signing)).raise_for_status()
        for who, session in asking.items():
            for what, path in LISTS.items():
                theirs = owners.get(who) != MANY or "{chat}" not in path
                if theirs and not (who and what in ADMINS):
                    taken = await _ask(session, path.format(**places), bench.sizes.asked)
                    figures[what + who] = taken
                    lines.append(line(what + who, [_p95(taken)], "ms", at_most=GOAL))
    stats = await _ask(bench.system.http, "/api/stats?days=90", 1)
    lines.append(line("statistics of 90 days", stats, "ms"))
    export = await _ask(bench.system.http, "/api/processing.csv", 1)
    lines.append(line("all processing as CSV", [each / 1000 for each in export], "s"))
    return Measurement(f"lists, {there:,} messages there", lines, kept([figures]))


async def _ask(session: aiohttp.ClientSession, path: str, times: int) -> list[float]:
    """Milliseconds of each time; the second page is asked for after the first."""
    taken = []
    cursor = None
    for _ in range(times):
        more = f"{'&' if '?' in path else '?'}cursor={cursor}" if cursor else ""
        began = time.perf_counter()
        async with session.get(path + more) as answer:
            content = b""
            async for chunk in answer.content.iter_any():
                content = chunk if answer.content_type == "text/csv" else content + chunk
            taken.append((time.perf_counter() - began) * 1000)
            if answer.status != 200:
                raise BenchFailed(f"{path}: {answer.status} {content.decode()[:300]}")
            if answer.content_type == "application/json":
                read = msgspec.json.decode(content)
                cursor = read.get("nextCursor") if isinstance(read, dict) and not cursor else None
    return taken


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[ceil(0.95 * len(values)) - 1]
