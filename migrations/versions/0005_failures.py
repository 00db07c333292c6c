"""Failures by their kind: message_processing.fingerprint, and an index over those that failed.

The kinds of the failures that are there already are found as domain/alerts.py found them when this
revision was made.

Revision ID: 0005
Revises: 0004
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BATCH = 5000
FAILURES = "status IN ('FAILED', 'TERMINAL')"
SAID = re.compile(r"(the model refused|a malformed answer): .*", re.DOTALL)
VARYING = re.compile(r"[\w-]*\d(?:[\w.-]*\w)?")

_READ = sa.text(
    "SELECT id, CASE status WHEN 'FAILED' THEN last_error ELSE terminal_reason END"
    f" FROM message_processing WHERE {FAILURES} AND id > :after ORDER BY id LIMIT :batch"
)
_WRITE = sa.text(
    "UPDATE message_processing SET fingerprint = found.fingerprint"
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:fingerprints AS text[])) AS found (id, fingerprint)"
    " WHERE message_processing.id = found.id"
)


def upgrade() -> None:
    op.add_column("message_processing", sa.Column("fingerprint", sa.Text(), nullable=True))
    _fill(op.get_bind())
    op.create_index(
        "ix_message_processing_failures",
        "message_processing",
        ["status", "fingerprint", "bot_id", "id"],
        postgresql_include=["created_at", "updated_at", "last_error_at"],
        postgresql_where=sa.text(FAILURES),
    )


def downgrade() -> None:
    op.drop_index("ix_message_processing_failures", table_name="message_processing")
    op.drop_column("message_processing", "fingerprint")


def _fill(connection: sa.Connection) -> None:
    after = 0
    while rows := connection.execute(_READ, {"after": after, "batch": BATCH}).all():
        found = {row[0]: VARYING.sub("#", SAID.sub(r"\1", row[1] or ""))[:200] for row in rows}
        connection.execute(_WRITE, {"ids": list(found), "fingerprints": list(found.values())})
        after = rows[-1][0]
