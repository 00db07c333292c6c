"""The bot that stands ready in the sandbox, so that a first message can be sent at once.

Triggered by each `kotodom run` with the sandbox on: the bot is made on the first, and its addresses
are brought up to date on every other. It is a bot like any other: it may be edited, disabled or
deleted, and a deleted one stands there again at the next start.
"""

import aiohttp
from sqlalchemy import func, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_schema import bots
from adapters.secret_box import SecretBox, fingerprint
from application.bot_life import BotLife
from domain.bot import TelegramMode
from domain.events import EnableAsked

NAME = "Kotodom"
USERNAME = "kotodom_bot"
TOKEN = "4242424242:the-sandbox-takes-any-token-of-this-form"  # noqa: S105 - no secret: loopback only


async def ensure_ready_bot(
    engine: AsyncEngine, box: SecretBox, life: BotLife, sandbox_url: str
) -> int:
    """The ready bot's id; it polls the sandbox at this address from now on."""
    async with aiohttp.ClientSession() as session:
        card = {"token": TOKEN, "name": NAME, "username": USERNAME}
        await session.post(f"{sandbox_url}/control/bots", json=card)
    addresses = {
        "telegram_api_url": f"{sandbox_url}/telegram",
        "base_url": f"{sandbox_url}/openai/v1",
    }
    async with engine.begin() as connection:
        known = await connection.scalar(
            update(bots)
            .where(bots.c.token_fingerprint == fingerprint(TOKEN))
            .values(**addresses, updated_at=func.now())
            .returning(bots.c.id)
        )
        if known is not None:
            return int(known)
        bot_id: int = (
            await connection.execute(
                insert(bots)
                .values(
                    name=NAME,
                    token=box.encrypt(TOKEN),
                    token_fingerprint=fingerprint(TOKEN),
                    username=USERNAME,
                    telegram_mode=TelegramMode.POLLING.value,
                    **addresses,
                )
                .returning(bots.c.id)
            )
        ).scalar_one()
    await life.put(bot_id, EnableAsked())
    return bot_id
