"""The tables of DESIGN §5: their meaning stands in adapters/postgres_schema.py.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS citext")
    op.execute(sa.schema.CreateSequence(sa.Sequence("messages_id_seq", data_type=sa.BigInteger)))
    op.create_table(
        "alerts",
        sa.Column("bot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suppressed", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "cause", name=op.f("pk_alerts")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("turn_id", sa.BigInteger(), nullable=True),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("effects", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal")),
    )
    op.create_index(op.f("ix_journal_at"), "journal", ["at"], unique=False, postgresql_using="brin")
    op.create_index(op.f("ix_journal_key_seq"), "journal", ["key", "seq"], unique=False)
    op.create_index(
        op.f("ix_journal_turn_id_seq"),
        "journal",
        ["turn_id", "seq"],
        unique=False,
        postgresql_where=sa.text("turn_id IS NOT NULL"),
    )
    op.create_table(
        "settings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settings")),
    )
    op.create_table(
        "tg_users",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("full_name", sa.Text(), nullable=True),
        sa.Column("language_code", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tg_users")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("email", postgresql.CITEXT(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="ACTIVE", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("role IN ('ADMIN', 'MANAGER', 'USER')", name=op.f("ck_users_role")),
        sa.CheckConstraint("status IN ('ACTIVE', 'DISABLED')", name=op.f("ck_users_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_by", sa.UUID(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('ADMIN', 'MANAGER', 'USER')", name=op.f("ck_api_keys_role")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_api_keys_created_by"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_table(
        "bots",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("token_fingerprint", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("model_api", sa.Text(), server_default="RESPONSES", nullable=False),
        sa.Column("instructions", sa.Text(), nullable=True),
        sa.Column("temperature", sa.Double(), nullable=True),
        sa.Column("max_output_tokens", sa.Integer(), nullable=True),
        sa.Column("history_messages", sa.Integer(), server_default="20", nullable=False),
        sa.Column("assistant_id", sa.Text(), nullable=True),
        sa.Column("start_message", sa.Text(), nullable=True),
        sa.Column("help_text", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("telegram_mode", sa.Text(), nullable=False),
        sa.Column("telegram_api_url", sa.Text(), nullable=True),
        sa.Column("base_url", sa.Text(), nullable=True),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("owner_user_id", sa.UUID(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "model_api IN ('RESPONSES', 'CHAT_COMPLETIONS')", name=op.f("ck_bots_model_api")
        ),
        sa.CheckConstraint(
            "telegram_mode IN ('WEBHOOK', 'POLLING')", name=op.f("ck_bots_telegram_mode")
        ),
        sa.ForeignKeyConstraint(
            ["owner_user_id"], ["users.id"], name=op.f("fk_bots_owner_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bots")),
        sa.UniqueConstraint("token_fingerprint", name=op.f("uq_bots_token_fingerprint")),
    )
    op.create_index(op.f("ix_bots_owner_user_id"), "bots", ["owner_user_id"], unique=False)
    op.create_table(
        "chats",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("telegram_chat_id", sa.BigInteger(), nullable=False),
        sa.Column("topic_id", sa.BigInteger(), nullable=True),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column("thread_upto", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("context_from", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("told", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("tg_user_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("owner_job_id", sa.BigInteger(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["bot_id"], ["bots.id"], name=op.f("fk_chats_bot_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chats")),
    )
    op.create_index(
        op.f("ix_chats_bot_id_last_message_at_id"),
        "chats",
        ["bot_id", "last_message_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_chats_last_message_at_id"), "chats", ["last_message_at", "id"], unique=False
    )
    op.create_table(
        "telegram_updates",
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("update_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('WAITING', 'TAKEN', 'IGNORED', 'UNREADABLE')",
            name=op.f("ck_telegram_updates_state"),
        ),
        sa.ForeignKeyConstraint(
            ["bot_id"], ["bots.id"], name=op.f("fk_telegram_updates_bot_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("bot_id", "update_id", name=op.f("pk_telegram_updates")),
    )
    op.create_index(
        op.f("ix_telegram_updates_received_at"),
        "telegram_updates",
        ["received_at"],
        unique=False,
        postgresql_using="brin",
    )
    op.create_index(
        "ix_telegram_updates_waiting",
        "telegram_updates",
        ["chat_id", "update_id"],
        unique=False,
        postgresql_where=sa.text("state = 'WAITING'"),
    )
    op.create_table(
        "chat_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("chat_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("processing_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('OPERATOR_MESSAGE', 'REFRESH', 'RETRY')", name=op.f("ck_chat_requests_kind")
        ),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_chat_requests_chat_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_requests")),
    )
    op.create_index(
        "ix_chat_requests_waiting",
        "chat_requests",
        ["chat_id", "id"],
        unique=False,
        postgresql_where=sa.text("taken_at IS NULL"),
    )
    op.create_table(
        "messages",
        sa.Column(
            "id",
            sa.BigInteger(),
            server_default=sa.text("nextval('messages_id_seq')"),
            nullable=False,
        ),
        sa.Column("chat_id", sa.Text(), nullable=False),
        sa.Column("tg_user_id", sa.BigInteger(), nullable=True),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("in_context", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("telegram_update_id", sa.BigInteger(), nullable=True),
        sa.Column("user_message_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "sender IN ('USER', 'BOT', 'OPERATOR')", name=op.f("ck_messages_sender")
        ),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_messages_chat_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint(
            "bot_id", "telegram_update_id", name=op.f("uq_messages_bot_id_telegram_update_id")
        ),
    )
    op.create_index(op.f("ix_messages_chat_id_id"), "messages", ["chat_id", "id"], unique=False)
    op.create_table(
        "message_processing",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_message_id", sa.BigInteger(), nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terminal_reason", sa.Text(), nullable=True),
        sa.Column("response_message_id", sa.BigInteger(), nullable=True),
        sa.Column("telegram_incoming_message_id", sa.BigInteger(), nullable=True),
        sa.Column("telegram_outgoing_message_id", sa.BigInteger(), nullable=True),
        sa.Column("telegram_update_id", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("parts_sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("response_generated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("response_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("price", sa.Numeric(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("turn", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status IN ('RECEIVED', 'PROCESSING', 'COMPLETED', 'FAILED', 'TERMINAL')",
            name=op.f("ck_message_processing_status"),
        ),
        sa.ForeignKeyConstraint(
            ["user_message_id"],
            ["messages.id"],
            name=op.f("fk_message_processing_user_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_processing")),
        sa.UniqueConstraint("user_message_id", name=op.f("uq_message_processing_user_message_id")),
    )
    op.create_index(
        op.f("ix_message_processing_bot_id_id"),
        "message_processing",
        ["bot_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_message_processing_status_id"),
        "message_processing",
        ["status", "id"],
        unique=False,
    )
    op.create_index(
        "uq_message_processing_unfinished",
        "message_processing",
        ["chat_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('PROCESSING', 'FAILED')"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_message_processing_unfinished",
        table_name="message_processing",
        postgresql_where=sa.text("status IN ('PROCESSING', 'FAILED')"),
    )
    op.drop_index(op.f("ix_message_processing_status_id"), table_name="message_processing")
    op.drop_index(op.f("ix_message_processing_bot_id_id"), table_name="message_processing")
    op.drop_table("message_processing")
    op.drop_index(op.f("ix_messages_chat_id_id"), table_name="messages")
    op.drop_table("messages")
    op.drop_index(
        "ix_chat_requests_waiting",
        table_name="chat_requests",
        postgresql_where=sa.text("taken_at IS NULL"),
    )
    op.drop_table("chat_requests")
    op.drop_index(
        "ix_telegram_updates_waiting",
        table_name="telegram_updates",
        postgresql_where=sa.text("state = 'WAITING'"),
    )
    op.drop_index(
        op.f("ix_telegram_updates_received_at"),
        table_name="telegram_updates",
        postgresql_using="brin",
    )
    op.drop_table("telegram_updates")
    op.drop_index(op.f("ix_chats_last_message_at_id"), table_name="chats")
    op.drop_index(op.f("ix_chats_bot_id_last_message_at_id"), table_name="chats")
    op.drop_table("chats")
    op.drop_index(op.f("ix_bots_owner_user_id"), table_name="bots")
    op.drop_table("bots")
    op.drop_table("api_keys")
    op.drop_table("users")
    op.drop_table("tg_users")
    op.drop_table("settings")
    op.drop_index(
        op.f("ix_journal_turn_id_seq"),
        table_name="journal",
        postgresql_where=sa.text("turn_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_journal_key_seq"), table_name="journal")
    op.drop_index(op.f("ix_journal_at"), table_name="journal", postgresql_using="brin")
    op.drop_table("journal")
    op.drop_table("audit_log")
    op.drop_table("alerts")
    op.execute(sa.schema.DropSequence(sa.Sequence("messages_id_seq")))
