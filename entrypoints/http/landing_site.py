"""The built Landing Web -> the site of one place: its origin put in, and only what is there.

`make web` builds pages that know neither: they say an origin that is nobody's, and mark as comments
what only a running system has (entrypoints/web/landing/src/only.ts). The API puts the site in place
when it starts, and `make landing` does for any static host.
"""

import re
import shutil
from collections.abc import Set
from pathlib import Path

from servestatic.compress import Compressor  # type: ignore[import-untyped]

DIST = Path(__file__).parent.parent / "web" / "landing" / "dist"

RUNNING, SANDBOX = "running", "sandbox"
"""What a page may mark: what any system of ours has, and one whose sandbox is on."""

_ORIGIN = b"https://origin.invalid"
_ONLY = re.compile(rb"<!--only:(\w+)-->(.*?)<!--/only-->", re.DOTALL)
_CHANGED = {".html", ".xml", ".txt"}
_COMPRESSED = {*_CHANGED, ".json", ".svg"}


def place(dist: Path, folder: Path, origin: str, there: Set[str]) -> None:
    """Write the site into `folder`, which is made. `origin` is a scheme and a host, with a port.

    `there` says which of the marked things stay: RUNNING, SANDBOX. What the build compressed
    already, and every picture, is copied as it is.
    """
    compressor = Compressor(quiet=True)
    for source in sorted(path for path in dist.rglob("*") if path.is_file()):
        name = source.relative_to(dist)
        if any(part.startswith(".") for part in name.parts):
            continue  # the stamp of make, the manifest of Vite
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix in _CHANGED:
            target.write_bytes(_placed(source.read_bytes(), origin.encode(), there))
        else:
            shutil.copyfile(source, target)
        if source.suffix in _COMPRESSED:
            compressor.compress(target)


def _placed(text: bytes, origin: bytes, there: Set[str]) -> bytes:
    kept = _ONLY.sub(lambda found: found[2] if found[1].decode() in there else b"", text)
    return kept.replace(_ORIGIN, origin)
