"""`make landing URL=… DIR=… REPO=…`: writes the Landing Web for a static host."""

import argparse
import sys
import tempfile
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
        _write(given.folder.resolve(), given.url, given.repository)
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


def _write(folder: Path, url: str, repository: str | None) -> None:
    """The whole site beside `folder`, then in its place: until then the one before is there.

    Only a folder with our mark, or an empty one, is replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / MARK).is_file():
        raise OSError("something else is there already")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
        new = Path(beside) / "new"
        new.mkdir()
        (new / MARK).write_text(_MARK_SAYS)
        place(DIST, new, url, frozenset(), repository)
        folder.rename(Path(beside) / "old")
        new.rename(folder)


if __name__ == "__main__":
    sys.exit(main())
