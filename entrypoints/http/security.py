"""What stands before every route: who asks from where, whose page sent it, who is signed in.

`Gate` wraps the whole application: behind TRUSTED_PROXIES it takes the client's address and scheme
from their headers, refuses paths that could be read in two ways (404) and unsafe requests of
foreign pages (403), and puts the security headers on every answer. `signed_in` is the guard of
whatever needs a person: a session's cookie, or an API key in `Authorization: Bearer kd_…`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, State
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Operation
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from application.api_keys import ApiKeys
from application.refusals import Unauthenticated
from application.sessions import Sessions
from application.users import User
from entrypoints.http.layer_problem import refuse
from entrypoints.http.paths import SAFE, is_api, is_plain

SESSION_COOKIE = "kotodom_session"
DEVICE_COOKIE = "kotodom_device"
DEVICE_SECONDS = 365 * 24 * 3600

Asked = Request[User, Any, State]
"""A request whose session, or API key, is a user's: `request.user`."""

_HEADERS = {
    b"content-security-policy": (
        b"default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    # Not no-referrer: under it a browser says `Origin: null` for our own forms.
    b"referrer-policy": b"same-origin",
    b"x-frame-options": b"DENY",
}
_DEFAULT_PORTS = {"http": 80, "https": 443}


async def signed_in(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """The guard: puts the user in the request. Raises Unauthenticated, SessionsAway."""
    container = connection.app.state.dishka_container
    given = _authorization(connection)
    if given is not None:
        # Whoever shows a key means that key: the cookie of somebody else does not stand in for it.
        keys = await container.get(ApiKeys)
        connection.scope["user"] = await keys.bearer(given)
    else:
        sessions = await container.get(Sessions)
        connection.scope["user"] = await sessions.user(connection.cookies.get(SESSION_COOKIE))


@dataclass
class SessionOnly(Operation):
    """What the OpenAPI document says of a route that refuses an API key; the use case does it."""

    def __post_init__(self) -> None:
        self.security = [{"session": []}]


def by_session(request: Request[Any, Any, State]) -> bool:
    """Whether a request that passed `signed_in` has a session, and not an API key."""
    return _authorization(request) is None


def _authorization(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """What should be an API key; None where nothing is said, or only what a proxy in front asks.

    A browser sends the password of such a proxy (Basic) along with our cookie.
    Raises Unauthenticated for what is neither.
    """
    given = [
        value
        for value in connection.headers.getall("authorization", [])
        if value.partition(" ")[0].lower() != "basic"
    ]
    if not given:
        return None
    scheme, _, key = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer":
        raise Unauthenticated("Authorization must be: Bearer, a space, and an API key.")
    return key.strip()


def address_of(request: Request[Any, Any, State]) -> str:
    """The client's address; IPv6 by its network, which is what one subscriber has."""
    host = request.client.host if request.client is not None else ""
    try:
        address = _plain(ip_address(host))
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)


def session_cookie(request: Request[Any, Any, State], value: str, seconds: int) -> Cookie:
    """The session's cookie; `seconds` 0 takes it away."""
    return _cookie(request, SESSION_COOKIE, value, seconds)


def device_cookie(request: Request[Any, Any, State], value: str) -> Cookie:
    """What gives a browser a count of wrong passwords of its own."""
    return _cookie(request, DEVICE_COOKIE, value, DEVICE_SECONDS)


def _cookie(request: Request[Any, Any, State], name: str, value: str, seconds: int) -> Cookie:
    public_url: str | None = request.app.state.public_url
    secure = request.scope["scheme"] == "https" or (public_url or "").startswith("https:")
    return Cookie(
        name, value=value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


class Gate:
    """The outermost layer of the application."""

    def __init__(
        self, app: ASGIApp, public_url: str | None, trusted_proxies: Sequence[str]
    ) -> None:
        self._app = app
        public = urlsplit(public_url or "")
        self._public = _server(public.netloc, public.scheme) if public_url else None
        self._proxies = [ip_network(item, strict=False) for item in trusted_proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        self._see_through_proxies(scope, headers)
        https = scope["scheme"] == "https"
        api = is_api(scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _guarded(message.get("headers", ()), https=https, api=api)
            await send(message)

        if not is_plain(scope):
            await refuse(send_guarded, 404, "There is nothing at this address.")
        elif self._is_foreign(scope, headers):
            await refuse(send_guarded, 403, "The request was sent by a page of another origin.")
        else:
            await self._app(scope, receive, send_guarded)

    def _see_through_proxies(self, scope: HTTPScope, headers: dict[bytes, bytes]) -> None:
        client = scope.get("client")
        if not self._proxies or client is None or not self._is_proxy(client[0]):
            return
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        for item in reversed(forwarded):
            address = _forwarded(item.strip())
            if address is None:  # whoever wrote it: the last proxy that we know is who asks
                break
            scope["client"] = (address, 0)
            if not self._is_proxy(address):
                break
        scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1")
        scheme = scheme.rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            scope["scheme"] = scheme

    def _is_proxy(self, address: str) -> bool:
        try:
            plain = _plain(ip_address(address))
        except ValueError:
            return False
        return any(_contains(network, plain) for network in self._proxies)

    def _is_foreign(self, scope: HTTPScope, headers: dict[bytes, bytes]) -> bool:
        """Whether a page of another origin sent this unsafe request (Telegram sends no Origin)."""
        origin = headers.get(b"origin")
        if origin is None or scope["method"] in SAFE or scope["path"].startswith("/webhook/"):
            return False
        scheme, separator, netloc = origin.decode("latin-1").lower().partition("://")
        if not separator or scheme not in _DEFAULT_PORTS:
            return True
        theirs = _server(netloc, scheme)
        host = headers.get(b"host", b"").decode("latin-1").lower()
        return theirs is None or theirs not in (self._public, _server(host, scheme))


def _guarded(
    headers: Iterable[tuple[bytes, bytes]],
    *,
    https: bool,
    api: bool,
) -> list[tuple[bytes, bytes]]:
    given = [(bytes(name), bytes(value)) for name, value in headers]
    names = {name.lower() for name, _ in given}
    ours = dict(_HEADERS)
    if https:
        ours[b"strict-transport-security"] = b"max-age=31536000"
    if api:
        ours[b"cache-control"] = b"no-store"
    return [*given, *((name, value) for name, value in ours.items() if name not in names)]


def _forwarded(item: str) -> str | None:
    """The address in an item of X-Forwarded-For, some of which have a port; None: it has none."""
    host = item
    if item.startswith("["):
        host = item[1:].partition("]")[0]
    elif item.count(":") == 1:
        host = item.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return str(address) if "%" not in host else None  # a zone may be any text


def _server(netloc: str, scheme: str) -> tuple[str, int] | None:
    """Host and port; None for what is no host."""
    try:
        parts = urlsplit(f"//{netloc}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host, port or _DEFAULT_PORTS[scheme]) if host else None


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address that came as IPv6 is the IPv4 address."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _contains(network: IPv4Network | IPv6Network, address: IPv4Address | IPv6Address) -> bool:
    return address.version == network.version and address in network
