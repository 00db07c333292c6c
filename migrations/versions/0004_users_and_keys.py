"""Lists of users and of API keys go by index.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_users_created_at_id", "users", ["created_at", "id"])
    op.create_index("ix_api_keys_created_by_id", "api_keys", ["created_by", "id"])


def downgrade() -> None:
    op.drop_index("ix_api_keys_created_by_id", table_name="api_keys")
    op.drop_index("ix_users_created_at_id", table_name="users")
