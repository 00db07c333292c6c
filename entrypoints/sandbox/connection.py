"""Ends a connection the hard way, for the faults that do: the peer sees a reset, not an end."""

import socket
import struct

from aiohttp import web

_LINGER_ZERO = struct.pack("ii", 1, 0)


def reset(request: web.Request) -> web.Response:
    """Resets the request's connection. The response returned reaches nobody."""
    transport = request.transport
    if transport is not None:
        peer = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.abort()
    return web.Response(status=502)
