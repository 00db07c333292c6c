"""Fills a database as years of use would: copies of a chat that was really served.

`fill(database, bot_id, messages)` brings the copies' rows in `messages` to so many, those of people
and those of the bot counted. A copy has its chat, messages, finished processing, taken updates and
journal, with ids of its own, written chat by chat; names, words and times differ, and one in a
hundred ended TERMINAL.
"""

import asyncpg

# Of each table the columns that a copy has of its own, as SQL over `s` (the sample's row), `g` (the
# copy's number) and the constants of _copy. Whatever else there is, is the sample's.
_MESSAGE = "{first_id} + g * {ids} + (s.{column} - {from_id})"
_UPDATE = "-(g * {updates} + (s.{column} - {from_update}))"
_TIME = "s.{column} - interval '90 days' + g * interval '20 seconds'"
_TABLES: dict[str, dict[str, str]] = {
    "chats": {
        "id": "{chat}",
        "telegram_chat_id": "-g",
        "name": "'Person ' || g || substr(' Анна Борис Вера Глеб Дина', (g % 20)::int, 6)",
        "last_message_at": _TIME,
    },
    "telegram_updates": {"update_id": _UPDATE, "chat_id": "{chat}"},
    "messages": {
        "id": _MESSAGE,
        "chat_id": "{chat}",
        "telegram_update_id": _UPDATE,
        "user_message_id": _MESSAGE,
        "text": "s.text || ' Слово' || md5(g::text)"
        " || CASE WHEN g % 5000 = 7 THEN ' редкое' ELSE '' END",
        "created_at": _TIME,
    },
    "message_processing": {
        "id": _MESSAGE,
        "user_message_id": _MESSAGE,
        "chat_id": "{chat}",
        "response_message_id": _MESSAGE,
        "telegram_update_id": _UPDATE,
        "status": "CASE WHEN g % 100 = 7 THEN 'TERMINAL' ELSE s.status END",
        "created_at": _TIME,
        "response_sent_at": _TIME,
    },
    "journal": {"key": "{chat}", "turn_id": _MESSAGE},
}
_BELONGS = {"chats": "id", "journal": "key"}
_BATCH = 20_000

_SAMPLE = """
SELECT s.chat_id AS chat, count(*) AS messages, min(s.id) AS from_id,
       max(s.id) - min(s.id) + 1 AS ids, min(s.telegram_update_id) AS from_update,
       max(s.telegram_update_id) - min(s.telegram_update_id) + 1 AS updates
FROM messages s JOIN chats ON chats.id = s.chat_id
WHERE s.bot_id = $1 AND chats.telegram_chat_id > 0
GROUP BY s.chat_id ORDER BY count(*) DESC, max(s.id) DESC
LIMIT 1
"""
_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = $1 AND is_identity = 'NO'
ORDER BY ordinal_position
"""


async def fill(database: asyncpg.Connection, bot_id: int, messages: int) -> None:
    """Make the bot's copied messages so many; then VACUUM, ANALYZE and a checkpoint."""
    (row,) = await database.fetch(_SAMPLE, bot_id)
    sample = dict(row)
    there = await database.fetchval(
        "SELECT count(*) FROM chats WHERE bot_id = $1 AND telegram_chat_id < 0", bot_id
    )
    copies = messages // sample["messages"]
    await database.execute("SET synchronous_commit = off")
    for first in range(there + 1, copies + 1, _BATCH):
        last = min(copies, first + _BATCH - 1)
        async with database.transaction():
            await _copy(database, bot_id, sample, first, last)
    await database.execute("RESET synchronous_commit")
    await database.execute("VACUUM ANALYZE")
    await database.execute("CHECKPOINT")


async def _copy(
    database: asyncpg.Connection, bot_id: int, sample: dict[str, object], first: int, last: int
) -> None:
    # What the sequence has given out belongs to others: the copies lie above it, and it above them.
    top = await database.fetchval("SELECT nextval('messages_id_seq')")
    count = last - first + 1
    await database.execute(
        "SELECT setval('messages_id_seq', $1)", top + (count + 1) * int(str(sample["ids"]))
    )
    places = {
        **sample,
        "chat": f"'{bot_id}:' || -g",
        "first_id": f"{top} - {first} * {sample['ids']}",
    }
    for table, own in _TABLES.items():
        columns = [row["column_name"] for row in await database.fetch(_COLUMNS, table)]
        values = [
            own[column].format(column=column, **places) if column in own else f"s.{column}"
            for column in columns
        ]
        belongs = _BELONGS.get(table, "chat_id")
        await database.execute(
            f"WITH s AS MATERIALIZED (SELECT * FROM {table} WHERE {belongs} = '{sample['chat']}') "
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
            f"FROM s, generate_series({first}::bigint, {last}) g ORDER BY g"
        )
