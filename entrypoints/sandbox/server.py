"""The sandbox as a server: both stand-ins, the control API and the page on one loopback address.

`serve` is what `kotodom sandbox` runs; `SandboxServer` is the same for tests, with its worlds in
reach; `create_app` is what both are made of. With a `state_dir` bots, people, chats and
conversations are kept in a file there, so that a restarted sandbox still knows them.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from entrypoints.sandbox.botapi_schema import BotApiSchema
from entrypoints.sandbox.control import Control
from entrypoints.sandbox.faults import Faults
from entrypoints.sandbox.feed import Feed
from entrypoints.sandbox.openai_api import OpenAiApi, add_headers
from entrypoints.sandbox.openai_world import OpenAiWorld, Pace
from entrypoints.sandbox.page_files import page_routes
from entrypoints.sandbox.state_file import StateFile
from entrypoints.sandbox.telegram_api import TelegramApi
from entrypoints.sandbox.telegram_delivery import Delivery
from entrypoints.sandbox.telegram_methods import Methods
from entrypoints.sandbox.telegram_world import TelegramWorld

VISIBLE_PACE = Pace(first_token=0.6, tokens_per_second=60)
LONGEST_BODY = 60 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0


class Sandbox:
    """Both worlds, their faults and their feed.

    `first_retry` is the first delay, in seconds, before a failed webhook delivery is made again.
    """

    def __init__(
        self,
        *,
        pace: Pace | None = None,
        accept_any_token: bool = True,
        accept_any_chat: bool = True,
        first_retry: float = 1.0,
    ) -> None:
        self.feed = Feed()
        self.faults = Faults(changed=lambda: self.feed.publish("faults"))
        self.telegram = TelegramWorld(self.feed, self.faults, accept_any_token=accept_any_token)
        self.openai = OpenAiWorld(self.feed, self.faults, pace or Pace())
        self.delivery = Delivery(self.telegram, first_retry=first_retry)
        self.methods = Methods(self.telegram, self.delivery, accept_any_chat=accept_any_chat)


def create_app(sandbox: Sandbox | None = None, *, state_dir: Path | None = None) -> web.Application:
    """The sandbox as an aiohttp application that answers loopback only."""
    sandbox = sandbox or Sandbox(pace=VISIBLE_PACE)
    app = web.Application(middlewares=[_loopback_only], client_max_size=LONGEST_BODY)
    app.add_routes(TelegramApi(sandbox.telegram, sandbox.methods, BotApiSchema()).routes())
    app.add_routes(OpenAiApi(sandbox.openai).routes())
    app.add_routes(Control(sandbox.telegram, sandbox.openai).routes())
    app.add_routes(page_routes())
    app.on_response_prepare.append(add_headers)

    async def run(_: web.Application) -> AsyncIterator[None]:
        saver = None
        if state_dir is not None:
            file = StateFile(state_dir, sandbox.telegram, sandbox.openai)
            file.load()
            saver = asyncio.create_task(file.keep_saving())
        sandbox.delivery.start()
        yield
        if saver is not None:
            saver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await saver

    async def close(_: web.Application) -> None:
        sandbox.feed.close()
        await sandbox.delivery.close()

    app.cleanup_ctx.append(run)
    app.on_shutdown.append(close)
    return app


class SandboxServer:
    """A running sandbox: `async with SandboxServer() as sandbox: …`.

    `port` 0 takes a free one. The model answers at once unless a `pace` is given.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        state_dir: Path | None = None,
        pace: Pace | None = None,
        accept_any_token: bool = True,
        accept_any_chat: bool = True,
        first_retry: float = 0.05,
    ) -> None:
        self._sandbox = Sandbox(
            pace=pace,
            accept_any_token=accept_any_token,
            accept_any_chat=accept_any_chat,
            first_retry=first_retry,
        )
        self._host = host
        self._port = port
        self._state_dir = state_dir
        self._runner: web.AppRunner | None = None
        self.telegram = self._sandbox.telegram
        self.openai = self._sandbox.openai
        self.faults = self._sandbox.faults
        self.feed = self._sandbox.feed

    @property
    def url(self) -> str:
        """The page's address, without a slash at its end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def telegram_url(self) -> str:
        """In the place of https://api.telegram.org."""
        return f"{self.url}/telegram"

    @property
    def openai_url(self) -> str:
        """In the place of https://api.openai.com/v1."""
        return f"{self.url}/openai/v1"

    async def start(self) -> None:
        """Raises OSError where the port is taken."""
        app = create_app(self._sandbox, state_dir=self._state_dir)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._port, backlog=1024)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


async def serve(host: str, port: int, state_dir: Path | None) -> None:
    """Runs the sandbox until it is cancelled. Raises OSError where the port is taken."""
    server = SandboxServer(
        host=host, port=port, state_dir=state_dir, pace=VISIBLE_PACE, first_retry=1.0
    )
    async with server:
        await asyncio.Event().wait()


@web.middleware
async def _loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    peer = request.remote
    if peer is not None and not _is_loopback(peer):
        return web.Response(status=403, text="The sandbox answers this machine only.\n")
    return await handler(request)


def _is_loopback(peer: str) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
