"""Local history as the model is told it: the chat's messages that are in context.

Triggered by the effect runner with each openai.generateReply; those that come together are answered
by one statement. Local history is the truth; a conversation on the model's server is a cache of it.
"""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_transactions import fetch, transaction
from application.batcher import Batcher
from application.model import Line

_AFTER = """
SELECT ask.position, line.sender, line.text
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
  AS ask (chat_id, upto, after, many, position)
CROSS JOIN LATERAL (
    SELECT id, sender, text FROM messages
    WHERE chat_id = ask.chat_id AND id <= ask.upto AND in_context AND id > ask.after
      AND COALESCE(user_message_id, id) > ask.after AND text <> ''
    ORDER BY id DESC LIMIT ask.many
) line
ORDER BY ask.position, line.id
"""

MAX_UNSEEN = 50
"""How many messages a thread is told at most that were written while it was not asked."""


class _Asked(Struct, frozen=True):
    chat: str
    message_id: int
    after: int
    limit: int


class PostgresHistory:
    """Reads lines of chats."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._batcher: Batcher[_Asked, list[Line]] = Batcher(self._read)

    async def lines(self, chat: str, message_id: int, after: int, limit: int) -> tuple[Line, ...]:
        """The last `limit` messages after id `after`, in order, up to and with `message_id`."""
        return tuple(await self._batcher.put(_Asked(chat, message_id, after, max(limit, 1))))

    async def _read(self, asked: Sequence[_Asked]) -> list[list[Line]]:
        async with transaction(self._engine) as connection:
            rows = await fetch(
                connection,
                _AFTER,
                [ask.chat for ask in asked],
                [ask.message_id for ask in asked],
                [ask.after for ask in asked],
                [ask.limit for ask in asked],
            )
        lines: list[list[Line]] = [[] for _ in asked]
        for position, sender, text in rows:
            lines[position - 1].append(Line("user" if sender == "USER" else "assistant", text))
        return lines
