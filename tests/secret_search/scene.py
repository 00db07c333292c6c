"""The system, with a recognisable secret wherever it takes one, and what stands around it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from valkey.asyncio import Valkey

from adapters.secret_box import SecretBox, fingerprint
from tests.end_to_end.collectors import Collector
from tests.end_to_end.system import System
from tests.secret_search.echoing import Echoing
from tests.secret_search.hunt import Hunt, core
from tests.secret_search.visitor import Visitor

_BOTS = """
INSERT INTO bots (name, token, token_fingerprint, telegram_mode, telegram_api_url, base_url,
                  api_key, model, model_api, enabled, is_active)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'gpt-5.4-mini', $8, true, true) RETURNING id
"""


class Scene:
    """Everything that the story needs."""

    def __init__(
        self, system: System, hunt: Hunt, echoing: Echoing, log: Path, counters: Path
    ) -> None:
        self.system, self.hunt, self.echoing = system, hunt, echoing
        self.log, self.counters = log, counters
        self.box = SecretBox(system.environment["SECRET_KEY"])
        # Searching takes a while, in which the server would close a kept connection.
        self.session = aiohttp.ClientSession(
            system.url,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            connector=aiohttp.TCPConnector(force_close=True),
        )
        self.visitor = Visitor(self.session, hunt)
        self.logtail, self.traces = Collector(202), Collector()
        self.updates = 0

    async def add_bot(self, name: str, telegram: str, model: str, **how: str) -> int:
        """A bot that is enabled, with a token and a key of its own; its id."""
        token = self.hunt.token(f"token of {name}")
        key = self.hunt.secret(f"key of {name}", how.get("prefix", "") + core(40))
        (row,) = await self.system.rows(
            _BOTS,
            name,
            self.box.encrypt(token),
            fingerprint(token),
            how.get("mode", "WEBHOOK"),
            telegram,
            model,
            self.box.encrypt(key),
            how.get("api", "RESPONSES"),
        )
        return int(row["id"])

    async def write(self, bot_id: int, text: str = "Hello", chat: int = 4001) -> None:
        """A person writes to the bot."""
        self.updates += 1
        message = {
            "message_id": self.updates,
            "date": 1,
            "chat": {"id": chat, "type": "private"},
            "from": {"id": chat, "is_bot": False, "first_name": "Anna"},
            "text": text,
        }
        secret = {"X-Telegram-Bot-Api-Secret-Token": self.box.webhook_secret(bot_id)}
        status, _ = await self.visitor.ask(
            "POST",
            f"/webhook/{bot_id}",
            {"update_id": self.updates, "message": message},
            route="/webhook",
            headers=secret,
        )
        assert status == 200

    async def tried(self, count: int) -> None:
        """Return once so many messages were answered, or have failed at least once."""

        async def are() -> bool:
            rows = await self.system.rows(
                "SELECT FROM message_processing WHERE status IN ('FAILED', 'TERMINAL', 'COMPLETED')"
            )
            return len(rows) >= count

        await self.system.until(are, 120)


@contextlib.asynccontextmanager
async def setting(
    database_url: str, valkey_url: str, valkey: Valkey, folder: Path
) -> AsyncIterator[Scene]:
    """The system, not yet started, with a secret in every variable that holds one."""
    hunt = Hunt()
    password = hunt.secret("REDIS_URL", core())
    await valkey.execute_command(
        "ACL", "SETUSER", "kotodom", "on", f">{password}", "~*", "&*", "+@all"
    )
    log, counters = folder / "log", folder / "counters"
    counters.mkdir()
    async with contextlib.AsyncExitStack() as stack:
        echoing = await stack.enter_async_context(Echoing())
        database = hunt.secret("DATABASE_URL", core())
        system = System(
            database_url,
            valkey_url.replace("unix://", f"unix://kotodom:{password}@"),
            SECRET_KEY=f"{hunt.secret('SECRET_KEY', core(48))},{hunt.secret('old key', core(48))}",
            OPENAI_API_KEY=hunt.secret("OPENAI_API_KEY", f"sk-proj-{core()}"),
            LOGTAIL_SOURCE_TOKEN=hunt.secret("LOGTAIL_SOURCE_TOKEN", core()),
            ADMIN_PASSWORD=hunt.secret("ADMIN_PASSWORD", core()),
            TELEGRAM_API_URL=f"{echoing.url}/tg/main",
            PROMETHEUS_MULTIPROC_DIR=str(counters),
            LOG_LEVEL="DEBUG",
            LOG_FORMAT="json",
            TELEGRAM_TIMEOUT="2",
            OPENAI_TIMEOUT="10",
        )
        system.environment["DATABASE_URL"] = database_url.replace(
            "postgres@", f"postgres:{database}@"
        )
        await stack.enter_async_context(system)
        made = Scene(system, hunt, echoing, log, counters)
        await stack.enter_async_context(made.session)
        await stack.enter_async_context(made.logtail)
        await stack.enter_async_context(made.traces)
        system.environment["LOGTAIL_HOST"] = made.logtail.url
        system.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = made.traces.url
        system.output = stack.enter_context(log.open("ab"))
        yield made
    await valkey.execute_command("ACL", "DELUSER", "kotodom")
