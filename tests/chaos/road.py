"""The network to a stand-in: a TCP proxy on loopback that can be away.

The system's processes reach Telegram or the model through a `Road`; the driver closes it as its
plan says. What was cut off never arrives later: a retransmission that outlives the client's own
timeout is not simulated.
"""

import asyncio
import contextlib
import socket
import struct
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 65_536
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Road:
    """`async with Road(upstream_url) as road: …`; clients use `road.url` in its place."""

    def __init__(self, upstream_url: str) -> None:
        upstream = urlsplit(upstream_url)
        self._upstream = (upstream.hostname or "", upstream.port or 80)
        self._path = upstream.path
        self._port = 0
        self._server: asyncio.Server | None = None
        self._light = asyncio.Event()
        self._light.set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}{self._path}"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._light.set()
        self.close()

    def cut(self) -> None:
        """Reset every connection, whatever it was in the middle of."""
        for writer in self._writers:
            peer = writer.get_extra_info("socket")
            if peer is not None:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            writer.transport.abort()

    def close(self) -> None:
        """Reset every connection, and take none."""
        if self._server is not None:
            self._server.close()
        self.cut()

    async def refuse(self, seconds: float) -> None:
        """Reset every connection, and take none for so many seconds."""
        self.close()
        await asyncio.sleep(seconds)
        await self.open()

    async def blackhole(self, seconds: float) -> None:
        """Lose every byte for so many seconds; the connections that lost some are reset then."""
        self._light.clear()
        await asyncio.sleep(seconds)
        self._light.set()
        self.cut()

    async def open(self) -> None:
        """Take connections, always on the same port."""
        self._server = await asyncio.start_server(
            self._carry, "127.0.0.1", self._port, backlog=1024
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        ours = {writer}
        self._writers |= ours
        try:
            if not self._light.is_set():
                await self._light.wait()
                return
            there, back = await asyncio.open_connection(*self._upstream)
            ours.add(back)
            self._writers.add(back)
            ways = [
                asyncio.create_task(self._pass_on(reader, back)),
                asyncio.create_task(self._pass_on(there, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                await self._light.wait()  # in the dark nobody hears of an end either
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self._writers -= ours
            for each in ours:
                each.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._light.is_set():
                    writer.write(data)
                    await writer.drain()
