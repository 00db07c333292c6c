"""The tables (DESIGN §5) as SQLAlchemy Core; migrations/ makes them, a test holds both together.

pgqueuer's own tables are not here: its migration is its schema, and its library reads them.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Sequence,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, CITEXT, UUID

from adapters.journal_compression import packed, unpacked

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Moment = DateTime(timezone=True)


class PackedJson(TypeDecorator[str]):
    """The journal's JSON: text here, packed there. Read, it may raise Unavailable."""

    impl = BYTEA
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return packed(value.encode()) if value is not None else None

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return unpacked(value).decode() if value is not None else None


def _created_at() -> Column[object]:
    return Column("created_at", Moment, nullable=False, server_default=func.now())


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


users = Table(
    "users",
    metadata,
    Column("id", UUID, primary_key=True, server_default=func.gen_random_uuid()),
    Column("email", CITEXT, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="ACTIVE"),
    _created_at(),
    Column("updated_at", Moment, nullable=False, server_default=func.now()),
    _one_of("role", "ADMIN", "MANAGER", "USER"),
    _one_of("status", "ACTIVE", "DISABLED"),
    Index(None, "created_at", "id"),
)

bots = Table(
    "bots",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("token_fingerprint", Text, nullable=False, unique=True),
    Column("username", Text),
    Column("model", Text),
    Column("model_api", Text, nullable=False, server_default="RESPONSES"),
    Column("instructions", Text),
    Column("temperature", Double),
    Column("max_output_tokens", Integer),
    Column("history_messages", Integer, nullable=False, server_default="20"),
    Column("assistant_id", Text),
    Column("start_message", Text),
    Column("help_text", Text),
    Column("error_message", Text),
    Column("enabled", Boolean, nullable=False, server_default="false"),
    Column("is_active", Boolean, nullable=False, server_default="false"),
    Column("error", Text),
    Column("telegram_mode", Text, nullable=False),
    Column("telegram_api_url", Text),
    Column("base_url", Text),
    Column("api_key", Text),
    Column("webhook_key", Text),
    Column("trouble_since", Moment),
    Column("silent_reason", Text),
    Column("looked_at", Moment),
    Column("look_again_at", Moment),
    Column("owner_user_id", UUID, ForeignKey("users.id", ondelete="SET NULL"), index=True),
    _created_at(),
    Column("updated_at", Moment, nullable=False, server_default=func.now()),
    _one_of("model_api", "RESPONSES", "CHAT_COMPLETIONS"),
    _one_of("telegram_mode", "WEBHOOK", "POLLING"),
)

tg_users = Table(
    "tg_users",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("username", Text),
    Column("name", Text),
    Column("full_name", Text),
    Column("language_code", Text),
    _created_at(),
)

chats = Table(
    "chats",
    metadata,
    Column("id", Text, primary_key=True),
    Column("telegram_chat_id", BigInteger, nullable=False),
    Column("topic_id", BigInteger),
    Column("bot_id", BigInteger, nullable=False),
    Column("thread_id", Text),
    Column("thread_upto", BigInteger, nullable=False, server_default="0"),
    Column("context_from", BigInteger, nullable=False, server_default="0"),
    Column("told", ARRAY(Text), nullable=False, server_default="{}"),
    Column("tg_user_id", BigInteger),
    Column("name", Text),
    Column("owner_job_id", BigInteger),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("paused_at", Moment),
    _created_at(),
    Column("last_message_at", Moment),
    Index(None, "bot_id", "last_message_at", "id"),
    Index(None, "last_message_at", "id"),
    Index(None, "telegram_chat_id"),
    Index(None, "tg_user_id"),
)

message_ids = Sequence("messages_id_seq", metadata=metadata, data_type=BigInteger)
"""Ids of messages; a message's processing has the id of the message it answers."""

messages = Table(
    "messages",
    metadata,
    Column(
        "id", BigInteger, message_ids, server_default=message_ids.next_value(), primary_key=True
    ),
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("tg_user_id", BigInteger),
    Column("bot_id", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("in_context", Boolean, nullable=False, server_default="true"),
    Column("telegram_update_id", BigInteger),
    Column("user_message_id", BigInteger),
    _created_at(),
    _one_of("sender", "USER", "BOT", "OPERATOR"),
    Index(None, "chat_id", "id"),
    UniqueConstraint("bot_id", "telegram_update_id"),
)

message_processing = Table(
    "message_processing",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "user_message_id",
        BigInteger,
        ForeignKey("messages.id", ondelete="CASCADE"),
        nullable=False,
        unique=True,
    ),
    Column("bot_id", BigInteger, nullable=False),
    Column("chat_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    Column("last_error_at", Moment),
    Column("terminal_reason", Text),
    Column("response_message_id", BigInteger),
    Column("telegram_incoming_message_id", BigInteger),
    Column("telegram_outgoing_message_id", BigInteger),
    Column("telegram_update_id", BigInteger),
    Column("run_id", Text),
    Column("parts_sent", Integer, nullable=False, server_default="0"),
    Column("response_generated_at", Moment),
    Column("response_sent_at", Moment),
    Column("price", Numeric),
    Column("model", Text),
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    Column("turn", Text),
    _created_at(),
    Column("updated_at", Moment, nullable=False, server_default=func.now()),
    Column("fingerprint", Text),
    _one_of("status", "RECEIVED", "PROCESSING", "COMPLETED", "FAILED", "TERMINAL"),
    # Lists show the newest first, whatever they are narrowed to.
    Index(None, "created_at", "id"),
    Index(None, "status", "created_at", "id"),
    Index(None, "bot_id", "created_at", "id"),
    Index(None, "bot_id", "status", "created_at", "id"),
    Index(
        "ix_message_processing_failures",
        "status",
        "fingerprint",
        "bot_id",
        "id",
        postgresql_include=["created_at", "updated_at", "last_error_at"],
        postgresql_where=text("status IN ('FAILED', 'TERMINAL')"),
    ),
    Index(
        "ix_message_processing_kind",
        "fingerprint",
        "created_at",
        "id",
        postgresql_where=text("status IN ('FAILED', 'TERMINAL')"),
    ),
    Index(
        "ix_message_processing_bot_id_kind",
        "bot_id",
        "fingerprint",
        "created_at",
        "id",
        postgresql_where=text("status IN ('FAILED', 'TERMINAL')"),
    ),
    Index(
        "uq_message_processing_unfinished",
        "chat_id",
        unique=True,
        postgresql_where=text("status IN ('PROCESSING', 'FAILED')"),
    ),
)

settings = Table(
    "settings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

telegram_updates = Table(
    "telegram_updates",
    metadata,
    Column("bot_id", BigInteger, primary_key=True, autoincrement=False),
    Column("update_id", BigInteger, primary_key=True),
    Column("received_at", Moment, nullable=False, server_default=func.now()),
    Column("payload", Text, nullable=False),
    Column("chat_id", Text),
    Column("state", Text, nullable=False),
    _one_of("state", "WAITING", "TAKEN", "IGNORED", "UNREADABLE"),
    Index(
        "ix_telegram_updates_waiting",
        "chat_id",
        "update_id",
        postgresql_where=text("state = 'WAITING'"),
    ),
    Index(None, "received_at", postgresql_using="brin"),
)

chat_requests = Table(
    "chat_requests",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("processing_id", BigInteger),
    _created_at(),
    Column("taken_at", Moment),
    _one_of("kind", "OPERATOR_MESSAGE", "REFRESH", "RETRY"),
    Index(
        "ix_chat_requests_waiting",
        "chat_id",
        "id",
        postgresql_where=text("taken_at IS NULL"),
    ),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("id", Text, nullable=False),
    Column("turn_id", BigInteger),
    Column("from_state", PackedJson),
    Column("event", PackedJson, nullable=False),
    Column("effects", PackedJson, nullable=False),
    Column("state", Text, nullable=False),
    Index(None, "key", "seq"),
    Index(None, "turn_id", "seq", postgresql_where=text("turn_id IS NOT NULL")),
    Index(None, "at", postgresql_using="brin"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("bot_id", BigInteger, nullable=False),
    Column("chat_id", Text),
    Column("asked_at", Moment, nullable=False, server_default=func.now()),
    Column("reached", BigInteger),
    Column("sealed_model", Text),
)
"""What is still to be erased: of a bot that is gone, or of a chat (`chat_id`) that is.
`reached`: how far it is, a step or an update's id (adapters/postgres_erasure.py).
`sealed_model`: where the bot's conversations are, with its own key, encrypted.
"""

bot_days = Table(
    "bot_days",
    metadata,
    Column("bot_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True, index=True),
    Column("status", Text, primary_key=True),
    Column("messages", Integer, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("price", Numeric),
    Column("buckets", ARRAY(Integer), nullable=False),
    Column("answers", ARRAY(Integer), nullable=False),
)
"""A bot's messages of a day that is over; of `answers` each is in the bucket beside it."""

counted_days = Table("counted_days", metadata, Column("day", Date, primary_key=True))

uncounted_bot_days = Table(
    "uncounted_bot_days",
    metadata,
    Column("bot_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("since", Moment, nullable=False, server_default=func.now()),
)
"""Of a counted day, the bots whose rows of bot_days do not stand: a message is not over."""

alerts = Table(
    "alerts",
    metadata,
    Column("bot_id", BigInteger, primary_key=True, autoincrement=False),
    Column("cause", Text, primary_key=True),
    Column("sent_at", Moment, nullable=False),
    Column("suppressed", Integer, nullable=False, server_default="0"),
    Column("job_id", BigInteger),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", Moment, nullable=False, server_default=func.now()),
    Column("user_id", UUID),
    Column("actor", CITEXT, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text),
    Column("before", Text),
    Column("after", Text),
    Column("status", Integer),
    Column("address", Text),
    Column("api_key_id", BigInteger),
    Column("api_key_name", Text),
    Index(None, "at", "id"),
    Index(None, "actor", "at", "id"),
    Index(None, "action", "at", "id"),
    Index(None, "target", "at", "id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("key_hash", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("created_by", UUID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    _created_at(),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    _one_of("role", "ADMIN", "MANAGER", "USER"),
    Index(None, "created_by", "id"),
)


def _trigrams(
    name: str, letters: ColumnElement[str], only: ColumnElement[bool] | None = None
) -> Index:
    """An index for words anywhere in a text. Of new entries it holds at most 1 MB unsorted, for
    every search reads through them.
    """
    return Index(
        name,
        letters.label("letters"),
        postgresql_using="gin",
        postgresql_ops={"letters": "gin_trgm_ops"},
        postgresql_with={"gin_pending_list_limit": 1024},
        postgresql_where=only,
    )


# search_letters(): revision 0006; pg_trgm alone knows no Cyrillic in a database of LC_CTYPE C.
_trigrams("ix_tg_users_username_trigrams", func.search_letters(tg_users.c.username))
_trigrams("ix_chats_name_trigrams", func.search_letters(chats.c.name))
_trigrams(
    "ix_messages_text_trigrams",
    func.search_letters(messages.c.text),
    only=messages.c.sender != text("'BOT'"),
)
