"""Local history as the model is told it: the chat's messages that are in context.

Triggered by the effect runner with each openai.generateReply. Local history is the truth; a
conversation on the model's server is a cache of it.
"""

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_transactions import fetch, transaction
from application.model import Line

_AFTER = """
SELECT sender, text FROM messages
WHERE chat_id = $1 AND id <= $2 AND in_context AND id > $3
  AND COALESCE(user_message_id, id) > $3 AND text <> ''
ORDER BY id DESC LIMIT $4
"""

MAX_UNSEEN = 50
"""How many messages a thread is told at most that were written while it was not asked."""


class PostgresHistory:
    """Reads lines of a chat."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def lines(self, chat: str, message_id: int, after: int, limit: int) -> tuple[Line, ...]:
        """The last `limit` messages after id `after`, in order, up to and with `message_id`."""
        async with transaction(self._engine) as connection:
            rows = await fetch(connection, _AFTER, chat, message_id, after, max(limit, 1))
        return tuple(
            Line("user" if sender == "USER" else "assistant", text)
            for sender, text in reversed(rows)
        )
