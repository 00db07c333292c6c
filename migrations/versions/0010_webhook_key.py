"""Which key's secret Telegram has for a bot's webhook: bots.webhook_key (`kotodom rotate-secrets`).

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bots", sa.Column("webhook_key", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("bots", "webhook_key")
