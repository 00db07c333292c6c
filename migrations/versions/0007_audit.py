"""The audit log's status and address, and the indexes that its list goes by.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import CITEXT

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_log", sa.Column("status", sa.Integer(), nullable=True))
    op.add_column("audit_log", sa.Column("address", sa.Text(), nullable=True))
    op.alter_column("audit_log", "actor", type_=CITEXT(), existing_nullable=False)
    op.create_index("ix_audit_log_at_id", "audit_log", ["at", "id"])
    for column in ("actor", "action", "target"):
        op.create_index(f"ix_audit_log_{column}_at_id", "audit_log", [column, "at", "id"])


def downgrade() -> None:
    for column in ("target", "action", "actor"):
        op.drop_index(f"ix_audit_log_{column}_at_id", "audit_log")
    op.drop_index("ix_audit_log_at_id", "audit_log")
    op.alter_column("audit_log", "actor", type_=sa.Text(), existing_nullable=False)
    op.drop_column("audit_log", "address")
    op.drop_column("audit_log", "status")
