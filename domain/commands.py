"""/start, /help and /refresh, with arguments and `/command@botname` understood."""

import re

from msgspec import Struct

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s|$)")

COMMANDS = ("start", "help", "refresh")
"""The commands that we answer ourselves, in the order of the bot's menu (setMyCommands)."""


class Command(Struct, frozen=True):
    """A command's name in lower case, and whether it is spoken to this bot."""

    name: str
    ours: bool


def parse(text: str, username: str | None) -> Command | None:
    """The command that a text begins with, None where it begins with none that we answer.

    A command that names another bot, `/help@other_bot`, is known as such (`ours` is false).
    """
    match = _COMMAND.match(text) if text.startswith("/") else None
    if match is None:
        return None
    name, addressee = match[1].lower(), match[2]
    ours = addressee is None or username is None or addressee.lower() == username.lower()
    if ours and name not in COMMANDS:
        return None
    return Command(name, ours)
