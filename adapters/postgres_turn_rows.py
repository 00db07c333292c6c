"""What a step of a chat writes, as rows: messages, message_processing, chats, inbox, journal.

Triggered by adapters/postgres_conversations.py with a batch's changes; all of them are written by
one statement, from arrays.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.journal_compression import packed
from adapters.postgres_transactions import execute
from application.conversations import Change, Entry, JournalRow
from domain.alerts import fingerprint
from domain.telegram import clean
from domain.turn import Status, Turn

_SAVE = """
WITH written AS (
    INSERT INTO messages (id, chat_id, bot_id, sender, text, in_context, created_at, tg_user_id,
                          telegram_update_id, user_message_id)
    SELECT COALESCE(id, nextval('messages_id_seq')), chat_id, bot_id, sender, text, in_context,
           created_at, tg_user_id, telegram_update_id, user_message_id
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bool[],
                $7::timestamptz[], $8::bigint[], $9::bigint[], $10::bigint[])
      AS row (id, chat_id, bot_id, sender, text, in_context, created_at, tg_user_id,
              telegram_update_id, user_message_id)
    ON CONFLICT (id) DO NOTHING
    RETURNING id, user_message_id, in_context
), processed AS (
    INSERT INTO message_processing AS old (
        id, user_message_id, bot_id, chat_id, status, attempts, last_error, last_error_at,
        terminal_reason, response_message_id, telegram_incoming_message_id,
        telegram_outgoing_message_id, telegram_update_id, run_id, parts_sent,
        response_generated_at, response_sent_at, price, model, input_tokens, output_tokens, turn,
        created_at, updated_at, fingerprint)
    SELECT row.id, row.id, bot_id, chat_id, status, attempts, last_error, last_error_at,
        terminal_reason, written.id, incoming, outgoing, update_id, run_id, parts_sent,
        generated_at, sent_at, price, model, input_tokens, output_tokens, turn, began_at, at,
        fingerprint
    FROM unnest($11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::int[], $16::text[],
                $17::timestamptz[], $18::text[], $19::bigint[], $20::bigint[], $21::bigint[],
                $22::text[], $23::int[], $24::timestamptz[], $25::timestamptz[], $26::numeric[],
                $27::text[], $28::int[], $29::int[], $30::text[], $31::timestamptz[],
                $32::timestamptz[], $33::text[])
      AS row (id, bot_id, chat_id, status, attempts, last_error, last_error_at, terminal_reason,
              incoming, outgoing, update_id, run_id, parts_sent, generated_at, sent_at, price,
              model, input_tokens, output_tokens, turn, began_at, at, fingerprint)
    LEFT JOIN written ON written.user_message_id = row.id
    -- A chat has one unfinished message: the one that ends here is written before the next begins.
    ORDER BY status IN ('PROCESSING', 'FAILED')
    ON CONFLICT (id) DO UPDATE SET
        status = excluded.status, attempts = excluded.attempts, last_error = excluded.last_error,
        last_error_at = excluded.last_error_at, terminal_reason = excluded.terminal_reason,
        response_message_id = COALESCE(excluded.response_message_id, old.response_message_id),
        telegram_outgoing_message_id = excluded.telegram_outgoing_message_id,
        run_id = excluded.run_id, parts_sent = excluded.parts_sent,
        response_generated_at = excluded.response_generated_at,
        response_sent_at = excluded.response_sent_at, price = excluded.price,
        model = excluded.model, input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens, turn = excluded.turn,
        updated_at = excluded.updated_at, fingerprint = excluded.fingerprint
), moved AS (
    UPDATE chats SET
        telegram_chat_id = row.chat_id, thread_id = row.thread_id, thread_upto = row.thread_upto,
        context_from = row.context_from, told = string_to_array(row.told, ','), epoch = row.epoch,
        paused_at = CASE WHEN row.paused THEN COALESCE(chats.paused_at, now()) END,
        owner_job_id = CASE WHEN row.owned THEN row.owner_job_id ELSE chats.owner_job_id END,
        last_message_at = COALESCE(row.at, chats.last_message_at),
        name = COALESCE(row.name, chats.name),
        tg_user_id = COALESCE(row.tg_user_id, chats.tg_user_id)
    FROM unnest($34::text[], $35::bigint[], $36::text[], $37::bigint[], $38::bigint[],
                $39::text[], $40::bigint[], $41::bool[], $42::bool[], $43::bigint[],
                $44::timestamptz[], $45::text[], $46::bigint[])
      AS row (id, chat_id, thread_id, thread_upto, context_from, told, epoch, paused, owned,
              owner_job_id, at, name, tg_user_id)
    WHERE chats.id = row.id
), received AS (
    UPDATE telegram_updates SET state = 'TAKEN'
    FROM unnest($47::bigint[], $48::bigint[]) AS row (bot_id, update_id)
    WHERE telegram_updates.bot_id = row.bot_id AND telegram_updates.update_id = row.update_id
), requested AS (
    UPDATE chat_requests SET taken_at = now() WHERE id = ANY($49::bigint[])
)
INSERT INTO journal (key, at, id, turn_id, from_state, event, effects, state)
SELECT * FROM unnest($50::text[], $51::timestamptz[], $52::text[], $53::bigint[], $54::bytea[],
                     $55::bytea[], $56::bytea[], $57::text[])
"""


async def save(
    connection: AsyncConnection, changes: Sequence[Change], owners: dict[str, int]
) -> None:
    """Write the changes; `owners` are the delayed jobs that own their chats from now on."""
    entries = [(change, change.taken) for change in changes if change.taken is not None]
    await execute(
        connection,
        _SAVE,
        *_columns(10, (row for change in changes for row in _messages(change))),
        *_columns(
            23, (_processing(change.chat, turn) for change in changes for turn in change.touched)
        ),
        *_columns(13, (_chat(change, owners) for change in changes)),
        *_columns(
            2, (_inbox(change, entry) for change, entry in entries if entry.kind == "UPDATE")
        ),
        [entry.id for _, entry in entries if entry.kind != "UPDATE"],
        *_columns(8, (_step(row) for change in changes for row in change.journal)),
    )


def storable(text: str | None) -> str | None:
    """Text as PostgreSQL's text type takes it."""
    return clean(text) if text is not None else None


def _columns(width: int, rows: Iterable[tuple[object, ...]]) -> list[Sequence[object]]:
    """Rows as the arrays that unnest takes, one for each column."""
    return list(zip(*rows, strict=True)) or [()] * width


def _messages(change: Change) -> Iterator[tuple[object, ...]]:
    """The message that began a turn, the model's reply, and what the system said."""
    begun = change.begun
    if begun is not None:
        user = begun.incoming.from_user if begun.incoming is not None else None
        unsupported = begun.incoming.unsupported if begun.incoming is not None else None
        yield (
            begun.token.id,
            change.chat,
            begun.bot.id,
            "OPERATOR" if begun.operator else "USER",
            begun.text or (f"[{unsupported}]" if unsupported else ""),
            begun.in_context,
            begun.began_at,
            user.id if user is not None else None,
            begun.update_id,
            None,
        )
    replied = change.replied
    if replied is not None and replied.reply is not None:
        yield _said(
            change.chat, replied, replied.reply.markdown, replied.generated_at, in_context=True
        )
    for turn in change.touched:
        if turn.over and turn.noticed and not turn.operator:
            text = "\n".join(part.text for part in turn.notice)
            yield _said(change.chat, turn, text, turn.ended_at, in_context=False)


def _said(
    chat: str, turn: Turn, text: str, at: datetime | None, *, in_context: bool
) -> tuple[object, ...]:
    return (None, chat, turn.bot.id, "BOT", clean(text), in_context, at, None, None, turn.token.id)


def _processing(chat: str, turn: Turn) -> tuple[object, ...]:
    reply = turn.reply
    outgoing = turn.noticed or turn.sent
    return (
        turn.token.id,
        turn.bot.id,
        chat,
        turn.status.value,
        turn.attempts,
        storable(turn.last_error),
        turn.last_error_at,
        storable(turn.verdict) if turn.over else None,
        turn.incoming.message_id if turn.incoming is not None else None,
        outgoing[-1] if outgoing else None,
        turn.update_id,
        turn.run_id or (reply.run_id if reply is not None else None),
        len(turn.sent),
        turn.generated_at,
        turn.ended_at if outgoing else None,
        Decimal(reply.price) if reply is not None and reply.price is not None else None,
        reply.model if reply is not None else None,
        reply.input_tokens if reply is not None else None,
        reply.output_tokens if reply is not None else None,
        None if turn.status is Status.COMPLETED else msgspec.json.encode(turn).decode(),
        turn.began_at,
        turn.ended_at or turn.generated_at or turn.last_error_at or turn.began_at,
        storable(_fingerprint(turn)),
    )


def _fingerprint(turn: Turn) -> str | None:
    """What failures of its kind have in common, where it is one."""
    match turn.status:
        case Status.FAILED:
            return fingerprint(turn.last_error or "")
        case Status.TERMINAL:
            return fingerprint(turn.verdict or "")
        case _:
            return None


def _chat(change: Change, owners: dict[str, int]) -> tuple[object, ...]:
    conversation = change.conversation
    incoming = change.begun.incoming if change.begun is not None else None
    owner: int | None = None
    if change.owner == "take":
        owner = change.pick.job_id
    elif change.owner == "retry":
        owner = owners[change.chat]
    return (
        change.chat,
        conversation.chat_id,
        conversation.thread_id,
        conversation.thread_upto,
        conversation.context_from,
        ",".join(conversation.told),
        conversation.epoch,
        conversation.paused,
        change.owner != "keep",
        owner,
        change.journal[-1].at if change.begun is not None or change.replied is not None else None,
        storable(incoming.chat.name) if incoming is not None else None,
        incoming.from_user.id if incoming is not None and incoming.from_user is not None else None,
    )


def _inbox(change: Change, entry: Entry) -> tuple[object, ...]:
    bot_id, _, _ = change.chat.partition(":")
    return int(bot_id), entry.id


def _step(row: JournalRow) -> tuple[object, ...]:
    return (
        row.key,
        row.at,
        row.id,
        row.turn_id,
        packed(row.from_state.encode()) if row.from_state is not None else None,
        packed(row.event.encode()),
        packed(row.effects.encode()),
        row.state,
    )
