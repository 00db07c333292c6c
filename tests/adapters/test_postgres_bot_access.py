"""Who has a token by now, whose webhook is being set, and where a deleted bot's model was."""

from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_bot_access import Holder, PostgresBotAccess
from adapters.postgres_bots import PostgresBots
from adapters.secret_box import SecretBox, fingerprint
from application.model import ModelAccess, ModelApi
from application.ports import Failed, TelegramAccess
from application.settings import CurrentSettings
from domain.effects import EnsureWebhook, RemoveWebhook
from domain.failures import Fatal
from tests.adapters.bot_rows import Rows

BOX = SecretBox("a secret key of at least 32 characters")
SERVER = "http://telegram"


class Settings:
    async def current(self) -> CurrentSettings:
        return CurrentSettings("sk-ours", None, None, None, 1, 1, 1, "gpt", None, None, None)


@pytest.fixture
async def rows(engine: AsyncEngine) -> Rows:
    made = Rows(engine)
    await made.run("TRUNCATE bots, pgqueuer CASCADE")
    return made


@pytest.fixture
def access(engine: AsyncEngine) -> PostgresBotAccess:
    settings: Any = Settings()
    return PostgresBotAccess(engine, BOX, settings, SERVER)


async def _bot(rows: Rows, token: str, **columns: Any) -> int:
    bot = await rows.bot(token=BOX.encrypt(token), **columns)
    await rows.run(
        "UPDATE bots SET token_fingerprint = :known WHERE id = :bot",
        known=fingerprint(token),
        bot=bot,
    )
    return bot


async def test_who_has_a_token_on_a_server(rows: Rows, access: PostgresBotAccess) -> None:
    bot = await _bot(rows, "1:a")
    other = await _bot(rows, "2:b", telegram_api_url="http://own", telegram_mode="POLLING")
    off = await _bot(rows, "3:c", enabled=False)
    for token, server, holder in (
        ("1:a", SERVER, Holder(bot, hooked=True)),
        ("1:a", "http://own", None),
        ("2:b", "http://own", Holder(other, hooked=False)),
        ("2:b", SERVER, None),
        ("3:c", SERVER, Holder(off, hooked=False)),
        ("4:d", SERVER, None),
    ):
        assert await access.holder(TelegramAccess(9, token, server)) == holder


async def test_a_webhook_is_noted_of_the_token_that_it_was_set_with(
    rows: Rows, access: PostgresBotAccess
) -> None:
    bot = await _bot(rows, "1:a")
    assert await access.note_webhook(TelegramAccess(bot, "1:a", SERVER), "abc")
    for gone in (
        TelegramAccess(bot, "1:former", SERVER),
        TelegramAccess(bot, "1:a", "http://former"),
        TelegramAccess(bot + 1, "1:a", SERVER),
    ):
        assert not await access.note_webhook(gone, "xyz")
    assert await rows.run("SELECT webhook_key FROM bots") == [("abc",)]


@pytest.mark.parametrize(
    ("effect", "status", "due", "connecting"),
    [
        (EnsureWebhook(3), "picked", "0", True),
        (EnsureWebhook(3, 2, 16.0), "picked", "0", True),
        (EnsureWebhook(3), "queued", "0", True),  # its worker was stopped, and handed it back
        (EnsureWebhook(3), "queued", "1 minute", False),
        (EnsureWebhook(3), "failed", "0", False),
        (EnsureWebhook(33, 2, 16.0), "picked", "0", False),
        (EnsureWebhook(33), "picked", "0", False),
        (RemoveWebhook(3), "picked", "0", False),
    ],
)
async def test_whose_webhook_is_being_set(
    rows: Rows,
    access: PostgresBotAccess,
    effect: EnsureWebhook | RemoveWebhook,
    status: str,
    due: str,
    connecting: bool,
) -> None:
    await rows.run(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after)"
        " VALUES (0, CAST(:status AS pgqueuer_status), 'effect.perform', :payload,"
        "         now() + CAST(CAST(:due AS text) AS interval))",
        status=status,
        payload=msgspec.json.encode(effect),
        due=due,
    )
    assert await access.is_connecting(3) == connecting


async def test_a_bot_that_was_edited_a_moment_ago(rows: Rows, access: PostgresBotAccess) -> None:
    bot = await _bot(rows, "1:a")
    assert (await access.get(bot)).telegram.token == "1:a"
    await rows.run("UPDATE bots SET token = :token", token=BOX.encrypt("2:b"))
    assert (await access.get(bot)).telegram.token == "1:a"
    assert (await access.fresh(bot)).telegram.token == "2:b"
    await rows.run("DELETE FROM bots")
    with pytest.raises(Failed):
        await access.fresh(bot)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({}, (None, "sk-ours")),
        ({"api_key": "sk-own"}, (None, "sk-own")),
        ({"base_url": "http://own", "api_key": "sk-own"}, ("http://own", "sk-own")),
        ({"base_url": "http://own"}, None),
    ],
)
async def test_where_the_model_of_a_deleted_bot_was(
    engine: AsyncEngine,
    rows: Rows,
    access: PostgresBotAccess,
    columns: dict[str, str],
    found: tuple[str | None, str] | None,
) -> None:
    if "api_key" in columns:
        columns = columns | {"api_key": BOX.encrypt(columns["api_key"])}
    bot = await _bot(rows, "1:a", model_api="CHAT_COMPLETIONS", **columns)
    async with PostgresBots(engine, BOX, SERVER).transaction() as transaction:
        await transaction.lock(bot, None)
        await transaction.delete(bot)
    ((sealed,),) = await rows.run("SELECT sealed_model FROM erasures WHERE bot_id = :bot", bot=bot)
    assert "sk-own" not in sealed
    model = await access.former_model(sealed)
    if found is None:
        assert isinstance(model, Fatal)
    else:
        assert isinstance(model, ModelAccess)
        assert (model.api, model.base_url, model.api_key) == (ModelApi.RESPONSES, *found)
