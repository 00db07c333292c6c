"""The built Landing Web -> the site of one place: its addresses put in, and only what is there.

`make web` builds pages that know neither: they say addresses that are nobody's, and mark as
comments what only some places have (entrypoints/web/landing/src/only.ts). The API puts the site in
place when it starts, and `make landing` does for any static host.
"""

import ipaddress
import re
import shutil
from collections.abc import Mapping, Set
from html import escape
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from servestatic.compress import Compressor  # type: ignore[import-untyped]

DIST = Path(__file__).parent.parent / "web" / "landing" / "dist"

RUNNING, SANDBOX = "running", "sandbox"
"""What a page may mark: what any system of ours has, and one whose sandbox is on."""
_PUBLIC, _REPOSITORY = "public", "repository"
"""The same of a site whose address is known, and of one that says where to clone from."""

_ORIGIN = b"https://origin.invalid"
_CLONE_FROM = b"https://repository.invalid"
_NOT_FOR_ROBOTS = b"User-agent: *\nDisallow: /\n"
_ONLY = re.compile(rb"<!--only:(\w+)-->(.*?)<!--/only-->", re.DOTALL)
_CHANGED = {".html", ".xml", ".txt"}
_COMPRESSED = {*_CHANGED, ".json", ".svg"}


def place(
    dist: Path, folder: Path, origin: str | None, there: Set[str], repository: str | None = None
) -> None:
    """Write the site into `folder`, which is made. `origin` is a scheme and a host, with a port.

    Without an origin it is in no search engine: nothing says its address. `there` says which of the
    marked things stay: RUNNING, SANDBOX. What the build compressed already, and every picture, is
    copied as it is.
    """
    kept = {*there, *([_PUBLIC] if origin else []), *([_REPOSITORY] if repository else [])}
    addresses = {_ORIGIN: origin or "", _CLONE_FROM: repository or ""}
    compressor = Compressor(quiet=True)
    for source in sorted(path for path in dist.rglob("*") if path.is_file()):
        name = source.relative_to(dist)
        if any(part.startswith(".") for part in name.parts):
            continue  # the stamp of make, the manifest of Vite
        if origin is None and name == Path("sitemap.xml"):
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if origin is None and name == Path("robots.txt"):
            target.write_bytes(_NOT_FOR_ROBOTS)
        elif source.suffix in _CHANGED:
            target.write_bytes(_placed(source.read_bytes(), addresses, kept))
        else:
            shutil.copyfile(source, target)
        if source.suffix in _COMPRESSED:
            compressor.compress(target)


def _placed(text: bytes, addresses: Mapping[bytes, str], kept: Set[str]) -> bytes:
    text = _ONLY.sub(lambda found: found[2] if found[1].decode() in kept else b"", text)
    for nobodys, address in addresses.items():
        text = text.replace(nobodys, escape(address).encode())
    return text


def origin_in(url: str) -> str:
    """The origin that a URL is; ValueError says what was expected instead."""
    expected = ValueError("expected https://host or https://host:port, and nothing more")
    parts = _split(url, expected)
    if parts.path.strip("/"):
        raise expected
    return f"{parts.scheme}://{parts.netloc}"


def repository_in(url: str) -> str:
    """An address that `git clone` and a browser take; ValueError says what was expected instead."""
    expected = ValueError("expected https://host/path")
    parts = _split(url, expected)
    # No word of a shell's: people paste it into one.
    if not re.fullmatch(r"(?:/[\w.~+@-]+)+/?", parts.path):
        raise expected
    return parts.geturl()


def _split(url: str, expected: ValueError) -> SplitResult:
    """Its parts: of http or https, with a host that can be one, and without a user, ? or #.

    Scheme and host are lower case, and a colon without a port is left out.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port  # a wrong port is said here
        if ":" in host:
            ipaddress.IPv6Address(host)
    except ValueError:
        raise expected from None
    odd = {"@": parts.netloc, "?": url, "#": url}
    if (
        parts.scheme not in ("http", "https")
        or not re.fullmatch(r"[\w.-]+|[0-9a-f:.]+:[0-9a-f:.]*", host)
        or any(sign in where for sign, where in odd.items())
        or parts.geturl().lower() != url.lower()
    ):
        raise expected
    return parts._replace(netloc=parts.netloc.lower().removesuffix(":"))
