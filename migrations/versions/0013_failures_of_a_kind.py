"""Indexes by which the messages of one kind of failure are listed, the newest first.

Made while the system works on (CONCURRENTLY), as those of revision 0006; they hold failures alone.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FAILURES = "WHERE status IN ('FAILED', 'TERMINAL')"
MADE = {
    "ix_message_processing_kind": f"message_processing (fingerprint, created_at, id) {FAILURES}",
    "ix_message_processing_bot_id_kind": (
        f"message_processing (bot_id, fingerprint, created_at, id) {FAILURES}"
    ),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, on in MADE.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in MADE:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
