"""A user with a thousand bots, each with some chats: what lists do that ask bot by bot."""

import asyncpg

BOTS, CHATS = 1_000, 20

_BOTS = """
INSERT INTO bots (name, token, token_fingerprint, telegram_mode, owner_user_id)
SELECT 'Bot ' || g, 'x', 'many ' || g, 'POLLING', $1 FROM generate_series(1, $2::int) g
RETURNING id
"""
# Every bot has written a moment ago: the newest rows are those of all of them, in turn.
_CHATS = """
INSERT INTO chats (id, telegram_chat_id, bot_id, name, last_message_at)
SELECT bot || ':' || g, g, bot, 'Person ' || g,
       now() - (g * 1000 + bot % 1000) * interval '1 second'
FROM unnest($1::bigint[]) bot, generate_series(1, $2::int) g
"""
_MESSAGES = """
WITH said AS (
    INSERT INTO messages (chat_id, bot_id, sender, text, created_at)
    SELECT id, bot_id, 'USER', 'Слово ' || md5(id), last_message_at FROM chats
    WHERE bot_id = ANY($1::bigint[]) ORDER BY last_message_at
    RETURNING id, chat_id, bot_id, created_at
)
INSERT INTO message_processing (id, user_message_id, bot_id, chat_id, status, created_at)
SELECT id, id, bot_id, chat_id, 'COMPLETED', created_at FROM said ORDER BY id
"""


async def make_many_bots(database: asyncpg.Connection, owner: str) -> None:
    """The bots with their chats and messages; then ANALYZE."""
    bots = [row["id"] for row in await database.fetch(_BOTS, owner, BOTS)]
    await database.execute(_CHATS, bots, CHATS)
    await database.execute(_MESSAGES, bots)
    await database.execute("VACUUM ANALYZE")
