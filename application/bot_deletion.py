"""What a person hears who deletes a bot.

The bot is gone at once: unseen, with its token free for another one, and none of its turns changes
anything any more. What was its own is erased afterwards (application/erasure.py).
"""

from msgspec import Struct

COUNTED_UPTO = 10_000
"""Of each kind: some milliseconds, however large the bot is."""


class Contents(Struct, frozen=True):
    """What is a bot's own, in rows, each counted as far as COUNTED_UPTO."""

    chats: int
    messages: int
    processing: int
    updates: int


class ErasedBot(Struct, frozen=True, rename="camel"):
    """What goes with a bot, in rows, and its journal, alerts and jobs as well. Its conversations
    at the model's server are deleted by jobs. `updates`: as Telegram sent them. Each is counted as
    far as 10000; `orMore`: one is not counted further.
    """

    bot_id: int
    chats: int
    messages: int
    processing: int
    updates: int
    or_more: bool


def erased_bot(bot_id: int, contents: Contents) -> ErasedBot:
    """Of a bot that was deleted."""
    counts = (contents.chats, contents.messages, contents.processing, contents.updates)
    return ErasedBot(bot_id, *counts, or_more=max(counts) >= COUNTED_UPTO)
