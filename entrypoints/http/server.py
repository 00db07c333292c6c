"""`kotodom api`: the HTTP application under uvicorn, until SIGTERM or Ctrl-C.

Requests in flight have five seconds to finish; then the connections are closed, and the process
ends in less than eight.
"""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import uvicorn
from dishka import make_async_container
from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from application.listeners import Listeners
from entrypoints.http.app import create_app
from entrypoints.http.problems import MEDIA_TYPE, problem
from entrypoints.http_wiring import HttpProvider
from entrypoints.settings import Settings, WrongSetting
from entrypoints.stopping import on_signal
from entrypoints.tracing import tracing
from entrypoints.wiring import SharedProvider

GRACE_SECONDS = 5
BACKLOG = 2048


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not uvicorn's way, which kills the process with the signal again once it has stopped."""
        yield


class _Protocol(HttpToolsProtocol):
    def send_400_response(self, msg: str) -> None:
        """What is no HTTP never reaches the application: the problem is told here."""
        body = msgspec.json.encode(problem(400, "The request is not HTTP that can be read."))
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"content-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


async def serve(settings: Settings) -> None:
    """Serve until a signal. Raises WrongSetting where the port is taken."""
    container = make_async_container(
        SharedProvider(),
        HttpProvider(),
        *tracing(settings, "api"),
        context={Settings: settings},
    )
    with listening(settings.host, settings.port) as listener:
        server = uvicorn_server(create_app(container, settings))
        listeners = await container.get(Listeners)

        def stop(number: signal.Signals) -> None:
            listeners.close()  # their streams would else be waited for
            server.handle_exit(number, None)

        on_signal(stop)
        await server.serve(sockets=[listener])


def uvicorn_server(app: Litestar) -> uvicorn.Server:
    """A server for the application; TRUSTED_PROXIES are the application's own business."""
    return _Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens; port 0 takes a free one. Raises WrongSetting where it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio does not set TCP_NODELAY on its connections: 40 ms an answer.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except OSError as error:
            raise WrongSetting(
                f"PORT: cannot listen on {host}:{port} ({error.strerror or error}); "
                "stop what does, or set PORT (and HOST) to another one"
            ) from None
        yield listener
