"""Environment -> Settings, or one clear line why not. The only place that reads the environment.

Names and defaults are DESIGN §6's; every one is optional for a first run. What a running system
needs changed without a restart is a setting in the database (application/settings.py).
"""

import ipaddress
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from application.users import email_errors

T = TypeVar("T")

TELEGRAM_API_URL = "https://api.telegram.org"


class WrongSetting(Exception):  # noqa: N818 - the line the start stops with
    """A value of the environment is wrong; the message names the variable and says what to do."""


class Settings(Struct, frozen=True):
    """What the environment says. None: unset; URLs have no trailing slash; times in seconds."""

    database_url: str | None
    worker_database_url: str | None
    redis_url: str | None
    port: int
    host: str
    public_url: str | None
    secret_key: str | None
    openai_api_key: str | None
    openai_base_url: str | None
    telegram_api_url: str
    admin_email: str | None
    admin_password: str | None
    workers: int | None
    logtail_source_token: str | None
    logtail_host: str | None
    log_level: str
    log_format: Literal["console", "json"]
    openai_timeout: float
    telegram_timeout: float
    data_dir: Path
    trusted_proxies: tuple[str, ...]
    telegram_send_limits: Literal["auto", "on", "off"]
    otel_exporter_otlp_endpoint: str | None
    sandbox: bool
    sandbox_url: str | None

    @property
    def stand_in_model_url(self) -> str | None:
        """The sandbox's model server, which answers while no real key is known."""
        return f"{self.sandbox_url}/openai/v1" if self.sandbox_url is not None else None

    def send_limits_apply(self, telegram_api_url: str) -> bool:
        """Whether sends to a Bot API server are kept within Telegram's limits."""
        if self.telegram_send_limits == "auto":
            return telegram_api_url == TELEGRAM_API_URL
        return self.telegram_send_limits == "on"


def load(environ: Mapping[str, str]) -> Settings:
    """Read the environment. Raises WrongSetting, naming the variable."""

    def read(name: str, parse: Callable[[str], T], default: T) -> T:
        value = environ.get(name, "").strip()
        if not value:
            return default
        try:
            return parse(value)
        except ValueError as error:
            raise WrongSetting(f"{name}: {error}") from None

    database_url = read("DATABASE_URL", _postgres_url, None)
    public_url = read("PUBLIC_URL", _public_url, None)
    return Settings(
        database_url=database_url,
        worker_database_url=read("WORKER_DATABASE_URL", _postgres_url, None),
        redis_url=read("REDIS_URL", _redis_url, None),
        port=read("PORT", _port, 8000),
        host=read("HOST", str, "127.0.0.1"),
        public_url=public_url,
        secret_key=read("SECRET_KEY", _secret_key, None),
        openai_api_key=read("OPENAI_API_KEY", _key, None),
        openai_base_url=read("OPENAI_BASE_URL", _http_url, None),
        telegram_api_url=read("TELEGRAM_API_URL", _http_url, TELEGRAM_API_URL),
        admin_email=read("ADMIN_EMAIL", _email, None),
        admin_password=read("ADMIN_PASSWORD", _password, None),
        workers=read("WORKERS", _between(1, 64), None),
        logtail_source_token=read("LOGTAIL_SOURCE_TOKEN", _key, None),
        logtail_host=read("LOGTAIL_HOST", _log_host, None),
        log_level=read("LOG_LEVEL", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
        log_format=read("LOG_FORMAT", _log_format, "console"),
        openai_timeout=read("OPENAI_TIMEOUT", _seconds, 120.0),
        telegram_timeout=read("TELEGRAM_TIMEOUT", _seconds, 15.0),
        data_dir=read("DATA_DIR", Path, Path(".data")),
        trusted_proxies=read("TRUSTED_PROXIES", _addresses, ()),
        telegram_send_limits=read("TELEGRAM_SEND_LIMITS", _send_limits, "auto"),
        otel_exporter_otlp_endpoint=read("OTEL_EXPORTER_OTLP_ENDPOINT", _http_url, None),
        sandbox=read("SANDBOX", _on_off, database_url is None and public_url is None),
        sandbox_url=read("KOTODOM_SANDBOX_URL", _http_url, None),
    )


def _postgres_url(value: str) -> str:
    scheme = urlsplit(value).scheme.partition("+")[0]
    if scheme not in ("postgres", "postgresql") or not _has_port_or_none(value):
        raise ValueError("expected postgresql://user:password@host:5432/name")
    return value


def _has_port_or_none(url: str) -> bool:
    """Whether a URL's port is a number, or absent (several hosts have a port each)."""
    try:
        return "," in urlsplit(url).netloc or urlsplit(url).port != 0
    except ValueError:
        return False


def _redis_url(value: str) -> str:
    parts = urlsplit(value)
    known = parts.scheme in ("redis", "rediss", "valkey", "valkeys", "unix")
    number = parts.scheme == "unix" or parts.path.strip("/") == "" or parts.path[1:].isdecimal()
    if not known or not number or not _has_port_or_none(value):
        raise ValueError("expected redis://host:6379/0, rediss://… or unix:///path/to/socket")
    return value


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    known = parts.scheme in ("http", "https") and parts.hostname
    if not known or not plain or not _has_port_or_none(value):
        raise ValueError("expected http(s)://host[:port][/path], without a user or a query")
    return value.rstrip("/")


def _public_url(value: str) -> str:
    url = _http_url(value)
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("expected https://…: Telegram delivers webhooks over HTTPS only")
    return url


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def reachable(host: str) -> str:
    """An address at which a server that listens on `host` can be asked from this machine."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isdecimal() or not low <= int(value) <= high:
            raise ValueError(f"expected a whole number from {low} to {high}, got {value!r}")
        return int(value)

    return parse


_port = _between(1, 65535)


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise ValueError(f"expected seconds, more than 0 and at most 3600, got {value!r}")
    return seconds


def _one_of(*names: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.upper() not in names:
            raise ValueError(f"expected one of {', '.join(names)}, got {value!r}")
        return value.upper()

    return parse


def _log_format(value: str) -> Literal["console", "json"]:
    match value.lower():
        case "console":
            return "console"
        case "json":
            return "json"
        case _:
            raise ValueError(f"expected console or json, got {value!r}")


def _send_limits(value: str) -> Literal["auto", "on", "off"]:
    match value.lower():
        case "auto":
            return "auto"
        case "on":
            return "on"
        case "off":
            return "off"
        case _:
            raise ValueError(f"expected auto, on or off, got {value!r}")


def _on_off(value: str) -> bool:
    if value.lower() not in ("on", "off"):
        raise ValueError(f"expected on or off, got {value!r}")
    return value.lower() == "on"


def _email(value: str) -> str:
    if email_errors(value) or value.count("@") != 1:
        raise ValueError(f"expected an e-mail address, got {value!r}")
    return value


def _key(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("expected a key of printable ASCII characters, without spaces")
    return value


def _log_host(value: str) -> str:
    url = value if "://" in value else f"https://{value}"
    if "." not in (urlsplit(url).hostname or "") or "_" in url:
        raise ValueError("expected a host name such as in.logs.betterstack.com")
    return _http_url(url)


def _password(value: str) -> str:
    if len(value) < 8:
        raise ValueError("expected at least 8 characters")
    return value


def _secret_key(value: str) -> str:
    keys = [key.strip() for key in value.split(",")]
    if any(len(key) < 32 for key in keys):
        raise ValueError("expected one or more keys of at least 32 characters, by commas")
    return ",".join(keys)


def _addresses(value: str) -> tuple[str, ...]:
    items = tuple(item.strip() for item in value.split(",") if item.strip())
    for item in items:
        try:
            ipaddress.ip_network(item, strict=False)
        except ValueError:
            raise ValueError(f"expected addresses or networks by commas, got {item!r}") from None
    return items
