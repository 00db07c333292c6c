"""Past the bounds of application/backlog.py an update is left with Telegram: 503, and when to come
again."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from dishka import Provider, Scope, make_async_container, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_inbox import PostgresInbox
from adapters.secret_box import SecretBox
from application.backlog import Backlog
from application.intake import Intake
from application.meter import Meter
from application.ports import Clock
from entrypoints.http.app import create_app
from entrypoints.http_wiring import HttpProvider
from entrypoints.settings import Settings, load
from entrypoints.wiring import SharedProvider
from tests.entrypoints.http.conftest import Answer, Person, Run, make_bot, serving

BOUND = 3
Post = Callable[[int, int], Any]
WithBounds = Callable[..., AbstractAsyncContextManager[Post]]


@pytest.fixture
def with_bounds(environ: dict[str, str]) -> WithBounds:
    """An API with other bounds; what posts an update to it, by its bot's and its own number."""

    @asynccontextmanager
    async def made(**bounds: int) -> AsyncIterator[Post]:
        settings = load(environ)
        container = make_async_container(
            SharedProvider(), HttpProvider(), _bounded(bounds), context={Settings: settings}
        )
        box = await container.get(SecretBox)
        async with serving(create_app(container, settings)) as url, aiohttp.ClientSession() as http:
            telegram = Person(http, url)

            async def post(bot_id: int, update_id: int) -> Answer:
                headers = {"X-Telegram-Bot-Api-Secret-Token": box.webhook_secret(bot_id)}
                path = f"/webhook/{bot_id}"
                return await telegram.post(path, _update(update_id), headers=headers)

            yield post

    return made


def _bounded(bounds: dict[str, int]) -> Provider:
    class Bounded(Provider):
        scope = Scope.APP

        @provide(override=True)
        def intake(self, engine: AsyncEngine, clock: Clock, meter: Meter) -> Intake:
            inbox = PostgresInbox(engine)
            return Intake(inbox, Backlog(inbox, clock, **bounds), meter)

    return Bounded()


def _update(update_id: int) -> dict[str, Any]:
    person = {"id": 42, "is_bot": False, "first_name": "Ada"}
    chat = {"id": 42, "type": "private", "first_name": "Ada"}
    message = {"message_id": 1, "date": 1, "chat": chat, "from": person, "text": "Hello"}
    return {"update_id": update_id, "message": message}


def _left_with_telegram(answer: Answer, why: str) -> bool:
    told = (answer.status, answer.headers.get("Retry-After"), answer.json["detail"])
    return told == (503, "10", why)


async def test_too_many_of_a_bot_wait(with_bounds: WithBounds, admin: Person, sql: Run) -> None:
    bot, other = (await make_bot(admin))["id"], (await make_bot(admin))["id"]
    await sql(
        "INSERT INTO telegram_updates (bot_id, update_id, payload, chat_id, state) "
        "SELECT :bot, i, '{}', :chat, 'WAITING' FROM generate_series(1, :count) AS i",
        bot=bot,
        chat=f"{bot}:42",
        count=BOUND,
    )
    async with with_bounds(max_waiting=BOUND) as post:
        answer = await post(bot, 1)
        while answer.status == 200:  # a duplicate, until the lines have been counted
            answer = await post(bot, 1)
        others = await post(other, 1)
    assert _left_with_telegram(answer, f"{BOUND} updates of the bot wait")
    assert others.status == 200
    assert await sql("SELECT count(*) FROM telegram_updates WHERE bot_id = :bot", bot=bot) == [
        (BOUND,)
    ]


async def test_too_many_bytes_are_in_memory(
    with_bounds: WithBounds, admin: Person, sql: Run
) -> None:
    bot = (await make_bot(admin))["id"]
    async with with_bounds(max_pending_bytes=20) as post:
        answer = await post(bot, 1)
    assert _left_with_telegram(answer, "more updates come in than can be kept")
    assert await sql("SELECT update_id FROM telegram_updates WHERE bot_id = :bot", bot=bot) == []
