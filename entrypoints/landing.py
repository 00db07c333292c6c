"""`make landing URL=… DIR=… REPO=…`: writes the Landing Web for a static host."""

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from entrypoints.http.landing_site import DIST, origin_in, place, repository_in

MARK = "kotodom-landing.txt"
_MARK_SAYS = (
    "`make landing` of Kotodom GPT wrote this folder; it deletes all of it and writes it anew.\n"
)


def main() -> int:
    """0, or 2 with a line that says what is wrong."""
    usage = "make landing URL=https://kotodom.example.org DIR=build/landing"
    parser = argparse.ArgumentParser(prog="make landing", usage=usage, description=__doc__)
    parser.add_argument("url", type=_named("URL", origin_in), help="where it will be")
    parser.add_argument("folder", type=Path, help="what is written anew: build/landing")
    parser.add_argument(
        "repository", type=_named("REPO", repository_in), nargs="?", help="where to clone from"
    )
    given = parser.parse_args()
    try:
        _prepare(given.folder)
        place(DIST, given.folder, given.url, frozenset(), given.repository)
    except OSError as error:
        parser.error(f"DIR={given.folder}: {error.strerror or error}")
    return 0


def _named(name: str, parse: Callable[[str], str]) -> Callable[[str], str]:
    """`parse`, whose complaint says which word of make's it is about."""

    def parsed(value: str) -> str:
        try:
            return parse(value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{name}={value}: {error}") from error

    return parsed


def _prepare(folder: Path) -> None:
    """An empty folder with our mark. Only one that carries it, or is empty, is written anew."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise OSError("something else is there already")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(_MARK_SAYS)


if __name__ == "__main__":
    sys.exit(main())
