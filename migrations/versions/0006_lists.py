"""The indexes that big lists go by: the newest first, and words by their trigrams.

Made while the system works on (CONCURRENTLY), for the tables may be big: outside of a transaction,
so each begins with what an interrupted try may have left.

pg_trgm knows no letters but ASCII's where the database's LC_CTYPE is C, as our embedded one's is:
search_letters() makes ASCII of Cyrillic, letter by letter, and leaves the rest. The planner takes no
statistics from an index that is partial, so the letters of messages have some of their own: by them
it knows a frequent word, which is found sooner by walking along the newest, from a rare one.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґў"
LETTERS = "abvgdejziyklmnoprstufhcqwx012345e67g8u"
SEARCH_LETTERS = f"""
CREATE OR REPLACE FUNCTION search_letters(words text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(words, '{CYRILLIC}{CYRILLIC.upper()}', '{LETTERS}{LETTERS}')
"""
TRIGRAMS = "WITH (gin_pending_list_limit = 1024)"
MADE = {
    "ix_message_processing_created_at_id": "message_processing (created_at, id)",
    "ix_message_processing_status_created_at_id": "message_processing (status, created_at, id)",
    "ix_message_processing_bot_id_created_at_id": "message_processing (bot_id, created_at, id)",
    "ix_message_processing_bot_id_status_created_at_id": "message_processing (bot_id, status, created_at, id)",
    "ix_chats_telegram_chat_id": "chats (telegram_chat_id)",
    "ix_chats_tg_user_id": "chats (tg_user_id)",
    "ix_chats_name_trigrams": f"chats USING gin (search_letters(name) gin_trgm_ops) {TRIGRAMS}",
    "ix_tg_users_username_trigrams": f"tg_users USING gin (search_letters(username) gin_trgm_ops) {TRIGRAMS}",
    "ix_messages_text_trigrams": f"messages USING gin (search_letters(text) gin_trgm_ops) {TRIGRAMS} WHERE sender <> 'BOT'",
    "ix_pgqueuer_failed": "pgqueuer (id) WHERE status = 'failed'",
}
REPLACED = {
    "ix_message_processing_bot_id_id": "message_processing (bot_id, id)",
    "ix_message_processing_status_id": "message_processing (status, id)",
}


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute(SEARCH_LETTERS)
    op.execute(
        "CREATE STATISTICS IF NOT EXISTS messages_letters ON search_letters(text) FROM messages"
    )
    with op.get_context().autocommit_block():
        _make(MADE)
        _drop(REPLACED)
        op.execute("ANALYZE messages, chats, tg_users")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _make(REPLACED)
        _drop(MADE)
    op.execute("DROP STATISTICS messages_letters")
    op.execute("DROP FUNCTION search_letters")


def _make(indexes: dict[str, str]) -> None:
    for name, on in indexes.items():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")


def _drop(indexes: dict[str, str]) -> None:
    for name in indexes:
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
