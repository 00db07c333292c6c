"""Rows of chats as the loop writes them, for tests that only look at them."""

from typing import Any

import msgspec

from adapters.child_process import wait_until
from tests.entrypoints.http.conftest import Run
from tests.journal_steps import recorded


async def somebody_waits(sql: Run) -> None:
    """Until somebody waits for a row that a test has hold of."""

    async def waits() -> bool:
        ((count,),) = await sql(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(count)

    await wait_until(waits, 10)


async def keep_chat(sql: Run, bot_id: int, number: int, minutes_ago: int = 0) -> str:
    """A chat with Anna; its id."""
    chat_id = f"{bot_id}:{number}"
    await sql(
        "INSERT INTO tg_users (id, username, name) VALUES (:user, :username, 'Anna')"
        " ON CONFLICT DO NOTHING",
        user=abs(number),
        username=f"anna_{abs(number)}",
    )
    await sql(
        "INSERT INTO chats (id, telegram_chat_id, bot_id, tg_user_id, name, last_message_at)"
        " VALUES (:id, :number, :bot, :user, :name, now() - make_interval(mins => :ago))",
        id=chat_id,
        number=number,
        bot=bot_id,
        user=abs(number),
        name=f"Anna {number}",
        ago=minutes_ago,
    )
    return chat_id


async def keep_message(
    sql: Run, chat_id: str, text: str, status: str | None, **columns: Any
) -> int:
    """A user's message with its processing (unless `status` is None); its id."""
    bot_id = int(chat_id.partition(":")[0])
    ((message_id,),) = await sql(
        "INSERT INTO messages (chat_id, bot_id, sender, text, tg_user_id)"
        " VALUES (:chat, :bot, 'USER', :text, 5) RETURNING id",
        chat=chat_id,
        bot=bot_id,
        text=text,
    )
    if status is not None:
        values = {
            "id": message_id,
            "user_message_id": message_id,
            "bot_id": bot_id,
            "chat_id": chat_id,
            "status": status,
            "turn": None if status == "COMPLETED" else "{}",
        } | columns
        await sql(
            f"INSERT INTO message_processing ({', '.join(values)})"
            f" VALUES ({', '.join(':' + name for name in values)})",
            **values,
        )
    return int(message_id)


async def keep_reply(sql: Run, chat_id: str, text: str, message_id: int) -> None:
    """The model's answer to a message."""
    ((reply,),) = await sql(
        "INSERT INTO messages (chat_id, bot_id, sender, text, user_message_id)"
        " VALUES (:chat, :bot, 'BOT', :text, :message) RETURNING id",
        chat=chat_id,
        bot=int(chat_id.partition(":")[0]),
        text=text,
        message=message_id,
    )
    await sql(
        "UPDATE message_processing SET response_message_id = :reply WHERE id = :id",
        reply=reply,
        id=message_id,
    )


async def keep_step(sql: Run, message_id: int, line: str | bytes) -> None:
    """A step of the message's turn in the journal, as a line of a recording tells it."""
    step = msgspec.json.decode(line)
    await sql(
        "INSERT INTO journal (key, at, id, turn_id, from_state, event, effects, state)"
        " SELECT chat_id, now(), :id, id, :from_state, :event, :effects, :state"
        " FROM message_processing WHERE id = :turn",
        id=step["id"],
        turn=message_id,
        state=step["state"],
        **recorded(step),
    )
