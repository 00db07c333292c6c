"""Which API key asked stands in the audit log, by its name as well: a key may be gone by then.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_log", sa.Column("api_key_id", sa.BigInteger(), nullable=True))
    op.add_column("audit_log", sa.Column("api_key_name", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("audit_log", "api_key_name")
    op.drop_column("audit_log", "api_key_id")
