"""The other contestant: a bot as one writes it by hand, with aiogram and the openai SDK.

Run by tests/bench/contestants.py in the environment of .venv/bench, in a process of its own. It
keeps everything in memory and nothing on disk: a conversation for each chat in a dict, and a lock
for each, since OpenAI refuses two runs at once in one conversation. Webhooks are acknowledged at
once and handled in the background, which is aiogram's default.
"""

import argparse
import asyncio
from collections import defaultdict

import uvloop
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web
from openai import AsyncOpenAI, DefaultAioHttpClient

MODEL = "gpt-5.4-mini"
SECRET = "a-webhook-secret-of-the-bench"


class Chats:
    """The bot's one handler, and all that it knows."""

    def __init__(self, openai: AsyncOpenAI) -> None:
        self._openai = openai
        self._conversations: dict[int, str] = {}
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def answer(self, message: Message) -> None:
        """Ask the model in the chat's conversation, and send what it says."""
        chat_id = message.chat.id
        async with self._locks[chat_id]:
            if chat_id not in self._conversations:
                self._conversations[chat_id] = (await self._openai.conversations.create()).id
            response = await self._openai.responses.create(
                model=MODEL, input=message.text or "", conversation=self._conversations[chat_id]
            )
            await message.answer(response.output_text)


async def serve(stand_ins: str, token: str, transport: str) -> None:
    """Serve the webhook on a free port, print it, and tell Telegram."""
    server = TelegramAPIServer.from_base(stand_ins)
    bot = Bot(token, session=AiohttpSession(api=server))
    openai = AsyncOpenAI(
        api_key="sk-of-the-stand-in",
        base_url=f"{stand_ins}/v1",
        http_client=DefaultAioHttpClient() if transport == "aiohttp" else None,
    )
    dispatcher = Dispatcher()
    dispatcher.message.register(Chats(openai).answer)
    app = web.Application()
    SimpleRequestHandler(dispatcher, bot, secret_token=SECRET).register(app, path="/webhook")
    setup_application(app, dispatcher, bot=bot)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    await bot.set_webhook(f"http://{host}:{port}/webhook", secret_token=SECRET)
    print(port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("stand_ins")
    arguments.add_argument("token")
    arguments.add_argument("transport", choices=("default", "aiohttp"))
    given = arguments.parse_args()
    uvloop.run(serve(given.stand_ins, given.token, given.transport))
