"""What a secret looks like where it should not be: in a path, in a name, in a line of the log."""

import re

SECRETS = (
    r"\b\d{4,}(?::|%(?:25)*3[Aa])[\w-]{30,}"  # a bot's token, in a URL as well
    r"|\b(?:sk-|kd_)[\w-]{8,}"  # a model server's key, and one of ours
)
_SECRET = re.compile(SECRETS)


def without_secrets(text: str) -> str:
    """The text with "…" in the place of what looks like a token or a key."""
    return _SECRET.sub("…", text)
