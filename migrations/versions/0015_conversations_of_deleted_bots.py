"""Where a deleted bot's conversations are: erasures.sealed_model (application/erasure.py).

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("erasures", sa.Column("sealed_model", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("erasures", "sealed_model")
