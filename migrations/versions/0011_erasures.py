"""Bots that go at once and are erased afterwards, days whose messages are counted, how frequent
trigrams are.

A bot's row goes first, and the rest follows in batches (adapters/postgres_erasure.py), so its chats
and updates outlive it for a while and refer to it no more: intake and new chats lock the bot's row
instead (FOR KEY SHARE), as the foreign keys' triggers did.

The statistics are of what show_trgm() says of a text, element by element: by them a search knows
whether the index finds few rows (adapters/postgres_search.py).

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

REFERRING = ("chats", "telegram_updates")
# Of messages only what people write, as in their index; a model's long answers would take their time.
STATISTICS = {
    "messages_trigrams": (
        "(CASE WHEN sender <> 'BOT' THEN show_trgm(search_letters(text)) END)",
        "messages",
    ),
    "chats_trigrams": ("show_trgm(search_letters(name))", "chats"),
    "tg_users_trigrams": ("show_trgm(search_letters(username))", "tg_users"),
}


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.Text(), nullable=True),
        sa.Column(
            "asked_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("reached", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_table(
        "bot_days",
        sa.Column("bot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=True),
        sa.Column("buckets", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("answers", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "day", "status", name=op.f("pk_bot_days")),
    )
    op.create_index(op.f("ix_bot_days_day"), "bot_days", ["day"])
    op.create_table(
        "counted_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_counted_days")),
    )
    op.create_table(
        "uncounted_bot_days",
        sa.Column("bot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "since", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("bot_id", "day", name=op.f("pk_uncounted_bot_days")),
    )
    for table in REFERRING:
        op.drop_constraint(f"fk_{table}_bot_id", table, type_="foreignkey")
    with op.get_context().autocommit_block():
        for name, (letters, table) in STATISTICS.items():
            op.execute(f"CREATE STATISTICS IF NOT EXISTS {name} ON {letters} FROM {table}")
        op.execute("DROP STATISTICS IF EXISTS messages_letters")
        op.execute("ANALYZE messages, chats, tg_users")


def downgrade() -> None:
    for name in STATISTICS:
        op.execute(f"DROP STATISTICS IF EXISTS {name}")
    op.execute("CREATE STATISTICS messages_letters ON search_letters(text) FROM messages")
    for table in REFERRING:
        op.execute(f"DELETE FROM {table} WHERE bot_id NOT IN (SELECT id FROM bots)")
        op.create_foreign_key(
            op.f(f"fk_{table}_bot_id"), table, "bots", ["bot_id"], ["id"], ondelete="CASCADE"
        )
    for made in ("uncounted_bot_days", "counted_days", "bot_days", "erasures"):
        op.drop_table(made)
