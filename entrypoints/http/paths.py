"""One reading of a request for all layers: which methods are safe, and which paths there are.

What the router would read as another one than its text is refused.

The router collapses slashes and adds a missing first one; a proxy in front may resolve dots and
decode slashes, or not. Who guards a path, and who writes down what was asked of it, must see what
is answered, so only a plain path is.
"""

from litestar.types import HTTPScope

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""


def is_plain(scope: HTTPScope) -> bool:
    """Whether nothing in the path can be read in two ways."""
    path = scope["path"]
    if not path.startswith("/") or "//" in path or "\\" in path:
        return False
    if b"%2f" in scope["raw_path"].lower():
        return False
    return not any(part in (".", "..") for part in path.split("/"))


def is_api(scope: HTTPScope) -> bool:
    """Whether the API is asked for something, or may be: what is not plain counts as such."""
    return scope["path"].startswith("/api/") or not is_plain(scope)
