"""`make landing URL=… DIR=…`: writes the Landing Web for a static host. No server is started."""

import argparse
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from entrypoints.http.landing_site import DIST, place


def main() -> int:
    """0, or 2 with a line that says what is wrong."""
    usage = "make landing URL=https://kotodom.example.org DIR=build/landing"
    parser = argparse.ArgumentParser(prog="make landing", usage=usage, description=__doc__)
    parser.add_argument("url", help="where it will be: https://kotodom.example.org")
    parser.add_argument("folder", type=Path, help="what is written anew: build/landing")
    given = parser.parse_args()
    parts = urlsplit(given.url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
        parser.error(f"URL={given.url}: expected https://host, without a path")
    if given.folder.exists():
        if not (given.folder / "sitemap.xml").is_file():
            parser.error(f"DIR={given.folder}: something else is there already")
        shutil.rmtree(given.folder)
    place(DIST, given.folder, f"{parts.scheme}://{parts.netloc}", frozenset())
    return 0


if __name__ == "__main__":
    sys.exit(main())
