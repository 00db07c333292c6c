"""What a secret looks like where it should not be: in a path, in a name, in a line of the log."""

import re

MASK = "…"

_SECRET = re.compile(
    r"(?<!\d)\d{4,}(?::|%(?:25)*3[Aa])[\w-]{30,}"  # a bot's token, in a URL (/bot…) as well
    r"|\b(?:sk-|kd_)[\w-]{8,}"  # a model server's key, and one of ours
    r"|(?<=Bearer )\S+"
    r"|(?<=://)[^\s/@]+(?=@)"  # a URL's user and password
)


def without_secrets(text: str) -> str:
    """The text with MASK in the place of what looks like a token, a key or a password."""
    return _SECRET.sub(MASK, text)
