"""What the look at silent bots has found of each bot, and when it is to be looked at again.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMNS = {
    "trouble_since": sa.DateTime(timezone=True),
    "silent_reason": sa.Text(),
    "looked_at": sa.DateTime(timezone=True),
    "look_again_at": sa.DateTime(timezone=True),
}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("bots", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("bots", name)
